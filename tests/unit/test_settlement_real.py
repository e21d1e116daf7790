"""Settlements of real sellers: every amount known, every total met, every voucher balanced."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from canonical.settlement.categories import CATEGORIES, CategoryMap
from canonical.settlement.checks import book
from canonical.settlement.default_map import V1_AMOUNT, default_entries
from canonical.settlement.models import CheckName, CheckStatus, PaymentKind
from starters.cli import app
from tests.support.settlements import Line, Made, comma, dotted, read
from worker.settlement_settings import SettlementSettings

RUNNER = CliRunner()
KEYS = [
    "settlement_id", "currency", "declared_total", "sum_of_rows", "categories", "vouchers", "orders", "unknown",
]  # fmt: skip


@pytest.fixture
def samples(shared: Path) -> Path:
    return shared / "spapi" / "samples"


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("O2C_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("folder", "settlement", "total"),
    [
        ("settlement-v1-flat", "CA-50011020300", "-321.69"),
        ("settlement-v1-flat", "CA-50018020314", "-62.31"),
        ("settlement-v1-flat", "CA-50034020328", "1016.08"),
        ("settlement-v1-flat", "CA-50044020356", "4630.23"),
        ("settlement-v2-derived", "CA-23874396421", "-321.69"),
        ("settlement-v2-derived", "CA-23874397121", "-62.31"),
        ("settlement-v2-derived", "CA-24288684721", "1016.08"),
        ("settlement-v2-derived", "CA-24495221541", "4630.23"),
    ],
)
def test_a_complete_file_balances(samples: Path, folder: str, settlement: str, total: str) -> None:
    shown = RUNNER.invoke(
        app, ["settlement", "preview", str(samples / folder / f"{settlement}.txt"), "--json"]
    )
    assert shown.exit_code == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert list(told) == KEYS
    assert told["declared_total"] == told["sum_of_rows"] == total
    assert told["unknown"] == []
    assert sum(map(Decimal, told["categories"].values())) == Decimal(total)
    assert told["vouchers"]
    for voucher in told["vouchers"]:
        debit = sum(Decimal(line["debit"]) for line in voucher["lines"])
        credit = sum(Decimal(line["credit"]) for line in voucher["lines"])
        assert debit == credit > 0


def test_both_layouts_of_a_settlement_say_the_same(samples: Path) -> None:
    pairs = ("50011020300", "23874396421"), ("50018020314", "23874397121"), ("50034020328", "24288684721")
    for old, new in (*pairs, ("50044020356", "24495221541")):
        first = read((samples / "settlement-v1-flat" / f"CA-{old}.txt").read_bytes())
        second = read((samples / "settlement-v2-derived" / f"CA-{new}.txt").read_bytes())
        assert first.settlement.sum_of_rows == second.settlement.sum_of_rows
        assert first.settlement.rows == second.settlement.rows
        assert _without_tax_apart(first.settlement.categories) == second.settlement.categories
        assert {(one.order_id, one.kind, one.amount) for one in first.payments()} == {
            (one.order_id, one.kind, one.amount) for one in second.payments()
        }


def _without_tax_apart(categories: dict[str, Decimal]) -> dict[str, Decimal]:
    """The old layout tells the tax on advertising apart, the new one within the whole fee."""
    tax = categories.pop("fee_tax", None)
    if tax is not None:
        categories["fee_advertising"] += tax
    return categories


@pytest.mark.parametrize(
    ("excerpt", "found", "lacking"),
    [("28to31jul", "336.98", "211781.97"), ("first-rows", "293.70", "211825.25")],
)
def test_an_excerpt_is_read_to_its_end_and_says_what_it_lacks(
    samples: Path, excerpt: str, found: str, lacking: str
) -> None:
    file = samples / "settlement-v2-wire" / f"AU-12395580393-excerpt-{excerpt}.txt"
    shown = RUNNER.invoke(app, ["settlement", "preview", str(file), "--json"])
    assert shown.exit_code == 4
    told = json.loads(shown.stdout)
    assert (told["declared_total"], told["sum_of_rows"]) == ("212118.95", found)
    assert told["unknown"] == told["vouchers"] == []
    assert f"lacks {lacking} AUD" in shown.stderr
    rows = file.read_text().splitlines()
    orders = {row.split("\t")[7] for row in rows[2:]} - {""}
    assert {one["order_id"] for one in told["orders"]} <= orders
    read_rows = read(file.read_bytes()).settlement.rows
    assert read_rows == len(rows) - 2


def _european(samples: Path) -> Iterator[Made]:
    """The lines of a European seller as files of the flat file V2, one by settlement."""
    by_settlement: dict[str, list[Line]] = {}
    with (samples / "settlement-lines-EU-eur" / "jtl-2025-10-shared.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter=";"):
            posted = datetime.strptime(row["PostedDateTime"][:24], "%a %b %d %Y %H:%M:%S").replace(tzinfo=UTC)
            line = Line(
                row["TransactionType"], row["AmountType"], row["AmountDescription"],
                Decimal(row["Amount"]).quantize(Decimal("0.01")),
                row["OrderID"], row["MarketplaceName"], posted=posted,
            )  # fmt: skip
            by_settlement.setdefault(row["SettlementID"], []).append(line)
    for settlement_id, lines in by_settlement.items():
        moments = [line.posted for line in lines]
        yield Made(
            tuple(lines), settlement_id=settlement_id, start=min(moments), end=max(moments),
            date=dotted, number=comma,
        )  # fmt: skip


def test_a_european_seller_has_nothing_unknown_and_withheld_tax_nets_to_zero(samples: Path) -> None:
    settings = SettlementSettings(time_zone="Europe/Berlin")
    settlements = withheld = 0
    for made in _european(samples):
        summed = read(made, settings)
        booking = book(summed.settlement, settings.plan)
        assert summed.settlement.unknown == ()
        assert booking.postable, booking.checks
        assert all(voucher.balances for voucher in booking.vouchers)
        tax = summed.settlement.withheld
        assert (tax.net, tax.odd) == (0, 0)
        check = next(one for one in booking.checks if one.name is CheckName.WITHHELD)
        assert check.status is CheckStatus.OK
        settlements += 1
        withheld += tax.orders
    assert (settlements, withheld) == (11, 5)


def test_an_order_refunded_in_two_settlements_is_refunded_in_each(samples: Path) -> None:
    found = [
        payment
        for made in _european(samples)
        for payment in read(made).payments()
        if payment.order_id == "171-7666516-1557931" and payment.kind is PaymentKind.REFUND
    ]
    assert len(found) == 2
    assert all(payment.amount < 0 for payment in found)


def test_the_default_map_has_every_combination_that_was_ever_seen(shared: Path) -> None:
    book_ = CategoryMap(default_entries())
    with (shared / "spapi" / "settlement-amounts.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) > 200
    for row in rows:
        key = row["transaction_type"], row["amount_type"], row["amount_description"]
        if key[1].startswith("(v1)"):
            key = key[0], V1_AMOUNT, ""
        key = tuple(text.replace("*", "whatever").replace("?", "somewhere") for text in key)
        category = book_.category((key[0], key[1], key[2]))
        assert category is not None, key
        assert category.name == row["category"], key


def test_the_categories_are_those_of_the_trade(shared: Path) -> None:
    with (shared / "spapi" / "settlement-categories.csv").open(encoding="utf-8") as stream:
        assert {row["category"] for row in csv.DictReader(stream)} == set(CATEGORIES)

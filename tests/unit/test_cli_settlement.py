"""`o2c settlement preview`: 0 only if the file is read, complete, known and balanced; nothing else is needed."""

import gzip
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from starters.cli import app
from tests.support.configuration import SETTLEMENT, write_configuration
from tests.support.settlements import ORDER_ID, Line, Made, other, refund, sale

RUNNER = CliRunner()
MADE = Made(
    (
        sale("Principal", "100.00"),
        sale("Tax", "19.00"),
        sale("Commission", "-15.00", kind="ItemFees"),
        refund("Principal", "-40.00"),
        other("Subscription Fee", "-39.00"),
    )
)
STRANGE = Line("other-transaction", "other-transaction", "Moon Fee", Decimal("-1.50"))
ADDED = """
[[map]]
transaction_type = "other-transaction"
amount_type = "other-transaction"
amount_description = "Moon Fee"
category = "fee_other"
"""
ADDED_ROWS = """transaction_type,amount_type,amount_description,category
other-transaction,other-transaction,Moon Fee,fee_other
"""


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("O2C_CONFIG", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


def _preview(made: Made | str | bytes, *words: str) -> Result:
    content = made.text() if isinstance(made, Made) else made
    file = Path("settlement.txt")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return RUNNER.invoke(app, ["settlement", "preview", str(file), *words])


def _refused(made: Made | str | bytes, *words: str) -> str:
    shown = _preview(made, *words)
    assert (shown.exit_code, shown.stdout) == (2, "")
    return shown.stderr


def _configuration(tmp_path: Path, more: str = "") -> Path:
    file = write_configuration(
        tmp_path / "o2c.toml", temporal="127.0.0.1:1", amazon="http://127.0.0.1:1", ionapi=tmp_path / "none"
    )
    file.write_text(file.read_text().replace(SETTLEMENT, "") + more)
    return file


def test_what_json_says() -> None:
    shown = _preview(MADE, "--json")
    assert shown.exit_code == 0
    told = json.loads(shown.stdout)
    orders = told.pop("orders")
    payments, ledger = told.pop("vouchers")
    assert told == {
        "settlement_id": "25719799032",
        "currency": "EUR",
        "declared_total": "25.00",
        "sum_of_rows": "25.00",
        "categories": {
            "fee_commission": "-15.00", "fee_subscription": "-39.00", "refund_product": "-40.00",
            "revenue_product": "100.00", "tax_collected": "19.00",
        },
        "unknown": [],
    }  # fmt: skip
    assert [(one["order_id"], one["kind"], one["amount"]) for one in orders] == [
        (ORDER_ID, "payment", "119.00"), (ORDER_ID, "refund", "-40.00"),
    ]  # fmt: skip
    text = f"25719799032 {ORDER_ID}"
    assert payments["lines"] == [
        {"account": "<clearing>", "dimensions": {}, "debit": "79.00", "credit": "0.00",
         "text": "25719799032 Amazon clearing"},
        {"account": "<receivable>", "dimensions": {}, "debit": "0.00", "credit": "119.00", "text": text},
        {"account": "<receivable>", "dimensions": {}, "debit": "40.00", "credit": "0.00", "text": text},
    ]  # fmt: skip
    assert {line["account"]: (line["debit"], line["credit"]) for line in ledger["lines"]} == {
        "<fee_commission>": ("15.00", "0.00"),
        "<fee_subscription>": ("39.00", "0.00"),
        "<clearing>": ("0.00", "54.00"),
    }


def test_what_a_person_reads() -> None:
    shown = _preview(MADE)
    assert shown.exit_code == 0
    for words in (
        "Settlement 25719799032: 25.00 EUR, 2026-07-17 to 2026-07-31, 5 rows.",
        "Voucher 0 (payments), 2026-07-31, EUR",
        "The rows add up to the declared total, 25.00 EUR.",
        "The deposit of 25.00 EUR brings the clearing account to zero.",
        "those in <> are placeholders",
    ):
        assert words in shown.stdout


def test_a_file_that_cannot_be_read_is_refused_with_its_row() -> None:
    text = MADE.text()
    assert "settlement.txt is not read. Row 7 has 1 of 24 cells" in _refused(
        text[: text.rindex("Subscription") - 50]
    )
    assert "two styles" in _refused(text.replace("-15.00", "-15,00"))
    assert "cut off" in _refused(gzip.compress(text.encode())[:-20])
    assert "neither UTF-8" in _refused(text.encode() + b"\x81\xff")
    assert "no settlement" not in _refused("order-id\tsku\n1\t2\n")
    assert "settlement.txt is not read. The file is XML." in _refused('<?xml version="1.0"?><AmazonEnvelope>')


def test_a_file_that_is_not_there_is_refused() -> None:
    shown = RUNNER.invoke(app, ["settlement", "preview", "nowhere.txt"])
    assert (shown.exit_code, "There is no file nowhere.txt." in shown.stderr) == (2, True)


def test_an_unknown_combination_is_3_until_the_map_has_it(tmp_path: Path) -> None:
    made = replace(MADE, lines=(*MADE.lines, STRANGE))
    shown = _preview(made, "--json")
    assert shown.exit_code == 3
    assert "Row 8: other-transaction / other-transaction / Moon Fee is in no map" in shown.stderr
    told = json.loads(shown.stdout)
    assert told["vouchers"] == []
    assert told["unknown"] == [
        {
            "transaction_type": "other-transaction", "amount_type": "other-transaction",
            "amount_description": "Moon Fee", "missing": "category", "category": "", "marketplace": "",
            "row": 8, "count": 1, "amount": "-1.50",
        }
    ]  # fmt: skip
    for name, content in (
        ("more.toml", ADDED),
        ("whole.toml", ADDED.replace("[map]", "[settlement.map]")),
        ("more.csv", ADDED_ROWS),
    ):
        file = tmp_path / name
        file.write_text(content)
        assert _preview(made, "--map", str(file)).exit_code == 0, name


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.toml", ADDED.replace("fee_other", "fee_moon"), "map.0.category: fee_moon is no category"),
        ("a.toml", "[[map", "cannot be read"),
        ("a.toml", "accounts = { fee_comission = '6770' }", "accounts: fee_comission is no category"),
        ("a.csv", "a,b\n1,2\n", "it needs the columns transaction_type"),
    ],
)
def test_a_wrong_map_is_refused(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / name).write_text(content)
    assert reason in _refused(MADE, "--map", name)
    assert "There is no file" in _refused(MADE, "--map", "nowhere.toml")


def test_totals_that_differ_are_4() -> None:
    shown = _preview(replace(MADE, total=Decimal("25.01")), "--json")
    assert shown.exit_code == 4
    assert "The rows add up to 25.00 EUR; row 2 declares 25.01. The file lacks 0.01 EUR." in shown.stderr
    told = json.loads(shown.stdout)
    assert (told["declared_total"], told["sum_of_rows"], told["vouchers"]) == ("25.01", "25.00", [])


def test_configured_accounts_are_shown_and_missing_ones_are_3(tmp_path: Path) -> None:
    config = str(_configuration(tmp_path, '[settlement.accounts]\nfees = "6770"\nclearing = "1815"\n'))
    told = json.loads(_preview(MADE, "--config", config, "--json").stdout)
    ledger = told["vouchers"][1]
    assert {line["account"] for line in ledger["lines"]} == {"6770", "1815"}
    reserve = replace(MADE, lines=(*MADE.lines, other("Current Reserve Amount", "-5.00")))
    shown = _preview(reserve, "--config", config)
    assert shown.exit_code == 3
    assert (
        "Row 8: other-transaction / other-transaction / Current Reserve Amount is reserve_held"
        in shown.stderr
    )
    euro = '[[settlement.overrides]]\ncurrency = "EUR"\naccounts = { clearing = "1815", fees = "6770" }\n'
    config = str(_configuration(tmp_path, euro))
    assert _preview(MADE, "--config", config).exit_code == 0
    shown = _preview(replace(MADE, currency="SEK"), "--config", config)
    assert shown.exit_code == 3
    assert "Row 2: there is no clearing account for SEK Amazon.de." in shown.stderr


def test_another_sellers_settlement_is_refused(tmp_path: Path) -> None:
    config = str(_configuration(tmp_path))
    assert _preview(MADE, "--config", config, "--seller", "A2EUSELLER0001").exit_code == 0
    american = replace(MADE, lines=tuple(replace(line, marketplace="Amazon.com") for line in MADE.lines))
    said = _refused(american, "--config", config, "--seller", "A2EUSELLER0001")
    assert "Row 3 is of Amazon.com, which is no marketplace of seller A2EUSELLER0001" in said


def test_categories_are_listed_with_their_accounts(tmp_path: Path) -> None:
    config = str(_configuration(tmp_path, '[settlement.accounts]\nfees = "6770"\n'))
    shown = RUNNER.invoke(app, ["settlement", "categories", "--json", "--config", config])
    told = {one["category"]: one for one in json.loads(shown.stdout)}
    assert told["fee_commission"] == {
        "category": "fee_commission", "group": "fees", "text": "Referral fees", "account": "6770",
    }  # fmt: skip
    assert told["reserve_held"]["account"] == ""
    assert "carried_forward" in told

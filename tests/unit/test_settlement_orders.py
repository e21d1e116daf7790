"""`o2c settlement show --orders`: every order that differs, however many, and every amount in one row."""

import asyncio
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from activities.archive import Archive
from canonical.settlement.matching import MatchStatus, OrderMatch, Paid
from canonical.settlement.models import PaymentKind
from canonical.settlement.order_rows import OrderRow, order_rows
from canonical.settlement_contracts import Matched, SettlementView
from canonical.settlement_reports import ArchivedReport, ReportOrigin
from canonical.steps import Step
from starters.cli import app
from starters.console import Refused
from starters.settlement_orders import write_orders
from tests.support.configuration import write_configuration
from tests.support.settlements import SETTLEMENT_ID, Made, booked, sale
from worker.settings import load_settings

DIFFERING = 150


def paid(amount: str, left: str = "0", number: str = "AM1") -> Paid:
    return Paid(
        payer="C1", customer="C1", number=number, year="2026", amount=Decimal(amount), left=Decimal(left)
    )


def found(order_id: str, amount: str, *lines: Paid, rest: str = "0", row: int = 3) -> OrderMatch:
    left = sum((one.left for one in lines), Decimal(0))
    status = MatchStatus.VARIANCE if Decimal(rest) or left else MatchStatus.MATCHED
    return OrderMatch(
        order_id=order_id, kind=PaymentKind.PAYMENT, marketplace="Amazon.de", amount=Decimal(amount), row=row,
        status=status if lines else MatchStatus.NO_INVOICE, paid=lines, rest=Decimal(rest), left=left,
        sentence="" if status is MatchStatus.MATCHED else f"{order_id} differs.",
    )  # fmt: skip


def rows(*looks: tuple[Matched, list[OrderMatch]], everything: bool = False) -> list[OrderRow]:
    kept = {look.folder: matches for look, matches in looks}
    return list(
        order_rows([look for look, _ in looks], lambda look: kept[look.folder], everything=everything)
    )


def look(number: int, before: str = "", before_lines: int = 0) -> Matched:
    return Matched(folder=f"matches/{number:02d}", number=number, before=before, before_lines=before_lines)


FIRST = [
    found("A", "10", paid("10")),
    found("B", "10", paid("8"), rest="2"),
    found("C", "10", paid("10", left="5")),
    found("D", "10", rest="10"),
]


def test_one_look_says_what_differs_or_everything() -> None:
    differing = rows((look(1), FIRST))
    assert [(one.order_id, one.status) for one in differing] == [
        ("B", "variance"), ("C", "variance"), ("D", "no_invoice")
    ]  # fmt: skip
    b = differing[0]
    assert (b.amount, b.pays, b.pays_nothing, b.open_in_m3, b.invoices) == (10, 8, 2, 0, "AM1/2026")
    assert b.why == "B differs."
    assert [one.order_id for one in rows((look(1), FIRST), everything=True)] == ["A", "B", "C", "D"]


def test_what_a_later_look_takes_up_is_in_its_rows_alone() -> None:
    second = [found("B", "2", paid("2", number="AM2")), found("D", "10", rest="10")]
    told = ((look(1), FIRST), (look(2, "matches/01", 3), second))
    everything = rows(*told, everything=True)
    assert sum(one.amount for one in everything) == 40
    assert [(one.order_id, one.look, one.amount, one.status) for one in everything] == [
        ("A", 1, 10, "matched"), ("B", 1, 8, "matched"), ("C", 1, 10, "variance"), ("B", 2, 2, "matched"),
        ("D", 2, 10, "no_invoice"),
    ]  # fmt: skip
    assert [one.order_id for one in rows(*told)] == ["C", "D"]


def test_lines_that_were_not_posted_are_looked_up_again() -> None:
    two = [found("A", "10", paid("10")), found("B", "10", paid("6"), paid("4", number="AM2"))]
    second = [found("B", "4", rest="4")]
    everything = rows((look(1), two), (look(2, "matches/01", 2), second), everything=True)
    assert [(one.order_id, one.look, one.amount, one.status) for one in everything] == [
        ("A", 1, 10, "matched"), ("B", 1, 6, "matched"), ("B", 2, 4, "no_invoice")
    ]  # fmt: skip


def test_a_look_at_everything_anew_takes_the_place_of_those_before() -> None:
    everything = rows((look(1), FIRST), (look(2), FIRST[:1]), everything=True)
    assert [(one.order_id, one.look) for one in everything] == [("A", 2)]


# --- the command ---------------------------------------------------------------------------------


def settlement(folder: Path, matched: int = 50) -> tuple[Path, SettlementView]:
    """A configuration whose archive has a settlement with many orders that differ."""
    file = write_configuration(
        folder / "o2c.toml", temporal="127.0.0.1:1", amazon="http://127.0.0.1:1", ionapi=folder / "none"
    )
    archive = Archive(str(folder / "archive"))
    assert load_settings(file).archive.url == archive.where
    matches = [found(f"028-0000000-{number:07d}", "1.00", rest="1.00") for number in range(DIFFERING)]
    matches += [found(f"028-1111111-{number:07d}", "2.00", paid("2.00")) for number in range(matched)]
    one = Matched(
        folder=f"settlements/A2EUSELLER0001/{SETTLEMENT_ID}/matches/01", number=1,
        orders={MatchStatus.NO_INVOICE: DIFFERING, MatchStatus.MATCHED: matched}, lines=matched,
        listed=tuple(matches[:100]),
    )  # fmt: skip
    for number in range(0, len(matches), 40):
        text = "".join(f"{each.model_dump_json()}\n" for each in matches[number : number + 40])
        archive.write(f"{one.folder}/parts/{number:05d}.jsonl", text.encode())
    made = Made(tuple(sale("Principal", "1.00") for _ in range(2)))
    report = ArchivedReport(
        key="x", sha256="ab" * 32, size=1, archived=datetime.now(UTC),
        origin=ReportOrigin(seller_id="A2EUSELLER0001", report_id="5"),
    )  # fmt: skip
    view = SettlementView(
        seller_id="A2EUSELLER0001", subject=SETTLEMENT_ID, step=Step.CLOSED, outcome="booked", report=report,
        booking=booked(made), matches=(one,),
    )  # fmt: skip
    return file, view


@contextmanager
def answering(view: SettlementView) -> Iterator[None]:
    """Temporal's answer; everything behind it is as it is."""

    async def answer(*_: object) -> SettlementView:
        return view

    async def nothing(*_: object) -> None:
        return None

    async def none(*_: object) -> tuple[()]:
        return ()

    def run(_: object, work: object) -> object:
        return asyncio.run(work(None))  # type: ignore[operator]

    sheet = "starters.commands.settlement_sheet"
    with (
        patch(f"{sheet}.settlements.settlement", answer),
        patch(f"{sheet}.held_back.known", nothing),
        patch(f"{sheet}.finances.known", none),
        patch(f"{sheet}.run_connected", run),
    ):
        yield


def test_a_file_has_every_order_that_differs_and_the_sheet_says_how_to_get_it(tmp_path: Path) -> None:
    config, view = settlement(tmp_path)
    file = tmp_path / "orders.csv"
    words = ["settlement", "show", SETTLEMENT_ID, "--config", str(config)]
    with answering(view):
        shown = CliRunner().invoke(app, words)
        assert (
            f"50 more orders differ; 'o2c settlement show {SETTLEMENT_ID} --orders FILE.csv'" in shown.stdout
        )
        written = CliRunner().invoke(app, [*words, "--orders", str(file)])
    assert written.exit_code == 0, written.output
    assert f"{DIFFERING} rows of orders that differ" in written.stderr
    with file.open(encoding="utf-8", newline="") as stream:
        told = list(csv.DictReader(stream))
    assert len({one["order_id"] for one in told}) == len(told) == DIFFERING
    assert {(one["status"], one["amount"], one["pays_nothing"], one["currency"]) for one in told} == {
        ("no_invoice", "1.00", "1.00", "EUR")
    }
    with answering(view):
        written = CliRunner().invoke(app, [*words, "--orders", str(file), "--all"])
    with file.open(encoding="utf-8", newline="") as stream:
        assert sum(Decimal(one["amount"]) for one in csv.DictReader(stream)) == DIFFERING + 100


def test_an_archive_without_the_matches_is_said_and_no_half_file_is_left(tmp_path: Path) -> None:
    config, view = settlement(tmp_path)
    archive = Archive(str(tmp_path / "archive"))
    archive.remove(archive.keys(f"{view.matches[0].folder}/parts")[-1])
    file = tmp_path / "orders.csv"
    words = ["settlement", "show", SETTLEMENT_ID, "--config", str(config), "--orders", str(file)]
    with answering(view):
        shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 1
    assert "workers and commands need the same archive" in shown.stderr
    assert sorted(each.name for each in tmp_path.iterdir() if "orders" in each.name) == []


def test_a_file_that_cannot_be_written_is_said_and_a_formula_stays_text(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written"):
        write_orders([], "EUR", tmp_path / "nowhere" / "orders.csv")
    [row] = rows((look(1), [found("=1+1", "-3.00", rest="-3.00")]))
    assert write_orders([row], "EUR", tmp_path / "orders.csv") == 1
    [_, line] = (tmp_path / "orders.csv").read_text().splitlines()
    assert line.startswith("'=1+1,payment,Amazon.de,no_invoice,-3.00,0,-3.00,")

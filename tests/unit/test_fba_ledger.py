"""Amazon's inventory ledger: each adjustment once, whatever the order of the lines and however periods overlap."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.fba_ledger import RefusedRow, read_ledger
from canonical.report_text import UnreadableReport
from canonical.stock.corrections import (
    REASONS,
    AdjustmentKind,
    CorrectionRules,
    FbaAdjustment,
    corrections,
    message_number,
)
from simulators.amazon.reports.kinds import LEDGER_COLUMNS

SELLER = "A2EUSELLER0001"
RULES = CorrectionRules(whlo="AFE", most_pieces=10**6, most_pieces_a_run=10**6, most_value=None)
FIRST = date(2026, 11, 1)


@dataclass(frozen=True)
class Line:
    """One line of the file."""

    day: date = FIRST
    sku: str = "TEA-GREEN-250"
    event: str = "Adjustments"
    reference: str = "21000001"
    quantity: str = "-1"
    centre: str = "LEJ1"
    disposition: str = "SELLABLE"
    reason: str = "M"
    country: str = "DE"

    def cells(self) -> list[str]:
        named = {
            "Date": f"{self.day:%m/%d/%Y}",
            "FNSKU": f"X00{self.sku[:7]}",
            "MSKU": self.sku,
            "Title": 'Tea 12" "fine"',
            "Event Type": self.event,
            "Reference ID": self.reference,
            "Quantity": self.quantity,
            "Fulfillment Center": self.centre,
            "Disposition": self.disposition,
            "Reason": self.reason,
            "Country": self.country,
            "Date and Time": f"{self.day}T00:00:00-0700",
        }
        return [named.get(column, "") for column in LEDGER_COLUMNS]


def file(lines: Sequence[Line], *, quoted: bool = False, delimiter: str = "\t") -> bytes:
    def row(cells: Sequence[str]) -> str:
        if quoted:
            cells = ['"' + cell.replace('"', '""') + '"' for cell in cells]
        return delimiter.join(cells) + "\r\n"

    return "".join([row(LEDGER_COLUMNS), *(row(line.cells()) for line in lines)]).encode()


def read(content: bytes) -> list[FbaAdjustment]:
    told = list(read_ledger(content, SELLER))
    assert not [each for each in told if isinstance(each, RefusedRow)], told
    return [each for each in told if isinstance(each, FbaAdjustment)]


def references(lines: Sequence[Line]) -> list[str]:
    return [each.reference for each in read(file(lines))]


def test_an_adjustment_is_read_and_nothing_else() -> None:
    lines = [
        Line(),
        Line(event="Shipments"),
        Line(event="CustomerReturns"),
        Line(quantity="0"),
        Line(reason="f"),
    ]
    lost, found = read(file(lines))
    assert (lost.quantity, lost.reason, lost.sellable, lost.area, lost.seller) == (
        -1,
        "M",
        True,
        "EU",
        SELLER,
    )
    assert f"{lost.at:%Y-%m-%d %H:%M %Z}" == "2026-11-01 00:00 UTC"
    assert found.reason == "F"


@pytest.mark.parametrize(
    ("country", "area"), [("CZ", "EU"), ("gb", "GB"), ("UK", "GB"), ("US", "US"), ("", "")]
)
def test_the_country_of_the_centre_says_whose_stock_it_is(country: str, area: str) -> None:
    [told] = read(file([Line(country=country)]))
    assert told.area == area


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_quoted_file_tells_the_same_as_a_plain_one(delimiter: str) -> None:
    lines = [Line(), Line(), Line(sku='TEA"12', quantity="+3", reason="F")]
    assert read(file(lines, quoted=True, delimiter=delimiter)) == read(file(lines))


def test_a_title_that_begins_with_a_quote_swallows_no_line() -> None:
    content = file([Line(), Line(reference="2"), Line(reference="3")]).replace(b"Tea 12", b'"Tea 12')
    assert len(read(content)) == 3


def test_lines_that_are_the_same_are_told_apart_by_their_number() -> None:
    assert len(set(references([Line(), Line(), Line()]))) == 3


@pytest.mark.parametrize(
    "other",
    [
        Line(day=FIRST + timedelta(days=1)),
        Line(sku="CUP-STON-4"),
        Line(reference="21000002"),
        Line(quantity="-2"),
        Line(centre="DTM2"),
        Line(disposition="WAREHOUSE_DAMAGED"),
        Line(reason="5"),
    ],
)
def test_whatever_differs_makes_another_adjustment(other: Line) -> None:
    alone, beside = references([Line()]), references([other, Line()])
    assert beside[1:] == alone
    assert beside[0] != alone[0]


def test_another_seller_has_other_adjustments() -> None:
    [other] = read_ledger(file([Line()]), "A2NASELLER0001")
    assert isinstance(other, FbaAdjustment)
    assert other.reference not in references([Line()])


def test_what_amazon_adds_to_a_line_later_does_not_change_it() -> None:
    plain = file([Line()])
    settled = plain.replace(b"\tDE\t\t\t", b"\tDE\t1\t0\t")
    assert settled != plain
    assert read(settled) == read(plain)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (Line(sku=""), "MSKU"),
        (Line(quantity="1.5"), "Quantity"),
        (Line(quantity="many"), "Quantity"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_reference(line: Line, said: str) -> None:
    good, bad = read_ledger(file([Line(), line]), SELLER)
    assert isinstance(good, FbaAdjustment)
    assert isinstance(bad, RefusedRow)
    assert (bad.line, said in bad.sentence, "21000001" in bad.sentence) == (3, True, True)


def test_a_date_with_the_day_first_and_a_broken_line_are_told() -> None:
    content = file([Line()]).replace(b"11/01/2026", b"31/12/2026") + b"only\ttwo\r\n"
    told = list(read_ledger(content, SELLER))
    assert [(each.line, type(each)) for each in told if isinstance(each, RefusedRow)] == [
        (2, RefusedRow),
        (3, RefusedRow),
    ]


@pytest.mark.parametrize("content", [b"", b"order-id\tsku\r\n", b"\xff\x00\x81", b"no ledger at all"])
def test_what_is_no_ledger_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(UnreadableReport):
        list(read_ledger(content, SELLER))


# --- the same adjustments, whatever is read -------------------------------------------------------

_LINES = st.lists(
    st.builds(
        Line,
        day=st.integers(0, 9).map(lambda days: FIRST + timedelta(days=days)),
        sku=st.sampled_from(["TEA-GREEN-250", "CUP-STON-4"]),
        reference=st.sampled_from(["1", "2"]),
        quantity=st.integers(-3, 3).filter(bool).map(str),
        disposition=st.sampled_from(["SELLABLE", "WAREHOUSE_DAMAGED"]),
        reason=st.sampled_from(["M", "F", "E", "P", "N"]),
    ),
    max_size=25,
)


@given(_LINES, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(lines: list[Line], rng: random.Random) -> None:
    shuffled = rng.sample(lines, len(lines))
    first, second = read(file(lines)), read(file(shuffled))
    assert Counter(one.model_dump_json() for one in first) == Counter(one.model_dump_json() for one in second)


@given(_LINES, st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4))
def test_periods_that_overlap_tell_each_adjustment_once(
    lines: list[Line], periods: list[tuple[int, int]]
) -> None:
    """Whatever periods are read beside the whole, the same corrections come of it, and M3 sees the same numbers."""
    told: list[FbaAdjustment] = []
    for start, end in [*periods, (0, 9)]:
        days = {FIRST + timedelta(days=number) for number in range(start, end + 1)}
        told += read(file([line for line in lines if line.day in days]))
    items = {"TEA-GREEN-250": "10001", "CUP-STON-4": "10002"}
    once = corrections(read(file(lines)), RULES, items, {})
    often = corrections(told, RULES, items, {})
    assert {one.number: one for one in often.corrections} == {one.number: one for one in once.corrections}
    assert len({one.number for one in once.corrections}) == len(once.corrections)


@given(_LINES)
def test_what_m3_is_told_of_an_item_is_what_the_ledger_says(lines: list[Line]) -> None:
    items = {"TEA-GREEN-250": "10001", "CUP-STON-4": "10002"}
    made = corrections(read(file(lines)), RULES, items, {}).corrections
    for sku, itno in items.items():
        expected = sum(
            int(line.quantity)
            for line in lines
            if line.sku == sku
            and line.disposition == "SELLABLE"
            and REASONS[line.reason] is not AdjustmentKind.TRANSFER
        )
        assert sum(one.quantity for one in made if one.itno == itno) == expected


# --- warehouses by area -----------------------------------------------------------------------------


def test_each_area_has_its_own_warehouse_and_an_area_without_one_is_told() -> None:
    rules = RULES.model_copy(update={"whlo": "", "warehouses": {"EU": "AFE", "GB": "AFG"}})
    lines = [Line(), replace(Line(), country="GB"), replace(Line(), country="US", reference="9")]
    made = corrections(read(file(lines)), rules, {"TEA-GREEN-250": "10001"}, {"10001": Decimal(3)})
    assert [one.whlo for one in made.corrections] == ["AFE", "AFG"]
    assert [one.sentence == "No warehouse in M3 stands for Amazon's stock of US." for one in made.doubts] == [
        True
    ]
    assert made.corrections[0].number == message_number(made.corrections[0].reference, "AFE")

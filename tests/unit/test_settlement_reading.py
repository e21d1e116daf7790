"""Settlement files as they really come, and as they come damaged: read to the cent, or refused with row and reason."""

import gzip
import tempfile
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.settlement.amounts import Amounts, DecimalMark, decimal_mark
from canonical.settlement.dates import DateOrder, Moments, date_order
from canonical.settlement.models import Layout, UnreadableSettlement
from canonical.settlement.reading import Expected
from canonical.settlement.summing import read_settlement
from starters.settlement_preview import file_source
from tests.support.settlements import (
    COLUMNS,
    ORDER_ID,
    Line,
    Made,
    comma,
    dotted,
    other,
    point,
    read,
    refund,
    sale,
    written,
)
from worker.settlement_settings import SettlementSettings

MADE = Made(
    (
        sale("Principal", "1141.18"),
        sale("Tax", "216.82"),
        sale("Commission", "-171.18", kind="ItemFees"),
        refund("Principal", "-20.00"),
        other("Subscription Fee", "-39.00"),
    )
)
TOTAL = Decimal("1127.82")


def _cell(made: Made, row: int, column: str, value: str) -> str:
    """The file with one cell replaced; rows are counted as in the file."""
    rows = made.rows()
    rows[row - 1][COLUMNS.index(column)] = value
    return written(rows)


def _refusal(content: str | bytes | Made, **how: object) -> UnreadableSettlement:
    with pytest.raises(UnreadableSettlement) as caught:
        read(content, **how)  # type: ignore[arg-type]
    return caught.value


# --- as they come ---


@pytest.mark.parametrize("number", [point, comma])
@pytest.mark.parametrize("date", [dotted, lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"])
def test_every_style_gives_the_same_settlement(number: object, date: object) -> None:
    made = replace(MADE, number=number, date=date)
    assert read(made).settlement == read(MADE).settlement
    assert read(made).settlement.sum_of_rows == TOTAL


def test_the_header_is_told_apart_and_rows_keep_their_numbers() -> None:
    found = read(MADE).settlement
    assert (found.header.settlement_id, found.header.total, found.header.currency) == (
        "25719799032", TOTAL, "EUR",
    )  # fmt: skip
    assert found.header.start == datetime(2026, 7, 17, 7, 6, 34, tzinfo=UTC)
    assert (found.header.layout, found.header.row, found.rows) == (Layout.V2, 2, 5)
    assert {share.category: share.row for share in found.shares} == {
        "revenue_product": 3, "tax_collected": 4, "fee_commission": 5, "refund_product": 6, "fee_subscription": 7,
    }  # fmt: skip


def test_columns_are_read_by_name() -> None:
    rows = MADE.rows()
    turned = [list(reversed(row)) for row in rows]
    assert read(written(turned)).settlement == read(MADE).settlement
    assert read(written([*row, "more"] if n == 0 else [*row, ""] for n, row in enumerate(rows)))
    without_promotion = [row[:-1] for row in rows]
    assert read(written(without_promotion)).settlement == read(MADE).settlement


@pytest.mark.parametrize(
    ("sku", "charset"), [("Größe-1", "utf-8"), ("Größe-1", "utf-8-sig"), ("Größe-1", "cp1252")]
)
def test_charsets_are_found_out(sku: str, charset: str) -> None:
    made = replace(MADE, lines=(replace(MADE.lines[0], sku=sku), *MADE.lines[1:]))
    assert read(made.text().encode(charset)).settlement == read(MADE).settlement


def test_a_japanese_file_is_read_as_shift_jis() -> None:
    line = Line("Order", "ItemPrice", "Principal", Decimal(1980), ORDER_ID, "Amazon.co.jp", sku="青いカップ")
    made = Made((line,), currency="JPY")
    found = read(made.text().encode("cp932")).settlement
    assert (found.sum_of_rows, found.difference) == (Decimal(1980), 0)
    assert str(found.sum_of_rows) == "1980"


def test_gzip_is_told_by_its_bytes_and_windows_line_ends_do_not_matter() -> None:
    windows = MADE.text().replace("\n", "\r\n").encode()
    assert read(gzip.compress(windows)).settlement == read(MADE).settlement
    assert read(windows).settlement == read(MADE).settlement
    two_members = gzip.compress(windows[:100]) + gzip.compress(windows[100:])
    assert read(two_members).settlement == read(MADE).settlement


@settings(deadline=None)
@given(piece=st.integers(1, 400), windows=st.booleans(), packed=st.booleans())
def test_pieces_may_end_anywhere(piece: int, windows: bool, packed: bool) -> None:
    made = replace(MADE, lines=(replace(MADE.lines[0], sku="Größe"), *MADE.lines[1:]))
    text = made.text().replace("\n", "\r\n") if windows else made.text()
    content = gzip.compress(text.encode()) if packed else text.encode()
    assert read(content, piece=piece).settlement == read(MADE).settlement


def test_empty_lines_and_a_missing_last_line_end_do_not_matter() -> None:
    text = MADE.text()
    head, rest = text.split("\n", 1)
    found = read(f"\n{head}\n\n{rest}".rstrip("\n") + "\n" + "\t" * 23 + "\n\n").settlement
    assert found.sum_of_rows == TOTAL
    assert read(text.rstrip("\n")).settlement == read(MADE).settlement


def test_a_row_of_another_marketplace_or_none_is_read() -> None:
    multi_channel = Line(
        "Order", "ItemFees", "FBAPerUnitFulfillmentFee", Decimal("-3.64"), "S01-1", "Non-Amazon DE"
    )
    found = read(replace(MADE, lines=(*MADE.lines, multi_channel))).settlement
    assert found.home == "Amazon.de"
    assert {share.marketplace for share in found.shares} == {"Amazon.de", ""}


def test_a_settlement_of_reserves_alone_is_of_the_marketplace_for_which_amazon_lists_it() -> None:
    alone = Made((other("Previous Reserve Amount Balance", "7.00"),))
    assert read(alone).settlement.home == ""
    assert read(alone, expected=Expected(home="Amazon.fr")).settlement.home == "Amazon.fr"
    assert read(MADE, expected=Expected(home="Amazon.fr")).settlement.home == "Amazon.de"


# --- damaged, ambiguous, another's ---


def test_a_truncated_file_is_refused_where_it_ends() -> None:
    text = MADE.text()
    found = _refusal(text[: text.index("Commission") + 4])
    assert found.row == 5
    assert str(found) == "Row 5 has 14 of 24 cells: the file is cut off or damaged there."


def test_a_truncated_gzip_file_is_refused() -> None:
    packed = gzip.compress(replace(MADE, lines=MADE.lines * 500).text().encode())
    found = _refusal(packed[: len(packed) // 2])
    assert "The gzip file is cut off: it ends in row" in str(found)
    assert found.row > 1
    damaged = packed[:200] + b"\xff\xff\xff\xff" + packed[204:]
    assert "gzip" in str(_refusal(damaged))


def test_a_wrong_column_is_refused() -> None:
    text = MADE.text()
    assert "lacks the columns amount" in str(_refusal(text.replace("\tamount\t", "\tbetrag\t", 1)))
    assert "is there twice" in str(_refusal(text.replace("amount-type", "amount-description", 1)))
    strange = _refusal(text.replace("promotion-id", "extra-amount", 1))
    assert "the columns extra-amount hold amounts that are not known" in str(strange)
    assert _refusal(_cell(MADE, 4, "amount", "Principal")).row == 4
    assert "has no amount" in str(_refusal(_cell(MADE, 4, "amount", "")))


@pytest.mark.parametrize("content", ["", "\n\n", "settlement", "a\tb\tc\n", '"settlement-id"\t' + "x\t" * 30])
def test_what_is_no_settlement_is_refused(content: str) -> None:
    _refusal(content)


def test_two_decimal_styles_in_a_file_are_refused_with_the_row() -> None:
    found = _refusal(_cell(MADE, 5, "amount", "-171,18"))
    assert found.row == 5
    assert "two styles" in str(found)


def test_an_amount_that_can_be_read_both_ways_is_refused() -> None:
    rows = Made((sale("Principal", "1141"),)).rows()
    rows[1][4] = rows[2][14] = "1,141"
    found = _refusal(written(rows))
    assert found.row == 2
    assert "with a decimal point and with a decimal comma" in str(found)


def test_one_other_amount_decides_it() -> None:
    made = replace(MADE, lines=(sale("Principal", "1141.00"), sale("Tax", "0.50")))
    assert read(_cell(made, 3, "amount", "1,141")).settlement.difference == 0
    assert "more decimals" in str(_refusal(_cell(replace(made, number=comma), 3, "amount", "1,141")))


def test_more_decimals_than_the_currency_has_are_refused() -> None:
    assert "more decimals than EUR" in str(_refusal(_cell(MADE, 4, "amount", "216.825")))
    assert read(_cell(MADE, 4, "amount", "216.8200")).settlement.difference == 0
    yen = Made((replace(sale("Principal", "10.50")),), currency="JPY")
    assert "more decimals than JPY" in str(_refusal(yen))


def test_a_settlement_of_another_seller_is_refused() -> None:
    italian = Expected(marketplaces=frozenset({"Amazon.it"}), seller_id="A2EUSELLER0001")
    found = _refusal(MADE, expected=italian)
    assert found.row == 3
    assert str(found) == (
        "Row 3 is of Amazon.de, which is no marketplace of seller A2EUSELLER0001: the settlement is another seller's."
    )
    assert read(MADE, expected=replace(italian, marketplaces=frozenset({"Amazon.de"})))


def test_rows_of_another_settlement_are_refused() -> None:
    found = _refusal(_cell(MADE, 6, "settlement-id", "999"))
    assert str(found) == "Row 6 belongs to settlement 999, the file to 25719799032."
    assert "not 999" in str(_refusal(MADE, expected=Expected(settlement_id="999")))


def test_a_second_header_is_refused() -> None:
    rows = MADE.rows()
    found = _refusal(written([*rows[:4], rows[1], *rows[4:]]))
    assert found.row == 5
    assert "is a second header" in str(found)
    assert "should tell the settlement's dates" in str(_refusal(written([rows[0], *rows[2:]])))
    assert "it has no rows" in str(_refusal(written(rows[:1])))


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€"])
def test_a_header_without_currency_is_refused(currency: str) -> None:
    assert "is no currency" in str(_refusal(_cell(MADE, 2, "currency", currency)))


def test_a_row_in_another_currency_is_refused() -> None:
    assert "in SEK, the settlement in EUR" in str(_refusal(_cell(MADE, 4, "currency", "SEK")))


def test_text_in_no_charset_is_refused_with_the_row() -> None:
    made = replace(MADE, lines=(MADE.lines[0], replace(MADE.lines[1], sku="?"), *MADE.lines[2:]))
    content = made.text().encode().replace(b"?", b"\x81\xff")
    found = _refusal(content)
    assert found.row == 4
    assert "neither UTF-8 nor cp1252 nor cp932" in str(found)
    assert _refusal(content, charset="utf-8").row == 4
    assert "is not known" in str(_refusal(content, charset="klingon"))


def test_a_row_without_date_needs_a_settlement_of_one_month() -> None:
    rows = MADE.rows()
    for column in ("posted-date", "posted-date-time"):
        rows[3][COLUMNS.index(column)] = ""
    assert read(written(rows)).settlement.months == ("2026-07",)
    rows[1][1] = "2026-06-17 07:06:34 UTC"
    assert "Row 4 has no date" in str(_refusal(written(rows)))


def test_a_customer_payment_without_order_is_unknown() -> None:
    found = read(replace(MADE, lines=(*MADE.lines, sale("Principal", "5.00", order_id="")))).settlement
    assert [(one.missing, one.row, one.amount) for one in found.unknown] == [("order", 8, Decimal("5.00"))]
    assert found.difference == 0


# --- numbers and dates alone ---


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1141.18"], DecimalMark.POINT),
        (["1141,18"], DecimalMark.COMMA),
        (["1,141", "-0.2"], DecimalMark.POINT),
        (["1.141", "-0,2"], DecimalMark.COMMA),
        (["1,141,000"], DecimalMark.POINT),
        (["1.141,18"], DecimalMark.COMMA),
        (["0,141"], DecimalMark.COMMA),
        (["0", "12", "-7"], DecimalMark.POINT),
        ([], DecimalMark.POINT),
    ],
)
def test_the_decimal_mark_is_found_out(texts: list[str], mark: DecimalMark) -> None:
    assert decimal_mark(enumerate(texts, 3)) is mark


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1..2", "1,2,3", "1e5", "1_000", "١٢", "--5.00", "12.00-", "nan"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UnreadableSettlement) as caught:
        Amounts(DecimalMark.POINT, "EUR").minor(text, 7)
    assert caught.value.row == 7


@settings(deadline=None)
@given(cents=st.integers(-(10**12), 10**12), mark=st.sampled_from(DecimalMark), thousands=st.booleans())
def test_an_amount_is_read_as_it_was_written(cents: int, mark: DecimalMark, thousands: bool) -> None:
    text = f"{Decimal(cents) / 100:,.2f}" if thousands else f"{Decimal(cents) / 100:.2f}"
    if mark is DecimalMark.COMMA:
        text = text.translate(str.maketrans(".,", ",."))
    amounts = Amounts(mark, "EUR")
    assert amounts.minor(text, 1) == cents
    assert amounts.major(cents) == Decimal(cents) / 100


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["2025-08-28 22:07:19 UTC"], DateOrder.YEAR_FIRST),
        (["2025-08-28T22:07:19+00:00"], DateOrder.YEAR_FIRST),
        (["2025/08/28 22:07:19 JST"], DateOrder.YEAR_FIRST),
        (["03.04.2026 07:06:34 UTC"], DateOrder.DAY_FIRST),
        (["03/04/2026", "03/13/2026"], DateOrder.MONTH_FIRST),
        (["03/04/2026", "13/04/2026"], DateOrder.DAY_FIRST),
    ],
)
def test_the_order_of_dates_is_found_out(texts: list[str], order: DateOrder) -> None:
    assert date_order(enumerate(texts, 2)) is order


@pytest.mark.parametrize("texts", [["03/04/2026", "05/06/2026"], ["03-04-2026"], ["3.4.26"], ["soon"], []])
def test_dates_that_nothing_decides_are_refused(texts: list[str]) -> None:
    with pytest.raises(UnreadableSettlement):
        date_order(enumerate(texts, 2))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("04.17.2026 07:06:34 UTC", DateOrder.DAY_FIRST),
        ("2026-04-17 07:06:34 UTC", DateOrder.DAY_FIRST),
        ("17/04/2026 07:06", DateOrder.MONTH_FIRST),
        ("2026-02-30 07:06:34 UTC", DateOrder.YEAR_FIRST),
        ("2026-02-20 07:06:34 IST", DateOrder.YEAR_FIRST),
    ],
)
def test_a_date_in_another_order_is_refused(text: str, order: DateOrder) -> None:
    with pytest.raises(UnreadableSettlement) as caught:
        Moments(order, ZoneInfo("UTC")).moment(text, 9)
    assert caught.value.row == 9


def test_a_month_ends_in_the_time_zone_of_the_books() -> None:
    moments = Moments(DateOrder.DAY_FIRST, ZoneInfo("Europe/Berlin"))
    assert moments.month("31.07.2026 21:59:59 UTC", 3) == "2026-07"
    assert moments.month("31.07.2026 22:00:00 UTC", 3) == "2026-08"
    assert moments.month("31.07.2026", 3) == "2026-07"


# --- many rows ---


def _many(file: Path, orders: int) -> Path:
    made = Made((sale("Principal", "10.00", "ORDER"), sale("Commission", "-2.50", "ORDER", "ItemFees")))
    names, header, *rows = made.text().replace("7.50", str(Decimal("7.50") * orders), 1).splitlines()
    two_rows = "\n".join(rows) + "\n"
    with file.open("w", encoding="utf-8") as stream:
        stream.write(f"{names}\n{header}\n")
        for number in range(orders):
            stream.write(two_rows.replace("ORDER", f"028-{number % 997:07d}-{number:07d}"))
    return file


def test_memory_does_not_grow_with_rows_and_orders(tmp_path: Path) -> None:
    def peak(orders: int) -> int:
        file = _many(tmp_path / f"{orders}.txt", orders)
        rules = SettlementSettings()
        tracemalloc.start()
        try:
            found = read_settlement(
                file_source(file), rules.book, rules.plan, rules.zone,
                spool=tempfile.TemporaryFile, orders_kept=500,
            )  # fmt: skip
            assert found.settlement.difference == 0
            assert sum(1 for _ in found.payments()) == orders
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(8_000) < peak(2_000) * 1.25

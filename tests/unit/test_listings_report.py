"""Amazon's report of listings, read: every row becomes a listing, whatever stands in it."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.listings_report import read_listings
from canonical.report_text import UnreadableReport
from canonical.stock.listings import Listing

COLUMNS = (
    "item-name", "item-description", "listing-id", "seller-sku", "price", "quantity", "open-date", "image-url",
    "product-id-type", "item-note", "asin1", "product-id", "pending-quantity", "fulfillment-channel",
    "merchant-shipping-group", "status",
)  # fmt: skip
PLAIN = {
    "item-name": "Sencha Green Tea, 250 g",
    "listing-id": "0101ABCDEFG",
    "seller-sku": "TEA-GREEN-250",
    "price": "12.90",
    "quantity": "7",
    "open-date": "01/01/2024 01:00:00 MET",
    "product-id-type": "4",
    "asin1": "B0P939XDNA",
    "product-id": "4006381333931",
    "fulfillment-channel": "DEFAULT",
    "status": "Active",
}
READ = Listing(
    sku="TEA-GREEN-250",
    title="Sencha Green Tea, 250 g",
    asin="B0P939XDNA",
    ean="4006381333931",
    channel="MFN",
    quantity=7,
)


def file_of(*rows: Mapping[str, str], columns: tuple[str, ...] = COLUMNS, end: str = "\n") -> str:
    lines = ["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in rows)]
    return end.join([*lines, ""])


def one(changes: Mapping[str, str]) -> Listing:
    (listing,) = read_listings(file_of({**PLAIN, **changes}).encode()).listings
    return listing


def test_a_row_is_a_listing() -> None:
    read = read_listings(file_of(PLAIN).encode())
    assert read.listings == (READ,)
    assert read.remarks == ()


@pytest.mark.parametrize(
    ("channel", "expected"), [("AMAZON_EU", "FBA"), ("AMAZON_NA", "FBA"), ("default", "MFN")]
)
def test_whoever_ships_it_but_the_seller_is_amazon(channel: str, expected: str) -> None:
    listing = one({"fulfillment-channel": channel, "quantity": "" if expected == "FBA" else "7"})
    assert listing.channel == expected
    assert listing.quantity == (None if expected == "FBA" else 7)
    assert not listing.problem


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": "-3"}, "below zero"),
        ({"quantity": "1,000"}, "'1,000'"),
        ({"quantity": "2.0"}, "no whole number"),
        ({"quantity": "many"}, "'many'"),
        ({"quantity": "\uff17"}, "no whole number"),
        ({"fulfillment-channel": ""}, "does not say who ships"),
        ({"status": "Incomplete"}, "incomplete"),
    ],
)
def test_what_cannot_be_offered_stays_and_says_why(changes: dict[str, str], words: str) -> None:
    listing = one(changes)
    assert words in listing.problem
    assert "TEA-GREEN-250" in listing.problem
    if "quantity" in changes:
        assert listing.quantity is None
    assert (listing.channel == "FBA") == ("fulfillment-channel" in changes)


def test_a_quantity_of_amazons_own_goods_is_not_judged() -> None:
    assert one({"fulfillment-channel": "AMAZON_EU", "quantity": "-"}).problem == ""


def test_no_quantity_is_none_and_zero_is_zero() -> None:
    assert one({"quantity": ""}).quantity is None
    assert one({"quantity": "0"}).quantity == 0


def test_inactive_and_incomplete_are_not_active() -> None:
    assert one({}).active
    assert not one({"status": "Inactive"}).active
    assert not one({"status": "Incomplete"}).active
    assert not one({"status": "Incomplete"}).product
    assert one({"status": "Inactive"}).product
    assert one({"status": "Inactive"}).problem == ""


@pytest.mark.parametrize(
    ("kind", "number", "asin", "ean"),
    [
        ("1", "B0OTHER001", "B0P939XDNA", ""),
        ("2", "9783161484100", "B0P939XDNA", "9783161484100"),
        ("2", "316148410X", "B0P939XDNA", ""),
        ("3", "036000291452", "B0P939XDNA", "036000291452"),
        ("4", "4006381333931", "B0P939XDNA", "4006381333931"),
        ("", "4006381333931", "B0P939XDNA", ""),
    ],
)
def test_the_product_id_is_read_by_its_kind(kind: str, number: str, asin: str, ean: str) -> None:
    listing = one({"product-id-type": kind, "product-id": number})
    assert (listing.asin, listing.ean, listing.note) == (asin, ean, "")


def test_an_asin_may_stand_as_product_id_alone() -> None:
    assert one({"asin1": "", "product-id-type": "1", "product-id": "B0P939XDNA"}).asin == "B0P939XDNA"


@pytest.mark.parametrize(
    ("number", "words"),
    [("4006381333932", "check digit 2 where it must be 1"), ("36000291452", "is not 8, 12, 13 or 14 digits")],
)
def test_a_wrong_ean_is_noted_and_stops_nothing(number: str, words: str) -> None:
    listing = one({"product-id": number})
    assert words in listing.note
    assert (listing.problem, listing.ean, listing.quantity) == ("", number, 7)


def test_rows_of_one_sku_that_say_the_same_are_one() -> None:
    assert read_listings(file_of(PLAIN, PLAIN).encode()).listings == (READ,)


def test_rows_of_one_sku_that_differ_are_a_problem_and_amazons_goods_win() -> None:
    (two,) = read_listings(file_of(PLAIN, {**PLAIN, "quantity": "9"}).encode()).listings
    assert "2 times" in two.problem
    assert two.quantity is None
    (mixed,) = read_listings(
        file_of(PLAIN, {**PLAIN, "fulfillment-channel": "AMAZON_EU", "quantity": ""}).encode()
    ).listings
    assert mixed.channel == "FBA"


@pytest.mark.parametrize(
    ("codec", "told"),
    [
        ("utf-8", ""), ("utf-8-sig", ""), ("utf-8-sig", "utf-8"), ("cp1252", ""), ("cp1252", "Cp1252"),
        ("cp1252", "utf-8"), ("utf-8", "no-such-charset"),
    ],
)  # fmt: skip
def test_western_encodings(codec: str, told: str) -> None:
    title = "Grüner Tee – 250 g, 7 €"
    content = file_of({**PLAIN, "item-name": title}).encode(codec)
    assert read_listings(content, told).listings == (READ.model_copy(update={"title": title}),)


@pytest.mark.parametrize("told", ["", "Shift_JIS", "Windows-31J", "utf-8"])
def test_a_japanese_file_in_its_own_words(told: str) -> None:
    names = (
        "商品名",
        "出品ID",
        "出品者SKU",
        "価格",
        "数量",
        "商品IDタイプ",
        "商品ID",
        "フルフィルメント・チャンネル",
        "ステータス",
    )
    row = ("煎茶 ① 250g", "0101X", "TEA-1", "1290", "7", "1", "B0P939XDNA", "DEFAULT", "Active")
    content = file_of(dict(zip(names, row, strict=True)), columns=names).encode("cp932")
    expected = Listing(sku="TEA-1", title="煎茶 ① 250g", asin="B0P939XDNA", channel="MFN", quantity=7)
    assert read_listings(content, told).listings == (expected,)


@pytest.mark.parametrize("codec", ["cp1252", "utf-8"])
def test_a_german_file_in_its_own_words(codec: str) -> None:
    names = (
        "Artikelbezeichnung",
        "Händler-SKU",
        "Menge",
        "ASIN 1",
        "Produkt-ID-Typ",
        "Produkt-ID",
        "Versender",
        "Status",
    )
    row = ("Grüntee", "TEE-1", "7", "B0P939XDNA", "4", "4006381333931", "AMAZON_EU", "Active")
    content = file_of(dict(zip(names, row, strict=True)), columns=names).encode(codec)
    (listing,) = read_listings(content).listings
    assert (listing.sku, listing.channel, listing.ean) == ("TEE-1", "FBA", "4006381333931")


def test_characters_that_look_like_the_end_of_a_line_are_none() -> None:
    title = "Tea\u2028 for\x0b two\x85 cups"
    (listing,) = read_listings(file_of({**PLAIN, "item-name": title}, end="\r\n").encode()).listings
    assert listing.title == title


def test_a_description_with_a_line_break_is_put_together() -> None:
    broken = file_of({**PLAIN, "item-description": "First.\nSecond.\nThird."}, {**PLAIN, "seller-sku": "B"})
    read = read_listings(broken.encode())
    assert [listing.sku for listing in read.listings] == ["B", "TEA-GREEN-250"]
    assert read.listings[1] == READ
    assert read.remarks == ()


def test_a_line_whose_cells_do_not_fit_is_told_and_takes_no_other_with_it() -> None:
    lines = file_of(PLAIN, {**PLAIN, "seller-sku": "B"}).split("\n")
    content = "\n".join([lines[0], "Sencha\t\t0101\tTEA-X\t12.90\t3", *lines[1:]])
    read = read_listings(content.encode())
    assert [listing.sku for listing in read.listings] == ["B", "TEA-GREEN-250"]
    assert read.remarks == ("Line 2 has 6 cells, not 16: nobody knows its SKU.",)
    assert read_listings(file_of({**PLAIN, "seller-sku": " "}).encode()).remarks == ("Line 2 names no SKU.",)


@pytest.mark.parametrize("column", ["seller-sku", "quantity", "fulfillment-channel"])
def test_a_report_without_a_needed_column_is_refused(column: str) -> None:
    columns = tuple(name for name in COLUMNS if name != column)
    with pytest.raises(UnreadableReport, match=f"no column {column}"):
        read_listings(file_of(PLAIN, columns=columns).encode())


def test_other_columns_may_be_absent_or_unknown() -> None:
    columns = ("Minimum order quantity", "fulfilment-channel", "seller-sku", "quantity")
    row = {"seller-sku": "A", "quantity": "3", "fulfilment-channel": "DEFAULT", "Minimum order quantity": "2"}
    assert read_listings(file_of(row, columns=columns).encode()).listings == (
        Listing(sku="A", channel="MFN", quantity=3),
    )


@pytest.mark.parametrize("content", [b"", b"<html>Service Unavailable</html>", b"\x81\x8d\x8f\x90\xff"])
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableReport):
        read_listings(content)


def test_a_report_with_a_header_alone_lists_nothing() -> None:
    assert read_listings(file_of().encode()).listings == ()


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), max_size=12)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "item-name": CELL,
            "seller-sku": st.sampled_from(["A", "B", "C d", "Ü", ""]),
            "quantity": st.sampled_from(["", "0", "5", "-1", "1.5", "x"]),
            "product-id-type": st.sampled_from(["", "1", "2", "3", "4", "9"]),
            "product-id": st.sampled_from(["", "4006381333931", "4006381333932", "B0P939XDNA"]),
            "fulfillment-channel": st.sampled_from(["DEFAULT", "AMAZON_EU", ""]),
            "status": st.sampled_from(["Active", "Inactive", "Incomplete", ""]),
        }
    ),
    max_size=8,
)


@given(rows=ROWS, data=st.data())
def test_the_order_of_rows_and_columns_changes_nothing(
    rows: list[dict[str, str]], data: st.DataObject
) -> None:
    first = read_listings(file_of(*rows).encode())
    columns = tuple(data.draw(st.permutations(COLUMNS)))
    other = read_listings(file_of(*data.draw(st.permutations(rows)), columns=columns).encode())
    assert other.listings == first.listings
    assert len(other.remarks) == len(first.remarks)
    assert {listing.sku for listing in first.listings} == {row["seller-sku"] for row in rows} - {""}


def test_what_m3_says_replaces_what_it_said_before() -> None:
    base = Listing(sku="A", channel="MFN", problem="Something else.")
    both = base.with_items(("I1", "I2"), "I1", "alias")
    assert (both.itno, both.by, both.rivals) == ("", "", ("I1", "I2"))
    assert "alias of 2 items" in both.problem
    assert both.with_items(("I2",), "I2", "alias") == base.model_copy(update={"itno": "I2", "by": "alias"})
    assert both.with_items((), "", "rule") == base

"""Order files: every order whole, or a refusal with its line."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical import all_orders_report
from canonical.order import Channel, Order, OrderStatus
from canonical.order_facts import missing_facts
from canonical.order_reports import (
    RefusalKind,
    RefusedRow,
    UnreadableReport,
    read_json_lines,
    read_order_report,
)
from canonical.report_text import gather_orders
from tests.unit.order_builders import ORDER_ID, SELLER, payload, payload_item

ALL_ORDERS = "all-orders-UK-EU-2025-05-shared.txt"
ACTIONABLE = "unshipped-orders-US-CA-2025-05-shared.txt"
ALL_COLUMNS = (
    *all_orders_report.COLUMNS,
    "item-status",
    "item-tax",
    "shipping-price",
    "shipping-tax",
    "item-promotion-discount",
    "vat-exclusive-item-price",
    "product-name",
    "ship-city",
    "ship-country",
    "is-replacement-order",
    "original-order-id",
    "is-buyer-requested-cancellation",
    "tax-collection-model",
)
ROW = {
    "amazon-order-id": ORDER_ID,
    "purchase-date": "2026-11-02T10:19:22+00:00",
    "last-updated-date": "2026-11-02T10:23:25+00:00",
    "order-status": "Shipped",
    "fulfillment-channel": "Amazon",
    "sales-channel": "Amazon.de",
    "sku": "SKU-1",
    "quantity": "1",
    "currency": "EUR",
    "item-price": "11.90",
    "item-status": "Shipped",
    "ship-city": "Köln",
    "ship-country": "DE",
}


def report(*rows: dict[str, str], charset: str = "utf-8", columns: tuple[str, ...] = ALL_COLUMNS) -> BinaryIO:
    """An all-orders report of these rows, each on top of ROW."""
    written = ["\t".join(columns)]
    written += ["\t".join((ROW | row).get(column, "") for column in columns) for row in rows]
    return io.BytesIO("\r\n".join([*written, ""]).encode(charset))


def only(stream: BinaryIO, **options: Any) -> Order:
    (read,) = read_order_report(stream, SELLER, **options)
    assert isinstance(read, Order), read
    return read


def refused(stream: BinaryIO, **options: Any) -> RefusedRow:
    (read,) = read_order_report(stream, SELLER, **options)
    assert isinstance(read, RefusedRow), read
    return read


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="session")
def real_reports(shared: Path) -> Path:
    return shared / "spapi" / "samples" / "order-reports"


def test_every_row_of_a_real_all_orders_report(real_reports: Path) -> None:
    rows = rows_of(real_reports / ALL_ORDERS)
    with (real_reports / ALL_ORDERS).open("rb") as stream:
        orders = list(read_order_report(stream, SELLER))
    assert all(isinstance(order, Order) for order in orders)
    read = {order.order_id: order for order in orders if isinstance(order, Order)}
    assert len(read) == len(orders) == len({row["amazon-order-id"] for row in rows})
    assert sum(len(order.lines) for order in read.values()) == len(rows) == 32
    for row in rows:
        order = read[row["amazon-order-id"]]
        assert row["sku"] in {line.seller_sku for line in order.lines}
        shipped = row["order-status"] == "Shipped"
        assert (order.status is OrderStatus.SHIPPED) is shipped
        if shipped:
            (amounts,) = (line.amounts for line in order.lines)
            assert amounts is not None
            assert amounts.adds_up
            assert amounts.item == Decimal(row["item-price"])
            net = Decimal(row["vat-exclusive-item-price"]) + Decimal(row["vat-exclusive-shipping-price"])
            discount = Decimal(row["item-promotion-discount"] or 0)
            assert amounts.total - amounts.tax == net - discount
        else:
            assert all(line.amounts is None for line in order.lines)


def test_real_details_of_the_all_orders_report(real_reports: Path) -> None:
    with (real_reports / ALL_ORDERS).open("rb") as stream:
        read = {
            order.order_id: order for order in read_order_report(stream, SELLER) if isinstance(order, Order)
        }
    twins = read["204-1141569-7740327"]
    assert [line.order_item_id for line in twins.lines] == ["OD045004_1#1", "OD045004_1#2"]
    cancelled = read["202-5396775-1565958"]
    assert (cancelled.status, cancelled.lines[0].quantity) == (OrderStatus.CANCELLED, 0)
    promoted = read["203-0683867-7649169"].lines[0].amounts
    assert promoted is not None
    assert (promoted.discount, promoted.total) == (Decimal("-1.00"), Decimal("8.98"))
    imported = read["403-2024678-8922744"]
    assert imported.lines[0].tax_collected_by_amazon
    assert imported.marketplace_id == "A1RKKUPIHCS9HS"


def test_every_row_of_a_real_actionable_report(real_reports: Path) -> None:
    rows = rows_of(real_reports / ACTIONABLE)
    with (real_reports / ACTIONABLE).open("rb") as stream:
        orders = [order for order in read_order_report(stream, SELLER) if isinstance(order, Order)]
    lines = {line.order_item_id: (order, line) for order in orders for line in order.lines}
    assert len(lines) == len(rows) == 8
    for row in rows:
        order, line = lines[row["order-item-id"]]
        assert order.order_id == row["order-id"]
        assert line.seller_sku == row["sku"]
        assert line.quantity == int(row["quantity-purchased"])
        assert order.ship_to is not None
        assert order.ship_to.lines[0] == row["ship-address-1"]
        assert (order.channel, order.status) == (Channel.MFN, OrderStatus.UNSHIPPED)
        assert order.marketplace_id == {"US": "ATVPDKIKX0DER", "CA": "A2EUQ1WTGCTBG2"}[row["ship-country"]]
        assert missing_facts(order) == ("prices", "currency")


def test_amounts_with_vat_inside() -> None:
    order = only(report({"item-tax": "1.9", "shipping-price": "2.38", "shipping-tax": "0.38"}))
    amounts = order.lines[0].amounts
    assert amounts is not None
    assert (amounts.item, amounts.shipping, amounts.tax) == (
        Decimal("11.90"),
        Decimal("2.38"),
        Decimal("2.28"),
    )
    assert amounts.tax_included
    assert amounts.tax_parts is not None
    assert amounts.tax_parts.shipping == Decimal("0.38")
    assert str(order.grand_total) == "14.28 EUR"


def test_american_tax_comes_on_top_and_is_amazons() -> None:
    row = {
        "sales-channel": "Amazon.com",
        "currency": "USD",
        "item-price": "10.00",
        "item-tax": "0.80",
        "item-promotion-discount": "-1.00",
        "tax-collection-model": "MarketplaceFacilitator",
    }
    line = only(report(row)).lines[0]
    assert line.amounts is not None
    assert not line.amounts.tax_included
    assert (line.amounts.discount, line.amounts.total) == (Decimal("-1.00"), Decimal("9.80"))
    assert line.tax_collected_by_amazon


@pytest.mark.parametrize(
    "row",
    [
        {"item-promotion-discount": "1.00"},
        {"item-promotion-discount": "1.00", "item-tax": "1.90", "vat-exclusive-item-price": "0.00"},
        {"item-promotion-discount": "0.10", "item-tax": "0.10", "vat-exclusive-item-price": "10.00"},
    ],
)
def test_a_promotion_whose_vat_is_not_told_leaves_the_price_unknown(row: dict[str, str]) -> None:
    order = only(report(row))
    assert order.lines[0].amounts is None
    assert "prices" in missing_facts(order)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", OrderStatus.PENDING),
        ("Unshipped", OrderStatus.UNSHIPPED),
        ("Partially Shipped", OrderStatus.PARTIALLY_SHIPPED),
        ("Shipped - Delivered to Buyer", OrderStatus.SHIPPED),
        ("Canceled", OrderStatus.CANCELLED),
    ],
)
def test_statuses_in_the_words_of_reports(word: str, status: OrderStatus) -> None:
    assert only(report({"order-status": word})).status is status


def test_a_multi_channel_order_is_no_sale_and_may_have_another_id() -> None:
    row = {
        "amazon-order-id": "S01-1234567-1234567",
        "sales-channel": "Non-Amazon",
        "currency": "",
        "item-price": "",
    }
    order = only(report(row))
    assert order.is_multi_channel
    assert order.order_id == "S01-1234567-1234567"


def test_replacement_and_cancellation_request() -> None:
    order = only(
        report(
            {
                "is-replacement-order": "true",
                "original-order-id": "028-0000000-0000001",
                "is-buyer-requested-cancellation": "true",
            }
        )
    )
    assert order.replacement_of == "028-0000000-0000001"
    assert order.lines[0].cancel_requested


def test_an_unknown_sales_channel_needs_the_marketplace() -> None:
    row = {"sales-channel": "Amazon.example"}
    assert "Amazon.example" in refused(report(row)).sentence
    assert only(report(row), marketplace_id="A1PA6795UKMFR9").marketplace_id == "A1PA6795UKMFR9"


def test_rows_of_an_order_that_stand_apart_make_one_order() -> None:
    other = "028-1234567-8901235"
    read = list(
        read_order_report(
            report({"sku": "A"}, {"amazon-order-id": other, "sku": "B"}, {"sku": "C"}, {"sku": "A"}),
            SELLER,
        )
    )
    orders = {
        order.order_id: [line.order_item_id for line in order.lines]
        for order in read
        if isinstance(order, Order)
    }
    assert orders == {other: ["B#1"], ORDER_ID: ["A#1", "C#1", "A#2"]}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"item-price": "1141,18"}, "item-price"),
        ({"item-price": "NaN"}, "item-price"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"purchase-date": "05.11.2026"}, "purchase-date"),
        ({"purchase-date": "2026-11-05T10:00:00"}, "purchase-date"),
        ({"order-status": "Vanished"}, "order-status"),
        ({"fulfillment-channel": "Pigeon"}, "fulfillment-channel"),
        ({"amazon-order-id": "Erika Mustermann"}, "amazon-order-id"),
        ({"sku": ""}, "sku"),
    ],
)
def test_a_cell_that_cannot_be_read_refuses_its_order(row: dict[str, str], column: str) -> None:
    other = {"amazon-order-id": "028-1234567-8901235"}
    bad, good = read_order_report(report(row, other), SELLER)
    assert isinstance(bad, RefusedRow)
    assert isinstance(good, Order)
    assert bad.line_number == 2
    assert f"column {column} " in bad.sentence
    assert "Erika" not in bad.sentence + bad.order_id


def test_a_cut_off_row_refuses_the_whole_order() -> None:
    whole = report({"sku": "A"}, {"sku": "B"}).read().rstrip(b"\r\n\t")
    row = refused(io.BytesIO(whole[: whole.rindex(b"\t", 0, -40)]))
    assert (row.order_id, row.line_number) == (ORDER_ID, 3)
    assert "cut off" in row.sentence


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings_of_the_west(charset: str) -> None:
    order = only(report({}, charset=charset))
    assert order.ship_to is not None
    assert order.ship_to.city == "Köln"


def test_the_encoding_of_japan() -> None:
    row = {
        "sales-channel": "Amazon.co.jp",
        "currency": "JPY",
        "item-price": "5980",
        "ship-city": "東京都港区",
    }
    for given_charset in (None, "cp932"):
        order = only(report(row, charset="cp932"), charset=given_charset)
        assert order.ship_to is not None
        assert order.ship_to.city == "東京都港区"


def test_a_wrong_charset_is_no_mojibake() -> None:
    with pytest.raises(UnreadableReport, match="Line 2"):
        list(read_order_report(report({}, charset="cp1252"), SELLER, charset="utf-8"))


@pytest.mark.parametrize(
    "text", [b"", b"hello\n", b"a\tb\n1\t2\n", b"amazon-order-id\tsku\nx\ty\n", b"order-id\tsku\nx\ty\n"]
)
def test_another_file_is_no_report(text: bytes) -> None:
    with pytest.raises(UnreadableReport):
        list(read_order_report(io.BytesIO(text), SELLER))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_gathering_loses_no_row_and_splits_no_order(keys: list[int]) -> None:
    text = "id\tn\n" + "".join(f"K{key}\t{number}\n" for number, key in enumerate(keys))
    gathered = list(gather_orders(io.BytesIO(text.encode()), "id"))
    assert len({each.order_id for each in gathered}) == len(gathered)
    for each in gathered:
        expected = [str(number) for number, key in enumerate(keys) if f"K{key}" == each.order_id]
        assert [row["n"] for _, row in each.rows] == expected
    assert sum(len(each.rows) for each in gathered) == len(keys)


def test_memory_does_not_grow_with_the_rows_of_the_report() -> None:
    """10,000 orders of about 700 bytes are read in far less than the file's size."""
    header = "\t".join(ALL_COLUMNS)
    long_title = "x" * 500
    rows = (
        ROW | {"amazon-order-id": f"028-{number:07}-0000000", "product-name": long_title}
        for number in range(10_000)
    )
    body = [header, *("\t".join(row.get(column, "") for column in ALL_COLUMNS) for row in rows)]
    stream = io.BytesIO("\n".join(body).encode())
    del body
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_order_report(stream, SELLER))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < 3_000_000


def lines_of(*documents: object) -> Iterator[str]:
    for document in documents:
        yield json.dumps(document)


def test_json_lines_of_orders_answers_and_pages() -> None:
    second, third = payload(orderId="028-0000000-0000002"), payload(orderId="028-0000000-0000003")
    pages = {"orders": [third, payload(orderId="028-0000000-0000004")], "pagination": {"nextToken": "x"}}
    read = list(read_json_lines(lines_of(payload(), {"order": second}, pages), SELLER))
    assert [order.order_id for order in read] == [
        ORDER_ID,
        "028-0000000-0000002",
        "028-0000000-0000003",
        "028-0000000-0000004",
    ]


def test_a_line_that_is_no_order_refuses_itself_alone() -> None:
    broken = [b'{"orderId": ', b"[1]", b"", b'{"orders": [3]}', b"\xff\xfe", json.dumps(payload()).encode()]
    read = list(read_json_lines(broken, SELLER))
    assert [row.line_number for row in read if isinstance(row, RefusedRow)] == [1, 2, 4, 5]
    assert isinstance(read[-1], Order)


def test_an_order_twice_in_one_file_is_a_duplicate() -> None:
    first, second = read_json_lines(lines_of(payload(), payload(payload_item(2))), SELLER)
    assert isinstance(first, Order)
    assert isinstance(second, RefusedRow)
    assert (second.kind, second.line_number, second.order_id) == (RefusalKind.DUPLICATE, 2, ORDER_ID)
    assert first.lines[0].order_item_id == "10000000000001"


def test_an_unreadable_payload_is_named_and_not_repeated() -> None:
    body = payload()
    del body["createdTime"]
    (row,) = read_json_lines(lines_of({"order": body}), SELLER)
    assert isinstance(row, RefusedRow)
    assert row.order_id == ORDER_ID
    assert "createdTime" in row.sentence
    assert "Erika" not in row.sentence

"""Amazon's own shipments: pieces count once, whichever source tells first and in whatever order."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.fba_contracts import FbaItem, FbaShipment, OrderShipped
from canonical.fba_shipments import (
    next_goods,
    settled,
    shipped_quantities,
    shipped_too_little,
    shipped_too_much,
)
from canonical.fulfilled_report import RefusedRow, read_fulfilled_shipments
from canonical.order import Channel, Order, OrderLine, OrderStatus

START = datetime(2026, 11, 1, tzinfo=UTC)
ITEMS = ("11", "22", "33")


def order_of(ordered: dict[str, int], fulfilled: dict[str, int], status: str = "UNSHIPPED") -> Order:
    return Order(
        seller_id="A2EUSELLER0001",
        order_id="302-0000001-5550000",
        marketplace_id="A1PA6795UKMFR9",
        channel=Channel.FBA,
        status=OrderStatus(status),
        created=START,
        last_updated=START,
        lines=tuple(
            OrderLine(
                order_item_id=item, seller_sku=f"SKU-{item}", quantity=quantity,
                quantity_fulfilled=fulfilled.get(item, 0),
            )
            for item, quantity in ordered.items()
        ),
    )  # fmt: skip


def shipment(name: str, hour: int, **items: int) -> FbaShipment:
    return FbaShipment(
        shipment_id=name,
        shipped_at=START + timedelta(hours=hour),
        items=tuple(
            FbaItem(order_item_id=key[1:], sku=f"SKU-{key[1:]}", quantity=q) for key, q in items.items()
        ),
    )


class Books:
    """What M3 would have been told."""

    def __init__(self, ordered: dict[str, int]) -> None:
        self.ordered = ordered
        self.fulfilled: dict[str, int] = {}
        self.known: dict[str, FbaShipment] = {}
        self.done: frozenset[str] = frozenset()
        self.reported: dict[str, int] = {}
        self.reports: list[dict[str, int]] = []

    @property
    def order(self) -> Order:
        return order_of(self.ordered, self.fulfilled)

    def settle(self) -> None:
        while goods := next_goods(self.order, self.known.values(), self.done, self.reported):
            self.reports.append(goods)
            for item, quantity in goods.items():
                assert quantity > 0
                self.reported[item] = self.reported.get(item, 0) + quantity
            self.mark()

    def mark(self) -> None:
        self.done = settled(self.order, self.known.values(), self.done, self.reported)

    def tell(self, one: FbaShipment) -> None:
        self.known[one.shipment_id] = one
        self.mark()
        self.settle()

    def total(self, fulfilled: dict[str, int]) -> None:
        self.fulfilled = {
            item: max(self.fulfilled.get(item, 0), quantity) for item, quantity in fulfilled.items()
        }
        self.settle()


@st.composite
def lives(draw: st.DrawFn) -> tuple[dict[str, int], list[FbaShipment], list[object]]:
    """An order, the shipments that make it up, and the news of them from both sources in any order, repeated."""
    ordered = {item: draw(st.integers(1, 4)) for item in ITEMS[: draw(st.integers(1, 3))]}
    places = [(item, draw(st.integers(0, 3)), number) for item, q in ordered.items() for number in range(q)]
    shipments = []
    for number in range(4):
        items = {item: sum(1 for one in places if one[:2] == (item, number)) for item in ordered}
        if any(items.values()):
            shipments.append(shipment(f"D{number}", number, **{f"i{k}": q for k, q in items.items() if q}))
    totals: list[object] = []
    left: dict[str, int] = {}
    for one in shipments:
        for item in one.items:
            left[item.order_item_id] = left.get(item.order_item_id, 0) + item.quantity
        totals.append(dict(left))
    news = draw(st.permutations([*shipments, *shipments[:2], *draw(st.permutations(totals))]))
    return ordered, shipments, list(news)


@given(lives())
def test_every_piece_is_reported_once_in_whatever_order_it_is_told(
    life: tuple[dict[str, int], list[FbaShipment], list[object]],
) -> None:
    ordered, shipments, news = life
    books = Books(ordered)
    for one in news:
        if isinstance(one, FbaShipment):
            books.tell(one)
        else:
            books.total(one)  # type: ignore[arg-type]
        assert all(books.reported.get(item, 0) <= quantity for item, quantity in ordered.items())
    assert books.reported == ordered
    assert books.done == {one.shipment_id for one in shipments}
    assert shipped_too_much(books.order, shipments) == ""


@given(lives())
def test_told_by_shipments_alone_each_is_one_goods_issue(
    life: tuple[dict[str, int], list[FbaShipment], list[object]],
) -> None:
    ordered, shipments, _ = life
    books = Books(ordered)
    for one in reversed(shipments):
        books.tell(one)
        books.tell(one)
    assert len(books.reports) == len(shipments)


def test_more_than_was_ordered_is_a_sentence_and_never_reported() -> None:
    order = order_of({"11": 2}, {"11": 2}, "SHIPPED")
    shipments = [shipment("D1", 1, i11=2), shipment("D2", 2, i11=1)]
    assert "3 of order item 11" in shipped_too_much(order, shipments)
    assert "1 in shipment D2" in shipped_too_much(order, shipments)
    assert next_goods(order, shipments, (), {}) == {"11": 2}
    assert next_goods(order, shipments, {"D1"}, {"11": 2}) == {}


def test_something_that_was_not_ordered_is_too_much() -> None:
    order = order_of({"11": 1}, {})
    assert "1 of order item 99, of which 0 were ordered" in shipped_too_much(
        order, [shipment("D1", 1, i99=1)]
    )


@pytest.mark.parametrize(("status", "short"), [("SHIPPED", True), ("PARTIALLY_SHIPPED", False)])
def test_short_only_where_amazon_calls_it_shipped(status: str, short: bool) -> None:
    order = order_of({"11": 3}, {"11": 2}, status)
    assert bool(shipped_too_little(order, [])) is short
    assert shipped_too_little(order, [shipment("D1", 1, i11=3)]) == ""


def test_rows_without_item_id_are_meant_by_their_sku() -> None:
    order = order_of({"11": 1, "22": 1}, {})
    item = FbaItem(order_item_id="", sku="SKU-22", quantity=1)
    one = FbaShipment(shipment_id="D1", shipped_at=START, items=(item,))
    assert shipped_quantities(order, [one]) == {"22": 1}


# --- the report -----------------------------------------------------------------------------------

HEADER = (
    "amazon-order-id", "shipment-id", "shipment-item-id", "amazon-order-item-id", "shipment-date", "sku",
    "quantity-shipped", "fulfillment-center-id", "fulfillment-channel", "sales-channel",
)  # fmt: skip


def report(*rows: tuple[str, ...]) -> io.BytesIO:
    return io.BytesIO("".join("\t".join(row) + "\r\n" for row in (HEADER, *rows)).encode())


def row(order_id: str, shipment_id: str, item: str, quantity: str = "1", **more: str) -> tuple[str, ...]:
    cells = {
        "amazon-order-id": order_id, "shipment-id": shipment_id, "shipment-item-id": f"{shipment_id}{item}",
        "amazon-order-item-id": item, "shipment-date": "2026-11-01T10:00:00+00:00", "sku": f"SKU-{item}",
        "quantity-shipped": quantity, "fulfillment-center-id": "LEJ1", "fulfillment-channel": "AFN",
        "sales-channel": "Amazon.de", **{key.replace("_", "-"): text for key, text in more.items()},
    }  # fmt: skip
    return tuple(cells[name] for name in HEADER)


def test_an_item_in_two_shipments_and_an_order_from_two_centres_are_read() -> None:
    first, second = "302-0000001-5550000", "302-0000002-5550000"
    rows = [
        row(first, "D1", "11"), row(second, "D3", "33", "2"), row(first, "D2", "11", "2"),
        row(first, "D1", "22", fulfillment_center_id="BHX4"), row(first, "D1", "11"),
    ]  # fmt: skip
    found = {
        one.order_id: one for one in read_fulfilled_shipments(report(*rows)) if isinstance(one, OrderShipped)
    }
    assert {
        one.shipment_id: [(item.order_item_id, item.quantity) for item in one.items]
        for one in found[first].shipments
    } == {"D1": [("11", 1), ("22", 1)], "D2": [("11", 2)]}
    assert found[second].shipments[0].center == "LEJ1"


def test_what_is_no_shipment_of_ours_is_left_out_or_refused() -> None:
    mcf = row("302-0000001-5550000", "D1", "11", sales_channel="Non-Amazon DE")
    broken = row("302-0000002-5550000", "D2", "11", "many")
    undated = row("302-0000003-5550000", "D3", "11", shipment_date="")
    found = list(read_fulfilled_shipments(report(mcf, broken, undated, row("S02-1", "D4", "11"))))
    assert [one.line for one in found if isinstance(one, RefusedRow)] == [3, 4, 5]
    assert all(isinstance(one, RefusedRow) for one in found)

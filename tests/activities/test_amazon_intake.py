"""The sweeps: a page is handed over whole or said to be incomplete, and never skipped."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities import intake as intake_module
from activities.intake import (
    AT_ONCE,
    IntakeActivities,
    WaitingOrder,
)
from canonical.amazon_orders import read_order
from canonical.ids import order_workflow_id
from canonical.order import Delivery, Order, OrderLine
from canonical.order_contracts import GoodsLeft, OrderToCashInput
from canonical.starting import StartKind, StartOutcome
from canonical.stock.news import SoldLines
from canonical.stock.open_orders import OPEN_STATUSES, OpenOrdersPageRequest
from canonical.sweep_contracts import SweepAmazonPageRequest, SweepM3Request
from tests.activities.amazon_world import DE, EU, Amazon, amazon, attempt, listed
from tests.support.orders import order

AGO = datetime.now(UTC) - timedelta(days=3)
UNREADABLE = "028-7777777-7777777"


class Temporal:
    """What the starter and M3 would do, kept to look at."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderToCashInput] = {}
        self.priorities: set[int] = set()
        self.failing: set[str] = set()
        self.at_once = 0
        self.most_at_once = 0
        self.waiting: list[WaitingOrder] = []
        self.deliveries: dict[str, tuple[Delivery, ...]] = {}
        self.goods: list[tuple[str, GoodsLeft]] = []
        self.bulk: list[int] = []
        self.sold: list[SoldLines] = []
        self.deaf = False
        """The keeper of stock cannot be told."""

    def lines(self, order_id: str) -> Sequence[OrderLine]:
        """Of an order that was handed over."""
        order = self.orders[order_id].order
        assert order is not None
        return order.lines

    async def start_or_signal(self, order: OrderToCashInput, *, priority: int) -> StartOutcome:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if order.order_id in self.failing:
            raise ConnectionError("the order's own words")
        known = order.order_id in self.orders
        self.orders[order.order_id] = order
        self.priorities.add(priority)
        kind = StartKind.SIGNALLED if known else StartKind.STARTED
        return StartOutcome(kind, order_workflow_id(order.seller_id, order.order_id))

    async def tell_sold(self, sold: SoldLines, *, again: bool = False) -> bool:
        if self.deaf:
            raise ConnectionError("the order's own words")
        self.sold.append(sold)
        return True

    async def list_waiting(self, limit: int) -> Sequence[WaitingOrder]:
        return self.waiting[:limit]

    async def read_deliveries(self, order_ids: Sequence[str]) -> Mapping[str, tuple[Delivery, ...]]:
        self.bulk.append(len(order_ids))
        return self.deliveries

    async def signal_goods_left(self, order: WaitingOrder, goods: GoodsLeft) -> bool:
        self.goods.append((order.order_id, goods))
        return order.order_id not in self.failing


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Amazon]:
    async with amazon(tmp_path, orders=120) as running:
        yield running


def intake(world: Amazon, temporal: Temporal) -> IntakeActivities:
    return IntakeActivities(
        {EU.seller_id: world.client()},
        start_or_signal=temporal.start_or_signal,
        list_waiting=temporal.list_waiting,
        read_deliveries=temporal.read_deliveries,
        signal_goods_left=temporal.signal_goods_left,
        tell_sold=temporal.tell_sold,
    )


def page_request(**more: object) -> SweepAmazonPageRequest:
    return SweepAmazonPageRequest.model_validate({"seller_id": EU.seller_id, "updated_after": AGO, **more})


async def test_every_marketplace_sale_on_the_page_is_handed_over(world: Amazon) -> None:
    temporal = Temporal()
    sweep = intake(world, temporal).sweep_amazon_page
    result = await attempt(1).run(sweep, page_request(priority=5))
    sold = {str(r["orderId"]) for r in await listed(world, sellerId=EU.seller_id, channelName="AMAZON")}
    assert temporal.orders.keys() == sold
    assert all(order.order is not None for order in temporal.orders.values())
    assert (result.started, result.signalled, result.started + result.skipped) == (
        len(sold),
        0,
        result.orders,
    )
    assert temporal.priorities == {5}
    assert 1 < temporal.most_at_once <= AT_ONCE
    assert result.horizon is not None
    again = await attempt(1).run(sweep, page_request())
    assert (again.started, again.signalled) == (0, len(sold))


async def test_pages_continue_by_their_token(world: Amazon) -> None:
    await world.http.post(f"{world.url}/_control/orders", json={"count": 200, "seed": 3})
    temporal = Temporal()
    sweep = intake(world, temporal).sweep_amazon_page
    first = await attempt(1).run(sweep, page_request())
    assert first.next_token
    assert first.orders == 100
    orders, token = first.orders, first.next_token
    while token:
        result = await attempt(1).run(sweep, page_request(token=token))
        orders, token = orders + result.orders, result.next_token
    assert orders == len(await listed(world, sellerId=EU.seller_id))


async def test_an_unreadable_order_blocks_no_other(world: Amazon) -> None:
    broken = {
        "orderId": UNREADABLE,
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": DE.marketplace_id},
        "fulfillment": {"fulfillmentStatus": "TELEPORTED", "fulfilledBy": "MERCHANT"},
        "orderItems": [{"orderItemId": "1", "quantityOrdered": 1, "product": {"sellerSku": "TEA-GREEN-250"}}],
    }
    answer = await world.http.post(
        f"{world.url}/_control/order", json={"order": broken, "seller": EU.seller_id}
    )
    answer.raise_for_status()
    temporal = Temporal()
    result = await attempt(1).run(intake(world, temporal).sweep_amazon_page, page_request())
    assert result.started == len(temporal.orders) > 10
    assert temporal.orders[UNREADABLE].order is None
    assert len(result.remarks) == 1
    assert UNREADABLE in result.remarks[0]


async def test_an_error_of_our_own_reader_blocks_no_other_order(
    world: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = [str(r["orderId"]) for r in await listed(world, sellerId=EU.seller_id, channelName="AMAZON")]

    def read(payload: Mapping[str, object], seller_id: str) -> Order:
        if payload["orderId"] == sold[0]:
            raise ArithmeticError("the order's own words")
        return read_order(payload, seller_id)

    monkeypatch.setattr(intake_module, "read_order", read)
    temporal = Temporal()
    result = await attempt(1).run(intake(world, temporal).sweep_amazon_page, page_request())
    assert temporal.orders.keys() == set(sold)
    assert temporal.orders[sold[0]].order is None
    assert result.remarks == ("An order cannot be read: ArithmeticError.",)


async def test_a_page_not_wholly_handed_over_is_read_again(world: Amazon) -> None:
    temporal = Temporal()
    sold = [str(r["orderId"]) for r in await listed(world, sellerId=EU.seller_id, channelName="AMAZON")]
    temporal.failing = {sold[0]}
    sweep = intake(world, temporal).sweep_amazon_page
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(sweep, page_request())
    assert (raised.value.type, raised.value.non_retryable) == ("intake_incomplete", False)
    assert sold[0] in raised.value.message
    assert "own words" not in raised.value.message
    assert temporal.orders.keys() == set(sold[1:])
    temporal.failing = set()
    result = await attempt(2).run(sweep, page_request())
    assert (result.started, result.signalled) == (1, len(sold) - 1)


async def test_a_page_needs_exactly_one_kind_of_period(world: Amazon) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        await attempt(1).run(intake(world, Temporal()).sweep_amazon_page, page_request(created_after=AGO))


async def test_quota_of_a_page_is_tried_again_in_three_minutes(world: Amazon) -> None:
    await world.fault("status_429", "searchOrders")
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(intake(world, Temporal()).sweep_amazon_page, page_request())
    assert raised.value.next_retry_delay == timedelta(seconds=1 / 0.0056)


def delivery(dlix: str) -> Delivery:
    return Delivery(dlix=dlix, whlo="MAI", status="60")


async def test_waiting_orders_are_told_of_their_goods_in_one_look(world: Amazon) -> None:
    temporal = Temporal()
    temporal.waiting = [WaitingOrder(EU.seller_id, f"028-0000000-000000{n}", f"order-{n}") for n in range(5)]
    temporal.deliveries = {"028-0000000-0000001": (delivery("1"),), "028-0000000-0000003": (delivery("3"),)}
    sweep = intake(world, temporal).sweep_m3_deliveries
    result = await attempt(1).run(sweep, SweepM3Request())
    assert (result.looked_at, result.signalled) == (5, 2)
    assert temporal.bulk == [5]
    assert {order for order, _ in temporal.goods} == temporal.deliveries.keys()

    # The same news again costs no signal; a second delivery is news, told together with the first.
    assert (await attempt(1).run(sweep, SweepM3Request())).signalled == 0
    temporal.deliveries["028-0000000-0000001"] += (delivery("11"),)
    assert (await attempt(1).run(sweep, SweepM3Request())).signalled == 1
    order_id, goods = temporal.goods[-1]
    assert order_id == "028-0000000-0000001"
    assert [each.dlix for each in goods.deliveries] == ["1", "11"]


async def test_nobody_waiting_asks_m3_nothing(world: Amazon) -> None:
    temporal = Temporal()
    result = await attempt(1).run(intake(world, temporal).sweep_m3_deliveries, SweepM3Request())
    assert (result.looked_at, temporal.bulk) == (0, [])


async def own_orders(world: Amazon) -> set[str]:
    rows = await listed(world, sellerId=EU.seller_id, channelName="AMAZON", fulfilledBy="MERCHANT")
    return {str(row["orderId"]) for row in rows}


async def test_a_page_tells_the_keeper_of_stock_once_and_of_own_orders_alone(world: Amazon) -> None:
    temporal = Temporal()
    result = await attempt(1).run(intake(world, temporal).sweep_amazon_page, page_request())
    (told,) = temporal.sold
    assert told.seller_id == EU.seller_id
    own = await own_orders(world)
    assert result.orders > len(own) > 5
    assert {line.order_id for line in told.lines} == own
    pieces = {
        (order_id, line.order_item_id): line.quantity for order_id in own for line in temporal.lines(order_id)
    }
    assert {(line.order_id, line.order_item_id): line.quantity for line in told.lines} == pieces


async def test_a_keeper_that_cannot_be_told_keeps_no_order_back_and_the_page_is_read_again(
    world: Amazon,
) -> None:
    temporal = Temporal()
    temporal.deaf = True
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(intake(world, temporal).sweep_amazon_page, page_request())
    assert not raised.value.non_retryable
    assert "own words" not in str(raised.value)
    sold = {str(r["orderId"]) for r in await listed(world, sellerId=EU.seller_id, channelName="AMAZON")}
    assert temporal.orders.keys() == sold


async def test_open_orders_come_page_by_page_and_each_is_told_before_the_next(world: Amazon) -> None:
    for _ in range(120):
        body = {"order": order(channel="MERCHANT"), "seller": EU.seller_id}
        (await world.http.post(f"{world.url}/_control/order", json=body)).raise_for_status()
    temporal = Temporal()
    _, read = intake(world, temporal).searching
    token, pages = "", 0
    while True:
        request = OpenOrdersPageRequest(seller_id=EU.seller_id, created_after=AGO, token=token)
        page = await attempt(1).run(read, request)
        pages += 1
        assert len(temporal.sold) == pages
        assert (page.heard, page.lines) == (True, len(temporal.sold[-1].lines))
        token = page.next_token
        if not token:
            break
    own = await own_orders(world)
    rows = await listed(world, sellerId=EU.seller_id)
    still = {str(row["orderId"]) for row in rows if row["status"] in OPEN_STATUSES} & own
    assert {line.order_id for told in temporal.sold for line in told.lines} == still
    assert len(still) > 100 * (pages - 1) > 0
    temporal.deaf = True
    with pytest.raises(ConnectionError):
        await attempt(1).run(read, OpenOrdersPageRequest(seller_id=EU.seller_id, created_after=AGO))

"""What the stock keeper is told of Amazon's orders, by sweeps, by notifications, and by a look at what is open."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import BaseModel
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import stock_workflow_id
from canonical.stock.keeper_state import STATE, KeeperState, StockInput, StockView
from canonical.stock.news import STOCK
from canonical.stock.open_orders import OPEN_ORDERS_LOOK, OpenOrders, OpenOrdersInput, open_orders_id
from starters.listening.tally import Outcome
from tests.support.notifications import SELLER, Post, envelope, order_change
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.stock_news import StockShop, stock_shop
from tests.support.stock_notebook import Told
from tests.support.world import World, eventually
from worker import stock_news
from worker.known_workflows import signalled
from worker.open_orders import look_for_new_keeper
from worker.stock_settings import StockSettings

MFN = "MERCHANT"
BURST = 200


@pytest_asyncio.fixture(scope="module")
async def service(
    m3_url: str, m3_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StockShop]:
    folder = tmp_path_factory.mktemp("stock-news")
    async with stock_shop(folder, m3_url, m3_data / "simulator.ionapi") as shop:
        yield shop


@pytest_asyncio.fixture
async def shop(service: StockShop) -> StockShop:
    """With a keeper that knows nothing."""
    await service.open_notebook()
    return service


def counted(told: Told, *order_ids: str) -> dict[tuple[str, str], tuple[int, bool, bool]]:
    """Pieces, whether pending, whether cancelled; by order and SKU."""
    return {
        name: (line.quantity, line.pending, line.cancelled) for name, line in told.lines(*order_ids).items()
    }


async def as_amazon(shop: StockShop, *order_ids: str) -> dict[tuple[str, str], tuple[int, bool, bool]]:
    """The same, as Amazon has it now."""
    found: dict[tuple[str, str], tuple[int, bool, bool]] = {}
    for order_id in order_ids:
        body = await shop.at_amazon(order_id)
        status = body["fulfillment"]["fulfillmentStatus"]  # type: ignore[index]
        for item in body["orderItems"]:  # type: ignore[attr-defined]
            pieces = 0 if status == "CANCELLED" else item["quantityOrdered"]
            found[order_id, item["product"]["sellerSku"]] = (pieces, status == "PENDING", pieces == 0)
    return found


def moved(quantity: int, sku: str = ORDINARY, **envelope_facts: str) -> str:
    told = {"SellerId": SELLER, "FulfillmentChannelCode": "DEFAULT", "Sku": sku, "Quantity": quantity}
    return json.dumps(envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", told, **envelope_facts))  # type: ignore[arg-type]


def feed_ended(feed_id: str, feed_type: str = "JSON_LISTINGS_FEED") -> str:
    feed = {
        "sellerId": SELLER,
        "accountId": "amzn1.merchant.o.TEST",
        "feedId": feed_id,
        "feedType": feed_type,
        "processingStatus": "DONE",
    }
    return json.dumps(envelope("FEED_PROCESSING_FINISHED", {"feedProcessingFinishedNotification": feed}))


async def test_a_sweep_tells_of_every_line_of_the_sellers_own_once(shop: StockShop) -> None:
    pending = await shop.place(order((ORDINARY, 2), ANOTHER, channel=MFN, status="PENDING"))
    unshipped = await shop.place(order((ORDINARY, 3), channel=MFN))
    by_amazon = await shop.place(order((ORDINARY, 5)))
    await shop.sweep(SELLER, m3=False)
    first = await shop.told()
    assert counted(first, pending, unshipped, by_amazon) == {
        (pending, ORDINARY): (2, True, False),
        (pending, ANOTHER): (1, True, False),
        (unshipped, ORDINARY): (3, False, False),
    }
    await shop.sweep(SELLER, m3=False)
    assert (await shop.told()).signals == first.signals
    await shop.event(pending, "release")
    await shop.event(unshipped, "cancel")
    await shop.sweep(SELLER, m3=False)
    assert counted(await shop.told(), pending, unshipped) == {
        (pending, ORDINARY): (2, False, False),
        (pending, ANOTHER): (1, False, False),
        (unshipped, ORDINARY): (0, False, True),
    }


async def test_a_sweep_without_a_keeper_goes_on_and_the_next_tells(shop: StockShop) -> None:
    await shop.close_notebook()
    sold = await shop.place(order((ORDINARY, 2), channel=MFN))
    swept = await shop.sweep(SELLER, m3=False)
    assert swept.amazon[SELLER].started == 1
    await shop.open_notebook()
    await shop.sweep(SELLER, m3=False)
    assert counted(await shop.told(), sold) == {(sold, ORDINARY): (2, False, False)}


async def test_a_look_tells_of_all_that_is_open_whatever_was_told_before(shop: StockShop) -> None:
    statuses = ("PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "SHIPPED")
    placed = {status: await shop.place(order(channel=MFN, status=status)) for status in statuses}
    by_amazon = await shop.place(order())
    long_ago = datetime.now(UTC) - timedelta(days=40)
    old = await shop.place(order(channel=MFN, createdTime=f"{long_ago:%Y-%m-%dT%H:%M:%SZ}"))
    await shop.sweep(SELLER, m3=False)
    await shop.open_notebook()
    looked = await look(shop, days=30)
    told = await shop.told()
    assert counted(told, *placed.values(), by_amazon, old) == {
        (placed["PENDING_AVAILABILITY"], ORDINARY): (1, True, False),
        (placed["PENDING"], ORDINARY): (1, True, False),
        (placed["UNSHIPPED"], ORDINARY): (1, False, False),
    }
    assert (looked.heard, looked.lines) == (True, sum(len(signal.lines) for signal in told.sold))
    await shop.close_notebook()
    assert not (await look(shop)).heard


async def look(shop: StockShop, **asked: int) -> OpenOrders:
    found: OpenOrders = await shop.client.execute_workflow(
        OPEN_ORDERS_LOOK,
        OpenOrdersInput(seller_id=SELLER, **asked),
        id=f"{open_orders_id(SELLER)}-{uuid4()}",
        task_queue=ORDERS_QUEUE,
        result_type=OpenOrders,
    )
    return found


async def test_a_keeper_that_starts_has_the_open_orders_looked_at(shop: StockShop) -> None:
    sold = await shop.place(order((ORDINARY, 4), channel=MFN, status="PENDING"))
    assert not await look_for_new_keeper(shop.client, shop.settings)
    await shop.close_notebook()
    assert await look_for_new_keeper(shop.client, shop.settings, wait=timedelta(seconds=1))
    await shop.open_notebook()
    told = await eventually(shop.told, lambda told: bool(told.lines(sold)))
    assert counted(told, sold) == {(sold, ORDINARY): (4, True, False)}


async def test_notifications_tell_of_orders_before_they_are_released(shop: StockShop, sqs: str) -> None:
    post = await Post.open(sqs, shop)
    pending = await shop.place(order((ORDINARY, 2), channel=MFN, status="PENDING"))
    unshipped = await shop.place(order((ANOTHER, 3), channel=MFN))
    by_amazon = await shop.place(order())
    for order_id in (pending, unshipped, by_amazon):
        await post.send(order_change(await shop.at_amazon(order_id)))
    assert (await post.listen()).outcomes == {Outcome.TOLD: 2, Outcome.PENDING: 1}
    told = await shop.told()
    assert counted(told, pending, unshipped, by_amazon) == await as_amazon(shop, pending, unshipped)
    assert await post.counts() == (0, 0)


async def test_in_whatever_order_and_however_often_the_last_word_of_amazon_holds(
    shop: StockShop, sqs: str
) -> None:
    post = await Post.open(sqs, shop)
    order_id = await shop.place(order((ORDINARY, 2), ANOTHER, channel=MFN, status="PENDING"))
    now = datetime.now(UTC)
    messages = [order_change(await shop.at_amazon(order_id), at=now)]
    await shop.event(order_id, "release")
    messages.append(order_change(await shop.at_amazon(order_id), at=now + timedelta(seconds=1)))
    await shop.event(order_id, "cancel")
    messages.append(order_change(await shop.at_amazon(order_id), at=now + timedelta(seconds=2)))
    last = await as_amazon(shop, order_id)
    assert {cancelled for _, _, cancelled in last.values()} == {True}
    for again in (messages[::-1], messages, messages[1:]):
        await post.send(*again)
        await post.listen()  # each time a listener that remembers nothing
    assert counted(await shop.told(), order_id) == last


async def test_a_burst_of_notifications_is_few_signals(shop: StockShop, sqs: str) -> None:
    post = await Post.open(sqs, shop, in_flight=400, receivers=8)
    orders = [order((ORDINARY, 1 + number % 3), channel=MFN, status="PENDING") for number in range(BURST)]
    for each in orders:
        for item in each["orderItems"]:  # type: ignore[attr-defined]
            item["fulfillment"] = {"quantityFulfilled": 0}
    await post.send(*(order_change(each) for each in orders), *(moved(each) for each in range(BURST)))
    heard = await post.listen()
    assert heard.outcomes == {Outcome.PENDING: BURST, Outcome.STOCK: BURST}
    told = await shop.told()
    assert len(counted(told, *(str(each["orderId"]) for each in orders))) == BURST
    assert sorted(move.quantity for move in told.moves) == list(range(BURST))
    assert told.signals <= BURST / 10, told.signals


async def test_quantities_and_feeds_are_the_keepers(shop: StockShop, sqs: str) -> None:
    post = await Post.open(sqs, shop)
    quantity = moved(7, notification_id="quantity-1")
    await post.send(quantity, quantity, feed_ended("53"), feed_ended("54", "POST_PRODUCT_DATA"))
    assert (await post.listen()).outcomes == {Outcome.STOCK: 3, Outcome.LATER: 1}
    told = await shop.told()
    assert [(move.seller_id, move.sku, move.quantity) for move in told.moves] == [(SELLER, ORDINARY, 7)]
    assert [(feed.seller_id, feed.feed_id, feed.status) for feed in told.feeds] == [(SELLER, "53", "DONE")]
    assert len(post.kept()) == 1


async def test_what_cannot_be_read_is_a_dead_letter_and_no_keeper_no_error(shop: StockShop, sqs: str) -> None:
    await shop.close_notebook()
    post = await Post.open(sqs, shop)
    pending = order_change(order(channel=MFN, status="PENDING"), quantities=False)
    nameless = json.dumps(envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", {"SellerId": SELLER, "Quantity": 7}))
    await post.send(pending, moved(3), feed_ended("55"), nameless)
    heard = await post.listen()
    assert heard.outcomes == {Outcome.PENDING: 1, Outcome.NO_KEEPER: 2, Outcome.DEAD: 1}
    assert await post.counts() == (0, 0)


async def test_while_temporal_is_away_messages_stay_and_are_told_later(
    shop: StockShop, sqs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [2]

    async def away(client: Client, workflow_id: str, name: str, what: BaseModel) -> bool:
        if left[0]:
            left[0] -= 1
            assert sum(await post.counts()) == 3
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        return await signalled(client, workflow_id, name, what)

    monkeypatch.setattr(stock_news, "signalled", away)
    post = await Post.open(sqs, shop)
    sold = [await shop.place(order((ORDINARY, 2), channel=MFN, status="PENDING")) for _ in range(2)]
    await post.send(*[order_change(await shop.at_amazon(order_id)) for order_id in sold], moved(4))
    assert (await post.listen()).outcomes == {Outcome.PENDING: 2, Outcome.STOCK: 1}
    told = await shop.told()
    assert counted(told, *sold) == {(order_id, ORDINARY): (2, True, False) for order_id in sold}
    assert [move.quantity for move in told.moves] == [4]
    assert left == [0]


async def test_the_keeper_takes_what_it_is_told(shop: StockShop, sqs: str) -> None:
    """The real one: no line twice, however it comes, and nothing that it cannot read."""
    await shop.close_notebook()
    # Without the looks that a worker begins with it, it knows nothing but what is told here.
    pace = StockSettings(every_seconds=1).pace
    keeper = await shop.client.start_workflow(
        STOCK,
        StockInput(state=KeeperState(pace=pace)),
        id=stock_workflow_id(),
        task_queue=ORDERS_QUEUE,
    )

    async def view() -> StockView:
        seen: StockView = await keeper.query(STATE, result_type=StockView)
        return seen

    def kept(seen: StockView) -> int:
        return (
            seen.totals.strangers + seen.totals.orders
        )  # nobody knows the SKUs before the listings are read

    sold = await shop.place(order((ORDINARY, 2), ANOTHER, channel=MFN, status="PENDING"))
    await shop.sweep(SELLER, m3=False)
    before = kept(await eventually(view, lambda seen: kept(seen) >= 2 and not seen.busy))
    another = await shop.place(order((ORDINARY, 3), channel=MFN))
    post = await Post.open(sqs, shop)
    for order_id in (sold, another, another):
        await post.send(order_change(await shop.at_amazon(order_id)))
    await post.send(moved(5), feed_ended("53"))
    assert (await post.listen()).outcomes == {Outcome.PENDING: 1, Outcome.TOLD: 2, Outcome.STOCK: 2}
    await shop.sweep(SELLER, m3=False)
    seen = await eventually(view, lambda seen: kept(seen) > before and not seen.busy)
    assert kept(seen) == before + 1
    assert not [remark for remark in seen.remarks if "ignored" in remark]
    await keeper.terminate()


async def test_without_stock_quantities_and_feeds_stay_in_the_archive(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    await post.send(
        moved(7), feed_ended("53"), order_change(order(channel=MFN, status="PENDING"), quantities=False)
    )
    assert (await post.listen()).outcomes == {Outcome.LATER: 2, Outcome.PENDING: 1}
    assert len(post.kept()) == 2

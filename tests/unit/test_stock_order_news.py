"""What the stock keeper is told of Amazon's orders, feeds and quantities: MFN lines alone, and nothing that crashes."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.amazon_orders import read_order
from canonical.notification_news import read_feed_news, read_quantity_news
from canonical.notifications import Notification, UnreadableNotification, read_notification
from canonical.order import Channel, OrderStatus
from canonical.stock.news import SoldLine
from canonical.stock.order_news import (
    LINES_A_SIGNAL,
    LONG_AGO,
    in_signals,
    newest,
    sold_in_notification,
    sold_in_order,
)
from tests.support.notifications import envelope
from tests.unit.order_builders import DE, ORDER_ID, SELLER, line, order, payload, payload_item

AT = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
OPEN = (OrderStatus.PENDING, OrderStatus.PENDING_AVAILABILITY)


def change(**summary: Any) -> dict[str, Any]:
    """ORDER_CHANGE of an MFN order of two lines, its summary changed as told."""
    facts = {
        "MarketplaceId": DE,
        "OrderStatus": "Unshipped",
        "PurchaseDate": "2026-11-02T23:30:00Z",
        "FulfillmentType": "MFN",
        "OrderType": "StandardOrder",
        "OrderItems": [
            {"OrderItemId": "1", "SellerSKU": "SKU-1", "SupplySourceId": None, "Quantity": 2},
            {"OrderItemId": "2", "SellerSKU": "SKU-2", "SupplySourceId": None, "Quantity": 1},
        ],
    }
    told = {
        "NotificationLevel": "OrderLevel",
        "SellerId": SELLER,
        "AmazonOrderId": ORDER_ID,
        "OrderChangeType": "OrderStatusChange",
        "OrderChangeTrigger": {"TimeOfOrderChange": "2026-11-03T08:00:00Z", "ChangeReason": "x"},
        "Summary": {**facts, **summary},
    }
    return envelope("ORDER_CHANGE", {"OrderChangeNotification": told}, at=AT + timedelta(seconds=9))


def read(message: object) -> Notification:
    return read_notification(json.dumps(message))


def sold(order_item_id: str = "1", *, seconds: int = 0, **changes: Any) -> SoldLine:
    facts: dict[str, Any] = {
        "order_id": ORDER_ID,
        "order_item_id": order_item_id,
        "marketplace_id": DE,
        "sku": "SKU",
        "quantity": 1,
        "purchased_at": AT,
        "updated_at": AT + timedelta(seconds=seconds),
    }
    return SoldLine.model_validate(facts | changes)


@pytest.mark.parametrize("status", OrderStatus)
def test_an_order_of_the_sellers_own_takes_stock_until_it_is_cancelled(status: OrderStatus) -> None:
    told = sold_in_order(order(line(1, quantity=3), line(2), status=status)).lines
    assert [(each.sku, each.quantity) for each in told] == [("SKU-1", 3), ("SKU-2", 1)]
    assert {each.cancelled for each in told} == {status is OrderStatus.CANCELLED}
    assert {each.pending for each in told} == {status in OPEN}
    assert {(each.purchased_at, each.updated_at) for each in told} == {
        (datetime(2026, 11, 2, 23, 30, tzinfo=UTC), AT)
    }


def test_what_amazon_sends_takes_nothing_from_the_sellers_warehouse() -> None:
    assert sold_in_order(order(channel=Channel.FBA)).lines == ()
    assert sold_in_order(order(sales_channel="NON_AMAZON")).lines == ()
    assert sold_in_notification(read(change(FulfillmentType="AFN"))).lines == ()
    multi_channel = change()
    multi_channel["Payload"]["OrderChangeNotification"]["AmazonOrderId"] = "S02-1234567-8901234"
    assert sold_in_notification(read(multi_channel)).lines == ()
    assert sold_in_notification(read(envelope("FBA_OUTBOUND_SHIPMENT_STATUS", {}))).lines == ()


def test_a_line_that_is_cancelled_takes_none_and_the_others_go_on() -> None:
    told = sold_in_order(order(line(1, quantity=0), line(2, quantity=2))).lines
    assert [(each.quantity, each.cancelled) for each in told] == [(0, True), (2, False)]


def test_a_line_without_a_sku_is_said_and_blocks_no_other() -> None:
    news = sold_in_order(order(line(1, seller_sku=""), line(2)))
    assert [each.sku for each in news.lines] == ["SKU-2"]
    (remark,) = news.remarks
    assert ORDER_ID in remark


def test_api_and_notification_tell_the_same() -> None:
    items = [payload_item(1, orderItemId="1", quantityOrdered=2), payload_item(2, orderItemId="2")]
    for status, word in (("PENDING", "Pending"), ("UNSHIPPED", "Unshipped"), ("SHIPPED", "Shipped")):
        body = payload(*deepcopy(items))
        body["fulfillment"]["fulfillmentStatus"] = status
        by_api = sold_in_order(read_order(body, SELLER)).lines
        assert by_api == sold_in_notification(read(change(OrderStatus=word))).lines != ()


@pytest.mark.parametrize("word", ["Pending", "PendingAvailability"])
def test_a_pending_order_is_told_before_anybody_may_ship_it(word: str) -> None:
    assert {each.pending for each in sold_in_notification(read(change(OrderStatus=word))).lines} == {True}


def test_a_cancelled_order_is_cancelled_whatever_its_quantities_still_say() -> None:
    told = sold_in_notification(read(change(OrderStatus="Canceled"))).lines
    assert [(each.quantity, each.cancelled) for each in told] == [(2, True), (1, True)]


def test_without_a_time_of_purchase_nothing_counts_as_taken_off_already() -> None:
    told = sold_in_notification(read(change(PurchaseDate=None))).lines
    assert {each.purchased_at for each in told} == {AT - LONG_AGO}


def test_without_a_time_of_change_the_event_has_one() -> None:
    message = change()
    message["Payload"]["OrderChangeNotification"]["OrderChangeTrigger"]["TimeOfOrderChange"] = None
    assert {each.updated_at for each in sold_in_notification(read(message)).lines} == {
        AT + timedelta(seconds=9)
    }


@pytest.mark.parametrize(
    "broken",
    [
        {"SellerSKU": ""},
        {"SellerSKU": None},
        {"Quantity": -1},
        {"Quantity": "many"},
        {"Quantity": None},
        {"OrderItemId": ""},
    ],
)
def test_a_bad_item_of_a_notification_is_said_and_blocks_no_other(broken: dict[str, object]) -> None:
    message = change()
    message["Payload"]["OrderChangeNotification"]["Summary"]["OrderItems"][0] |= broken
    news = sold_in_notification(read(message))
    assert [each.sku for each in news.lines] == ["SKU-2"]
    (remark,) = news.remarks
    assert ORDER_ID in remark
    assert "many" not in remark


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_NAMES = (
    *("MarketplaceId", "OrderStatus", "PurchaseDate", "FulfillmentType", "OrderItems"),
    *("OrderItemId", "SellerSKU", "Quantity"),
)


@given(st.dictionaries(st.sampled_from(_NAMES), _anything, max_size=4), st.booleans())
def test_no_notification_is_too_bad_to_be_told_of(spoilt: dict[str, object], of_item: bool) -> None:
    message = change()
    summary = message["Payload"]["OrderChangeNotification"]["Summary"]
    (summary["OrderItems"][0] if of_item else summary).update(spoilt)
    news = sold_in_notification(read(message))
    assert all(each.quantity >= 0 and each.sku for each in news.lines)
    assert all(remark.endswith(".") for remark in news.remarks)


_tellings = st.lists(
    st.builds(
        sold,
        st.sampled_from("abc"),
        seconds=st.integers(0, 3),
        quantity=st.integers(0, 4),
        pending=st.booleans(),
    ),
    max_size=5,
)


@given(_tellings)
def test_of_two_tellings_the_later_one_holds_in_whatever_order_they_come(tellings: list[SoldLine]) -> None:
    def held(lines: Any) -> set[tuple[str, datetime, int]]:
        return {(each.order_item_id, each.updated_at, each.quantity) for each in newest(lines)}

    wanted = held(tellings)
    assert all(held(order) == wanted for order in permutations(tellings))
    for name, at, pieces in wanted:
        mine = [(each.updated_at, each.quantity) for each in tellings if each.order_item_id == name]
        assert (at, pieces) == max(mine)


@given(st.integers(0, 1700))
def test_many_lines_are_few_signals(count: int) -> None:
    signals = list(in_signals(SELLER, [sold(str(number)) for number in range(count)]))
    assert [len(each.lines) for each in signals[:-1]] == [LINES_A_SIGNAL] * (len(signals) - 1)
    assert sum(len(each.lines) for each in signals) == count
    assert all(len(each.lines) > 0 and each.seller_id == SELLER for each in signals)


def test_a_quantity_that_amazon_shows() -> None:
    told = {"SellerId": SELLER, "FulfillmentChannelCode": "DEFAULT", "Sku": "SKU-1", "Quantity": 7}
    moved = read_quantity_news(read(envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", told, at=AT)))
    assert moved is not None
    assert (moved.seller_id, moved.sku, moved.quantity, moved.at) == (SELLER, "SKU-1", 7, AT)
    assert moved.marketplace_id == ""
    other = {**told, "FulfillmentChannelCode": "SUPPLY-SOURCE-1"}
    assert read_quantity_news(read(envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", other))) is None
    for name in told:
        with pytest.raises(UnreadableNotification):
            read_quantity_news(read(envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", {**told, name: None})))


def test_a_feed_that_has_ended() -> None:
    told = {"sellerId": SELLER, "feedId": "53", "feedType": "JSON_LISTINGS_FEED", "processingStatus": "FATAL"}

    def message(**changes: object) -> Notification:
        feed = {**told, **changes}
        return read(envelope("FEED_PROCESSING_FINISHED", {"feedProcessingFinishedNotification": feed}))

    ended = read_feed_news(message())
    assert ended is not None
    assert (ended.seller_id, ended.feed_id, ended.status) == (SELLER, "53", "FATAL")
    assert read_feed_news(message(feedType="POST_PRODUCT_DATA")) is None
    assert read_feed_news(message(sellerId=None)) is None
    with pytest.raises(UnreadableNotification):
        read_feed_news(message(feedId=""))


def test_amazons_own_examples(shared: Path) -> None:
    folder = shared / "spapi"
    (example,) = json.loads((folder / "notifications" / "OrderChangeNotification.json").read_text())[
        "examples"
    ]
    (told,) = sold_in_notification(read(example)).lines
    assert (told.order_id, told.sku, told.quantity) == ("903-8868176-2219830", "SellerSKUID1", 10)
    assert (told.pending, told.cancelled) == (False, False)
    sample = (folder / "samples" / "notifications" / "order_change.json").read_text()
    (told,) = sold_in_notification(read_notification(sample)).lines
    assert (told.sku, told.quantity, told.marketplace_id) == ("SKU123", 15, "A2Q3Y263D00KWC")
    assert told.updated_at == datetime(2023, 10, 3, 1, 35, 1, tzinfo=UTC)
    schema = json.loads((folder / "notifications" / "ListingsItemMfnQuantityChange.json").read_text())
    moved = read_quantity_news(read(schema["examples"][0]))
    assert moved is not None
    assert (moved.sku, moved.quantity) == ("NLS-SHOES-03", 99)
    feeds = json.loads((folder / "notifications" / "FeedProcessingFinishedNotification.json").read_text())
    assert [read_feed_news(read(each)) for each in feeds["examples"]] == [None, None]

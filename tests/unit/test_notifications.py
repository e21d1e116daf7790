"""Amazon's notifications read: its own examples in both cases, and everything that is none."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.notification_news import (
    destiny,
    read_fulfillment_news,
    read_order_news,
    read_refund_news,
    read_report_news,
)
from canonical.notifications import PAYLOAD_VERSIONS, Destiny, UnreadableNotification, read_notification
from canonical.order import OrderStatus

EXAMPLES = {
    "ORDER_CHANGE": "OrderChangeNotification",
    "FBA_OUTBOUND_SHIPMENT_STATUS": "FBAOutboundShipmentStatusNotification",
    "FULFILLMENT_ORDER_STATUS": "FulfillmentOrderStatusNotification",
    "REPORT_PROCESSING_FINISHED": "ReportProcessingFinishedNotification",
    "FEED_PROCESSING_FINISHED": "FeedProcessingFinishedNotification",
    "TRANSACTION_UPDATE": "TransactionUpdateNotification",
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": "ListingsItemMfnQuantityChange",
}
SELLER = "A3TH9S8BH6GOGM"
ROUTES = {
    "ORDER_CHANGE": Destiny.ORDER,
    "FBA_OUTBOUND_SHIPMENT_STATUS": Destiny.ORDER,
    "REPORT_PROCESSING_FINISHED": Destiny.REPORT,
    "FULFILLMENT_ORDER_STATUS": Destiny.FULFILLMENT,
}
OF_STOCK = {
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": Destiny.QUANTITY,
    "FEED_PROCESSING_FINISHED": Destiny.FEED,
}


def examples(shared: Path) -> Iterator[tuple[str, str]]:
    """Amazon's own messages by type: those in its schemas, and those kept beside them."""
    for kind, name in EXAMPLES.items():
        schema = json.loads((shared / "spapi" / "notifications" / f"{name}.json").read_text())
        for example in schema["examples"]:
            yield kind, json.dumps(example)
    for file in (shared / "spapi" / "samples" / "notifications").glob("*.json"):
        text = file.read_text()
        message = json.loads(text)
        yield message.get("NotificationType") or message["notificationType"], text


def other_case(value: object) -> object:
    """The same message spelled the other way."""
    if isinstance(value, dict):
        return {name[0].swapcase() + name[1:]: other_case(inner) for name, inner in value.items()}
    return [other_case(inner) for inner in value] if isinstance(value, list) else value


def test_every_example_of_amazon_is_read_and_routed_in_either_case(shared: Path) -> None:
    seen = set()
    for kind, text in examples(shared):
        for message in (text, json.dumps(other_case(json.loads(text)))):
            read = read_notification(message)
            assert (read.kind, bool(read.id), read.at is not None) == (kind, True, True)
            sellers = {read.seller_id or SELLER}
            wanted = ROUTES.get(kind, Destiny.LATER if kind in PAYLOAD_VERSIONS else Destiny.UNKNOWN)
            assert destiny(read, sellers) is wanted
            assert destiny(read, sellers, stock=True) is OF_STOCK.get(kind, wanted)
            if kind in PAYLOAD_VERSIONS and read.seller_id:
                assert destiny(read, {"ANOTHER"}) is Destiny.FOREIGN
        seen.add(kind)
    assert seen >= set(PAYLOAD_VERSIONS)


def example(shared: Path, kind: str) -> str:
    return next(text for known, text in examples(shared) if known == kind)


def test_what_an_order_change_says(shared: Path) -> None:
    news = read_order_news(read_notification(example(shared, "ORDER_CHANGE")))
    assert (news.seller_id, news.order_id, news.destiny) == (SELLER, "903-8868176-2219830", Destiny.ORDER)
    notice = news.notice
    assert notice.id == "d0e9e693-c3ad-4373-979f-ed4ec98dd746"
    assert notice.at == datetime(2022, 11, 29, 19, 42, 4, 284000, UTC)
    assert notice.status is OrderStatus.UNSHIPPED
    assert (notice.ordered, notice.shipped) == ({"OIID34853450": 10}, {"OIID34853450": 0})
    assert "48110" not in notice.model_dump_json(), "The buyer's postal code is nobody's business."


def test_a_change_without_a_time_of_its_own_has_the_events(shared: Path) -> None:
    message = json.loads(example(shared, "ORDER_CHANGE"))
    message["Payload"]["OrderChangeNotification"]["OrderChangeTrigger"]["TimeOfOrderChange"] = None
    news = read_order_news(read_notification(json.dumps(message)))
    assert news.notice.at == datetime(2020, 1, 11, 0, 9, 53, 109000, UTC)


@pytest.mark.parametrize(
    ("status", "order_id", "where"),
    [
        ("Pending", "903-8868176-2219830", Destiny.PENDING),
        ("PendingAvailability", "903-8868176-2219830", Destiny.PENDING),
        ("InvoiceUnconfirmed", "903-8868176-2219830", Destiny.ORDER),
        ("Shipped", "S01-8868176-2219830", Destiny.NO_SALE),
    ],
)
def test_where_an_order_change_goes(shared: Path, status: str, order_id: str, where: Destiny) -> None:
    message = json.loads(example(shared, "ORDER_CHANGE"))
    change = message["Payload"]["OrderChangeNotification"]
    change["AmazonOrderId"], change["Summary"]["OrderStatus"] = order_id, status
    assert read_order_news(read_notification(json.dumps(message))).destiny is where


def test_what_a_finished_report_says(shared: Path) -> None:
    news = read_report_news(read_notification(example(shared, "REPORT_PROCESSING_FINISHED")))
    assert (news.seller_id, news.report_id, news.status) == (SELLER, "54517018502", "CANCELLED")
    assert news.document_id.startswith("amzn1.tortuga.3.")


@pytest.mark.parametrize("kind", ["Refund", "RefundCommission", "GuaranteeClaim", "Chargeback"])
def test_what_a_refund_says(shared: Path, kind: str) -> None:
    message = json.loads(example(shared, "TRANSACTION_UPDATE"))
    assert read_refund_news(read_notification(json.dumps(message))) is None, "a shipment is none"
    told = message["Payload"]["TransactionUpdateNotification"]
    told["TransactionType"] = kind
    told["TotalAmount"]["CurrencyAmount"] = -12.5
    told["RelatedIdentifiers"] = [
        {"RelatedIdentifierName": "ShipmentId", "RelatedIdentifierValue": "D1"},
        {"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": "903-8868176-2219830"},
    ]
    read = read_notification(json.dumps(message))
    assert destiny(read, {SELLER}) is Destiny.REFUND
    news = read_refund_news(read)
    assert news is not None
    assert (news.seller_id, news.order_id, str(news.amount)) == (SELLER, "903-8868176-2219830", "12.50 USD")
    assert news.posted == datetime(2023, 7, 14, 3, 35, 13, 214000, UTC)


def test_a_refund_without_its_date_and_a_status_without_its_order_are_refused(shared: Path) -> None:
    message = json.loads(example(shared, "TRANSACTION_UPDATE"))
    del message["Payload"]["TransactionUpdateNotification"]["PostedDate"]
    with pytest.raises(UnreadableNotification, match="posteddate is missing"):
        destiny(read_notification(json.dumps(message)), {SELLER})
    message = json.loads(example(shared, "FULFILLMENT_ORDER_STATUS"))
    del message["Payload"]["FulfillmentOrderStatusNotification"]["SellerFulfillmentOrderId"]
    with pytest.raises(UnreadableNotification, match="SellerFulfillmentOrderId"):
        read_fulfillment_news(read_notification(json.dumps(message)))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ("", "no JSON"),
        ("<xml/>", "no JSON"),
        ("null", "NoneType"),
        ("[1]", "list"),
        ("{}", "notificationtype is missing"),
        ('{"NotificationType": 7}', "notificationtype"),
        ('{"NotificationType": "ORDER_CHANGE", "Payload": null}', "payload"),
        ('{"NotificationType": "X", "Payload": {}}', "notificationmetadata is missing"),
        ("[" * 100_000, "no JSON"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested too deeply"),
    ],
)
def test_what_is_no_notification_is_refused_with_the_reason(broken: str, named: str) -> None:
    with pytest.raises(UnreadableNotification, match=named) as refused:
        read_notification(broken)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("AmazonOrderId",), "Mr Buyer"),
        (("AmazonOrderId",), None),
        (("SellerId",), ""),
        (("Summary",), None),
        (("Summary", "OrderItems"), [{"OrderItemId": "1"}]),
        (("OrderChangeTrigger", "TimeOfOrderChange"), "yesterday"),
    ],
)
def test_an_order_change_that_lacks_what_is_needed_is_refused_without_its_content(
    shared: Path, path: tuple[str, ...], value: object
) -> None:
    message = json.loads(example(shared, "ORDER_CHANGE"))
    place = message["Payload"]["OrderChangeNotification"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(UnreadableNotification) as refused:
        read_order_news(read_notification(json.dumps(message)))
    assert "Buyer" not in str(refused.value)
    assert "yesterday" not in str(refused.value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)
    | st.dictionaries(st.sampled_from(("NotificationType", "payload", "NotificationMetadata", "notificationId",
    "eventTime", "x")), inner)))  # fmt: skip
def test_no_json_makes_the_reader_stumble(value: object) -> None:
    try:
        read = read_notification(json.dumps(value))
    except UnreadableNotification:
        return
    assert destiny(read, {SELLER}) in Destiny

"""The notifications themselves: when there is one, that it fits Amazon's schema, and what may happen to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from simulators import catalogue
from simulators.amazon.fulfillment_records import Order as FulfillmentOrder
from simulators.amazon.fulfillment_records import Package, Shipment
from tests.contract.amazon_simulator_client import EU, NA, Caller, mfn_order, simulator
from tests.contract.test_amazon_simulator_notifications import make_destination, subscribe

SCHEMAS = {
    "ORDER_CHANGE": "OrderChangeNotification",
    "FBA_OUTBOUND_SHIPMENT_STATUS": "FBAOutboundShipmentStatusNotification",
    "FULFILLMENT_ORDER_STATUS": "FulfillmentOrderStatusNotification",
    "FBA_INVENTORY_AVAILABILITY_CHANGES": "FBAInventoryAvailabilityChangeNotification",
    "TRANSACTION_UPDATE": "TransactionUpdateNotification",
    "REPORT_PROCESSING_FINISHED": "ReportProcessingFinishedNotification",
    "FEED_PROCESSING_FINISHED": "FeedProcessingFinishedNotification",
}
ORDER = "304-0000001-0000001"
BRAZIL = "A2Q3Y263D00KWC"


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with listening(tmp_path) as caller:
        yield caller


def listening(folder: Path, **settings: Any) -> Any:
    """A simulator without delays or chance, unless said."""
    plain = {"quota_factor": 1e6, "pace": 0, "notify_duplicates": 0, "notify_pending": 0}
    return simulator(folder, **{**plain, **settings})


async def subscribe_all(caller: Caller, *sellers: catalogue.Seller) -> None:
    destination = (await make_destination(caller)).json()["payload"]["destinationId"]
    for seller in sellers or (EU,):
        for kind in SCHEMAS:
            answer = await subscribe(caller, destination, kind, seller)
            assert answer.status_code == 200, answer.text


async def told(caller: Caller, **query: str) -> list[dict[str, Any]]:
    """The messages under way or arrived, oldest first."""
    listed = (await caller.http.get("/_control/notifications/copies", params=query)).json()
    return [json.loads(entry["body"]) for entry in reversed(listed) if entry["body"]]


async def changes(caller: Caller, order_id: str = ORDER) -> list[tuple[str, str]]:
    """(OrderChangeType, OrderStatus) of what ORDER_CHANGE told of an order."""
    return [
        (body["OrderChangeType"], body["Summary"]["OrderStatus"])
        for message in await told(caller, subject=order_id)
        if message.get("NotificationType") == "ORDER_CHANGE"
        for body in message["Payload"].values()
    ]


def kind_of(message: dict[str, Any]) -> str:
    return str(message.get("NotificationType") or message["notificationType"])


def fits(message: dict[str, Any], shared: Path) -> None:
    """Fails where the message is not as Amazon's schema has it."""
    schema = shared / "spapi" / "notifications" / f"{SCHEMAS[kind_of(message)]}.json"
    jsonschema.Draft7Validator(json.loads(schema.read_text())).validate(message)


async def emit(caller: Caller, **wanted: object) -> httpx.Response:
    return await caller.http.post("/_control/notifications/emit", json=wanted)


async def test_a_life_told_in_changes_of_status(caller: Caller) -> None:
    await subscribe_all(caller)
    await caller.plant(mfn_order(fulfillment={"fulfillmentStatus": "PENDING", "fulfilledBy": "MERCHANT"}))
    assert await changes(caller) == []  # of new Pending orders Amazon promises nothing
    for event in ("release", "request_cancel", "ship"):
        await caller.event(ORDER, type=event)
    assert await changes(caller) == [
        ("OrderStatusChange", "Unshipped"),
        ("BuyerRequestedChange", "Unshipped"),
        ("OrderStatusChange", "Shipped"),
    ]


async def test_no_change_of_status_is_no_notification(caller: Caller) -> None:
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    await caller.event(ORDER, type="change_quantity", items={"10000000000001": 2})
    await caller.event(ORDER, type="ship", items={"10000000000001": 1})
    await caller.event(ORDER, type="ship", items={"10000000000001": 1})
    assert await changes(caller) == [
        ("OrderStatusChange", "Unshipped"),
        ("OrderStatusChange", "PartiallyShipped"),
    ]


async def test_what_was_before_the_subscription_is_not_told(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await subscribe_all(caller)
    assert await told(caller) == []
    await caller.place(20, spread_seconds=3600)
    moments = {message["EventTime"] for message in await told(caller)}
    assert len(moments) <= 1  # of the orders spread over the past hour only the latest


async def test_only_the_seller_who_subscribed_is_told(caller: Caller) -> None:
    await subscribe_all(caller, NA)
    await caller.plant(mfn_order())
    assert await told(caller) == []


async def test_a_filter_keeps_out_the_other_changes(caller: Caller) -> None:
    destination = (await make_destination(caller)).json()["payload"]["destinationId"]
    wanted = {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["BuyerRequestedChange"]}
    await subscribe(caller, destination, processingDirective={"eventFilter": wanted})
    await caller.plant(mfn_order())
    await caller.event(ORDER, type="request_cancel")
    assert await changes(caller) == [("BuyerRequestedChange", "Unshipped")]


async def test_a_filter_without_types_lets_all_changes_through(caller: Caller) -> None:
    destination = (await make_destination(caller)).json()["payload"]["destinationId"]
    everything = {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}
    assert (await subscribe(caller, destination, processingDirective=everything)).status_code == 200
    await caller.plant(mfn_order())
    await caller.event(ORDER, type="request_cancel")
    assert len(await changes(caller)) == 2


async def test_amazons_own_shipments_are_told_in_brazil_alone(caller: Caller) -> None:
    """Amazon's guide: FBA_OUTBOUND_SHIPMENT_STATUS is available only in the Brazil marketplace."""
    await subscribe_all(caller, EU, NA)
    by_amazon = {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "AMAZON"}
    german, brazilian = "304-0000001-0000001", "702-0000001-0000001"
    await caller.plant(mfn_order(german, fulfillment=dict(by_amazon)))
    channel = {"channelName": "AMAZON", "marketplaceId": BRAZIL, "marketplaceName": "Amazon.com.br"}
    await caller.plant(mfn_order(brazilian, fulfillment=dict(by_amazon), salesChannel=channel))
    for order_id in (german, brazilian):
        await caller.event(order_id, type="ship", items={"10000000000001": 1})
        await caller.event(order_id, type="ship")
    shipments = [m for m in await told(caller) if kind_of(m) == "FBA_OUTBOUND_SHIPMENT_STATUS"]
    bodies = [m["Payload"]["FBAOutboundShipmentStatusNotification"] for m in shipments]
    assert [(b["AmazonOrderId"], b["ShipmentStatus"]) for b in bodies] == [(brazilian, "Created")] * 2
    assert len({b["AmazonShipmentId"] for b in bodies}) == 2  # one message for each shipment


async def test_money_is_told_as_it_moves(caller: Caller) -> None:
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    await caller.event(ORDER, type="ship", items={"10000000000001": 1})
    await caller.event(ORDER, type="ship")
    amounts = [
        body["TotalAmount"]["CurrencyAmount"]
        for message in await told(caller, subject=ORDER)
        if kind_of(message) == "TRANSACTION_UPDATE"
        for body in message["Payload"].values()
    ]
    assert amounts == [12.9, 34.3]  # 47.20 in all


async def test_a_refund_after_the_sale_is_told_with_what_it_comes_to(caller: Caller, shared: Path) -> None:
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    await caller.event(ORDER, type="ship")
    answer = await caller.http.post(f"/_control/orders/{ORDER}/aftersale", json={"type": "refund"})
    assert answer.status_code == 201, answer.text
    *_, message = [m for m in await told(caller, subject=ORDER) if kind_of(m) == "TRANSACTION_UPDATE"]
    fits(message, shared)
    body = message["Payload"]["TransactionUpdateNotification"]
    assert body["TransactionType"] == "Refund"
    assert body["TotalAmount"]["CurrencyAmount"] < 0
    assert body["RelatedIdentifiers"] == [
        {"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": ORDER}
    ]


@pytest.mark.parametrize("shipped", [False, True])
async def test_a_fulfilment_orders_status_is_told(caller: Caller, shared: Path, shipped: bool) -> None:
    await subscribe_all(caller)
    order = FulfillmentOrder(
        seller_id=EU.seller_id, order_id="1010000001-30000001", asked={}, policy="FillAll", items=[],
        received_ms=0, updated_ms=0,
    )  # fmt: skip
    if shipped:
        package = Package(number=7, carrier="DHL", tracking="JJD7")
        order.shipments.append(
            Shipment(shipment_id="S7", centre="LEJ1", status="SHIPPED", items={}, packages=[package])
        )
        order.status = "Complete"
    now_ms = caller.world.settle()
    caller.world.notifications.fulfillment_changed(order, now_ms)
    (message,) = await told(caller, subject=order.order_id)
    fits(message, shared)
    body = message["Payload"]["FulfillmentOrderStatusNotification"]
    known = body["FulfillmentOrderStatus"], body["FulfillmentShipment"]["AmazonShipmentId"]
    assert known == (("COMPLETE", "S7") if shipped else ("NEW", ""))


async def test_a_finished_report_is_told(caller: Caller) -> None:
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    headers = {**await caller.headers(), "content-type": "application/json"}
    now = (await caller.control("state"))["now"]
    wanted = {
        "reportType": "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
        "marketplaceIds": ["A1PA6795UKMFR9"],
        "dataStartTime": f"{int(now[:4]) - 1}{now[4:]}",
    }
    made = await caller.http.post("/reports/2021-06-30/reports", json=wanted, headers=headers)
    assert made.status_code == 202, made.text
    report_id = made.json()["reportId"]
    await caller.control("state")
    (message,) = await told(caller, subject=report_id)
    assert message["notificationType"] == "REPORT_PROCESSING_FINISHED"
    body = message["payload"]["reportProcessingFinishedNotification"]
    assert (body["reportId"], body["sellerId"]) == (report_id, EU.seller_id)
    report = (await caller.http.get(f"/reports/2021-06-30/reports/{report_id}", headers=headers)).json()
    assert report["processingStatus"] == body["processingStatus"]
    assert report.get("reportDocumentId") == body.get("reportDocumentId")


async def test_every_message_of_a_lively_world_fits_its_schema(tmp_path: Path, shared: Path) -> None:
    async with listening(tmp_path, pace=1, notify_pending=1.0) as caller:
        await subscribe_all(caller, EU, NA)
        placed = await caller.place(150, trouble_share=0.2)
        await caller.advance(600)
        await caller.control("state")
        brazilian = mfn_order(
            "702-0000001-0000001", salesChannel={"marketplaceId": BRAZIL, "channelName": "AMAZON"}
        )
        await caller.plant(brazilian)
        for kind, about in (
            ("FEED_PROCESSING_FINISHED", {"report_id": "5001", "status": "FATAL"}),
            ("REPORT_PROCESSING_FINISHED", {"report_id": "5002", "document_id": "amzn1.doc.1"}),
            ("FBA_OUTBOUND_SHIPMENT_STATUS", {"order_id": "702-0000001-0000001"}),
        ):
            assert (await emit(caller, type=kind, **about)).status_code == 201
        messages = await told(caller, limit="100000")
        people = [json.dumps(r.body, ensure_ascii=False) for r in caller.world.index.by_id.values()]
    checks = {
        kind: jsonschema.Draft7Validator(
            json.loads((shared / "spapi" / "notifications" / f"{name}.json").read_text())
        )
        for kind, name in SCHEMAS.items()
    }
    for message in messages:
        errors = [f"{e.json_path}: {e.message}" for e in checks[kind_of(message)].iter_errors(message)]
        assert not errors, (message, errors[:3])
    assert {kind_of(message) for message in messages} == set(SCHEMAS)
    assert len(messages) > len(placed)
    names = {
        json.loads(body)["recipient"]["deliveryAddress"]["name"] for body in people if '"recipient"' in body
    }
    wire = json.dumps(messages, ensure_ascii=False)
    assert not [name for name in names if name in wire]


async def test_the_examples_of_the_schemas_are_spelled_as_ours(caller: Caller, shared: Path) -> None:
    """The same keys at the top and in the metadata, for each type that has an example."""
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    for kind, name in SCHEMAS.items():
        schema = json.loads((shared / "spapi" / "notifications" / f"{name}.json").read_text())
        for example in schema.get("examples", []):
            await emit(caller, type=kind, payload={"anything": 1})
            ours = (await told(caller))[-1]
            assert set(ours) == set(example), kind
            metadata = "notificationMetadata" if "notificationMetadata" in example else "NotificationMetadata"
            assert set(ours[metadata]) == set(example[metadata]), kind
            version = "payloadVersion" if "payloadVersion" in example else "PayloadVersion"
            assert ours[version] == example[version], kind


async def fates(folder: Path, **settings: Any) -> dict[str, list[str]]:
    """What became of the notifications of 400 orders, by order."""
    async with listening(folder, **settings) as caller:
        await subscribe_all(caller, EU, NA)
        await caller.place(400)
        listed = (await caller.http.get("/_control/notifications/copies", params={"limit": "100000"})).json()
    found: dict[str, list[str]] = {}
    ids: dict[str, set[str]] = {}
    for entry in listed:
        if entry["type"] == "ORDER_CHANGE":
            found.setdefault(entry["subject"], []).append(entry["state"])
            ids.setdefault(entry["subject"], set()).add(entry["notificationId"])
    return found


async def test_loss_and_duplicates_come_by_seed(tmp_path: Path) -> None:
    unkind = {"notify_loss": 0.05, "notify_duplicates": 0.3, "pace": 1}
    one = await fates(tmp_path / "a", seed=3, **unkind)
    states = Counter(tuple(sorted(found)) for found in one.values())
    total = sum(states.values())
    assert 0.01 < states["lost",] / total < 0.1
    assert 0.2 < states["waiting", "waiting"] / total < 0.4
    assert one == await fates(tmp_path / "b", seed=3, **unkind)
    assert one != await fates(tmp_path / "c", seed=4, **unkind)


async def test_every_notification_twice_under_one_id(caller: Caller) -> None:
    await caller.http.post("/_control/notifications", json={"duplicates": 1})
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    ids = [m["NotificationMetadata"]["NotificationId"] for m in await told(caller, subject=ORDER)]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_messages_to_order(caller: Caller) -> None:
    """Malformed, of an unknown type, of another seller, doubled: whatever a test needs."""
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    before = len(await told(caller))
    await emit(caller, order_id=ORDER, seller="A9STRANGER0001", times=3, notification_id="n-1")
    await emit(caller, type="SOMETHING_NEW", payload={"Surprise": 1}, camel=True)
    *strangers, new = (await told(caller))[before:]
    assert [m["NotificationMetadata"]["NotificationId"] for m in strangers] == ["n-1"] * 3
    assert strangers[0]["Payload"]["OrderChangeNotification"]["SellerId"] == "A9STRANGER0001"
    assert (new["notificationType"], new["payload"]) == ("SOMETHING_NEW", {"Surprise": 1})
    assert (await emit(caller, raw="this is no JSON")).status_code == 201
    listed = (await caller.http.get("/_control/notifications/copies")).json()
    assert listed[0]["body"] == "this is no JSON"
    for wrong in ({"order_id": "304-9999999-9999999"}, {}, {"order_id": ORDER, "destination": "nowhere"}):
        assert (await emit(caller, **wrong)).status_code == 422


async def test_a_test_leaves_nothing_behind(caller: Caller) -> None:
    await subscribe_all(caller)
    await caller.plant(mfn_order())
    assert (await caller.http.delete("/_control/notifications")).status_code == 204
    state = await caller.control("notifications")
    assert (state["destinations"], state["subscriptions"], state["copies"]) == ([], [], {})
    await subscribe_all(caller)  # and is in nobody's way

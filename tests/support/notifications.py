"""Notifications as Amazon's schemas have them, small enough to read in a test, and a listener to take them."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import AnyHttpUrl

from starters.listening.desk import Desk
from starters.listening.listener import Listener
from starters.listening.sqs import open_queues
from starters.listening.tally import Listened
from tests.support.sqs import REGION, Queue, make_queue
from tests.support.world import World
from worker.archive_settings import ArchiveSettings
from worker.archiving import open_archive
from worker.dead_letters import DeadLetterAlarm
from worker.notification_settings import NotificationSettings

SELLER = "A2EUSELLER0001"
_names = (f"notifications-{number}" for number in itertools.count(1))

STATUSES = {
    "PENDING": "Pending",
    "PENDING_AVAILABILITY": "PendingAvailability",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def envelope(
    kind: str, payload: Mapping[str, object], *, id: str = "", at: datetime | None = None, version: str = "1.0"
) -> dict[str, object]:
    """The outer part of most types."""
    now = stamp(at or datetime.now(UTC))
    return {
        "NotificationVersion": "1.0",
        "NotificationType": kind,
        "PayloadVersion": version,
        "EventTime": now,
        "Payload": payload,
        "NotificationMetadata": {
            "ApplicationId": "amzn1.sellerapps.app.test",
            "SubscriptionId": str(uuid4()),
            "PublishTime": now,
            "NotificationId": id or str(uuid4()),
        },
    }


def order_change(
    order: Mapping[str, object],
    *,
    status: str = "",
    seller: str = SELLER,
    id: str = "",
    at: datetime | None = None,
    quantities: bool = True,
) -> str:
    """ORDER_CHANGE about an order as the simulator's owner sees it (2026-01-01's shape)."""
    fulfilment: Mapping[str, object] = order["fulfillment"]  # type: ignore[assignment]
    channel: Mapping[str, str] = order["salesChannel"]  # type: ignore[assignment]
    changed = stamp(at or datetime.now(UTC))
    items = []
    for item in order["orderItems"]:  # type: ignore[attr-defined]
        told = {
            "OrderItemId": item["orderItemId"],
            "SellerSKU": item["product"]["sellerSku"],
            "SupplySourceId": None,
            "Quantity": item["quantityOrdered"],
        }
        if quantities:
            told["QuantityShipped"] = item["fulfillment"]["quantityFulfilled"]
        items.append(told)
    change = {
        "NotificationLevel": "OrderLevel",
        "SellerId": seller,
        "AmazonOrderId": order["orderId"],
        "OrderChangeType": "OrderStatusChange",
        "OrderChangeTrigger": {"TimeOfOrderChange": changed, "ChangeReason": "Order Status Change"},
        "Summary": {
            "MarketplaceId": channel["marketplaceId"],
            "OrderStatus": status or STATUSES[str(fulfilment["fulfillmentStatus"])],
            "PurchaseDate": order["createdTime"],
            "DestinationPostalCode": "50667",
            "FulfillmentType": "AFN" if fulfilment["fulfilledBy"] == "AMAZON" else "MFN",
            "OrderType": "StandardOrder",
            "OrderItems": items,
        },
    }
    return json.dumps(envelope("ORDER_CHANGE", {"OrderChangeNotification": change}, id=id, at=at))


def fba_shipment(order_id: str, *, seller: str = SELLER, id: str = "", at: datetime | None = None) -> str:
    payload = {
        "FBAOutboundShipmentStatusNotification": {
            "SellerId": seller,
            "AmazonOrderId": order_id,
            "AmazonShipmentId": f"D{uuid4().hex[:8]}",
            "ShipmentStatus": "Created",
        }
    }
    return json.dumps(envelope("FBA_OUTBOUND_SHIPMENT_STATUS", payload, id=id, at=at))


def report_finished(report_id: str, *, seller: str | None = SELLER, status: str = "DONE") -> str:
    """In the other case, as Amazon writes it."""
    now = stamp(datetime.now(UTC))
    report = {
        "sellerId": seller,
        "accountId": "amzn1.merchant.o.TEST",
        "reportId": report_id,
        "reportType": "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL",
        "processingStatus": status,
        "reportDocumentId": "amzn1.spdoc.1.3.document",
    }
    return json.dumps(
        {
            "notificationVersion": "2020-09-04",
            "notificationType": "REPORT_PROCESSING_FINISHED",
            "payloadVersion": "2020-09-04",
            "eventTime": now,
            "payload": {"reportProcessingFinishedNotification": report},
            "notificationMetadata": {
                "applicationId": "amzn1.sellerapps.app.test",
                "subscriptionId": str(uuid4()),
                "publishTime": now,
                "notificationId": str(uuid4()),
            },
        }
    )


class Post:
    """Two queues of a test's own, and a listener in this process."""

    def __init__(self, endpoint: str, queue: Queue, dead: Queue, world: World, **options: object) -> None:
        self.endpoint, self.queue, self.dead, self.world = endpoint, queue, dead, world
        self.archive = ArchiveSettings(url=f"{world.config_file.parent}/{queue.name}")
        self.options = NotificationSettings(
            queue_url=AnyHttpUrl(queue.url),
            dead_letter_url=AnyHttpUrl(dead.url),
            queue_arn=queue.arn,
            region=REGION,
            endpoint=AnyHttpUrl(endpoint),
            **{"gather_seconds": 0, **options},
        )

    @classmethod
    async def open(cls, endpoint: str, world: World, **options: object) -> "Post":
        name = next(_names)
        queue = await make_queue(endpoint, name)
        return cls(endpoint, queue, await make_queue(endpoint, f"{name}-dead", for_amazon=False), world, **options)

    def with_options(self, **options: object) -> "Post":
        """The same queues, listened to in another way."""
        changed = {**self.options.model_dump(), **options}
        other = Post(self.endpoint, self.queue, self.dead, self.world)
        other.options = NotificationSettings.model_validate(changed)
        return other

    def kept(self) -> dict[str, str]:
        """What this test's listeners kept in the archive, by key."""
        archive = open_archive(self.archive)
        return {key: archive.read(key).decode() for key in archive.keys("notifications")}

    async def listen(self, stop: asyncio.Event | None = None) -> Listened:
        """Handle what is in the queue; with `stop`, until it is set."""
        settings = self.world.settings.model_copy(
            update={"notifications": self.options, "archive": self.archive}
        )
        async with open_queues(self.options) as (queue, dead):
            desk = Desk(
                self.world.client,
                tuple(settings.sellers),
                archive=open_archive(settings.archive),
                dead=dead,
                alarm=DeadLetterAlarm(self.world.client, settings).raise_for,
            )
            listener = Listener(queue, desk, self.options, 5.0)
            return await listener.run(stop or asyncio.Event(), until_empty=stop is None)

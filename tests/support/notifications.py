"""Notifications as Amazon's schemas have them, small enough to read in a test, and a listener to take them."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from starters.listening.desk import Desk
from starters.listening.listener import Listener
from starters.listening.sqs import open_queues
from starters.listening.stock_news import StockNews
from starters.listening.tally import Listened
from tests.support.sqs import REGION, Queue, make_queue, send, waiting
from tests.support.world import World, eventually
from worker.archive_settings import ArchiveSettings
from worker.archiving import open_archive
from worker.dead_letters import DeadLetterAlarm
from worker.notification_settings import NotificationSettings
from worker.settings import Settings
from worker.stock_news import StockOnTemporal

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
    kind: str,
    payload: Mapping[str, object],
    *,
    notification_id: str = "",
    at: datetime | None = None,
    version: str = "1.0",
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
            "NotificationId": notification_id or str(uuid4()),
        },
    }


def order_change(
    order: Mapping[str, object],
    *,
    status: str = "",
    seller: str = SELLER,
    notification_id: str = "",
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
    return json.dumps(
        envelope("ORDER_CHANGE", {"OrderChangeNotification": change}, notification_id=notification_id, at=at)
    )


def fba_shipment(
    order_id: str, *, seller: str = SELLER, notification_id: str = "", at: datetime | None = None
) -> str:
    payload = {
        "FBAOutboundShipmentStatusNotification": {
            "SellerId": seller,
            "AmazonOrderId": order_id,
            "AmazonShipmentId": f"D{uuid4().hex[:8]}",
            "ShipmentStatus": "Created",
        }
    }
    return json.dumps(
        envelope("FBA_OUTBOUND_SHIPMENT_STATUS", payload, notification_id=notification_id, at=at)
    )


def refunded(
    order_id: str, amount: str = "-12.50", *, kind: str = "Refund", notification_id: str = ""
) -> str:
    """TRANSACTION_UPDATE, as Amazon's schema has it: no transaction id, no SKU, identifiers in another spelling."""
    payload = {
        "TransactionUpdateNotification": {
            "SellingPartnerMetadata": {
                "SellingPartnerId": SELLER,
                "MarketplaceId": "A1PA6795UKMFR9",
                "AccountType": "PAYABLE",
            },
            "RelatedIdentifiers": [{"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": order_id}],
            "TransactionType": kind,
            "PostedDate": stamp(datetime.now(UTC)),
            "TotalAmount": {"CurrencyAmount": float(amount), "CurrencyCode": "EUR"},
        }
    }
    return json.dumps(envelope("TRANSACTION_UPDATE", payload, notification_id=notification_id))


def fulfillment_status(order_id: str, status: str) -> str:
    """FULFILLMENT_ORDER_STATUS of a fulfilment order."""
    payload = {
        "FulfillmentOrderStatusNotification": {
            "SellerId": SELLER,
            "EventType": "Order",
            "StatusUpdatedDateTime": stamp(datetime.now(UTC)),
            "SellerFulfillmentOrderId": order_id,
            "FulfillmentOrderStatus": status,
            "FulfillmentShipment": {},
        }
    }
    return json.dumps(envelope("FULFILLMENT_ORDER_STATUS", payload))


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

    def __init__(self, world: World, options: NotificationSettings, queue: Queue, dead: Queue) -> None:
        self.world, self.options, self.queue, self.dead = world, options, queue, dead
        self.endpoint = str(options.endpoint).rstrip("/")
        self.returns = world.settings.returns
        self.archive = ArchiveSettings(url=f"{world.config_file.parent}/{queue.name}")

    @classmethod
    async def open(cls, endpoint: str, world: World, **options: object) -> "Post":
        name = next(_names)
        queue = await make_queue(endpoint, name)
        dead = await make_queue(endpoint, f"{name}-dead", for_amazon=False)
        facts = {"gather_seconds": 0, "poll_seconds": 1, "receivers": 2, **options}
        listened = NotificationSettings.model_validate(
            {
                "queue_url": queue.url,
                "dead_letter_url": dead.url,
                "queue_arn": queue.arn,
                "region": REGION,
                "endpoint": endpoint,
                **facts,
            }
        )
        return cls(world, listened, queue, dead)

    def with_options(self, **options: object) -> "Post":
        """The same queues, listened to in another way."""
        changed = NotificationSettings.model_validate({**self.options.model_dump(), **options})
        return Post(self.world, changed, self.queue, self.dead)

    @property
    def settings(self) -> Settings:
        ours = {"notifications": self.options, "archive": self.archive, "returns": self.returns}
        return self.world.settings.model_copy(update=ours)

    def configuration(self, folder: Path) -> Path:
        """The world's configuration with these queues, as a file."""
        told = self.options.model_dump(mode="json", exclude_none=True)
        lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
        text = "\n".join([self.world.config_file.read_text(), "", "[notifications]", *lines, ""])
        file = folder / "o2c.toml"
        file.write_text(text.replace(f"{self.world.config_file.parent}/archive", self.archive.url))
        return file

    def kept(self) -> dict[str, str]:
        """What this test's listeners kept in the archive, by key."""
        archive = open_archive(self.archive)
        return {key: archive.read(key).decode() for key in archive.keys("notifications")}

    async def send(self, *bodies: str) -> None:
        await send(self.endpoint, self.queue, *bodies)

    async def counts(self) -> tuple[int, int]:
        """Messages that are visible, and messages in somebody's hands."""
        return await waiting(self.endpoint, self.queue)

    async def listen(self) -> Listened:
        """Handle everything that is in the queue now, and end."""
        stop = asyncio.Event()
        listening = asyncio.create_task(self.listen_until(stop))
        try:
            await eventually(self.counts, lambda counts: counts == (0, 0))
        finally:
            stop.set()
        return await listening

    async def listen_until(self, stop: asyncio.Event) -> Listened:
        settings = self.settings
        async with open_queues(self.options) as (queue, dead):
            desk = Desk(
                self.world.client,
                tuple(settings.sellers),
                archive=open_archive(settings.archive),
                dead=dead,
                alarm=DeadLetterAlarm(self.world.client, settings).raise_for,
                returns=settings.returns,
                stock=StockNews(StockOnTemporal(self.world.client)) if settings.stock is not None else None,
            )
            return await Listener(queue, desk, self.options, 5.0).run(stop)

"""From what happens in the world to the notifications of those who have subscribed to it."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal

from simulators import assortment
from simulators.amazon.fulfillment_records import Order as FulfillmentOrder
from simulators.amazon.notifications import kinds, messages
from simulators.amazon.notifications.kinds import Stamp, envelope
from simulators.amazon.notifications.outbox import Notice, Outbox, Plan
from simulators.amazon.notifications.registry import Destination, Registry, Subscription
from simulators.amazon.notifications.watcher import News, Watcher
from simulators.amazon.record import OrderRecord
from simulators.amazon.settings import Settings
from simulators.amazon.store import Store
from simulators.amazon.wire import JsonObject

BRAZIL = "A2Q3Y263D00KWC"
"""Where Amazon sends FBA_OUTBOUND_SHIPMENT_STATUS; its guide says: in no other marketplace."""


class Notifications:
    """The notifying part of the pretended Amazon."""

    def __init__(self, settings: Settings, store: Store) -> None:
        plan = Plan(
            endpoint=settings.sqs_endpoint,
            loss=settings.notify_loss,
            duplicates=settings.notify_duplicates,
            delay=settings.notify_delay * settings.pace,
            pending=settings.notify_pending,
        )
        self.registry = Registry(store)
        self.outbox = Outbox(store.db, settings.seed, plan)
        self.problem = ""
        """Why nothing could be sent, when last tried."""
        self.other_books: Callable[[str, str, str], bool] = lambda _, __, ___: False
        """Whether the stock of this seller's SKU in this marketplace is told by whoever keeps it."""
        self._watcher = Watcher()
        self._gone: Counter[tuple[str, str]] = Counter()

    def remember(self, record: OrderRecord) -> None:
        """Take in an order that was there before; nobody is told."""
        self._watcher.remember(record)

    def orders_changed(self, records: Iterable[OrderRecord], now_ms: int) -> None:
        """Tell whoever wants to know what is new about these orders."""
        for record in records:
            news = self._watcher.news(record)
            self._tell_changes(record, news, now_ms)
            self._tell_shipments(record, news, now_ms)
            self._tell_money(record, news, now_ms)
            self._tell_stock(record, news, now_ms)

    def report_finished(
        self,
        seller_id: str,
        report_id: str,
        report_type: str,
        status: str,
        document_id: str | None,
        *,
        at_ms: int,
        now_ms: int,
    ) -> None:
        """A report has become DONE, CANCELLED or FATAL at `at_ms`."""
        payload = messages.report_finished(seller_id, report_id, report_type, status, document_id)
        self._tell(kinds.REPORT_PROCESSING_FINISHED, seller_id, report_id, payload, at_ms, now_ms)

    def feed_finished(
        self,
        seller_id: str,
        feed_id: str,
        feed_type: str,
        status: str,
        document_id: str | None,
        *,
        at_ms: int,
        now_ms: int,
    ) -> None:
        """A feed has become DONE, CANCELLED or FATAL at `at_ms`."""
        payload = messages.feed_finished(seller_id, feed_id, feed_type, status, document_id)
        self._tell(kinds.FEED_PROCESSING_FINISHED, seller_id, feed_id, payload, at_ms, now_ms)

    def quantity_changed(self, seller_id: str, sku: str, quantity: int, at_ms: int, now_ms: int) -> None:
        """A listing that the seller ships shows another quantity since `at_ms`."""
        payload = {
            "SellerId": seller_id,
            "FulfillmentChannelCode": "DEFAULT",
            "Sku": sku,
            "Quantity": quantity,
        }
        kind = kinds.LISTINGS_ITEM_MFN_QUANTITY_CHANGE
        self._tell(kind, seller_id, sku, payload, at_ms, now_ms)

    def inventory_changed(self, payload: JsonObject, at_ms: int, now_ms: int) -> None:
        """A SKU in Amazon's centres has another quantity since `at_ms`."""
        kind = kinds.FBA_INVENTORY_AVAILABILITY_CHANGES
        self._tell(kind, payload["SellerId"], payload["SKU"], payload, at_ms, now_ms)

    def fulfillment_changed(self, order: FulfillmentOrder, now_ms: int) -> None:
        """A fulfilment order is new, or something happened to it."""
        payload = messages.fulfillment_status(order, now_ms)
        self._tell(kinds.FULFILLMENT_ORDER_STATUS, order.seller_id, order.order_id, payload, now_ms, now_ms)

    def refunded(self, record: OrderRecord, amount: Decimal, at_ms: int, now_ms: int) -> None:
        """Money went back to the buyer; `amount` is below zero."""
        payload = messages.transaction(record, "Refund", amount, at_ms, record.seller_id)
        if payload is not None:
            self._tell(kinds.TRANSACTION_UPDATE, record.seller_id, record.order_id, payload, at_ms, now_ms)

    def forget(self) -> None:
        """Forget every destination, subscription and message, as if there had been none."""
        self.registry.clear()
        self.outbox.clear()
        self.problem = ""

    def send_test(self, kind: str, destination: Destination, now_ms: int) -> str:
        """sendTestNotification: a message of this type about nothing that exists."""
        payload: JsonObject = {"testNotification": True, "SellerId": "TEST_SELLER"}
        return self.send_as(kind, payload, [(destination.arn, "TEST_SUBSCRIPTION")], now_ms=now_ms)

    def send_as(
        self,
        kind: str,
        payload: JsonObject,
        places: list[tuple[str, str]],
        *,
        now_ms: int,
        seller_id: str = "",
        subject: str = "",
        copies: int = 1,
        notification_id: str = "",
        camel: bool | None = None,
        fated: bool = False,
    ) -> str:
        """Send exactly this to these (ARN, subscription id); returns the NotificationId."""
        notification_id = notification_id or str(uuid.uuid4())
        for arn, subscription_id in places:
            stamp = Stamp(notification_id, subscription_id, now_ms, now_ms)
            body = json.dumps(envelope(kind, payload, stamp, camel=camel), ensure_ascii=False)
            notice = Notice(notification_id, kind, seller_id, subject, arn, body)
            self.outbox.put(notice, now_ms, fated=fated, copies=copies)
        return notification_id

    def send_raw(self, text: str, arn: str, now_ms: int, copies: int = 1) -> None:
        """Send a text that is no notification at all."""
        self.outbox.put(Notice("", "raw", "", "", arn, text), now_ms, fated=False, copies=copies)

    def places(self, kind: str, seller_id: str) -> list[tuple[str, str]]:
        """Where this seller's messages of this type go: (ARN, subscription id)."""
        return [
            (self.registry.destinations[known.destination_id].arn, known.subscription_id)
            for known in self.registry.subscriptions.values()
            if (known.kind, known.seller_id) == (kind, seller_id)
        ]

    def _tell_changes(self, record: OrderRecord, news: News, now_ms: int) -> None:
        if not self.places(kinds.ORDER_CHANGE, record.seller_id):
            return
        for change in news.changes:
            if news.unpaid and self.outbox.draw("pending", record.order_id) >= self.outbox.plan.pending:
                continue
            at_ms = record.updated_ms
            payload = messages.order_change(record, change, at_ms, record.seller_id)
            self._tell(kinds.ORDER_CHANGE, record.seller_id, record.order_id, payload, at_ms, now_ms, change)

    def _tell_shipments(self, record: OrderRecord, news: News, now_ms: int) -> None:
        seller, channel = record.seller_id, record.body["salesChannel"]
        for shipment in news.shipments:
            at_ms = shipment.shipped_ms
            if channel.get("channelName") == "NON_AMAZON":
                payload = messages.fulfillment_order(record, shipment, seller)
                self._tell(kinds.FULFILLMENT_ORDER_STATUS, seller, record.order_id, payload, at_ms, now_ms)
            elif channel.get("marketplaceId") == BRAZIL:
                payload = messages.outbound_shipment(record, shipment, "Created", seller)
                self._tell(
                    kinds.FBA_OUTBOUND_SHIPMENT_STATUS, seller, record.order_id, payload, at_ms, now_ms
                )

    def _tell_money(self, record: OrderRecord, news: News, now_ms: int) -> None:
        if not self.places(kinds.TRANSACTION_UPDATE, record.seller_id):
            return
        booked = [("Shipment", messages.worth(record, news.shipped or {}), bool(news.shipped))]
        if news.cancelled:
            units = {item["orderItemId"]: int(item["quantityOrdered"]) for item in record.items}
            booked.append(("Refund", -messages.worth(record, units), True))
        for kind, amount, true in booked:
            payload = messages.transaction(record, kind, amount, record.updated_ms, record.seller_id)
            if true and payload is not None:
                self._tell(
                    kinds.TRANSACTION_UPDATE,
                    record.seller_id,
                    record.order_id,
                    payload,
                    record.updated_ms,
                    now_ms,
                )

    def _tell_stock(self, record: OrderRecord, news: News, now_ms: int) -> None:
        if not record.by_amazon or not news.shipped:
            return
        marketplace = record.body["salesChannel"].get("marketplaceId", "")
        for item in record.items:
            sku = item["product"].get("sellerSku", "")
            known = assortment.ITEM_BY_SKU.get(sku)
            if self.other_books(record.seller_id, sku, marketplace):
                continue
            if known is None or item["orderItemId"] not in news.shipped:
                continue
            self._gone[record.seller_id, sku] += news.shipped[item["orderItemId"]]
            if not self.places(kinds.FBA_INVENTORY_AVAILABILITY_CHANGES, record.seller_id):
                continue
            left = max(0, known.stock - self._gone[record.seller_id, sku])
            payload = messages.inventory(record.seller_id, known, [marketplace], left)
            self._tell(
                kinds.FBA_INVENTORY_AVAILABILITY_CHANGES,
                record.seller_id,
                sku,
                payload,
                record.updated_ms,
                now_ms,
            )

    def _tell(
        self,
        kind: str,
        seller_id: str,
        subject: str,
        payload: JsonObject,
        at_ms: int,
        now_ms: int,
        change: str | None = None,
    ) -> None:
        for known in self.registry.subscriptions.values():
            if not _concerns(known, kind, seller_id, at_ms) or not known.wants(change):
                continue
            notification_id = str(uuid.uuid4())
            stamp = Stamp(notification_id, known.subscription_id, at_ms, now_ms)
            body = json.dumps(envelope(kind, payload, stamp), ensure_ascii=False)
            arn = self.registry.destinations[known.destination_id].arn
            self.outbox.put(Notice(notification_id, kind, seller_id, subject, arn, body), now_ms)


def _concerns(known: Subscription, kind: str, seller_id: str, at_ms: int) -> bool:
    return known.kind == kind and known.seller_id == seller_id and at_ms >= known.since_ms

"""What Amazon's notifications say, type by type, and where each goes.

Source: the schemas of the types (OrderChangeNotification.json and its siblings).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import AwareDatetime, Field

from canonical.finance_transactions import pays_back
from canonical.fulfillment_notices import read_fulfillment_notice
from canonical.ids import is_amazon_order_id
from canonical.mcf_contracts import FulfillmentChanged
from canonical.money import Money, round_to_currency
from canonical.notification_contracts import OrderNotice
from canonical.notifications import (
    FEED_PROCESSING_FINISHED,
    FULFILLMENT_ORDER_STATUS,
    KEPT_FOR_LATER,
    LISTINGS_ITEM_MFN_QUANTITY_CHANGE,
    ORDER_CHANGE,
    PAYLOAD_VERSIONS,
    REPORT_PROCESSING_FINISHED,
    TRANSACTION_UPDATE,
    Destiny,
    Notification,
    UnreadableNotification,
    Wire,
    inner,
    read_as,
)
from canonical.order import OrderStatus
from canonical.stock.news import FeedFinished, QuantityMoved

_STATUSES: Final = {
    "Pending": OrderStatus.PENDING,
    "PendingAvailability": OrderStatus.PENDING_AVAILABILITY,
    "Unshipped": OrderStatus.UNSHIPPED,
    "PartiallyShipped": OrderStatus.PARTIALLY_SHIPPED,
    "Shipped": OrderStatus.SHIPPED,
    "Canceled": OrderStatus.CANCELLED,
    "Unfulfillable": OrderStatus.UNFULFILLABLE,
}
"""OrderStatus of ORDER_CHANGE (Orders v0's words); InvoiceUnconfirmed (Brazil) has no equal."""

_DEFAULT_CHANNEL: Final = "DEFAULT"
"""The seller's own warehouse, which is the one this service tells Amazon quantities of."""
_LISTINGS_FEED: Final = "JSON_LISTINGS_FEED"
_MULTI_CHANNEL_ID: Final = re.compile(r"S\d{2}-\d{7}-\d{7}")
"""Order ids of multi-channel fulfilment, which is no sale at Amazon."""


@dataclass(frozen=True)
class OrderNews:
    """What a notification says of an order."""

    seller_id: str
    order_id: str
    notice: OrderNotice
    destiny: Destiny


@dataclass(frozen=True)
class ReportNews:
    """A report that Amazon has finished, in whatever way."""

    seller_id: str
    report_id: str
    report_type: str
    status: str
    document_id: str


@dataclass(frozen=True)
class RefundNews:
    """A transaction by which money goes back to a buyer. Amazon tells no SKU with it, and no transaction's id."""

    seller_id: str
    order_id: str
    """Empty where it is of no order."""
    posted: datetime
    amount: Money | None


class _Trigger(Wire):
    time_of_order_change: AwareDatetime | None = None


class _Item(Wire):
    order_item_id: str = Field(min_length=1)
    quantity: int = Field(ge=0)
    quantity_shipped: int | None = Field(default=None, ge=0)


class _Summary(Wire):
    order_status: str
    order_items: tuple[_Item, ...] = ()


class _OrderChange(Wire):
    seller_id: str = Field(min_length=1)
    amazon_order_id: str
    order_change_type: str = ""
    order_change_trigger: _Trigger
    summary: _Summary


class _FbaShipment(Wire):
    seller_id: str = Field(min_length=1)
    amazon_order_id: str


class _Amount(Wire):
    currency_amount: Decimal
    currency_code: str = Field(min_length=3, max_length=3)


class _Related(Wire):
    related_identifier_name: str
    related_identifier_value: str


class _Transaction(Wire):
    transaction_type: str
    posted_date: AwareDatetime
    total_amount: _Amount | None = None
    related_identifiers: tuple[_Related, ...] = ()


class _Report(Wire):
    seller_id: str | None = None
    report_id: str = Field(min_length=1)
    report_type: str
    processing_status: str
    report_document_id: str | None = None


class _Quantity(Wire):
    seller_id: str = Field(min_length=1)
    fulfillment_channel_code: str
    sku: str = Field(min_length=1)
    quantity: int


class _Feed(Wire):
    seller_id: str | None = None
    feed_id: str = Field(min_length=1)
    feed_type: str
    processing_status: str


def destiny(notification: Notification, sellers: Collection[str], *, stock: bool = False) -> Destiny:
    """Where the notification goes by its type and seller; of an order, more is decided by what it says. Raises
    UnreadableNotification for a transaction that cannot be read. stock: a keeper of stock is configured."""
    if notification.kind not in PAYLOAD_VERSIONS:
        return Destiny.UNKNOWN
    if notification.seller_id and notification.seller_id not in sellers:
        return Destiny.FOREIGN
    if stock and notification.kind in _OF_STOCK:
        return _OF_STOCK[notification.kind]
    if notification.kind in KEPT_FOR_LATER:
        return Destiny.LATER
    if notification.kind == TRANSACTION_UPDATE:
        return Destiny.REFUND if read_refund_news(notification) is not None else Destiny.LATER
    return _BY_KIND.get(notification.kind, Destiny.ORDER)


_OF_STOCK: Final = {
    LISTINGS_ITEM_MFN_QUANTITY_CHANGE: Destiny.QUANTITY,
    FEED_PROCESSING_FINISHED: Destiny.FEED,
}
_BY_KIND: Final = {
    REPORT_PROCESSING_FINISHED: Destiny.REPORT,
    FULFILLMENT_ORDER_STATUS: Destiny.FULFILLMENT,
}


def read_order_news(notification: Notification) -> OrderNews:
    """What ORDER_CHANGE or FBA_OUTBOUND_SHIPMENT_STATUS says; raises UnreadableNotification."""
    if notification.kind == ORDER_CHANGE:
        change = read_as(_OrderChange, inner(notification), notification.kind)
        items, at = change.summary.order_items, change.order_change_trigger.time_of_order_change
        status = _STATUSES.get(change.summary.order_status)
        ordered = {item.order_item_id: item.quantity for item in items}
        shipped = {
            item.order_item_id: item.quantity_shipped for item in items if item.quantity_shipped is not None
        }
        seller_id, order_id = change.seller_id, change.amazon_order_id
        asks = change.order_change_type == "BuyerRequestedChange"
    else:
        shipment = read_as(_FbaShipment, inner(notification), notification.kind)
        seller_id, order_id = shipment.seller_id, shipment.amazon_order_id
        at, status, ordered, shipped, asks = None, None, {}, {}, False
    at = at or notification.at
    if at is None:
        raise UnreadableNotification(f"The {notification.kind} has no time: field EventTime is missing.")
    where = Destiny.ORDER
    if _MULTI_CHANNEL_ID.fullmatch(order_id):
        where = Destiny.NO_SALE
    elif not is_amazon_order_id(order_id):
        raise UnreadableNotification(
            f"The {notification.kind} has no Amazon order id: field AmazonOrderId is not of the form 3-7-7."
        )
    elif status in (OrderStatus.PENDING, OrderStatus.PENDING_AVAILABILITY):
        where = Destiny.PENDING
    notice = OrderNotice(
        id=notification.id, at=at, status=status, ordered=ordered, shipped=shipped, buyer_asks=asks
    )
    return OrderNews(seller_id, order_id, notice, where)


def read_report_news(notification: Notification) -> ReportNews:
    """What REPORT_PROCESSING_FINISHED says; raises UnreadableNotification."""
    report = read_as(_Report, inner(notification), notification.kind)
    return ReportNews(
        seller_id=report.seller_id or "",
        report_id=report.report_id,
        report_type=report.report_type,
        status=report.processing_status,
        document_id=report.report_document_id or "",
    )


def read_fulfillment_news(notification: Notification) -> FulfillmentChanged:
    """What FULFILLMENT_ORDER_STATUS says; raises UnreadableNotification."""
    found = read_fulfillment_notice(notification.payload, notification.id)
    if found is None:
        raise UnreadableNotification(
            f"The {notification.kind} names no fulfilment order: field SellerFulfillmentOrderId is missing."
        )
    return found[1]


def read_quantity_news(notification: Notification) -> QuantityMoved | None:
    """What LISTINGS_ITEM_MFN_QUANTITY_CHANGE says; None of another channel than DEFAULT. Its payload has no wrapper
    and names no marketplace. Raises UnreadableNotification."""
    told = read_as(_Quantity, notification.payload, notification.kind)
    if notification.at is None:
        raise UnreadableNotification(f"The {notification.kind} has no time: field EventTime is missing.")
    if told.fulfillment_channel_code != _DEFAULT_CHANNEL:
        return None
    return QuantityMoved(
        seller_id=told.seller_id,
        sku=told.sku,
        quantity=told.quantity,
        at=notification.at,
        id=notification.id,
    )


def read_feed_news(notification: Notification) -> FeedFinished | None:
    """What FEED_PROCESSING_FINISHED says of a feed of listings; None of another kind of feed, and of a vendor's.
    Raises UnreadableNotification."""
    told = read_as(_Feed, inner(notification), notification.kind)
    if told.feed_type != _LISTINGS_FEED or not told.seller_id:
        return None
    return FeedFinished(seller_id=told.seller_id, feed_id=told.feed_id, status=told.processing_status)


def read_refund_news(notification: Notification) -> RefundNews | None:
    """What TRANSACTION_UPDATE says of a refund; None of another transaction. Raises UnreadableNotification.

    It names identifiers in another way (``OrderId``) than the Finances API (``ORDER_ID``).
    """
    told = read_as(_Transaction, inner(notification), notification.kind)
    if not pays_back(told.transaction_type):
        return None
    named = (one.related_identifier_value for one in told.related_identifiers)
    return RefundNews(
        seller_id=notification.seller_id,
        order_id=next((value for value in named if is_amazon_order_id(value)), ""),
        posted=told.posted_date,
        amount=_money(told.total_amount),
    )


def _money(told: _Amount | None) -> Money | None:
    """A JSON number such as 5.0, in the currency's own decimals; refunds are below zero."""
    if told is None:
        return None
    amount = round_to_currency(abs(told.currency_amount), told.currency_code)
    return Money(amount=amount, currency=told.currency_code)

"""The unshipped orders report (GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING): what the seller has to ship.

One row per order line with its id, the buyer's name and address, no prices. One row mixes offsets: UTC for
purchase-date, Pacific time for payments-date; days-past-promise is negative before the day (a real file of
2025). Inferred: without a beginning it covers every unshipped order, however old.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from simulators.amazon.clock import to_ms
from simulators.amazon.record import OrderRecord, fulfilled, unfulfilled
from simulators.amazon.reports.all_orders import SHIP_FROM
from simulators.amazon.reports.frame import (
    Frame,
    Row,
    address_of,
    cancel_wish,
    facilitated,
    is_business,
    moment,
    replaces,
    service_level,
    yes_no,
)
from simulators.amazon.wire import JsonObject

UNSHIPPED = frozenset({"UNSHIPPED", "PARTIALLY_SHIPPED"})
POSTED_AFTER_MS = 30 * 60 * 1000
"""An order is usually posted half an hour after it was placed."""
DAY_MS = 24 * 3600 * 1000


def rows(records: Iterable[OrderRecord], frame: Frame) -> list[Row]:
    """The lines with units left to ship of the orders the seller ships himself, oldest order first."""
    chosen = [
        record
        for record in frame.orders(records)
        if not record.by_amazon
        and record.status in UNSHIPPED
        and (not frame.given or frame.covers(record.created_ms))
    ]
    chosen.sort(key=lambda r: (r.created_ms, r.order_id))
    result: list[Row] = []
    for record in chosen:
        order = _order(record, frame.now_ms)
        result += [order | _line(item) for item in record.items if unfulfilled(item)]
    return result


def _order(record: OrderRecord, now_ms: int) -> Row:
    address = address_of(record)
    buyer: JsonObject = record.body.get("buyer", {})
    level = service_level(record)
    country = address.get("countryCode", "")
    return {
        "order-id": record.order_id,
        "purchase-date": moment(record.created_ms),
        "payments-date": pacific(record.created_ms),
        "reporting-date": moment(record.created_ms + POSTED_AFTER_MS),
        "buyer-email": buyer.get("buyerEmail", ""),
        "buyer-name": buyer.get("buyerName", ""),
        "payment-method-details": "Standard",
        "buyer-phone-number": address.get("phone", ""),
        "ship-service-level": level,
        "ship-service-name": f"{'Std' if level == 'Standard' else level[:3]} {country} D2D Dom",
        "recipient-name": address.get("name", ""),
        "ship-address-1": address.get("addressLine1", ""),
        "ship-address-2": address.get("addressLine2", ""),
        "ship-address-3": address.get("addressLine3", ""),
        "address-type": str(address.get("addressType", "")).title(),
        "ship-city": address.get("city", ""),
        "ship-state": address.get("stateOrRegion", ""),
        "ship-postal-code": address.get("postalCode", ""),
        "ship-country": country,
        "is-business-order": yes_no(is_business(record)),
        "purchase-order-number": buyer.get("buyerPurchaseOrderNumber", ""),
        "is-prime": "false",
        "is-premium-order": "false",
        "buyer-company-name": buyer.get("buyerCompanyName", ""),
        "is-replacement-order": yes_no(replaces(record)),
        "is-exchange-order": "false",
        "original-order-id": replaces(record),
        "is-transparency": "false",
        **{f"default-ship-from-{name}": text for name, text in SHIP_FROM.items()},
        "is-ispu-order": "false",
        "verge-of-cancellation": "false",
        "signature-confirmation-recommended": "false",
        **_promise(record, now_ms),
    }


def _promise(record: OrderRecord, now_ms: int) -> Row:
    latest = record.body["fulfillment"].get("shipByWindow", {}).get("latestDateTime")
    if latest is None:
        return {"verge-of-lateShipment": "false"}
    promise_ms = to_ms(str(latest))
    past = (now_ms - promise_ms) // DAY_MS
    return {
        "promise-date": moment(promise_ms),
        "days-past-promise": str(past),
        "verge-of-lateShipment": yes_no(past == -1),
    }


def _line(item: JsonObject) -> Row:
    product = item["product"]
    gift = item["fulfillment"].get("packing", {}).get("giftOption", {})
    return {
        "order-item-id": item["orderItemId"],
        "sku": product.get("sellerSku", ""),
        "number-of-items": "1",
        "product-name": product.get("title", ""),
        "quantity-purchased": str(item["quantityOrdered"]),
        "quantity-shipped": str(fulfilled(item)),
        "quantity-to-ship": str(unfulfilled(item)),
        "gift-wrap-type": gift.get("giftWrapLevel", ""),
        "gift-message-text": gift.get("giftMessage", ""),
        **cancel_wish(item),
        **facilitated(item),
    }


def pacific(milliseconds: int) -> str:
    """A moment in the time of Amazon's head office, by the rule of the United States for summer time.

    (Second Sunday of March to first Sunday of November, at two in the morning; no time zone files needed.)
    """
    utc = datetime.fromtimestamp(milliseconds // 1000, UTC)
    begins = _sunday(utc.year, 3, 2) + timedelta(hours=10)
    ends = _sunday(utc.year, 11, 1) + timedelta(hours=9)
    hours = 7 if begins <= utc < ends else 8
    return f"{utc - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}-{hours:02d}:00"


def _sunday(year: int, month: int, number: int) -> datetime:
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))

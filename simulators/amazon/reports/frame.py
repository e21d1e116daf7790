"""What a report is about, and the words and figures its rows share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from simulators.amazon.prices import amount_of
from simulators.amazon.record import OrderRecord
from simulators.amazon.wire import JsonObject

Row = dict[str, str]
"""Column -> text; a column left out is empty."""

SERVICE_LEVELS = {
    "STANDARD": "Standard",
    "EXPEDITED": "Expedited",
    "SECOND_DAY": "SecondDay",
    "NEXT_DAY": "NextDay",
}


@dataclass(frozen=True)
class Frame:
    """The orders a report covers: one seller's, in these marketplaces, between two moments (both included).

    given: the caller named the beginning. now_ms: the moment it is made at. lag_ms: how old a shipment must
    be before it is reported.
    """

    seller_id: str
    marketplaces: tuple[str, ...]
    start_ms: int
    end_ms: int
    given: bool
    now_ms: int
    lag_ms: int

    def orders(self, records: Iterable[OrderRecord]) -> Iterator[OrderRecord]:
        """The seller's orders in these marketplaces, of any time."""
        for record in records:
            if record.seller_id == self.seller_id and marketplace_of(record) in self.marketplaces:
                yield record

    def covers(self, moment_ms: int) -> bool:
        """Whether a moment lies in the window."""
        return self.start_ms <= moment_ms <= self.end_ms


@dataclass(frozen=True)
class LineMoney:
    """The amounts of one order line. vat_inside: the prices contain the tax."""

    currency: str
    parts: dict[str, Decimal]
    taxes: dict[str, Decimal]
    vat_inside: bool

    def part(self, name: str) -> Decimal:
        """ITEM, SHIPPING, GIFT_WRAP or DISCOUNT (negative) of the whole line; 0 if there is none."""
        return self.parts.get(name, Decimal(0))

    def tax(self, name: str) -> Decimal:
        """The tax on that part; 0 if none is told."""
        return self.taxes.get(name, Decimal(0))

    def net(self, name: str) -> Decimal:
        """A part without its tax."""
        return self.part(name) - (self.tax(name) if self.vat_inside else 0)


def money_of(item: JsonObject) -> LineMoney | None:
    """A line's amounts; None for a line without a price."""
    proceeds = item.get("proceeds")
    if not proceeds:
        return None
    parts: dict[str, Decimal] = {}
    taxes: dict[str, Decimal] = {}
    for entry in proceeds.get("breakdowns", []):
        if entry["type"] == "TAX":
            for detail in entry.get("detailedBreakdowns", []):
                taxes[detail["subtype"]] = amount_of(detail["value"])
        else:
            parts[entry["type"]] = amount_of(entry["subtotal"])
    total = proceeds["proceedsTotal"]
    inside = amount_of(total) == sum(parts.values(), Decimal(0))
    return LineMoney(str(total["currencyCode"]), parts, taxes, inside)


def marketplace_of(record: OrderRecord) -> str:
    """Where an order was placed."""
    return str(record.body["salesChannel"].get("marketplaceId", ""))


def channel_of(record: OrderRecord) -> str:
    """Amazon.de, Non-Amazon, ..."""
    return str(record.body["salesChannel"].get("marketplaceName", ""))


def moment(milliseconds: int) -> str:
    """A moment as reports and the Reports API write it: whole seconds and an offset."""
    return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def figure(amount: Decimal) -> str:
    """An amount with as few decimals as it needs, but one: 19.99, 1.5, 3.0."""
    text = f"{amount:f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}"


def yes_no(value: object) -> str:
    """true or false."""
    return "true" if value else "false"


def service_level(record: OrderRecord) -> str:
    """Standard, Expedited, ..."""
    level = str(record.body["fulfillment"].get("fulfillmentServiceLevel", "STANDARD"))
    return SERVICE_LEVELS.get(level, level.title())


def address_of(record: OrderRecord) -> JsonObject:
    """The delivery address; empty if the order has none."""
    address: JsonObject = record.body.get("recipient", {}).get("deliveryAddress", {})
    return address


def replaces(record: OrderRecord) -> str:
    """The order for which this one is the replacement; empty if it is none."""
    for other in record.body.get("associatedOrders", []):
        if other.get("associationType") == "REPLACEMENT_ORIGINAL_ID":
            return str(other["orderId"])
    return ""


def is_business(record: OrderRecord) -> bool:
    """A company's order."""
    return "AMAZON_BUSINESS" in record.body.get("programs", [])


def in_marketplace(record: OrderRecord) -> bool:
    """Sold by Amazon; otherwise Amazon only ships it (multi-channel fulfilment)."""
    return bool(record.body["salesChannel"].get("channelName") != "NON_AMAZON")


def facilitated(item: JsonObject) -> Row:
    """Who collects the tax, where Amazon does."""
    for collection in item.get("tax", {}).get("taxCollections", []):
        if collection.get("model") == "MARKETPLACE_FACILITATOR":
            party = str(collection.get("responsibleParty", ""))
            return {
                "tax-collection-model": "MarketplaceFacilitator",
                "tax-collection-responsible-party": party,
            }
    return {}


def cancel_wish(item: JsonObject) -> Row:
    """Whether the buyer has asked to cancel the line."""
    asked = "cancellationRequest" in item.get("cancellation", {})
    return {
        "is-buyer-requested-cancellation": yes_no(asked),
        "buyer-requested-cancel-reason": "OTHER_REASON" if asked else "",
    }

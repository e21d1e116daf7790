"""Money as a settlement counts it: one transaction, the lines of the report that tell it.

Facts: the words of the lines and which columns they fill (real settlement files). Inferred: the words for other amounts
than goods, shipping, gift wrap and discounts (cash on delivery), and for the kinds of reimbursement.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from simulators import catalogue
from simulators.amazon.aftersale.amounts import FEES, WITHHELD
from simulators.amazon.aftersale.events import AfterSale, events_of, item_of, number_of
from simulators.amazon.aftersale.postings import Part, Posting, postings_of, reimbursed
from simulators.amazon.record import OrderRecord
from simulators.amazon.settlements.charges import KINDS, Charge
from simulators.amazon.wire import JsonObject

_WORDS = {
    "OurPricePrincipal": ("ItemPrice", "Principal"),
    "OurPriceTax": ("ItemPrice", "Tax"),
    "ShippingPrincipal": ("ItemPrice", "Shipping"),
    "ShippingTax": ("ItemPrice", "ShippingTax"),
    "GiftwrapPrincipal": ("ItemPrice", "GiftWrap"),
    "GiftwrapTax": ("ItemPrice", "GiftWrapTax"),
    "OtherPrincipal": ("ItemPrice", "COD"),
    "OtherTax": ("ItemPrice", "CODTax"),
    "OurPriceDiscount": ("Promotion", "Principal"),
    "OurPriceTaxDiscount": ("Promotion", "TaxDiscount"),
}
_WITHHELD_OF = {
    "OurPriceTax": "Principal", "OurPriceTaxDiscount": "Principal", "ShippingTax": "Shipping",
    "GiftwrapTax": "Giftwrap", "OtherTax": "Other",
}  # fmt: skip
_LOST = {"Lost_Warehouse": "warehouse_lost", "Damaged_Warehouse": "warehouse_damage"}


@dataclass(frozen=True)
class Line:
    """One line of a settlement report, as data."""

    transaction_type: str
    amount_type: str
    description: str
    amount: Decimal
    at_ms: int
    order_id: str = ""
    adjustment_id: str = ""
    shipment_id: str = ""
    marketplace_name: str = ""
    fulfillment: str = ""
    item_id: str = ""
    adjustment_item_id: str = ""
    sku: str = ""
    quantity: str = ""
    promotion_id: str = ""


@dataclass(frozen=True)
class Money:
    """One transaction: its lines count together, from `at_ms` on. told_as, described, broken_down: its type, its
    description and the name of its amount in the Finances API, the last two where it is about no item."""

    transaction_id: str
    seller_id: str
    marketplace_id: str
    currency: str
    at_ms: int
    told_as: str
    lines: tuple[Line, ...]
    described: str = ""
    broken_down: str = ""


def money_of(record: OrderRecord, by_ms: int) -> Iterator[Money]:
    """What counts of an order by then: sales, refunds, reimbursements. What is deferred is missing."""
    for posting in postings_of(record):
        at_ms = posting.counts_ms(by_ms)
        if at_ms is not None:
            yield _posted(posting, at_ms)
    for event in events_of(record, "reimburse"):
        if record.by_amazon and max(event.at_ms, event.told_ms) <= by_ms:
            money = reimbursement(record, event)
            if money.currency:
                yield money


def charged(charge: Charge) -> Money:
    """A charge of the account."""
    line = Line(
        transaction_type=charge.transaction_type,
        amount_type=charge.amount_type,
        description=charge.description,
        amount=charge.amount,
        at_ms=charge.at_ms,
        order_id=charge.order_id,
        shipment_id=charge.shipment_id,
        sku=charge.sku,
        quantity=charge.quantity,
    )
    return Money(
        transaction_id=f"{number_of(charge.seller, 'charge', charge.number):x}",
        seller_id=charge.seller,
        marketplace_id=charge.marketplace,
        currency=catalogue.MARKETPLACE_BY_ID[charge.marketplace].currency,
        at_ms=charge.at_ms,
        told_as=charge.told_as,
        lines=(line,),
        described=charge.described,
        broken_down=charge.broken_down,
    )


def reimbursement(record: OrderRecord, event: AfterSale) -> Money:
    """What Amazon pays for goods it lost or damaged; its currency is empty where nothing had a price."""
    amount, currency = reimbursed(record, event)
    words = KINDS[_LOST.get(event.reason, "warehouse_lost")]
    description = words.description if event.reason in _LOST else "REVERSAL_REIMBURSEMENT"
    line = Line(
        transaction_type=words.transaction_type,
        amount_type=words.amount_type,
        description=description,
        amount=amount,
        at_ms=event.at_ms,
        order_id=record.order_id,
        adjustment_id=_adjustment(record, "reimburse", event.number),
        sku=str(item_of(record, event)["product"].get("sellerSku", "")),
        quantity=str(event.units),
    )
    return Money(
        transaction_id=f"{number_of(record.order_id, 'reimburse', event.number):x}",
        seller_id=record.seller_id,
        marketplace_id=str(record.body["salesChannel"].get("marketplaceId", "")),
        currency=currency,
        at_ms=event.at_ms,
        told_as=words.told_as,
        lines=(line,),
        described=description,
        broken_down=words.broken_down,
    )


def _posted(posting: Posting, at_ms: int) -> Money:
    record = posting.record
    return Money(
        transaction_id=posting.counting_id,
        seller_id=record.seller_id,
        marketplace_id=str(record.body["salesChannel"].get("marketplaceId", "")),
        currency=posting.currency,
        at_ms=at_ms,
        told_as=posting.kind,
        lines=tuple(line for part in posting.parts for line in _part(posting, part, at_ms)),
    )


def _part(posting: Posting, part: Part, at_ms: int) -> Iterator[Line]:
    """The lines of one order item; amounts of nothing have none."""
    record, refund = posting.record, posting.kind == "Refund"
    product = part.item["product"]
    promotions = part.item.get("promotion", {}).get("breakdowns", [])
    for amount_type, description, amount in _amounts(record, part, refund=refund):
        yield Line(
            transaction_type=posting.row_type,
            amount_type=amount_type,
            description=description,
            amount=amount,
            at_ms=at_ms,
            order_id=record.order_id,
            adjustment_id=_adjustment(record, *posting.about) if refund else "",
            shipment_id=posting.shipment_id,
            marketplace_name=str(record.body["salesChannel"].get("marketplaceName", "")),
            fulfillment="AFN" if record.by_amazon else "MFN",
            item_id=str(part.item["orderItemId"]),
            adjustment_item_id=str(number_of(part.item["orderItemId"], *posting.about)) if refund else "",
            sku=str(product.get("sellerSku", "")),
            quantity="" if refund else str(part.units),
            promotion_id=_promotion(promotions) if amount_type == "Promotion" else "",
        )


def _amounts(record: OrderRecord, part: Part, *, refund: bool) -> Iterator[tuple[str, str, Decimal]]:
    for kind, leaves in part.groups.items():
        for name, amount in leaves.items():
            if kind != WITHHELD and amount:
                yield (*(("ItemFees", name) if kind == FEES else _WORDS[name]), amount)
    for name, amount in withheld(record, part, refund=refund).items():
        if amount:
            yield "ItemWithheldTax", name, amount


def withheld(record: OrderRecord, part: Part, *, refund: bool) -> dict[str, Decimal]:
    """The tax Amazon withholds, by the name that settlement and Finances API have for it."""
    market = catalogue.MARKETPLACE_BY_ID.get(record.body["salesChannel"].get("marketplaceId", ""))
    tax = "VAT" if market is not None and market.vat_percent else "Tax"
    sums: dict[str, Decimal] = {}
    for leaf, amount in part.groups.get(WITHHELD, {}).items():
        what = _withheld_of(leaf.removeprefix("MarketplaceFacilitator"), tax, refund=refund)
        name = f"MarketplaceFacilitator{tax}-{what}"
        sums[name] = sums.get(name, Decimal(0)) + amount
    return sums


def _withheld_of(leaf: str, tax: str, *, refund: bool) -> str:
    """What the tax was on. No file is known with a refund's gift wrap, nor with other amounts under VAT."""
    what = _WITHHELD_OF[leaf]
    if what == "Giftwrap" and refund:
        what = "Other"
    return "Principal" if what == "Other" and tax == "VAT" else what


def _promotion(promotions: list[JsonObject]) -> str:
    return ",".join(str(each.get("promotionId", "")) for each in promotions)


def _adjustment(record: OrderRecord, *about: object) -> str:
    text = "/".join((record.order_id, *(str(part) for part in about)))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return f"amzn1:crow:{base64.b64encode(digest).decode().rstrip('=')}"

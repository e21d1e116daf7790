"""What so many units of an order line come to: goods, tax, what Amazon withholds and charges.

The one place where the money of a sale is worked out: the Finances API and the settlements tell the same. Parts of an
order line sent one after the other add up to the line to the cent. Facts: the kinds of amounts (Amazon's Finances
model and real settlement files); a fee on shipping of 15.5 percent. Inferred: the rates of the other fees, and that
the tax on a discount lowers what is withheld.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from simulators.amazon.prices import amount_of
from simulators.amazon.record import OrderRecord
from simulators.amazon.wire import JsonObject

Groups = dict[str, dict[str, Decimal]]
"""Kind of amount (ProductCharges, Tax, AmazonFees, ...) -> name of a leaf -> amount; signed as the seller's."""

FEES, WITHHELD = "AmazonFees", "TaxWithheld"
_COMMISSION, _KEPT, _ON_SHIPPING, _DIGITAL = (
    Decimal("0.15"),
    Decimal("0.20"),
    Decimal("0.155"),
    Decimal("0.03"),
)
_PER_UNIT = Decimal("3.04")
_DIGITAL_SERVICES = frozenset({"Amazon.ca", "Amazon.fr", "Amazon.it", "Amazon.es", "Amazon.co.uk"})
_WITHOUT_CENTS = frozenset({"JPY"})
_KINDS = {
    "ITEM": "ProductCharges",
    "SHIPPING": "Shipping",
    "GIFT_WRAP": "Giftwrap",
    "DISCOUNT": "PromoRebates",
}
_LEAVES = {
    "ITEM": "OurPricePrincipal", "SHIPPING": "ShippingPrincipal", "GIFT_WRAP": "GiftwrapPrincipal",
    "DISCOUNT": "OurPriceDiscount",
}  # fmt: skip
_TAXES = {
    "ITEM": "OurPriceTax",
    "SHIPPING": "ShippingTax",
    "GIFT_WRAP": "GiftwrapTax",
    "DISCOUNT": "OurPriceTaxDiscount",
}


def rounded(amount: Decimal, currency: str) -> Decimal:
    """In the currency's decimals, halves away from zero."""
    return amount.quantize(Decimal(1) if currency in _WITHOUT_CENTS else Decimal("0.01"), ROUND_HALF_UP)


def currency_of(item: JsonObject) -> str:
    """The currency of an order line that has a price."""
    return str(item["proceeds"]["proceedsTotal"]["currencyCode"])


def sold(record: OrderRecord, item: JsonObject, before: int, units: int) -> Groups:
    """A sale of so many units of an order line, of which `before` were sold already."""
    first, last = _line(item, before, Decimal(1)), _line(item, before + units, Decimal(1))
    groups = {
        kind: {name: amount - first.get(kind, {}).get(name, Decimal(0)) for name, amount in leaves.items()}
        for kind, leaves in last.items()
    }
    return groups | {FEES: _sales_fees(record, groups, units, currency_of(item))}


def given_back(
    record: OrderRecord, item: JsonObject, units: int, share: Decimal, *, shipping: bool
) -> Groups:
    """A refund of a share of so many units; the sale's amounts with the sign turned, and a fee Amazon keeps."""
    groups = _line(item, units, -share)
    if not shipping:
        groups.pop("Shipping", None)
        for kind in ("Tax", WITHHELD):
            for name in [name for name in groups.get(kind, {}) if name.endswith("ShippingTax")]:
                del groups[kind][name]
    currency = currency_of(item)
    fees = _percentages(record, groups, currency)
    fees["RefundCommission"] = -rounded(abs(fees["Commission"]) * _KEPT, currency)
    return groups | {FEES: fees}


def total(groups: Groups) -> Decimal:
    """What all of it comes to."""
    return sum((amount for leaves in groups.values() for amount in leaves.values()), Decimal(0))


def _line(item: JsonObject, units: int, factor: Decimal) -> Groups:
    proceeds = item["proceeds"]
    currency = currency_of(item)
    ordered = max(int(item["quantityOrdered"]), 1)
    parts, taxes = _parts(proceeds)
    inside = amount_of(proceeds["proceedsTotal"]) == sum(parts.values(), Decimal(0))

    def of(amount: Decimal) -> Decimal:
        return rounded(factor * amount * units / ordered, currency)

    groups: Groups = {}
    for name, amount in parts.items():
        whole, tax = of(amount), of(taxes.get(name, Decimal(0)))
        groups.setdefault(_KINDS.get(name, "Other"), {})[_LEAVES.get(name, "OtherPrincipal")] = (
            whole - tax if inside else whole
        )
        if taxes.get(name):
            groups.setdefault("Tax", {})[_TAXES.get(name, "OtherTax")] = tax
    if "Tax" in groups and _facilitated(item):
        groups[WITHHELD] = {
            f"MarketplaceFacilitator{name}": -amount for name, amount in groups["Tax"].items()
        }
    return groups


def _sales_fees(record: OrderRecord, groups: Groups, units: int, currency: str) -> dict[str, Decimal]:
    fees = _percentages(record, groups, currency)
    if record.by_amazon:
        fees["FBAPerUnitFulfillmentFee"] = -rounded(_PER_UNIT * units, currency)
    return fees


def _percentages(record: OrderRecord, groups: Groups, currency: str) -> dict[str, Decimal]:
    goods = groups.get("ProductCharges", {}).get("OurPricePrincipal", Decimal(0))
    shipping = groups.get("Shipping", {}).get("ShippingPrincipal", Decimal(0))
    shipping += groups.get("Tax", {}).get("ShippingTax", Decimal(0))
    fees = {"Commission": rounded(-goods * _COMMISSION, currency)}
    if shipping:
        fees["ShippingHB"] = rounded(-shipping * _ON_SHIPPING, currency)
    if record.body["salesChannel"].get("marketplaceName") in _DIGITAL_SERVICES:
        fees["DigitalServicesFee"] = rounded(fees["Commission"] * _DIGITAL, currency)
    return fees


def _parts(proceeds: JsonObject) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    parts: dict[str, Decimal] = {}
    taxes: dict[str, Decimal] = {}
    for entry in proceeds.get("breakdowns", []):
        if entry["type"] == "TAX":
            for detail in entry.get("detailedBreakdowns", []):
                taxes[detail["subtype"]] = amount_of(detail["value"])
        else:
            parts[entry["type"]] = amount_of(entry["subtotal"])
    return parts, taxes


def _facilitated(item: JsonObject) -> bool:
    collections = item.get("tax", {}).get("taxCollections", [])
    return any(each.get("model") == "MARKETPLACE_FACILITATOR" for each in collections)

"""What an order line brings: Amazon's proceeds breakdowns, always adding up to the last cent.

Facts: in every example of Amazon's 2026-01-01 model grandTotal is the sum of the lines' proceedsTotal; TAX is
broken down by what it is a tax on. In the VAT countries prices contain the tax, in North America it comes on
top and Amazon collects it. Inferred: that DISCOUNT is negative (no published example shows one), and that
TAX is told in VAT countries as well, where it does not add to the total.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from simulators.amazon.wire import JsonObject

CENT = Decimal("0.01")
PRICE_TYPES = ("ITEM", "SHIPPING", "GIFT_WRAP", "COD_FEE", "OTHER", "DISCOUNT")


@dataclass(frozen=True)
class LinePrice:
    """Amounts of a whole order line in one currency. discount is zero or negative."""

    item: Decimal
    shipping: Decimal = Decimal(0)
    gift_wrap: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)

    def parts(self) -> dict[str, Decimal]:
        """The amounts by breakdown type; ITEM always, the others if there are any."""
        others = {"SHIPPING": self.shipping, "GIFT_WRAP": self.gift_wrap, "DISCOUNT": self.discount}
        return {"ITEM": self.item, **{name: amount for name, amount in others.items() if amount}}


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, halves up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def money(amount: Decimal, currency: str) -> JsonObject:
    """Amazon's Money."""
    return {"amount": str(cents(amount)), "currencyCode": currency}


def amount_of(value: JsonObject) -> Decimal:
    """The figure in Amazon's Money."""
    return Decimal(str(value["amount"]))


def proceeds(price: LinePrice, currency: str, tax_percent: Decimal, *, included: bool) -> JsonObject:
    """A line's proceeds. included: prices contain the tax; otherwise it is added to the total."""
    parts = price.parts()
    breakdowns: list[JsonObject] = [
        {"type": name, "subtotal": money(amount, currency)} for name, amount in parts.items()
    ]
    total = sum(parts.values(), Decimal(0))
    if tax_percent:
        base = 100 + tax_percent if included else Decimal(100)
        taxes = {name: cents(amount * tax_percent / base) for name, amount in parts.items()}
        tax = sum(taxes.values(), Decimal(0))
        breakdowns.append(
            {
                "type": "TAX",
                "subtotal": money(tax, currency),
                "detailedBreakdowns": [
                    {"subtype": name, "value": money(amount, currency)} for name, amount in taxes.items()
                ],
            }
        )
        total += Decimal(0) if included else tax
    return {"proceedsTotal": money(total, currency), "breakdowns": breakdowns}


def rescale(item: JsonObject, quantity: int) -> None:
    """Change the quantity of a line and its amounts with it."""
    before = int(item["quantityOrdered"])
    item["quantityOrdered"] = quantity
    if "proceeds" not in item:
        return
    values = [item["proceeds"]["proceedsTotal"]]
    for entry in item["proceeds"].get("breakdowns", []):
        values.append(entry["subtotal"])
        values.extend(detail["value"] for detail in entry.get("detailedBreakdowns", []))
    own_parts = Decimal(0)
    had_parts = sum((amount_of(e["subtotal"]) for e in item["proceeds"].get("breakdowns", [])), Decimal(0))
    tax_on_top = had_parts == amount_of(values[0])
    for value in values[1:]:
        value["amount"] = str(cents(amount_of(value) * quantity / before))
    for entry in item["proceeds"].get("breakdowns", []):
        details = entry.get("detailedBreakdowns")
        if details:
            entry["subtotal"]["amount"] = str(sum((amount_of(d["value"]) for d in details), Decimal(0)))
        if tax_on_top or entry["type"] != "TAX":
            own_parts += amount_of(entry["subtotal"])
    values[0]["amount"] = str(own_parts)


def add_up(body: JsonObject) -> bool:
    """Write the order's grandTotal and breakdowns from its lines; False if no line has a price."""
    lines = [item["proceeds"] for item in body["orderItems"] if "proceeds" in item]
    if not lines:
        return False
    currency = str(lines[0]["proceedsTotal"]["currencyCode"])
    sums: dict[str, Decimal] = {}
    for line in lines:
        for entry in line["breakdowns"]:
            sums[entry["type"]] = sums.get(entry["type"], Decimal(0)) + amount_of(entry["subtotal"])
    total = sum((amount_of(line["proceedsTotal"]) for line in lines), Decimal(0))
    body["proceeds"] = {
        "grandTotal": money(total, currency),
        "breakdowns": [{"type": name, "subtotal": money(amount, currency)} for name, amount in sums.items()],
    }
    return True

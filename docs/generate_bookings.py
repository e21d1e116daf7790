"""Writes the worked examples into controller.md: `python docs/generate_bookings.py`.

Amazon's orders are made up here; what M3 is told is what the mapping rules of the service make of them, with the
configuration of the demonstration.
"""

import sys
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from canonical.amazon_orders import read_order
from canonical.marketplaces import marketplace_name
from canonical.order_plan import SalesOrderPlan
from canonical.profile import MarketplaceProfile
from canonical.sales_order import plan_sales_order

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE / "controller.md"
BEGIN: Final = "<!-- worked examples: written by docs/generate_bookings.py -->"
END: Final = "<!-- end of the worked examples -->"
_CONFIGURATION: Final = HERE.parent / "starters" / "demo" / "demo.toml"
_SELLER: Final = "A1EXAMPLESELLER"
_DE, _US = "A1PA6795UKMFR9", "ATVPDKIKX0DER"


class Example(NamedTuple):
    """One Amazon order with one line: the breakdown of its proceeds, in the marketplace's currency."""

    title: str
    marketplace: str
    channel: str
    quantity: int
    amounts: Mapping[str, str]
    total: str
    currency: str = "EUR"
    tax_by_amazon: bool = False
    tax_parts: Mapping[str, str] = {}
    replaces: str = ""


EXAMPLES: Final = (
    Example(
        "Three pieces that Amazon ships, with shipping and a promotion; 19 % VAT within the prices",
        _DE,
        "AMAZON",
        3,
        {"ITEM": "29.10", "SHIPPING": "3.99", "DISCOUNT": "-5.00", "TAX": "4.48"},
        "28.09",
    ),
    Example(
        "Three pieces for ten euros from the own warehouse, gift wrapped: a price of four decimals",
        _DE,
        "MERCHANT",
        3,
        {"ITEM": "10.00", "GIFT_WRAP": "2.50", "TAX": "2.00"},
        "12.50",
    ),
    Example(
        "Amazon.com: sales tax on top of the prices, collected and remitted by Amazon",
        _US,
        "AMAZON",
        2,
        {"ITEM": "25.80", "SHIPPING": "4.99", "TAX": "2.54"},
        "33.33",
        currency="USD",
        tax_by_amazon=True,
    ),
    Example(
        "Amazon.de, VAT within the prices, remitted by Amazon (IOSS): an order type without VAT",
        _DE,
        "AMAZON",
        2,
        {"ITEM": "25.80", "SHIPPING": "3.99", "TAX": "4.76"},
        "29.79",
        tax_by_amazon=True,
        tax_parts={"ITEM": "4.12", "SHIPPING": "0.64"},
    ),
    Example(
        "A replacement, free of charge",
        _DE,
        "AMAZON",
        1,
        {},
        "0.00",
        replaces="302-0000001-5550000",
    ),
)


def _payload(example: Example) -> dict[str, object]:
    """The order as Amazon tells it (Orders 2026-01-01)."""

    def money(amount: str) -> dict[str, str]:
        return {"amount": amount, "currencyCode": example.currency}

    rows: list[dict[str, object]] = []
    for kind, amount in example.amounts.items():
        row: dict[str, object] = {"type": kind, "subtotal": money(amount)}
        if kind == "TAX" and example.tax_parts:
            parts = example.tax_parts.items()
            row["detailedBreakdowns"] = [{"subtype": part, "value": money(value)} for part, value in parts]
        rows.append(row)
    item: dict[str, object] = {
        "orderItemId": "10000000000001",
        "quantityOrdered": example.quantity,
        "product": {"sellerSku": "SKU-1", "title": "A thing"},
    }
    order: dict[str, object] = {
        "orderId": "302-0000009-5550000",
        "createdTime": "2026-11-20T10:00:00Z",
        "lastUpdatedTime": "2026-11-20T10:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": example.marketplace},
        "fulfillment": {"fulfilledBy": example.channel, "fulfillmentStatus": "UNSHIPPED"},
        "recipient": {
            "deliveryAddress": {
                "name": "A Buyer", "addressLine1": "Street 1", "city": "Town", "postalCode": "50667",
                "countryCode": "DE",
            }
        },
        "orderItems": [item],
    }  # fmt: skip
    if example.tax_by_amazon:
        item["tax"] = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon"}]}
    if example.replaces:
        original = {"orderId": example.replaces, "associationType": "REPLACEMENT_ORIGINAL_ID"}
        order["associatedOrders"] = [original]
    else:
        item["proceeds"] = {"proceedsTotal": money(example.total), "breakdowns": rows}
        order["proceeds"] = {"grandTotal": money(example.total)}
    return order


def plan(example: Example) -> SalesOrderPlan:
    """What M3 is told."""
    order = read_order(_payload(example), _SELLER)
    profile = _profile(example.marketplace)
    return plan_sales_order(order, profile, {"SKU-1": "10023"}, profile.customer.numbers[0])


def _profile(marketplace: str) -> MarketplaceProfile:
    text = _CONFIGURATION.read_text(encoding="utf-8")
    names = ("temporal", "web_ui", "amazon", "ionapi", "archive")
    tables = tomllib.loads(Template(text).substitute(dict.fromkeys(names, "x"), quota_factor=1))
    table = tables["marketplaces"][marketplace]
    return MarketplaceProfile.model_validate({**table, "marketplace_id": marketplace})


def _block(example: Example) -> str:
    planned = plan(example)
    head = planned.head
    channel = "FBA" if example.channel == "AMAZON" else "MFN"
    rows = [f"Amazon   {marketplace_name(example.marketplace)}, {channel}"]
    rows += [_row("", kind, Decimal(amount)) for kind, amount in example.amounts.items()]
    rows.append(_row("", f"proceedsTotal {example.currency}", Decimal(example.total)))
    rows += ["", f"M3       order type {head.ortp}, warehouse {head.whlo}, customer {head.cuno}"]
    rows += [
        _row("line", f"{line.itno}, {line.quantity} at {line.sapr}", line.amount) for line in planned.lines
    ]
    rows += [_row("charge", f"{charge.crid}, {charge.text}", charge.amount) for charge in planned.charges]
    total = planned.expected_total
    rows.append(_row("total", f"expected, {total.currency}", total.amount))
    return f"**{example.title}.**\n\n```text\n" + "\n".join(rows) + "\n```\n"


def _row(kind: str, text: str, amount: Decimal) -> str:
    return f"         {f'{kind:<8}{text}'.strip():<44}{amount:>9.2f}"


def page(before: str) -> str:
    """The page with its examples written anew."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    blocks = "\n".join(_block(example) for example in EXAMPLES)
    return f"{head}{BEGIN}\n\n{blocks}\n{END}{tail}"


def main() -> None:
    """Write the examples."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written.\n")


if __name__ == "__main__":
    main()

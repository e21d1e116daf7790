"""The older flat file of a settlement (V1): a column for each kind of amount.

Facts, from real files: the columns, those for promotions only where there are any; ISO moments with an offset; an order
item begins with a row that has its quantity and no amount; what concerns no order has its description as transaction
type and its amount in the last column; advertising is a ServiceFee with its amount among the item's fees. Inferred:
that marketplaces write amounts as in V2, and that tax Amazon withholds is told among the prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulators.amazon.reports.frame import Row, moment
from simulators.amazon.settlements.layout import PADDED, Style, figure
from simulators.amazon.settlements.money import Line

_COLUMNS = {
    "ItemPrice": ("price-type", "price-amount"),
    "ItemWithheldTax": ("price-type", "price-amount"),
    "ItemFees": ("item-related-fee-type", "item-related-fee-amount"),
    "Promotion": ("promotion-type", "promotion-amount"),
    "ShipmentFees": ("shipment-fee-type", "shipment-fee-amount"),
    "OrderFees": ("order-fee-type", "order-fee-amount"),
    "DirectPayment": ("direct-payment-type", "direct-payment-amount"),
}
"""By V2's amount type: the column of the description and that of the amount."""


def rows(settlement_id: str, lines: Iterable[Line], currency: str, style: Style) -> Iterator[Row]:
    """The rows behind the first."""
    begun: tuple[str, ...] = ()
    for line in lines:
        shared = _shared(settlement_id, line)
        item = (line.transaction_type, line.order_id, line.shipment_id, line.item_id)
        if line.item_id and line.quantity and item != begun:
            begun = item
            yield {**shared, "quantity-purchased": line.quantity}
        amount = figure(line.amount, currency, style)
        yield {**shared, **_told(line, f"{amount}    " if line.description in PADDED else amount)}


def _shared(settlement_id: str, line: Line) -> Row:
    return {
        "settlement-id": settlement_id,
        "transaction-type": line.transaction_type,
        "order-id": line.order_id,
        "merchant-order-id": line.order_id if line.item_id else "",
        "adjustment-id": line.adjustment_id,
        "shipment-id": line.shipment_id,
        "marketplace-name": line.marketplace_name,
        "fulfillment-id": line.fulfillment,
        "posted-date": moment(line.at_ms),
        "order-item-code": line.item_id,
        "merchant-adjustment-item-id": line.adjustment_item_id,
        "sku": line.sku,
    }


def _told(line: Line, amount: str) -> Row:
    if line.amount_type in _COLUMNS:
        described, column = _COLUMNS[line.amount_type]
        told = {described: line.description, column: amount}
        return {**told, "promotion-id": line.promotion_id} if line.amount_type == "Promotion" else told
    if line.transaction_type == "ServiceFee":
        return {"item-related-fee-type": line.amount_type, "item-related-fee-amount": amount}
    return {
        "transaction-type": line.description,
        "quantity-purchased": line.quantity,
        "other-amount": amount,
    }

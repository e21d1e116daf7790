"""A settlement as XML: the oldest form, one element for each order or refund with its items.

Facts: the names of the elements (sellers' programs that read it). Inferred: that amounts have a decimal point
everywhere, moments are as in V1, and tax Amazon withholds is a component of the price.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from simulators.amazon.reports.frame import moment
from simulators.amazon.settlements.layout import figure
from simulators.amazon.settlements.money import Line

_PRICES = frozenset({"ItemPrice", "ItemWithheldTax"})
_OF_ITEMS = _PRICES | {"ItemFees", "Promotion"}


def envelope(
    seller_id: str,
    settlement_id: str,
    moments: tuple[int, int, int],
    total: Decimal,
    currency: str,
    lines: Iterable[Line],
) -> str:
    """The document. moments: beginning, end and deposit."""
    root = Element("AmazonEnvelope")
    header = SubElement(root, "Header")
    _text(header, DocumentVersion="1.01", MerchantIdentifier=seller_id)
    _text(root, MessageType="SettlementReport")
    message = SubElement(root, "Message")
    _text(message, MessageID="1")
    report = SubElement(message, "SettlementReport")
    data = SubElement(report, "SettlementData")
    _text(data, AmazonSettlementID=settlement_id)
    SubElement(data, "TotalAmount", currency=currency).text = figure(total, currency, "us")
    names = ("StartDate", "EndDate", "DepositDate")
    _text(data, **{name: moment(at_ms) for name, at_ms in zip(names, moments, strict=True)})
    for (kind, _, _, _), found in groupby(lines, _transaction):
        several = list(found)
        if kind:
            _order(report, several, currency)
        else:
            for line in several:
                _other(report, line, currency)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _transaction(line: Line) -> tuple[str, str, str, str]:
    if line.item_id and line.amount_type in _OF_ITEMS:
        return line.transaction_type, line.order_id, line.shipment_id, line.adjustment_id
    return "", "", "", ""


def _order(report: Element, lines: list[Line], currency: str) -> None:
    first = lines[0]
    refund = bool(first.adjustment_id)
    found = SubElement(report, "Refund" if refund else "Order")
    _text(found, AmazonOrderID=first.order_id, MerchantOrderID=first.order_id)
    _text(found, **{"AdjustmentID": first.adjustment_id} if refund else {"ShipmentID": first.shipment_id})
    _text(found, MarketplaceName=first.marketplace_name)
    fulfillment = SubElement(found, "Fulfillment")
    _text(fulfillment, MerchantFulfillmentID=first.fulfillment, PostedDate=moment(first.at_ms))
    for _, group in groupby(lines, lambda line: line.item_id):
        _item(fulfillment, list(group), currency, refund=refund)


def _item(fulfillment: Element, lines: list[Line], currency: str, *, refund: bool) -> None:
    first = lines[0]
    item = SubElement(fulfillment, "AdjustedItem" if refund else "Item")
    _text(item, AmazonOrderItemCode=first.item_id)
    if refund:
        _text(item, MerchantAdjustmentItemID=first.adjustment_item_id)
    _text(item, SKU=first.sku)
    if not refund:
        _text(item, Quantity=first.quantity)
    suffix = "Adjustments" if refund else ""
    prices = SubElement(item, f"ItemPrice{suffix}")
    for line in (each for each in lines if each.amount_type in _PRICES):
        _amount(SubElement(prices, "Component"), line, currency)
    fees = SubElement(item, f"ItemFee{suffix or 's'}")
    for line in (each for each in lines if each.amount_type == "ItemFees"):
        _amount(SubElement(fees, "Fee"), line, currency)
    for line in (each for each in lines if each.amount_type == "Promotion"):
        promotion = SubElement(item, f"Promotion{suffix[:-1]}")
        _text(promotion, MerchantPromotionID=line.promotion_id)
        _amount(promotion, line, currency)


def _other(report: Element, line: Line, currency: str) -> None:
    found = SubElement(report, "OtherTransaction")
    if line.order_id:
        _text(found, AmazonOrderID=line.order_id)
    _text(found, TransactionType=line.description, PostedDate=moment(line.at_ms))
    SubElement(found, "Amount", currency=currency).text = figure(line.amount, currency, "us")


def _amount(element: Element, line: Line, currency: str) -> None:
    _text(element, Type=line.description)
    SubElement(element, "Amount", currency=currency).text = figure(line.amount, currency, "us")


def _text(element: Element, **named: str) -> None:
    for name, text in named.items():
        SubElement(element, name).text = text

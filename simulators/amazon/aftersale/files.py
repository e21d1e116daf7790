"""The report files about returns, as functions of the world: what rows they have for a seller and a window.

Facts: the column names (public parsers of these files) and that FBA returns and reimbursements name order and SKU,
no order item. Inferred: the order of rows (newest first), the values of `status`, an occasional row without a
license plate (none is told for the first piece of an item whose reason is UNDELIVERABLE_UNKNOWN).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from simulators import assortment
from simulators.amazon.aftersale.events import AfterSale, events_of, item_of, number_of
from simulators.amazon.aftersale.postings import reimbursed
from simulators.amazon.prices import cents
from simulators.amazon.record import OrderRecord
from simulators.amazon.wire import JsonObject

Row = dict[str, str]


class Window(Protocol):
    """What a report is about: one seller's orders, between two moments, made at a third."""

    @property
    def seller_id(self) -> str: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...
    @property
    def now_ms(self) -> int: ...


FBA_RETURNS: tuple[str, ...] = (
    "return-date",
    "order-id",
    "sku",
    "asin",
    "fnsku",
    "product-name",
    "quantity",
    "fulfillment-center-id",
    "detailed-disposition",
    "reason",
    "status",
    "license-plate-number",
    "customer-comments",
)
REIMBURSEMENTS: tuple[str, ...] = (
    "approval-date",
    "reimbursement-id",
    "case-id",
    "amazon-order-id",
    "reason",
    "sku",
    "fnsku",
    "asin",
    "product-name",
    "condition",
    "currency-unit",
    "amount-per-unit",
    "amount-total",
    "quantity-reimbursed-cash",
    "quantity-reimbursed-inventory",
    "quantity-reimbursed-total",
    "original-reimbursement-id",
    "original-reimbursement-type",
)
MFN_RETURNS: tuple[str, ...] = (
    "Order ID", "Order date", "Return request date", "Return request status", "Amazon RMA ID", "Merchant RMA ID",
    "Label type", "Label cost", "Currency code", "Return carrier", "Tracking ID", "Label to be paid by",
    "A-to-Z Claim", "Is prime", "ASIN", "Merchant SKU", "Item Name", "Return quantity", "Return Reason",
    "In policy", "Return type", "Resolution", "Invoice number", "Return delivery date", "Order Amount",
    "Order quantity", "SafeT Action reason", "SafeT claim id", "SafeT claim state", "SafeT claim creation time",
    "SafeT claim reimbursement amount", "Refunded Amount",
)  # fmt: skip


def fba_returns(records: Iterable[OrderRecord], window: Window) -> list[Row]:
    """GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA: one row for each piece that came back."""
    return _rows(records, window, "return", _fba_return, by_amazon=True)


def reimbursements(records: Iterable[OrderRecord], window: Window) -> list[Row]:
    """GET_FBA_REIMBURSEMENTS_DATA: one row for each reimbursement; an instalment is a reimbursement of its own."""
    return _rows(records, window, "reimburse", lambda *about: [_reimbursement(*about)], by_amazon=True)


def mfn_returns(records: Iterable[OrderRecord], window: Window) -> list[Row]:
    """GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE: one row for each return request of an order the merchant sent."""
    return _rows(records, window, "announce", lambda *about: [_request(*about)], by_amazon=False)


Maker = Callable[[OrderRecord, JsonObject, AfterSale], list[Row]]


def _rows(
    records: Iterable[OrderRecord], window: Window, kind: str, make: Maker, *, by_amazon: bool
) -> list[Row]:
    found: list[tuple[int, Row]] = []
    for record in records:
        if record.seller_id != window.seller_id or record.by_amazon != by_amazon:
            continue
        for event in events_of(record, "return", "reimburse", "announce"):
            told = window.start_ms <= event.at_ms <= window.end_ms and event.told_ms <= window.now_ms
            if event.type == kind and told:
                found += [(event.at_ms, row) for row in make(record, item_of(record, event), event)]
    found.sort(key=lambda pair: -pair[0])
    return [row for _, row in found]


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def _goods(item: JsonObject) -> Row:
    product = item["product"]
    known = assortment.ITEM_BY_SKU.get(product.get("sellerSku", ""))
    return {
        "sku": product.get("sellerSku", ""),
        "asin": product.get("asin", ""),
        "fnsku": known.fnsku if known else "",
        "product-name": product.get("title", ""),
    }


def _fba_return(record: OrderRecord, item: JsonObject, event: AfterSale) -> list[Row]:
    rows = []
    for piece in range(event.units):
        plate = number_of(record.order_id, event.item, event.number, piece) % 10**9
        rows.append(
            {
                **_goods(item),
                "return-date": _moment(event.at_ms),
                "order-id": record.order_id,
                "quantity": "1",
                "fulfillment-center-id": "LEJ1",
                "detailed-disposition": event.disposition,
                "reason": event.reason,
                "status": event.status or "Unit returned to inventory",
                "license-plate-number": ""
                if event.reason == "UNDELIVERABLE_UNKNOWN"
                else f"LPNHE{plate:09d}",
                "customer-comments": "It was a gift from my aunt Erna.",
            }
        )
    return rows


def _reimbursement(record: OrderRecord, item: JsonObject, event: AfterSale) -> Row:
    amount, currency = reimbursed(record, event)
    per_unit = cents(amount / event.units) if event.units else amount
    return {
        **_goods(item),
        "approval-date": _moment(event.at_ms),
        "reimbursement-id": str(number_of(record.order_id, "reimbursement", event.number) % 10**11),
        "case-id": "",
        "amazon-order-id": record.order_id,
        "reason": event.reason if event.reason != "NO_LONGER_NEEDED" else "CustomerReturn",
        "condition": "Sellable",
        "currency-unit": currency,
        "amount-per-unit": str(per_unit),
        "amount-total": str(amount),
        "quantity-reimbursed-cash": str(event.units),
        "quantity-reimbursed-inventory": str(event.inventory_units),
        "quantity-reimbursed-total": str(event.units + event.inventory_units),
    }


def _request(record: OrderRecord, item: JsonObject, event: AfterSale) -> Row:
    goods = _goods(item)
    total = (item.get("proceeds") or {}).get("proceedsTotal")
    return {
        "Order ID": record.order_id,
        "Order date": _day(record.created_ms),
        "Return request date": _day(event.at_ms),
        "Return request status": event.status or "Approved",
        "Amazon RMA ID": f"D{number_of(record.order_id, 'rma', event.number):x}RMA"[:20],
        "Label type": "AmazonPrePaidLabel",
        "Currency code": total["currencyCode"] if total else "",
        "Is prime": "N",
        "ASIN": goods["asin"],
        "Merchant SKU": goods["sku"],
        "Item Name": goods["product-name"],
        "Return quantity": str(event.units),
        "Return Reason": event.reason,
        "In policy": "Y",
        "Return type": "C-Returns",
        "Resolution": "StandardRefund",
        "Order Amount": str(total["amount"]) if total else "",
        "Order quantity": str(item["quantityOrdered"]),
    }


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%d-%b-%Y}"


FILES: dict[str, tuple[tuple[str, ...], Callable[[Iterable[OrderRecord], Window], list[Row]]]] = {
    "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA": (FBA_RETURNS, fba_returns),
    "GET_FBA_REIMBURSEMENTS_DATA": (REIMBURSEMENTS, reimbursements),
    "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE": (MFN_RETURNS, mfn_returns),
}
"""Columns and rows by report type: what the report desk takes to make one."""


def text_of(report_type: str, records: Iterable[OrderRecord], window: Window) -> str:
    """The whole file. KeyError for another report type."""
    columns, rows = FILES[report_type]
    lines = ["\t".join(columns)]
    lines += ["\t".join(row.get(name, "") for name in columns) for row in rows(records, window)]
    return "\n".join([*lines, ""])

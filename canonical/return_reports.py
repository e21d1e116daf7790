"""Amazon's three report files about returns, row by row, as facts of return cases.

- GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA: what came back to Amazon, one row a piece as a rule, known by its
  license plate number. What the buyer wrote (customer-comments) is not read.
- GET_FBA_REIMBURSEMENTS_DATA: what Amazon makes good. Without an order it belongs to no case.
- GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE: what buyers send back to the merchant (MFN). Its columns have blanks,
  its dates the form 14-Jul-2025, and it is told when goods are announced, not when they arrived.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, Final, NamedTuple

from canonical.ids import is_amazon_order_id
from canonical.report_cells import RefusedOrder
from canonical.report_text import OrderRows, Row, gather_orders
from canonical.return_facts import Announced, CaseFacts, Reimbursed, Returned

FBA_RETURNS: Final = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
REIMBURSEMENTS: Final = "GET_FBA_REIMBURSEMENTS_DATA"
MFN_RETURNS: Final = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"

_NO_RETURN: Final = frozenset({"denied", "cancelled", "canceled", "rejected"})
"""Return request status of goods that will not be sent."""
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


class ToldOfCase(NamedTuple):
    """What a report says of one SKU of one order."""

    order_id: str
    sku: str
    facts: CaseFacts


class RefusedRow(NamedTuple):
    """A row that is no fact of a case, and why; the text has no personal value."""

    line: int
    sentence: str


def read_return_report(
    report_type: str, stream: BinaryIO, told: datetime, charset: str | None = None
) -> Iterator[ToldOfCase | RefusedRow]:
    """The facts of a report, by order and SKU. `told` is when Amazon made the report.

    Raises UnreadableReport where the file as a whole is none; KeyError for another report type.
    """
    kind = _KINDS[report_type]
    for rows in gather_orders(stream, kind.order_column, charset):
        if rows.broken_line:
            yield RefusedRow(rows.broken_line, "The row has another number of cells than the header.")
        if rows.rows and not is_amazon_order_id(rows.order_id):
            what = "names no order" if not rows.order_id else "names an order that is none of Amazon's"
            yield from (RefusedRow(line, f"The row {what}: it belongs to no case.") for line, _ in rows.rows)
            continue
        yield from _cases(kind, rows, told)


class _Kind(NamedTuple):
    order_column: str
    sku_column: str
    read: Callable[[Row, datetime, Counter[str]], Returned | Announced | Reimbursed | None]


def _cases(kind: _Kind, rows: OrderRows, told: datetime) -> Iterator[ToldOfCase | RefusedRow]:
    facts: dict[str, CaseFacts] = {}
    seen: dict[str, Counter[str]] = {}
    for line, row in rows.rows:
        sku = row.get(kind.sku_column, "")
        try:
            fact = kind.read(row, told, seen.setdefault(sku, Counter()))
        except RefusedOrder as error:
            yield RefusedRow(line, f"Order {rows.order_id}: {error}.")
            continue
        if fact is not None:
            facts[sku] = facts.get(sku, CaseFacts()).plus(CaseFacts.of(fact))
    for sku, told_of in facts.items():
        yield ToldOfCase(rows.order_id, sku, told_of)


def _fba_return(row: Row, told: datetime, seen: Counter[str]) -> Returned:
    at = _moment(row, "return-date")
    plate = row.get("license-plate-number", "")
    named = plate or f"{at:%Y-%m-%dT%H:%M:%S} {row.get('fnsku', '')} {row.get('fulfillment-center-id', '')}"
    return Returned(
        key=_numbered(named, seen),
        at=at,
        told=told,
        pieces=_pieces(row, "quantity"),
        disposition=row.get("detailed-disposition", "").upper(),
        reason=row.get("reason", ""),
        status=row.get("status", ""),
    )


def _reimbursement(row: Row, told: datetime, seen: Counter[str]) -> Reimbursed:
    reimbursement = row.get("reimbursement-id", "")
    if not reimbursement:
        raise RefusedOrder("column reimbursement-id is empty")
    amount = _amount(row, "amount-total")
    cash, inventory = (
        _pieces(row, "quantity-reimbursed-cash"),
        _pieces(row, "quantity-reimbursed-inventory"),
    )
    sign = -1 if amount < 0 else 1
    return Reimbursed(
        key=_numbered(reimbursement, seen),
        at=_moment(row, "approval-date"),
        told=told,
        currency=row.get("currency-unit", ""),
        amount=amount,
        cash_pieces=sign * abs(cash),
        inventory_pieces=inventory,
        reason=row.get("reason", ""),
        claim=row.get("case-id", ""),
    )


def _announced(row: Row, told: datetime, seen: Counter[str]) -> Announced | None:
    status = row.get("return request status", "")
    if status.casefold() in _NO_RETURN:
        return None
    at = _moment(row, "return request date")
    return Announced(
        key=_numbered(row.get("amazon rma id", "") or f"{at:%Y-%m-%d}", seen),
        at=at,
        told=told,
        pieces=_pieces(row, "return quantity"),
        status=status,
        reason=row.get("return reason", ""),
    )


def _numbered(named: str, seen: Counter[str]) -> str:
    """Equal rows of one file are different pieces; the same file read again gives the same keys."""
    seen[named] += 1
    return named if seen[named] == 1 else f"{named}#{seen[named]}"


def _pieces(row: Row, column: str) -> int:
    text = row.get(column, "") or "0"
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise RefusedOrder(f"column {column} is no number") from None
    if value != value.to_integral_value():
        raise RefusedOrder(f"column {column} is no whole number")
    return int(value)


def _amount(row: Row, column: str) -> Decimal:
    """An amount with a decimal point, or with a decimal comma and nothing that could be taken for thousands."""
    text = row.get(column, "") or "0"
    if "," in text and "." not in text and re.fullmatch(r"-?\d+,\d{1,2}", text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise RefusedOrder(f"column {column} is no amount")
    return Decimal(text)


_FORMS: Final = ("%d-%b-%Y", "%d-%b-%Y %H:%M:%S", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S %Z")


def _moment(row: Row, column: str) -> datetime:
    text = row.get(column, "")
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = _other_form(text, column)
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def _other_form(text: str, column: str) -> datetime:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise RefusedOrder(f"column {column} is no date")


_KINDS: Final[dict[str, _Kind]] = {
    FBA_RETURNS: _Kind("order-id", "sku", _fba_return),
    REIMBURSEMENTS: _Kind("amazon-order-id", "sku", _reimbursement),
    MFN_RETURNS: _Kind("order id", "merchant sku", _announced),
}
REPORT_TYPES: Final = tuple(_KINDS)

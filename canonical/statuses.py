"""What the statuses of both sides mean, and what they allow.

M3: batch order head (OXHEAD), customer order head and lines (OOHEAD, OOLINE), CO delivery (ODHEAD, OIS150).
The number 90 means three things in M3, which is why no status is compared outside this module.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from canonical.order import OrderStatus
from canonical.steps import Step

BATCH_ORDER: Final = {
    "10": "entered, not confirmed",
    "15": "error in the order head",
    "20": "order lines missing",
    "25": "error in an order line",
    "30": "stopped for credit",
    "55": "interrupted during transfer",
    "90": "customer order created",
}
"""Batch order head STAT (OIS275). 10 is common practice, not documented."""

ORDER_HEAD: Final = {
    "00": "entry in progress",
    "05": "quotation",
    "10": "preliminary",
    "20": "released",
    "90": "deleted",
}
"""Customer order head STAT (OIS100)."""

ORDER_LINE: Final = {
    "05": "quotation",
    "10": "preliminary",
    "22": "to be allocated",
    "23": "partly allocated",
    "24": "partly on a picking list, the rest to be allocated",
    "26": "partly delivered, the rest to be allocated",
    "27": "partly invoiced, the rest to be allocated",
    "33": "allocated",
    "34": "allocated, partly on a picking list",
    "36": "allocated, partly delivered",
    "37": "allocated, partly invoiced",
    "44": "on a picking list",
    "46": "on a picking list, partly delivered",
    "47": "on a picking list, partly invoiced",
    "66": "delivered",
    "67": "delivered, partly invoiced",
    "77": "invoiced",
    "99": "completed without delivery",
}
"""Order line ORST/ORSL: first digit the least advanced part of the quantity, second the most."""

DELIVERY: Final = {
    "05": "picking lists to report",
    "60": "ready for invoicing",
    "61": "waiting for approval in OIS155",
    **{str(status): "not ready for invoicing" for status in range(62, 68)},
    "68": "not to be invoiced",
    "69": "being invoiced",
    "70": "invoiced",
    "75": "invoiced and recorded",
    "80": "posted to accounts receivable and general ledger",
}
"""CO delivery ORST (OIS150)."""


def meaning(table: dict[str, str], status: str) -> str:
    """A status with its words, for sentences: "25 (error in an order line)"."""
    return f"{status} ({table[status]})" if status in table else f"{status} (unknown)"


def batch_created(status: str) -> bool:
    """The batch order has become a customer order."""
    return status == "90"


def is_credit_stop(status: str) -> bool:
    """M3 stopped the batch order for credit; a person releases it in OIS275 or OIS120."""
    return status == "30"


def batch_rejected(status: str) -> bool:
    """M3 rejected the batch order; the reasons are in OIS100MI.LstErrMsgOrder. Credit stop is told apart."""
    return status in ("15", "20", "25", "55")


def order_deleted(head_status: str) -> bool:
    """The customer order is deleted: no open line is left (head 90 means this and nothing else)."""
    return head_status == "90"


def _most_advanced(status: str) -> str:
    return status[1:2]


def nothing_allocated(line_status: str) -> bool:
    """No part of the line is allocated or further."""
    return line_status in ("05", "10", "22")


def is_allocated(line_status: str) -> bool:
    """Some part is allocated and none is being picked yet."""
    return line_status in ("23", "33")


def is_picking(line_status: str) -> bool:
    """Some part of the line is on a picking list and nothing has left."""
    return line_status in ("24", "34", "44")


def may_be_picked(line_status: str) -> bool:
    """Some part of the line is on a picking list, or may be: of a line partly delivered only the least and the
    most advanced part are told, and an unknown status is treated as being picked."""
    if line_status in ("26", "27", "36", "37", "66", "67", "77", "99"):
        return False
    return not (nothing_allocated(line_status) or is_allocated(line_status))


def is_part_delivered(line_status: str) -> bool:
    """Some part of the line has left the warehouse, invoiced or not."""
    return line_status != "99" and _most_advanced(line_status) in ("6", "7")


def is_delivered(line_status: str) -> bool:
    """All of the line has left the warehouse, invoiced or not."""
    return line_status in ("66", "67", "77")


def is_invoiced(line_status: str) -> bool:
    """All of the line is invoiced."""
    return line_status == "77"


def is_closed(line_status: str) -> bool:
    """Nothing more will happen to the line: invoiced, or completed without delivery."""
    return line_status in ("77", "99")


def goods_have_left(delivery_status: str) -> bool:
    """The delivery's picking lists are reported: the goods are on their way."""
    return delivery_status.isdecimal() and int(delivery_status) >= 60


def invoice_needs_approval(delivery_status: str) -> bool:
    """A person, or OIS155MI.Approve, must approve the delivery before M3 invoices it."""
    return delivery_status == "61"


def not_ready_for_invoicing(delivery_status: str) -> bool:
    """The delivery was stopped for review before invoicing; a person releases it in M3."""
    return delivery_status in ("62", "63", "64", "65", "66", "67")


def never_invoiced(delivery_status: str) -> bool:
    """M3 will not invoice the delivery."""
    return delivery_status == "68"


def delivery_invoiced(delivery_status: str) -> bool:
    """The delivery has its invoice, posted to the ledger or not yet."""
    return delivery_status in ("70", "75", "80")


def delivery_posted(delivery_status: str) -> bool:
    """The invoice is in accounts receivable and general ledger."""
    return delivery_status == "80"


class Compensation(StrEnum):
    """How a booked order is given up."""

    DELETE = "delete"
    """Nothing is being picked: the order or its lines are deleted; allocations go with them."""
    STOP_AND_ASK = "stop_and_ask"
    """A picking list exists: somebody in the warehouse must be asked."""
    RETURN = "return"
    """Goods have left: they come back as a customer return."""
    NOTHING = "nothing"
    """No line is open."""


def compensation_for(line_statuses: Iterable[str]) -> Compensation:
    """What a cancellation may do, by the most advanced of the order's lines (ORST).

    An unknown status is treated as being picked: a person looks.
    """
    open_lines = [status for status in line_statuses if status != "99"]
    if not open_lines:
        return Compensation.NOTHING
    if any(status in ORDER_LINE and is_part_delivered(status) for status in open_lines):
        return Compensation.RETURN
    if all(nothing_allocated(status) or is_allocated(status) for status in open_lines):
        return Compensation.DELETE
    return Compensation.STOP_AND_ASK


_STEP: Final = {
    OrderStatus.PENDING_AVAILABILITY: Step.AWAITING_RELEASE,
    OrderStatus.PENDING: Step.AWAITING_RELEASE,
    OrderStatus.UNSHIPPED: Step.AWAITING_SHIPMENT,
    OrderStatus.PARTIALLY_SHIPPED: Step.SHIPMENT,
    OrderStatus.SHIPPED: Step.SHIPMENT,
    OrderStatus.CANCELLED: Step.CANCELLING,
    OrderStatus.UNFULFILLABLE: Step.CANCELLING,
}


def furthest_step(status: OrderStatus) -> Step:
    """How far Amazon's fulfilmentStatus lets an order travel in M3.

    PENDING waits for release; UNSHIPPED is booked and awaits shipment; (partially) shipped is reported and
    invoiced; CANCELLED and UNFULFILLABLE (goods that cannot be sent) are taken back, or never booked.
    """
    return _STEP[status]


def is_given_up(status: OrderStatus) -> bool:
    """Amazon will not ship the order, or no more of it."""
    return status in (OrderStatus.CANCELLED, OrderStatus.UNFULFILLABLE)

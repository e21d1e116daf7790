"""The words about orders that Amazon speaks of after their workflow has ended."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.money import Money
from canonical.order import Order
from canonical.order_contracts import OrderResult

AFTER_CLOSE: Final = "AfterClose"
"""Workflow type: one closed order of which Amazon says something new."""
REFUND_TOLD: Final = "refund_told"
"""Signal of it: a refund was paid."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class LateKind(StrEnum):
    """What can happen to an order after it was closed here."""

    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class LateEvent(_Contract):
    """One thing that M3 does not have yet."""

    kind: LateKind
    sentence: str
    """What happened, to which order, and what M3 has instead."""


class RefundTold(_Contract):
    """A refund that Amazon paid (Finances 2024-06-19, or the notification TRANSACTION_UPDATE)."""

    transaction_id: str
    amount: Money | None = None
    posted: datetime | None = None


class ClosedOrder(_Contract):
    """A closed order as far as M3 was told of it: what Amazon says beyond it is new."""

    outcome: str
    """OrderResult.outcome: booked, cancelled, not_a_sale."""
    orno: str = ""
    shipped: int = 0
    """Pieces that M3 knows to have left."""
    ordered: int | None = None
    """Pieces ordered when M3 booked it; None where the workflow ended before this was kept."""
    expected: Money | None = None
    """What Amazon's figures came to when M3 booked it; None where they are not comparable."""
    cancelled: bool = False
    """Whether M3 knows that Amazon cancelled it."""
    refunds: tuple[str, ...] = ()
    """Transaction ids of refunds that are settled."""


class AfterCloseInput(_Contract):
    """Starts the workflow of one closed order's late news."""

    seller_id: str
    order_id: str
    closed: ClosedOrder
    order: Order | None = None
    """What Amazon says now; None lets the workflow ask (one getOrder call of quota)."""
    refunds: tuple[RefundTold, ...] = ()
    shipped_pieces: int = 0
    """Pieces that Amazon's report of its shipments tells of; 0 where it was not that."""
    cases: bool = False
    """Return cases follow refunds: here they are no news."""


class AfterCloseResult(OrderResult):
    """How the late news ended: outcome `settled` by a person, or `nothing_new`."""

    known: ClosedOrder
    """What M3 has by then: the same news again is none."""

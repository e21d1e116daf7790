"""The words of what runs by the clock: sweeps with a high-water mark, and the daily reconciliation."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.audit_contracts import AuditReport
from canonical.sweep_contracts import SweepAmazonPageResult

AMAZON_SWEEP: Final = "AmazonSweep"
"""Workflow type: one seller's orders that changed since the mark."""
DELIVERY_SWEEP: Final = "DeliverySweep"
"""Workflow type: M3's deliveries of orders that await shipment."""
RECONCILIATION: Final = "Reconciliation"
"""Workflow type: Amazon's orders of a day against workflows and M3."""

START_ORDERS: Final = "start_orders"
"""Activity: start orders by their id."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class SweepProgress(_Contract):
    """How far one sweep has come; carried where its history grows long."""

    since: datetime
    token: str
    read: SweepAmazonPageResult


class AmazonSweepInput(_Contract):
    """One seller's sweep, by last update, over all marketplaces of the region."""

    seller_id: str
    since: datetime | None = None
    """Where to begin while there is no mark: everything before was read by other means."""
    first_look: timedelta = timedelta(days=1)
    """How far back the first sweep reads that has neither mark nor `since`."""
    overlap: timedelta = timedelta(minutes=10)
    """How far each sweep reaches back behind the mark: what is met twice changes nothing."""
    progress: SweepProgress | None = None


class AmazonSweepResult(_Contract):
    """What one sweep did. It is the schedule's memory: the next one begins at `mark`."""

    seller_id: str
    since: datetime
    mark: datetime
    """The high-water mark: every change up to it has reached its workflow."""
    read: SweepAmazonPageResult


class DeliverySweepInput(_Contract):
    """A sweep over M3's deliveries."""

    limit: int = 5000
    """Waiting orders looked at, the newest first."""


class ReconciliationInput(_Contract):
    """The daily comparison."""

    seller_ids: tuple[str, ...]
    days: int = 1
    """Whole days compared, up to the last midnight in `time_zone`."""
    time_zone: str = "UTC"
    start_missing: bool = True
    tolerances: dict[str, Decimal] = Field(default_factory=dict)
    """Largest accepted difference of totals by marketplace id."""
    refund_tolerance: Decimal | None = None
    """Largest accepted difference between refund and credit; None where no return cases are followed."""
    tell: bool = True
    """Tell people of what differs."""


class ReconciliationResult(_Contract):
    """What the comparison found. The next one begins at `until` at the latest, so that no day is left out."""

    since: datetime
    until: datetime
    report: AuditReport


class StartOrdersRequest(_Contract):
    """Orders to be started by their id; each reads itself at Amazon (one getOrder call)."""

    seller_id: str
    order_ids: tuple[str, ...]
    priority: int = 3


class StartOrdersResult(_Contract):
    started: tuple[str, ...] = ()
    """Those that no workflow had; the others were there already."""

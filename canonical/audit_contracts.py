"""The words of the audit: what Amazon, M3 and Temporal say of the orders of a period, and what is found wrong."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

AUDIT: Final = "Audit"
"""Workflow type."""
AUDIT_AMAZON_PAGE: Final = "audit_amazon_page"
AUDIT_M3_ORDERS: Final = "audit_m3_orders"
AUDIT_WORKFLOWS: Final = "audit_workflows"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class AuditInput(_Contract):
    seller_ids: tuple[str, ...]
    created_after: datetime
    created_before: datetime | None = None
    tolerances: dict[str, Decimal] = Field(default_factory=dict)
    """Largest accepted difference of totals by marketplace id (profile.tolerance)."""
    start_missing: bool = False
    """Start the orders that no workflow follows."""
    refund_tolerance: Decimal | None = None
    """Largest accepted difference between refund and credit; None where no return cases are followed."""


class AuditAmazonPageRequest(_Contract):
    seller_id: str
    created_after: datetime
    created_before: datetime | None = None
    token: str = ""


class AmazonFacts(_Contract):
    """What the audit needs of one Amazon order, with no personal data."""

    seller_id: str
    order_id: str
    marketplace_id: str
    channel: str
    sales_channel: str
    status: str
    expected_total: Decimal | None
    """What M3's order total should be by the mapping rules; None while Amazon tells no price."""
    currency: str
    ordered: int
    fulfilled: int
    cancelled_items: int = 0


class AuditAmazonPageResult(_Contract):
    orders: tuple[AmazonFacts, ...]
    next_token: str = ""


class AuditM3Request(_Contract):
    order_ids: tuple[str, ...]


class M3Facts(_Contract):
    """What M3 holds for one CUOR."""

    order_id: str
    orders: tuple[str, ...]
    """ORNOs of live customer orders (head status below 90)."""
    temporary: tuple[str, ...] = ()
    """Batch orders that are not 90 (created)."""
    total: Decimal | None = None
    currency: str = ""
    ordered: int = 0
    delivered: int = 0
    deliveries: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()
    invoiced: Decimal = Decimal(0)
    vouchers: tuple[str, ...] = ()
    unbalanced_vouchers: tuple[str, ...] = ()
    duplicate_invoices: tuple[str, ...] = ()
    """Deliveries with more than one invoice."""


class AuditM3Result(_Contract):
    orders: tuple[M3Facts, ...]


class WorkflowFacts(_Contract):
    """How one order's workflow stands (filled from visibility and, when closed, the result)."""

    order_id: str
    status: str
    """RUNNING, COMPLETED, ... or empty where there is none."""
    step: str = ""
    held_reason: str = ""
    outcome: str = ""
    accepted: tuple[str, ...] = ()
    """Held reasons whose difference a person accepted: Repair.reason of each accept_difference."""


class AuditWorkflowsRequest(_Contract):
    seller_id: str
    order_ids: tuple[str, ...]


class AuditWorkflowsResult(_Contract):
    orders: tuple[WorkflowFacts, ...]


class AuditFinding(_Contract):
    kind: str
    """lost, doubled, differing, return."""
    order_id: str
    sentence: str


class CaseCounts(_Contract):
    """Return cases beside the orders of a period."""

    open: int = 0
    """At work now, and not held."""
    held: int = 0
    closed: int = 0
    """Those that closed in the period."""
    refunds: int = 0
    """Compared: Amazon's, of the period or of as many days that are old enough to be told."""
    differing: int = 0


class AuditReport(_Contract):
    orders: int
    lost: int
    doubled: int
    differing: int
    held: int
    under_way: int
    findings: tuple[AuditFinding, ...] = ()
    """At most 200; the counts are complete."""
    missing: int = 0
    """Orders that need a workflow and have none; the lost ones among them are counted there too."""
    started: int = 0
    """How many of the missing were started by this audit."""
    cases: CaseCounts | None = None
    """None where no return cases are followed."""

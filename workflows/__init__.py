"""The order of the steps: one module per durable process. No I/O; activities are known by name."""

from workflows.after_close import AfterClose
from workflows.alerting import Alerts
from workflows.audit import Audit
from workflows.bulk_import import BulkImport
from workflows.order_to_cash import OrderToCash
from workflows.quotas import KeepQuotas
from workflows.reconciliation import Reconciliation
from workflows.reports import AmazonReport
from workflows.scheduled import AmazonSweep, DeliverySweep
from workflows.sweep import Sweep

WORKFLOWS = (
    OrderToCash,
    Sweep,
    Audit,
    Alerts,
    AfterClose,
    AmazonSweep,
    DeliverySweep,
    Reconciliation,
    BulkImport,
    AmazonReport,
    KeepQuotas,
)
"""What a worker hosts and the replayer replays."""

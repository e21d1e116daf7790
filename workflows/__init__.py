"""The order of the steps: one module per durable process. No I/O; activities are known by name."""

from workflows.alerting import Alerts
from workflows.audit import Audit
from workflows.m3_document import M3Document
from workflows.mcf_order import McfOrder
from workflows.order_to_cash import OrderToCash
from workflows.return_case import ReturnCase
from workflows.returns_feed import ReturnsFeed
from workflows.sweep import ImportPeriod, Sweep

WORKFLOWS = (OrderToCash, Sweep, ImportPeriod, Audit, Alerts, M3Document, McfOrder, ReturnCase, ReturnsFeed)
"""What a worker hosts and the replayer replays."""

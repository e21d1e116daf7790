"""The order of the steps: one module per durable process. No I/O; activities are known by name."""

from workflows.after_close import AfterClose
from workflows.alerting import Alerts
from workflows.audit import Audit
from workflows.bulk_import import BulkImport
from workflows.deadlines import Deadlines
from workflows.deferred_look import DeferredLook
from workflows.fba_adjustments import FbaAdjustments
from workflows.fba_correction import FbaCorrection
from workflows.fba_feed import FbaFeed
from workflows.fba_stock_look import FbaStockLook
from workflows.finance_look import FinanceLook
from workflows.listings_look import ListingsLook
from workflows.m3_document import M3Document
from workflows.mcf_order import McfOrder
from workflows.order_to_cash import OrderToCash
from workflows.package_correction import CorrectionSweep, PackageCorrection
from workflows.quotas import KeepQuotas
from workflows.reconciliation import Reconciliation
from workflows.reports import AmazonReport
from workflows.return_case import ReturnCase
from workflows.returns_feed import ReturnsFeed
from workflows.scheduled import AmazonSweep, DeliverySweep
from workflows.settlement import Settlement
from workflows.settlement_feed import SettlementFeed
from workflows.sku_look import ItemsLook, SkuLook
from workflows.sku_mapping import SkuMapping
from workflows.stock import Stock
from workflows.stock_orders import OpenOrdersLook
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
    M3Document,
    McfOrder,
    PackageCorrection,
    FbaFeed,
    FbaAdjustments,
    FbaCorrection,
    FbaStockLook,
    Deadlines,
    CorrectionSweep,
    ReturnCase,
    ReturnsFeed,
    Settlement,
    SettlementFeed,
    DeferredLook,
    FinanceLook,
    ListingsLook,
    SkuMapping,
    ItemsLook,
    SkuLook,
    OpenOrdersLook,
    Stock,
)
"""What a worker hosts and the replayer replays."""

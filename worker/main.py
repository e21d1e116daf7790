"""A worker process: every task queue of the service, until it is told to stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Interceptor, Worker

from activities.alerts.activities import AlertActivities
from activities.amazon.activities import AmazonActivities
from activities.amazon.fulfillment_activities import FulfillmentActivities
from activities.corrections import CorrectionActivities
from activities.deferred import DeferredActivities
from activities.fba_intake import FbaIntake
from activities.finance_looks import FinanceLookActivities
from activities.intake import IntakeActivities
from activities.m3.activities import M3Activities
from activities.m3.mcf import McfActivities
from activities.m3.returns import M3ReturnActivities
from activities.m3.settlements import M3SettlementActivities
from activities.m3_documents import DocumentActivities
from activities.refunds_audit import RefundsAudit
from activities.reports import ReportActivities
from activities.return_opening import ReturnOpening
from activities.returns_intake import ReturnsIntake
from activities.settlements import SettlementActivities
from canonical.activity_contracts import (
    AMAZON_CONFIRM_SHIPMENT_QUEUE,
    AMAZON_CREATE_REPORT_QUEUE,
    AMAZON_GET_ORDER_QUEUE,
    AMAZON_GET_REPORT_DOCUMENT_QUEUE,
    AMAZON_GET_REPORT_QUEUE,
    AMAZON_SEARCH_ORDERS_QUEUE,
    M3_QUEUE,
    ORDERS_QUEUE,
)
from canonical.alert_contracts import ALERTS_QUEUE
from canonical.import_contracts import IMPORTS_QUEUE
from canonical.mcf_contracts import AMAZON_CREATE_FULFILLMENT_QUEUE, AMAZON_GET_FULFILLMENT_QUEUE
from canonical.return_contracts import AMAZON_LIST_TRANSACTIONS_QUEUE
from canonical.settlement_reports import AMAZON_GET_REPORTS_QUEUE
from worker.alerting import AlertsOnTemporal
from worker.archiving import open_archive
from worker.case_audit import CaseAudit
from worker.connection import connect, sandbox_runner
from worker.corrections import PackagesOnTemporal
from worker.deadlines import DeadlineActivities
from worker.fba import ShipmentsOnTemporal
from worker.importing import import_activities
from worker.m3_documents import DocumentsOnTemporal
from worker.mcf import McfOnTemporal
from worker.outside import Outside, outside
from worker.quota.hosting import quotas_kept
from worker.reconciling import ReconcilingActivities
from worker.return_settings import ReturnSettings
from worker.returns import CasesOnTemporal
from worker.settings import Settings, WorkerSettings
from worker.settlements import SettlementsOnTemporal, settlement_files
from worker.skus import SkuHands
from worker.stepping_aside import StepsAside
from worker.stock_hosting import start_keeper, stock_work
from worker.stock_news import telling_stock
from worker.telemetry import configure_logging, configure_metrics, configure_tracing
from worker.visibility import OrdersOnTemporal
from workflows import WORKFLOWS

_log = structlog.get_logger(__name__)
Activity = Callable[..., object]
_ALERTS_AT_ONCE = 20
_CHUNKS_AT_ONCE = 10


async def run_worker(settings: Settings) -> None:
    """Host everything until SIGTERM or SIGINT; running activities get `graceful_seconds` to finish."""
    configure_logging(settings.worker)
    tracing = configure_tracing(settings.worker)
    client = await connect(settings, tracing, configure_metrics(settings.worker))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with outside(settings) as systems, hosted(client, settings, systems) as queues:
        _log.info("worker_started", queues=queues, namespace=client.namespace)
        await stop.wait()
        _log.info("worker_stopping")
    _log.info("worker_stopped")


@asynccontextmanager
async def hosted(client: Client, settings: Settings, systems: Outside) -> AsyncIterator[list[str]]:
    """All workers of one process; a worker that fails ends the process with its error."""
    workers = _workers(client, settings, systems)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(quotas_kept(client, settings, systems.amazon))
        for worker in workers:
            await stack.enter_async_context(worker)
        if settings.alerts.targets:
            await _configure_alerts(client, settings)
        await start_keeper(client, settings)
        yield [worker.task_queue for worker in workers]


async def _configure_alerts(client: Client, settings: Settings) -> None:
    """Tell the alerts by which configuration to go; orders do not wait for it to succeed."""
    try:
        await AlertsOnTemporal(client, settings).configure()
    except RPCError as error:
        _log.warning("alerts_not_configured", error=error.status.name)


def _workers(client: Client, settings: Settings, systems: Outside) -> list[Worker]:
    orders = OrdersOnTemporal(client)
    m3 = M3Activities(systems.m3, settings.marketplaces, systems.m3_options)
    amazon = AmazonActivities(systems.amazon, settings.marketplaces)
    sweeps = IntakeActivities(
        systems.amazon,
        start_or_signal=orders.start_or_signal,
        list_waiting=orders.list_waiting,
        read_deliveries=m3.deliveries_of,
        signal_goods_left=orders.signal_goods_left,
        tell_sold=telling_stock(client, settings),
    )
    corrections = CorrectionActivities(m3.deliveries_of, PackagesOnTemporal(client))
    documents = DocumentActivities(
        read_deliveries=m3.deliveries_of,
        correct=corrections.corrected,
        orders=DocumentsOnTemporal(client, tuple(settings.sellers)),
        ion=systems.ion,
    )
    shipments = FbaIntake(
        open_archive(settings.archive),
        ShipmentsOnTemporal(client, cases=settings.returns is not None).tell,
    )
    mcf = McfActivities(m3.context, settings.mcf.rules(), McfOnTemporal(client).start)
    outbound = FulfillmentActivities(systems.amazon)
    options = settings.worker
    archive = open_archive(settings.archive)
    cases = CasesOnTemporal(client, (settings.returns or ReturnSettings()).rules)
    if settings.returns is not None:
        orders.tell_case = cases.tell
    returns = ReturnsIntake(
        systems.amazon,
        settings.marketplaces,
        archive,
        tell=cases.tell,
        nudge=cases.nudge,
        keep=timedelta(days=settings.archive.keep_days),
    )
    imports = import_activities(client, settings, systems.amazon, archive)
    reports = ReportActivities(systems.amazon, archive, systems.http)
    files = settlement_files(settings, archive)
    settlements = SettlementActivities(
        systems.amazon, files, systems.http, SettlementsOnTemporal(client, files).start
    )
    finances = FinanceLookActivities(systems.amazon, archive, settings.settlement.finance_names)
    skus = SkuHands(client, settings, m3.context, archive)
    report_queues: tuple[tuple[str, Sequence[Activity]], ...] = (
        (AMAZON_CREATE_REPORT_QUEUE, [reports.create_report]),
        (AMAZON_GET_REPORT_QUEUE, [reports.await_report]),
        (AMAZON_GET_REPORTS_QUEUE, [settlements.list_settlement_reports]),
        (
            AMAZON_GET_REPORT_DOCUMENT_QUEUE,
            [reports.fetch_report_document, settlements.take_in_settlement],
        ),
    )
    audit = ReconcilingActivities(client, orders)
    alerts = AlertActivities(systems.alerts, AlertsOnTemporal(client, settings))
    stock = stock_work(client, settings, systems, archive, m3.context)
    return [
        _workflow_worker(
            client,
            options,
            [
                audit.audit_workflows,
                audit.start_orders,
                *CaseAudit(client).all,
                ReturnOpening(orders.tell_case).open_returns,
                *returns.telling,
                shipments.tell_fba_shipments,
                DeadlineActivities(client).read_due,
                *skus.telling,
            ],
        ),
        _activity_worker(
            client,
            options,
            M3_QUEUE,
            options.m3_calls,
            [
                *m3.all,
                sweeps.sweep_m3_deliveries,
                corrections.sweep_corrections,
                *documents.all,
                *mcf.all,
                *M3ReturnActivities(m3.context).all,
                *M3SettlementActivities(m3.context, files).all,
                *stock.on(M3_QUEUE),
                *skus.in_m3,
            ],
            interceptors=[StepsAside()],
        ),
        _activity_worker(
            client,
            options,
            AMAZON_GET_ORDER_QUEUE,
            options.amazon_calls,
            [amazon.fetch_order, *returns.reading_orders],
        ),
        _activity_worker(
            client,
            options,
            AMAZON_LIST_TRANSACTIONS_QUEUE,
            options.amazon_calls,
            [
                *returns.reading_transactions,
                RefundsAudit(systems.amazon).audit_refunds_page,
                DeferredActivities(systems.amazon).read_deferred_page,
                finances.read_finance_page,
            ],
        ),
        _activity_worker(
            client,
            options,
            AMAZON_SEARCH_ORDERS_QUEUE,
            options.amazon_calls,
            [*sweeps.searching, amazon.audit_amazon_page, imports.read_import_page],
        ),
        _activity_worker(
            client, options, AMAZON_CONFIRM_SHIPMENT_QUEUE, options.amazon_calls, [amazon.confirm_shipment]
        ),
        _activity_worker(
            client, options, AMAZON_CREATE_FULFILLMENT_QUEUE, options.amazon_calls, outbound.creating
        ),
        _activity_worker(
            client, options, AMAZON_GET_FULFILLMENT_QUEUE, options.amazon_calls, outbound.looking
        ),
        *(
            _activity_worker(client, options, queue, options.amazon_calls, calls)
            for queue, calls in report_queues
        ),
        _activity_worker(
            client,
            options,
            IMPORTS_QUEUE,
            _CHUNKS_AT_ONCE,
            [
                *imports.all,
                *settlements.reading,
                *finances.keeping,
                *skus.reading,
                *stock.on(IMPORTS_QUEUE),
            ],
        ),
        _activity_worker(client, options, ALERTS_QUEUE, _ALERTS_AT_ONCE, alerts.all),
        *(_activity_worker(client, options, each.name, each.slots, each.activities) for each in stock.queues),
    ]


def _workflow_worker(client: Client, options: WorkerSettings, activities: Sequence[Activity]) -> Worker:
    return Worker(
        client,
        task_queue=ORDERS_QUEUE,
        workflows=list(WORKFLOWS),
        activities=activities,
        workflow_runner=sandbox_runner(),
        max_cached_workflows=options.cached_orders,
        max_concurrent_workflow_tasks=options.workflow_tasks,
        graceful_shutdown_timeout=timedelta(seconds=options.graceful_seconds),
        disable_eager_activity_execution=True,
    )


def _activity_worker(
    client: Client,
    options: WorkerSettings,
    queue: str,
    slots: int,
    activities: Sequence[Activity],
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Eager dispatch is off: it would pass by the queue's rate limit."""
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        max_concurrent_activities=slots,
        interceptors=interceptors,
        graceful_shutdown_timeout=timedelta(seconds=options.graceful_seconds),
        disable_eager_activity_execution=True,
    )

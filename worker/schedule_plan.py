"""The schedules as the configuration wants them: what runs, when, and with which argument."""

from datetime import time, timedelta

from canonical.deadlines import DEADLINES, DeadlinesInput
from canonical.deferred_contracts import DEFERRED_LOOK, DeferredInput, deferred_look_id
from canonical.fba_contracts import FBA_FEED, FbaFeedInput
from canonical.finance_contracts import FINANCE_LOOK, FinanceInput, finance_look_id
from canonical.ids import (
    amazon_sweep_id,
    correction_sweep_id,
    deadlines_id,
    delivery_sweep_id,
    fba_feed_id,
    mcf_sweep_id,
    reconciliation_id,
    returns_schedule_id,
)
from canonical.package_contracts import CORRECTION_SWEEP, CorrectionSweepInput
from canonical.return_contracts import RETURNS_FEED, ReturnsFeedInput
from canonical.schedule_contracts import (
    AMAZON_SWEEP,
    DELIVERY_SWEEP,
    RECONCILIATION,
    AmazonSweepInput,
    DeliverySweepInput,
    ReconciliationInput,
)
from canonical.settlement_ids import settlement_feed_id
from canonical.settlement_reports import SETTLEMENT_FEED, FeedInput
from canonical.sweep_contracts import SWEEP, SweepInput
from worker.schedule_shapes import MISSED_DAY, MISSED_SWEEP, Planned, daily, daily_look, every
from worker.settings import Settings
from worker.stock_schedules import stock_schedules


def planned(settings: Settings) -> list[Planned]:
    """The schedules that the configuration wants, without the moment at which new ones begin."""
    wanted = settings.schedules
    sweeps = [
        Planned(
            id=amazon_sweep_id(seller_id),
            seller_id=seller_id,
            workflow=AMAZON_SWEEP,
            argument=AmazonSweepInput(
                seller_id=seller_id,
                overlap=timedelta(minutes=wanted.overlap_minutes),
                first_look=timedelta(hours=wanted.first_look_hours),
            ),
            spec=every(wanted.amazon_minutes, place),
            missed=MISSED_SWEEP,
            summary=f"What changed at Amazon, seller {seller_id}",
        )
        for place, seller_id in enumerate(settings.sellers)
    ]
    deliveries = Planned(
        id=delivery_sweep_id(),
        seller_id="",
        workflow=DELIVERY_SWEEP,
        argument=DeliverySweepInput(limit=wanted.m3_orders),
        spec=every(wanted.m3_minutes, 0),
        missed=MISSED_SWEEP,
        summary="What left the warehouses in M3",
    )
    return [
        *sweeps,
        deliveries,
        *_corrections(settings),
        *_shipments(settings),
        *_deadlines(settings),
        *_mcf(settings),
        *_reconciliation(settings),
        *_returns(settings),
        *_settlements(settings),
        *stock_schedules(settings),
    ]


def _corrections(settings: Settings) -> list[Planned]:
    wanted = settings.schedules
    if not wanted.corrections_days:
        return []
    return [
        Planned(
            id=correction_sweep_id(),
            seller_id="",
            workflow=CORRECTION_SWEEP,
            argument=CorrectionSweepInput(days=wanted.corrections_days, limit=wanted.m3_orders),
            spec=every(wanted.corrections_minutes, 0),
            missed=MISSED_SWEEP,
            summary="Packages that M3 corrected after Amazon was told",
        )
    ]


def _shipments(settings: Settings) -> list[Planned]:
    wanted = settings.schedules
    if not wanted.shipments_minutes:
        return []
    return [
        Planned(
            id=fba_feed_id(seller_id),
            seller_id=seller_id,
            workflow=FBA_FEED,
            argument=FbaFeedInput(
                seller_id=seller_id,
                marketplace_ids=seller.marketplaces,
                look_back=timedelta(days=wanted.shipments_days),
            ),
            spec=every(wanted.shipments_minutes, place),
            missed=MISSED_SWEEP,
            summary=f"What Amazon shipped, seller {seller_id}",
        )
        for place, (seller_id, seller) in enumerate(settings.sellers.items())
    ]


def _deadlines(settings: Settings) -> list[Planned]:
    wanted = settings.schedules
    if not wanted.deadline_minutes:
        return []
    return [
        Planned(
            id=deadlines_id(),
            seller_id="",
            workflow=DEADLINES,
            argument=DeadlinesInput(ahead=timedelta(hours=wanted.deadline_hours)),
            spec=every(wanted.deadline_minutes, 0),
            missed=MISSED_SWEEP,
            summary="Own shipments that are due",
        )
    ]


def _mcf(settings: Settings) -> list[Planned]:
    if not settings.mcf.warehouses:
        return []
    return [
        Planned(
            id=mcf_sweep_id(),
            seller_id="",
            workflow=SWEEP,
            argument=SweepInput(seller_ids=(), amazon=False, m3=False, mcf=True),
            spec=every(settings.schedules.mcf_minutes, 0),
            missed=MISSED_SWEEP,
            summary="M3's deliveries that Amazon is to fulfil",
        )
    ]


def _returns(settings: Settings) -> list[Planned]:
    wanted, returns = settings.schedules, settings.returns
    if returns is None or not isinstance(wanted.returns_at, time):
        return []
    return [
        Planned(
            id=returns_schedule_id(seller_id),
            seller_id=seller_id,
            workflow=RETURNS_FEED,
            argument=ReturnsFeedInput(
                seller_id=seller_id,
                look_back=timedelta(days=returns.look_back_days),
                ask=returns.reports,
                marketplace_ids=seller.marketplaces,
            ),
            spec=daily(wanted.returns_at, wanted.time_zone),
            missed=MISSED_DAY,
            summary=f"Refunds and returns, seller {seller_id}",
        )
        for seller_id, seller in settings.sellers.items()
    ]


def _settlements(settings: Settings) -> list[Planned]:
    at = settings.schedules.settlements_at
    if not settings.settlement.plan.configured or not isinstance(at, time):
        return []
    spec = daily(at, settings.schedules.time_zone)

    looks: list[Planned] = []
    for each in settings.sellers:
        feed = FeedInput(seller_id=each, report_types=settings.settlement.posting.reports)
        deferred, finances = DeferredInput(seller_id=each), FinanceInput(seller_id=each)
        looks += [
            daily_look(settlement_feed_id(each), each, SETTLEMENT_FEED, feed, "Settlement reports", spec),
            daily_look(deferred_look_id(each), each, DEFERRED_LOOK, deferred, "What Amazon holds back", spec),
            daily_look(finance_look_id(each), each, FINANCE_LOOK, finances, "New kinds of amounts", spec),
        ]
    return looks


def _reconciliation(settings: Settings) -> list[Planned]:
    wanted = settings.schedules
    if not isinstance(wanted.reconciliation_at, time):
        return []
    argument = ReconciliationInput(
        seller_ids=tuple(settings.sellers),
        days=wanted.reconciliation_days,
        time_zone=wanted.time_zone,
        start_missing=wanted.start_missing,
        tolerances={key: profile.tolerance for key, profile in settings.marketplaces.items()},
        refund_tolerance=settings.returns.tolerance if settings.returns is not None else None,
    )
    return [
        Planned(
            id=reconciliation_id(),
            seller_id="",
            workflow=RECONCILIATION,
            argument=argument,
            spec=daily(wanted.reconciliation_at, wanted.time_zone),
            missed=MISSED_DAY,
            summary="Amazon's orders of a day against workflows and M3",
        )
    ]

"""Amazon's own stock in M3, as activities: corrections planned and booked, balances put beside what Amazon shows."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import TypeAdapter
from temporalio import activity

from activities.archive import Archive
from activities.fba_stock import ADJUSTMENTS, VIEWS, fetch, in_archive, keep
from activities.m3.context import M3Context
from activities.m3.errors import MIError, NotYet
from activities.m3.programs.stock import balances
from activities.m3.reasons import reason_for
from activities.m3.steps.book_stock_corrections import (
    FbaStockOptions,
    book_corrections,
    items_of,
    plan_corrections,
)
from canonical.held import HeldReason, held
from canonical.stock import fba_contracts as act
from canonical.stock import fba_ids as ids
from canonical.stock.corrections import Correction, Corrections
from canonical.stock.fba_drift import FbaDifference, fba_differences
from canonical.stock.fba_pool import FbaPool, FbaView, pools
from canonical.stock.models import PoolKey

EXAMPLES: Final = 5
ROWS: Final = 300
"""Differences that are told; all are in the archive."""
_ROWS: Final = TypeAdapter(tuple[FbaDifference, ...])

Waiting = Callable[[], Awaitable[Iterable[act.Waiting]]]
"""Corrections that workflows have and M3 does not."""


class M3FbaStockActivities:
    """FBA stock of every seller in one M3 company. `waiting` lies above this room and is handed in."""

    def __init__(
        self, context: M3Context, archive: Archive, options: FbaStockOptions, waiting: Waiting
    ) -> None:
        self._context = context
        self._archive = archive
        self._options = options
        self._waiting = waiting

    @property
    def all(self) -> Sequence[Callable[..., object]]:
        """Every activity, for a worker."""
        return (self.plan_fba_corrections, self.book_fba_corrections, self.compare_fba_stock)

    @activity.defn(name=act.PLAN_FBA_CORRECTIONS)
    async def plan_fba_corrections(self, request: act.PlanCorrectionsRequest) -> act.PlannedCorrections:
        """From adjustments to corrections, into the archive; nothing is booked."""
        async with _correcting(request.subject):
            if request.seller_id not in self._options.rules:
                raise held(
                    HeldReason.NOT_CONFIGURED,
                    f"The configuration has no section fba_stock, or no seller {request.seller_id}: nothing is "
                    "booked.",
                )
            content = await fetch(self._archive, request.key)
            if request.doubts_only:
                doubts = Corrections.model_validate_json(content).doubts
                adjustments = tuple(each.adjustment for each in doubts)
            else:
                adjustments = ADJUSTMENTS.validate_json(content)
            plan = await plan_corrections(self._context, self._options, request.seller_id, adjustments)
            written = plan.model_dump_json().encode()
            key = ids.plan_key(request.seller_id, request.subject, request.number, written)
            await keep(self._archive, key, written)
            return _planned(key, plan, len(adjustments))

    @activity.defn(name=act.BOOK_FBA_CORRECTIONS)
    async def book_fba_corrections(self, request: act.BookCorrectionsRequest) -> act.BookedCorrections:
        """A chunk of a plan's corrections, each booked once."""
        async with _correcting(request.subject):
            plan = Corrections.model_validate_json(await fetch(self._archive, request.plan_key))
            if request.numbers:
                wanted = [each for each in plan.corrections if each.number in request.numbers]
            else:
                wanted = of_part(plan, request.part)[request.first : request.first + request.count]
            return await book_corrections(
                self._context, self._options, wanted, request.part, request.plan_key
            )

    @activity.defn(name=act.COMPARE_FBA_STOCK)
    async def compare_fba_stock(self, request: act.CompareStockRequest) -> act.FbaStockCompared:
        """What Amazon shows beside M3's balances, item by item; nothing is changed by it."""
        async with _correcting("FBA stock"):
            views: list[FbaView] = []
            for key in request.keys:
                views += VIEWS.validate_json(await fetch(self._archive, key))
            found = pools(views)
            items = await self._items(found)
            placed = [(pool, place) for pool in found if (place := self._place(pool, items)) is not None]
            unmapped = sorted(
                f"{pool.seller}/{pool.sku}"
                for pool in found
                if pool.held and self._place(pool, items) is None
            )
            as_of = datetime.now(UTC)
            under_way = await self._under_way()
            keys = list(dict.fromkeys(key for _, key in placed))
            known = await balances(self._context.client, keys, asked_at=as_of) if keys else {}
            rows = fba_differences(placed, known, under_way)
            key = f"{request.folder}/compared.json.gz"
            await keep(self._archive, key, _ROWS.dump_json(tuple(rows)))
            return act.FbaStockCompared(
                as_of=as_of,
                skus=len(found),
                items=len(rows),
                equal=sum(not row.difference for row in rows),
                explained=sum(bool(row.difference) and not row.beyond for row in rows),
                differing=sum(bool(row.beyond) for row in rows),
                rows=tuple(row for row in rows if row.difference)[:ROWS],
                unmapped=tuple(unmapped[:ROWS]),
                unmapped_count=len(unmapped),
                key=key,
            )

    async def _items(self, found: Sequence[FbaPool]) -> dict[tuple[str, str], str]:
        """ITNO by seller and SKU."""
        items: dict[tuple[str, str], str] = {}
        for seller_id in dict.fromkeys(pool.seller for pool in found):
            skus = [pool.sku for pool in found if pool.seller == seller_id]
            mine = await items_of(self._context, self._options.marketplaces.get(seller_id, ()), skus)
            items |= {(seller_id, sku): itno for sku, itno in mine.items()}
        return items

    def _place(self, pool: FbaPool, items: Mapping[tuple[str, str], str]) -> PoolKey | None:
        rules, itno = self._options.rules.get(pool.seller), items.get((pool.seller, pool.sku))
        whlo = rules.warehouse(pool.area) if rules else ""
        return PoolKey(whlo, itno) if whlo and itno else None

    async def _under_way(self) -> dict[PoolKey, int]:
        plans: dict[str, Corrections] = {}
        found: dict[PoolKey, int] = {}
        for each in await self._waiting():
            if each.plan_key not in plans:
                content = await fetch(self._archive, each.plan_key)
                plans[each.plan_key] = Corrections.model_validate_json(content)
            plan = plans[each.plan_key]
            mine = of_part(plan, each.part)[each.first :]
            if each.numbers:
                mine = [one for one in plan.corrections if one.number in each.numbers]
            for one in mine:
                key = PoolKey(one.whlo, one.itno)
                found[key] = found.get(key, 0) + one.quantity
        return found


def of_part(plan: Corrections, part: act.Part) -> list[Correction]:
    """A plan's corrections that go by themselves, or those that a person approves."""
    return [each for each in plan.corrections if bool(each.approval) is (part == "to_approve")]


def _planned(key: str, plan: Corrections, adjustments: int) -> act.PlannedCorrections:
    ready, waiting = of_part(plan, "ready"), of_part(plan, "to_approve")
    return act.PlannedCorrections(
        key=key,
        ready=len(ready),
        ready_pieces=sum(abs(each.quantity) for each in ready),
        to_approve=len(waiting),
        to_approve_pieces=sum(abs(each.quantity) for each in waiting),
        doubts=len(plan.doubts),
        without=adjustments - len(plan.corrections) - len(plan.doubts),
        approval_examples=tuple(
            f"{one.quantity:+d} of item {one.itno} in warehouse {one.whlo} ({one.kind}). {one.approval}"
            for one in sorted(waiting, key=lambda one: -abs(one.quantity))[:EXAMPLES]
        ),
        doubt_examples=tuple(
            f"{one.adjustment.quantity:+d} of SKU {one.adjustment.sku} on {one.adjustment.at:%Y-%m-%d}. {one.sentence}"
            for one in plan.doubts[:EXAMPLES]
        ),
    )


@contextlib.asynccontextmanager
async def _correcting(subject: str) -> AsyncIterator[None]:
    """Heartbeats, and failures as Temporal knows them."""
    async with in_archive():
        try:
            yield
        except MIError as error:
            raise error.as_hold(reason_for(error), f"Stock corrections {subject}") from error
        except NotYet as error:
            info = activity.info()
            raise error.after(info.attempt, datetime.now(UTC) - info.scheduled_time) from error

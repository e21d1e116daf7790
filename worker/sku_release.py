"""Orders held for a SKU, found by visibility and released one by one in time; and the mapping that one of them
began."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import heartbeating
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.fixes import MapSku
from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS
from canonical.ids import order_of_workflow
from canonical.marketplaces import marketplace_name
from canonical.order_contracts import ORDER_TO_CASH
from canonical.sku import contracts as act
from worker.known_workflows import described
from workflows import search_attributes as sa
from workflows.policies import seller_priority

_ASKED_FOR: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")
_AT_ONCE: Final = 20
_PATIENCE: Final = timedelta(seconds=15)
"""An order answers within milliseconds; after this long nobody is there, and the next look asks again."""


def held_for(seller_id: str, sku: str) -> str:
    """Visibility query that finds a seller's orders held for a SKU. What it finds has to be looked at: a SKU with
    other characters than plain ones is not asked for, since not every store of Temporal's can be asked for it."""
    every = held_for_any(seller_id)
    return f'{every} AND {sa.UNMAPPED_SKUS.name}="{sku}"' if _ASKED_FOR.fullmatch(sku) else every


def held_for_any(seller_id: str) -> str:
    """Visibility query of a seller's orders that are held for some SKU."""
    return (
        f'WorkflowType="{ORDER_TO_CASH}" AND ExecutionStatus="Running" AND {sa.HELD_REASON.name} IS NOT NULL '
        f'AND {sa.SELLER.name}="{seller_id}" AND {sa.UNMAPPED_SKUS.name} IS NOT NULL'
    )


async def find_held(client: Client, request: act.FindHeldRequest) -> list[act.HeldForSku]:
    """Orders of the seller, and no other, that are held for the SKU and take `map_sku`; at most `MOST_HELD`."""
    places = {marketplace_name(marketplace) for marketplace in request.marketplace_ids}
    found: list[act.HeldForSku] = []
    async for run in client.list_workflows(held_for(request.seller_id, request.sku)):
        held = _held(run, request.seller_id, request.sku)
        place = run.typed_search_attributes.get(sa.MARKETPLACE)
        if held is not None and (not places or place in places):
            found.append(held)
        if len(found) >= act.MOST_HELD:
            break
    return found


async def start_mapping(client: Client, wanted: act.MapSkuInput) -> WorkflowHandle[object, act.MapSkuResult]:
    """Start the mapping, or tell the one under way what is wanted. Raises RPCError."""
    return await client.start_workflow(
        act.MAP_SKU,
        wanted,
        result_type=act.MapSkuResult,
        id=act.sku_workflow_id(wanted.seller_id, wanted.sku),
        task_queue=ORDERS_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=act.MAPPING_ASKED,
        start_signal_args=[wanted],
        search_attributes=TypedSearchAttributes([SearchAttributePair(sa.SELLER, wanted.seller_id)]),
        static_summary=f"SKU {wanted.sku[:100]} is item {wanted.itno}",
        priority=seller_priority(wanted.seller_id),
    )


class SkuRelease:
    """What the mapping of a SKU needs of the orders' workflows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def all(self) -> list[Callable[..., object]]:
        return [self.find_held_for_sku, self.release_held_for_sku, self.spread_mapping]

    @activity.defn(name=act.FIND_HELD_FOR_SKU)
    async def find_held_for_sku(self, request: act.FindHeldRequest) -> act.FindHeldResult:
        """Orders of this seller, and no other, that are held for the SKU and take `map_sku`."""
        async with heartbeating():
            found = await find_held(self._client, request)
        return act.FindHeldResult(held=tuple(found), complete=len(found) < act.MOST_HELD)

    @activity.defn(name=act.RELEASE_HELD_FOR_SKU)
    async def release_held_for_sku(self, request: act.ReleaseRequest) -> act.ReleaseResult:
        """Send each its repair. One that took it from an earlier attempt answers as it did then."""
        gate = asyncio.Semaphore(_AT_ONCE)
        asked: list[asyncio.Task[act.NotReleased | None]] = []
        clock = asyncio.get_running_loop()
        due = clock.time()
        async with heartbeating():
            for one in request.orders:
                await gate.acquire()
                await asyncio.sleep(due - clock.time())
                due = max(due, clock.time()) + 1 / act.RATE
                task = asyncio.create_task(self._asked(request, one))
                task.add_done_callback(lambda _: gate.release())
                asked.append(task)
            answers = await asyncio.gather(*asked)
        return act.ReleaseResult(left=tuple(answer for answer in answers if answer is not None))

    @activity.defn(name=act.SPREAD_MAPPING)
    async def spread_mapping(self, wanted: act.MapSkuInput) -> act.MapSkuInput:
        """One held order was repaired: the others are released with it."""
        await start_mapping(self._client, wanted)
        return wanted

    async def _asked(self, request: act.ReleaseRequest, one: act.HeldForSku) -> act.NotReleased | None:
        """None where the order took the repair."""
        if not request.look_only:
            refusal = await self._sent(request, one)
            if refusal is None or refusal.kind == "no_answer":
                return refusal
        else:
            refusal = None
        run = await described(self._client, one.workflow_id)
        held = _held(run, request.seller_id, request.sku) if run is not None else None
        if held is None:
            return _left(one, "gone", f"Order {one.order_id} is not held for SKU {request.sku} any more.")
        if refusal is not None:
            return refusal
        return _left(one, "held", f"Order {one.order_id} took the repair and is held again: {held.reason}.")

    async def _sent(self, request: act.ReleaseRequest, one: act.HeldForSku) -> act.NotReleased | None:
        repair = MapSku(
            sku=request.sku,
            itno=request.itno,
            by=request.by,
            why=request.why,
            reason=one.reason,
            alone=True,
        )
        handle = self._client.get_workflow_handle(one.workflow_id)
        argument = repair.model_dump(mode="json", exclude_defaults=True)
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()) as patience:
                await handle.execute_update(
                    FixName.MAP_SKU.value, argument, id=request.asked_as, result_type=str
                )
        except WorkflowUpdateFailedError as error:
            said = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
            return _left(one, "refused", said)
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            if not patience.expired():
                raise
            return _left(one, "no_answer", f"Order {one.order_id} did not answer.")
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return _left(one, "gone", f"Order {one.order_id} is closed.")
            said = f"Order {one.order_id}: Temporal answered {error.status.name}: {error.message}."
            return _left(one, "no_answer", said)
        return None


def _held(run: WorkflowExecution, seller_id: str, sku: str) -> act.HeldForSku | None:
    """The order as one that takes `map_sku` for the SKU; None where it is none, whatever the query found."""
    attributes = run.typed_search_attributes
    skus = attributes.get(sa.UNMAPPED_SKUS) or ()
    reason = attributes.get(sa.HELD_REASON) or ""
    known = order_of_workflow(run.id)
    fits = (
        run.workflow_type == ORDER_TO_CASH
        and run.status is WorkflowExecutionStatus.RUNNING
        and attributes.get(sa.SELLER) == seller_id
        and sku in skus
        and reason in HELD_REASONS
        and FixName.MAP_SKU in HELD_REASONS[HeldReason(reason)].fixes
    )
    if not fits:
        return None
    return act.HeldForSku(
        workflow_id=run.id,
        order_id=known[1] if known else run.id,
        reason=reason,
        others=tuple(other for other in skus if other != sku),
    )


def _left(one: act.HeldForSku, kind: str, sentence: str) -> act.NotReleased:
    return act.NotReleased.model_validate(
        {"workflow_id": one.workflow_id, "order_id": one.order_id, "kind": kind, "sentence": sentence[:400]}
    )

"""M3's side of deliveries that Amazon fulfils (MCF), as Temporal activities: find them, read one, report one.

A delivery is Amazon's to fulfil when it is on an open picking list of a configured warehouse and its order is no
Amazon order: M3 may keep one warehouse for Amazon's stock, from which Amazon's own orders are allocated as well.
"""

import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog
from temporalio import activity

from activities.errors import failures_as_temporal_knows_them, heartbeating
from activities.m3.client import TruncatedListError
from activities.m3.context import M3Context
from activities.m3.errors import MIError, NotYet
from activities.m3.programs.deliveries import planned_lines
from activities.m3.programs.mcf import OutboundHead, open_deliveries, outbound_heads
from activities.m3.reasons import reason_for
from activities.m3.steps.mcf_delivery import read_mcf_delivery
from activities.m3.steps.report_mcf_shipment import report_mcf_shipment
from canonical import mcf_contracts as mcf
from canonical.ids import is_amazon_order_id
from canonical.sweep_contracts import SweepMcfResult

_MOST_REMARKS: Final = 50
_REMEMBERED: Final = 50_000
_log = structlog.get_logger(__name__)


class StartMcf(Protocol):
    """Starts the workflow of a delivery, once, and not while one of `before` is with Amazon."""

    async def __call__(self, start: mcf.McfOrderInput, /, before: Sequence[str]) -> mcf.McfStart: ...


class McfActivities:
    """rules: by warehouse."""

    def __init__(self, context: M3Context, rules: Mapping[str, mcf.McfRules], start: StartMcf) -> None:
        self._context = context
        self._rules = rules
        self._start = start
        self._known: OrderedDict[str, None] = OrderedDict()
        """DLIX that need not be looked at again: a list stays open for days, and may be Amazon's own order's."""

    @property
    def all(self) -> list[Callable[..., Awaitable[object]]]:
        return [self.sweep_mcf_deliveries, self.read_mcf_delivery, self.report_mcf_shipment]

    @activity.defn(name=mcf.SWEEP_MCF_DELIVERIES)
    async def sweep_mcf_deliveries(self, _: mcf.SweepMcfRequest) -> SweepMcfResult:
        """Start a workflow for every delivery that has none. Repeated, it starts nothing twice."""
        looked_at, started, remarks = 0, 0, list[str]()
        async with _under_way("(mcf sweep)"):
            for rule in self._rules.values():
                try:
                    numbers = await open_deliveries(self._context.client, rule.whlo)
                except TruncatedListError as error:
                    remarks.append(
                        f"Warehouse {rule.whlo} has more open picking lists than M3 lists ({error}); "
                        "nothing of it was looked at."
                    )
                    continue
                unknown = [dlix for dlix in numbers if dlix not in self._known]
                heads = await outbound_heads(self._context.client, unknown)
                looked_at += len(heads)
                for head in heads.values():
                    outcome = await self._begin(head, rule)
                    started += outcome is mcf.McfStart.STARTED
                    if outcome is not mcf.McfStart.LATER:
                        self._remember(head.dlix)
        return SweepMcfResult(looked_at=looked_at, started=started, remarks=tuple(remarks[:_MOST_REMARKS]))

    async def _begin(self, head: OutboundHead, rule: mcf.McfRules) -> mcf.McfStart:
        """Start the delivery's workflow, unless it is an Amazon order's."""
        if is_amazon_order_id(head.cuor) or not head.orno.isalnum():
            return mcf.McfStart.KNOWN
        lines: dict[str, set[tuple[str, str]]] = {}
        for line in await planned_lines(self._context.client, head.orno):
            lines.setdefault(line.dlix, set()).add((line.ponr, line.posx))
        mine = lines.pop(head.dlix, set())
        before = [dlix for dlix, others in lines.items() if others & mine]
        start = mcf.McfOrderInput(orno=head.orno, dlix=head.dlix, seller_id=rule.seller_id, whlo=rule.whlo)
        return await self._start(start, before)

    def _remember(self, dlix: str) -> None:
        self._known[dlix] = None
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    @activity.defn(name=mcf.READ_MCF_DELIVERY)
    async def read_mcf_delivery(self, request: mcf.McfDeliveryRequest) -> mcf.McfDelivery:
        """What the fulfilment order is to be made of."""
        async with _under_way(f"{request.orno}-{request.dlix}"):
            return await read_mcf_delivery(self._context, self._rules, request)

    @activity.defn(name=mcf.REPORT_MCF_SHIPMENT)
    async def report_mcf_shipment(self, request: mcf.ReportMcfShipmentRequest) -> mcf.McfReported:
        """The delivery with which the goods left."""
        async with _under_way(f"{request.delivery.orno}-{request.delivery.dlix}"):
            return await report_mcf_shipment(self._context, request)


@contextlib.asynccontextmanager
async def _under_way(subject: str) -> AsyncIterator[None]:
    """Log lines with the subject, heartbeats, failures as Temporal knows them."""
    with failures_as_temporal_knows_them(), structlog.contextvars.bound_contextvars(mcf=subject):
        async with heartbeating():
            try:
                yield
            except MIError as error:
                raise error.as_hold(reason_for(error), f"M3 delivery {subject}") from error
            except NotYet as error:
                info = activity.info()
                raise error.after(info.attempt, datetime.now(UTC) - info.scheduled_time) from error

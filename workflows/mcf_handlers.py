"""Signals, updates, the query and the holding of a delivery that Amazon fulfils."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio import workflow

from canonical import mcf_contracts as mcf
from canonical.fixes import CorrectAddress, Fix, MapSku
from canonical.held import FixName, Hold
from canonical.steps import Step
from workflows.mcf_state import McfCalls, McfState
from workflows.repairable import GivenUp, Repairable, takes
from workflows.repairs import BadRepair

_RELEASES: Final = "releases-when-stopped"
"""Patch: deliveries cancelled in the Web UI while they were held stayed in the list of held ones."""


@takes(
    FixName.RETRY,
    FixName.MAP_SKU,
    FixName.CORRECT_ADDRESS,
    FixName.ACCEPT_DIFFERENCE,
    FixName.MARK_STEP_DONE,
    FixName.CANCEL,
    cancel="Give it up; Amazon is asked to cancel. Input: none.",
)
class McfHandlers(Repairable):
    """Base of the workflow: its state, what it hears, which repairs fit, what they change."""

    _noun = "delivery"
    _title = "M3 delivery"
    _state: McfState

    def __init__(self, start: mcf.McfOrderInput) -> None:
        self._state = McfState.from_input(start)
        self._calls = McfCalls(self._state)

    @workflow.signal(
        name=mcf.FULFILLMENT_CHANGED,
        description="Sent by the listener, not by people: Amazon has told of the fulfilment order.",
    )
    def fulfillment_changed(self, *arguments: object) -> None:
        news = self._news(mcf.FULFILLMENT_CHANGED, mcf.FulfillmentChanged, arguments)
        if news is not None:
            self._state.take_news(news)

    @workflow.query(description="The delivery as it stands, without personal data.")
    def state(self) -> mcf.McfView:
        return self._state.view()

    # --- which repairs fit ----------------------------------------------------------------------

    def _check_fits(self, fix: Fix, name: FixName) -> None:
        state = self._state
        if name is FixName.CANCEL and state.shipped:
            raise BadRepair(f"Amazon has shipped delivery {state.order_id}; there is nothing left to cancel.")
        if name is FixName.CANCEL and state.give_up and state.hold is None:
            raise BadRepair(f"Delivery {state.order_id} is being given up already.")
        super()._check_fits(fix, name)
        if isinstance(fix, MapSku) and state.hold is not None:
            items = {line.itno for line in state.delivery.lines} if state.delivery else set()
            items |= {candidate.itno for found in state.hold.candidates.values() for candidate in found}
            if fix.itno not in items:
                raise BadRepair(
                    f"Delivery {state.order_id} has no item {fix.itno}; its items: {', '.join(sorted(items))}."
                )

    # --- holding --------------------------------------------------------------------------------

    async def _held(self, step: Step, hold: Hold) -> Fix:
        """As everywhere. What a repair says of SKUs and address is kept for the next call."""
        fix = await super()._held(step, hold)
        match fix:
            case None:
                raise GivenUp
            case MapSku():
                self._state.skus = {**self._state.skus, fix.itno: fix.sku}
            case CorrectAddress():
                self._state.address = fix.address
        return fix

    def _naming(self, hold: Hold) -> Hold:
        return hold if self._state.start.dlix in hold.sentence else super()._naming(hold)

    def _releases_when_stopped(self) -> bool:
        return workflow.patched(_RELEASES)

    async def _woken(self, within: timedelta, *, by: Callable[[], bool]) -> None:
        """Until `by`, or until the time is over: the timer is the daily look that finds what no one told."""
        try:
            await workflow.wait_condition(by, timeout=within)
        except asyncio.TimeoutError:  # noqa: UP041 - as Temporal raises it
            return

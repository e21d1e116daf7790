"""One M3 delivery that Amazon fulfils (MCF): a fulfilment order made once, followed, reported to M3, delivered.

M3 is told once, when Amazon ships nothing more of it. A report of a part would make M3 put the rest on a new
delivery, which is Amazon's to fulfil again: the goods would be sent twice. What Amazon did not ship, M3 puts on a
new delivery then, and that one is a fulfilment order of its own.

Notifications are hints and may be lost: a look after a quarter of an hour (Amazon validates by then), then one a day.
"""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.fixes import AcceptDifference, MarkStepDone
from canonical.fulfillment import FulfillmentSnapshot, FulfillmentStatus, ParcelStatus
from canonical.held import HeldReason, Hold
from canonical.mcf_contracts import ID_TAKEN, MCF_ORDER, McfOrderInput, McfResult
from canonical.steps import Step
from workflows.mcf_endings import ended, not_shipped, told, why_nothing
from workflows.mcf_handlers import McfHandlers
from workflows.repairable import GivenUp

FIRST_LOOK: Final = timedelta(minutes=15)
DAILY: Final = timedelta(days=1)
_SOONEST_ARRIVAL: Final = timedelta(hours=1)
_UNKNOWN_ARRIVAL: Final = timedelta(days=3)
_LATEST_FIRST_ASK: Final = timedelta(days=7)


@workflow.defn(name=MCF_ORDER)
class McfOrder(McfHandlers):
    """See the module. Handlers live in `McfHandlers`, calls in `McfCalls`."""

    @workflow.init
    def __init__(self, start: McfOrderInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: McfOrderInput) -> McfResult:
        """Carry the delivery to its end and say how it ended."""
        try:
            result = await self._carry()
        except GivenUp:
            result = await self._give_up()
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            # "Request cancellation" in the Web UI means what the repair `cancel` means.
            result = await self._give_up()
        self._go(Step.CLOSED, result.sentence, publish=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    async def _carry(self) -> McfResult:
        state = self._state
        await self._read()
        while True:
            if not state.facts.open:
                return state.result(
                    "nothing_to_do",
                    f"M3 delivery {state.order_id} has left or is no more: nothing is left to be fulfilled.",
                )
            if not await self._create():
                continue
            await self._follow()
            if state.shipped:
                return await self._shipped()
            if state.give_up:
                return not_shipped(self._state)
            await self._held(Step.FULFILLMENT, why_nothing(self._state))
            state.attempt += 1
            state.snapshot, state.handed_over = None, False
            await self._read()

    async def _read(self) -> None:
        self._go(Step.RECEIVED, "Reading the delivery from M3.")
        self._state.delivery = await self._until_done(Step.RECEIVED, self._calls.read_delivery)

    async def _create(self) -> bool:
        """Hand the order to Amazon; False where a repair sends it back to be read from M3 again."""
        state = self._state
        self._go(Step.FULFILLMENT, f"Making fulfilment order {state.fulfillment_order_id} at Amazon.")
        try:
            state.snapshot = (await self._calls.create()).snapshot
        except ActivityError as error:
            hold = self._hold_of(error, Step.FULFILLMENT)
        else:
            return True
        if hold.reason is HeldReason.MCF_REFUSED:
            state.handed_over = False  # Amazon has looked at it and does not have it
        await self._held(Step.FULFILLMENT, hold)
        if hold.code == ID_TAKEN:
            state.attempt += 1
        await self._read()
        return False

    # --- while Amazon has it --------------------------------------------------------------------

    async def _follow(self) -> None:
        """Until Amazon ships nothing more: woken by its notifications, and by the clock where they are lost."""
        state = self._state
        number = state.fulfillment_order_id
        self._go(Step.AWAITING_SHIPMENT, f"Amazon has fulfilment order {number}.", publish=True)
        wait, since = FIRST_LOOK, workflow.now()
        while not state.settled:
            if state.give_up and not state.cancel_asked:
                await self._cancel_at_amazon()
                wait = FIRST_LOOK
                continue
            await self._woken(wait, by=lambda: state.news or (state.give_up and not state.cancel_asked))
            if state.give_up and not state.cancel_asked:
                continue
            await self._look()
            wait = DAILY
            if not state.settled and workflow.now() - since > state.facts.rules.patience:
                await self._late(
                    f"Amazon has had fulfilment order {number} since {since:%Y-%m-%d}: {self._status}"
                )
                since = workflow.now()

    async def _look(self) -> None:
        state = self._state
        state.snapshot = (
            await self._until_done(Step.AWAITING_SHIPMENT, self._calls.look)
        ).snapshot or state.snapshot
        self._go(Step.AWAITING_SHIPMENT, f"Fulfilment order {state.fulfillment_order_id}: {self._status}")

    @property
    def _status(self) -> str:
        snapshot = self._state.snapshot
        return f"status {snapshot.status.value}." if snapshot else "not to be seen yet."

    async def _late(self, sentence: str) -> bool:
        """Ask a person; True where it is to be closed as it stands."""
        step = self._state.step
        fix = await self._held(
            step, Hold(reason=HeldReason.MCF_NOT_DELIVERED, sentence=sentence, system="Amazon")
        )
        if isinstance(fix, AcceptDifference) and not self._state.shipped:
            raise GivenUp
        self._go(step, sentence)
        return isinstance(fix, AcceptDifference)

    async def _cancel_at_amazon(self) -> None:
        """Amazon cancels up to Planning. Later it refuses, and the order goes its way."""
        state = self._state
        state.cancel_asked = True
        answer = await self._until_done(Step.AWAITING_SHIPMENT, self._calls.cancel)
        await self._look()
        # Amazon also refuses to cancel what it has cancelled already, at a request whose answer was lost.
        cancelled = state.snapshot is not None and state.snapshot.status is FulfillmentStatus.CANCELLED
        if not answer.accepted and not cancelled:
            self._note(f"Amazon did not cancel: {answer.sentence} It is followed to its end.")

    async def _give_up(self) -> McfResult:
        """A person cancelled: Amazon's order is taken back as far as Amazon lets it."""
        state = self._state
        state.give_up = True
        try:
            if state.handed_over and not state.settled:
                found = await self._until_done(Step.AWAITING_SHIPMENT, self._look_for_it)
                if found is None:
                    return not_shipped(self._state)
                state.snapshot = found
                await self._follow()
        except GivenUp:
            return state.result(
                "not_shipped",
                f"M3 delivery {state.order_id} was given up while Amazon could not be asked: look in Seller Central "
                f"what became of fulfilment order {state.fulfillment_order_id}.",
            )
        return await self._shipped() if state.shipped else not_shipped(self._state)

    async def _look_for_it(self) -> FulfillmentSnapshot | None:
        return (await self._calls.look(may_be_missing=True)).snapshot

    # --- once goods have left -------------------------------------------------------------------

    async def _shipped(self) -> McfResult:
        """M3 is told, then the parcels are followed to their recipient."""
        state = self._state
        self._go(Step.SHIPMENT, "Telling M3 that the goods have left.")
        await self._hold_if_too_many()
        try:
            await self._report()
        except GivenUp:  # the goods are gone: only what M3 is told is given up
            return state.result("shipped", f"Amazon shipped delivery {state.order_id}; M3 was not told.")
        arrived = state.facts.rules.follow_parcels and await self._delivered()
        return ended(state, arrived=arrived)

    async def _report(self) -> None:
        """M3 must have let go what Amazon shipped, no less: the rest of it would be on a delivery that Amazon would
        be asked to ship again. Until a person has looked, none of this order's lines is handed over."""
        state = self._state
        expected = {
            item: min(quantity, state.facts.quantities.get(item, 0))
            for item, quantity in state.shipped.items()
        }
        while True:
            done = await self._until_done(Step.SHIPMENT, self._calls.report, self._calls.reported_by_hand)
            if done.by_hand or done.quantities == expected:
                state.reported = done
                return
            sentence = (
                f"M3 delivery {state.order_id} left with {told(done.quantities)}; Amazon shipped {told(expected)}. "
                "Amazon must not be asked for the difference again."
            )
            hold = Hold(reason=HeldReason.SHIPMENT_NOT_REPORTABLE, sentence=sentence, system="M3")
            fix = await self._held(Step.SHIPMENT, hold)
            if isinstance(fix, MarkStepDone):
                state.reported = done
                return

    async def _hold_if_too_many(self) -> None:
        state = self._state
        while state.snapshot is not None and (beyond := state.snapshot.beyond(state.facts.quantities)):
            sentence = (
                f"Amazon shipped more of fulfilment order {state.fulfillment_order_id} than M3 asked for: "
                f"{told(beyond)}."
            )
            hold = Hold(reason=HeldReason.MCF_NOT_DELIVERED, sentence=sentence, system="Amazon")
            if isinstance(await self._held(Step.SHIPMENT, hold), AcceptDifference):
                return
            state.snapshot = (await self._until_done(Step.SHIPMENT, self._calls.look)).snapshot

    async def _delivered(self) -> bool:
        """Ask for the parcels when they should have arrived, then daily; True where all have."""
        state = self._state
        parcels = state.snapshot.parcels if state.snapshot else ()
        state.parcels = {parcel.number: ParcelStatus.UNDER_WAY for parcel in parcels if parcel.number}
        if not state.parcels:
            return False
        self._go(Step.AWAITING_DELIVERY, "M3 has been told; the parcels are under way.", publish=True)
        wait, since = self._first_ask(), workflow.now()
        while pending := tuple(n for n, s in state.parcels.items() if s is not ParcelStatus.DELIVERED):
            await self._woken(wait, by=lambda: False)
            wait = DAILY
            tracked = await self._until_done(
                Step.AWAITING_DELIVERY,
                lambda numbers=pending: self._calls.track(numbers),  # type: ignore[misc]
            )
            state.parcels |= tracked.parcels
            lost = [
                f"{n} ({tracked.words.get(n, '')})" for n in pending if state.parcels[n] is ParcelStatus.LOST
            ]
            late = workflow.now() - since > state.facts.rules.patience
            if lost and await self._late(
                f"Parcels of M3 delivery {state.order_id} do not arrive: {', '.join(lost)}."
            ):
                return False
            if late and not lost and self._pending:
                told = f"Parcels of M3 delivery {state.order_id} have not arrived since {since:%Y-%m-%d}: "
                if await self._late(told + ", ".join(self._pending)):
                    return False
                since = workflow.now()
        return True

    @property
    def _pending(self) -> list[str]:
        return [n for n, status in self._state.parcels.items() if status is not ParcelStatus.DELIVERED]

    def _first_ask(self) -> timedelta:
        """When the parcels should have arrived, as Amazon estimates."""
        arrives = self._state.snapshot.arrives if self._state.snapshot else None
        if arrives is None:
            return _UNKNOWN_ARRIVAL
        return min(max(arrives - workflow.now(), _SOONEST_ARRIVAL), _LATEST_FIRST_ASK)

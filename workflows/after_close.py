"""What Amazon says of an order after its workflow has ended: shipped, cancelled or refunded after all.

A workflow of its own, one for each order at a time. It books nothing: what is new is held for a person, since
the order is closed in M3 and often in the books. When it ends it says what M3 has by then, so that the same news,
met again by the next sweep, is none.
"""

from typing import ClassVar, Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

from canonical.fixes import AcceptDifference, MarkStepDone
from canonical.held import HeldReason, Hold
from canonical.late_contracts import (
    AFTER_CLOSE,
    AfterCloseInput,
    AfterCloseResult,
    LateEvent,
    LateKind,
    RefundTold,
)
from canonical.late_events import late_events, settled
from canonical.order_contracts import OrderToCashInput
from canonical.steps import Step
from workflows.order_calls import OrderCalls
from workflows.order_handlers import OrderHandlers
from workflows.repairable import GivenUp

_WHERE: Final[dict[LateKind, tuple[HeldReason, Step]]] = {
    LateKind.SHIPPED: (HeldReason.SHIPPED_AFTER_CLOSE, Step.SALES_ORDER),
    LateKind.CANCELLED: (HeldReason.CANCELLED_AFTER_CLOSE, Step.CANCELLING),
    LateKind.REFUNDED: (HeldReason.REFUNDED_AFTER_CLOSE, Step.LEDGER),
}
"""Why it is held, and the step a person does in M3 instead: its number is checked there."""


@workflow.defn(name=AFTER_CLOSE)
class AfterClose(OrderHandlers):
    """Late news of one closed order, until each is settled."""

    _ends_when_cancelled: ClassVar[bool] = False

    @workflow.init
    def __init__(self, start: AfterCloseInput) -> None:
        super().__init__(
            OrderToCashInput(seller_id=start.seller_id, order_id=start.order_id, order=start.order)
        )
        self._calls = OrderCalls(self._state)
        self._known = start.closed
        self._refunds = list(start.refunds)
        self._cases = start.cases
        self._shipped = start.shipped_pieces

    @workflow.signal(description="Sent by the service, not by people: Amazon paid a refund.")
    def refund_told(self, *arguments: object) -> None:
        news = self._news("refund_told", RefundTold, arguments)
        if news is not None and all(one.transaction_id != news.transaction_id for one in self._refunds):
            self._refunds.append(news)

    @workflow.run
    async def run(self, start: AfterCloseInput) -> AfterCloseResult:
        """Hold what is new, one by one, until nothing is."""
        happened: list[str] = []
        try:
            if self._state.order is None:
                await self._read()
            while events := self._news_of_order():
                if await self._settle(events[0]):
                    happened.append(events[0].sentence)
        except GivenUp:
            happened.append(f"A person gave up reading order {start.order_id} again.")
        result = self._result(happened)
        self._close(result)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    def _news_of_order(self) -> tuple[LateEvent, ...]:
        return late_events(
            self._known, self._state.facts, self._refunds, cases=self._cases, shipped_pieces=self._shipped
        )

    def _unsettled(self) -> tuple[RefundTold, ...]:
        """A person decides about each refund, also about one that comes while another is held."""
        return tuple(one for one in self._refunds if one.transaction_id not in self._known.refunds)

    async def _read(self) -> None:
        self._go(Step.RECEIVED, "Reading the order from Amazon.")
        self._state.take_snapshot(await self._until_done(Step.RECEIVED, self._calls.fetch_order))

    async def _settle(self, event: LateEvent) -> bool:
        """Hold one event for a person; True once M3 has it, or a person says that it need not."""
        now, refunds = self._state.facts, self._unsettled()[:1]
        reason, step = _WHERE[event.kind]
        fix = await self._held(step, Hold(reason=reason, sentence=event.sentence))
        if isinstance(fix, MarkStepDone):
            try:
                await self._calls.verify(fix)
            except ActivityError as error:
                hold = self._hold_of(error, step)
                self._note(f"{step} {fix.number} was not taken as done: {hold.sentence}")
                return False
            if event.kind is LateKind.SHIPPED:
                self._known = self._known.model_copy(update={"orno": fix.number})
        elif not isinstance(fix, AcceptDifference):
            await self._read()
            return False
        self._known = settled(self._known, event.kind, now, refunds, self._shipped)
        return True

    def _result(self, happened: list[str]) -> AfterCloseResult:
        order_id, orno = self._state.order_id, self._known.orno
        gone = self._known.outcome == "cancelled"
        base = self._state.result(
            "settled" if happened else "nothing_new",
            f"Settled after order {order_id} was closed: {' '.join(happened)}"
            if happened
            else f"Amazon says nothing of closed order {order_id} that M3 does not have.",
        )
        facts = base.model_dump(exclude={"orno"})
        return AfterCloseResult(**facts, orno="" if gone else orno, known=self._known)

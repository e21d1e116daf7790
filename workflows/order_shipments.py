"""What an order does about shipments that Amazon makes itself: each is taken once, and quantities that do not fit are
held before M3 is told anything wrong."""

from temporalio import workflow

from canonical.fba_contracts import AMAZON_SHIPPED, AmazonShipped
from canonical.fba_shipments import shipped_too_little, shipped_too_much
from canonical.fixes import AcceptDifference
from canonical.held import HeldReason, Hold
from canonical.order import Channel
from canonical.shipments import all_shipped
from canonical.steps import Step
from workflows.order_notified import OrderNotified

_HOLDS = "holds-shipped-otherwise"
"""Patch: orders before it waited for pieces that Amazon never ships, and never looked at surplus ones."""


class OrderShipments(OrderNotified):
    """The ear for shipments, and the eye for their quantities."""

    @workflow.signal(
        name=AMAZON_SHIPPED, description="Sent by the service, not by people: shipments that Amazon made."
    )
    def amazon_shipped(self, *arguments: object) -> None:
        news = self._news(AMAZON_SHIPPED, AmazonShipped, arguments)
        if news is not None:
            self._state.take_shipments(news.shipments)

    async def _ends_short(self) -> bool:
        """Hold the order where Amazon's quantities do not fit it. True where it ends with less than was ordered: a
        person has accepted that nothing more comes."""
        state = self._state
        while state.order is not None and state.order.channel is Channel.FBA and not state.cancelled:
            shipments = state.amazon_shipments
            more = shipped_too_much(state.facts, shipments)
            nothing_left = not state.next_goods() and not all_shipped(state.facts, state.reported)
            less = shipped_too_little(state.facts, shipments) if nothing_left else ""
            sentence = more or less
            if not sentence or not workflow.patched(_HOLDS):
                return False
            if sentence in state.accepted:
                return sentence == less
            reason = HeldReason.SHIPPED_TOO_MUCH if more else HeldReason.SHIPPED_TOO_LITTLE
            fix = await self._held(Step.SHIPMENT, Hold(reason=reason, sentence=sentence, system="Amazon"))
            if isinstance(fix, AcceptDifference):
                state.accepted.add(sentence)
                state.remark(f"A person accepted: {sentence}")
            else:
                self._go(Step.SHIPMENT, "Reading the order from Amazon.")
                state.take_snapshot(await self._until_done(Step.SHIPMENT, self._calls.fetch_order))
        return False

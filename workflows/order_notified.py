"""What an order does about Amazon's notifications: the order is read again, once, and only where it has to be.

Reading goes on beside everything else. An order that waits for its own warehouse, or is held, does not wait for
Amazon's quota; what the reading brings is taken as a sweep's news is.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.notification_contracts import AmazonNotified
from canonical.shipments import all_shipped
from canonical.steps import Step
from workflows.holds import hold_of
from workflows.order_handlers import OrderHandlers


class OrderNotified(OrderHandlers):
    """The ear for notifications."""

    _reading: asyncio.Task[None] | None = None

    @workflow.signal(description="Sent by the listener, not by people: what Amazon notified of.")
    def amazon_notified(self, *arguments: object) -> None:
        news = self._news("amazon_notified", AmazonNotified, arguments)
        if news is not None:
            self._state.notices.take(news.notices)
            self._heed_notices()

    def _heed_notices(self) -> None:
        """Take what the notices tell themselves; for the others the order is read, once for all of them."""
        state = self._state
        known = state.order
        unread = state.take_in_notices()
        if state.order is not known:
            self._show()
        if unread and self._reading is None and self._can_matter():
            self._reading = asyncio.create_task(self._read_again())

    def _can_matter(self) -> bool:
        """Whether Amazon's word can still change anything here."""
        state = self._state
        if state.cancelled or state.step in (Step.CANCELLING, Step.CLOSED):
            return False
        return state.booked is None or not all_shipped(state.facts, state.reported)

    async def _read_again(self) -> None:
        state = self._state
        try:
            state.take_snapshot(await self._calls.fetch_order())
        except ActivityError as error:
            if not is_cancelled_exception(error):
                hold = hold_of(error, state.step, state.order_id)
                self._note(
                    f"Amazon notified of a change and the order could not be read: {hold.sentence} "
                    "The next sweep tells it."
                )
            return
        finally:
            self._reading = None
        self._show()
        self._heed_notices()

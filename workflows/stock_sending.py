"""Quantities on their way: each patch, feed and question is a task of its own, and its answer is news for the book.

A task that the end of a run cuts off leaves its entry in the state; the next run begins it again. A patch is then sent
again with the same quantity, a feed is handed in once (activities.amazon.stock_activities).
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Literal

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.stock import keeper_contracts as act
from canonical.stock import sending
from canonical.stock.keeper_state import FeedState
from workflows import stock_calls as calls
from workflows.stock_state import StockState

_PATCHES_AT_ONCE: Final = 200
_QUESTIONS_AT_ONCE: Final = 200
"""Of both kinds together far fewer than the 2,000 activities that Temporal lets one workflow have under way."""
_REST: Final = timedelta(minutes=10)
"""So long nothing is sent for a seller after a call that Amazon did not take at all."""
_WITHOUT_FEED: Final = timedelta(minutes=10)
_FIRST_LOOK: Final = timedelta(seconds=20)
_LOOKS_APART: Final = timedelta(minutes=5)
"""At a feed, at most; a notification comes before it."""


class StockSending:
    """Base of the keeper's tasks."""

    def __init__(self, state: StockState) -> None:
        self._state = state
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._asked: set[str] = set()
        """References of quantities that Amazon is being asked about."""
        self._taken: dict[str, datetime] = {}
        """By reference, when Amazon took a patch into its queue: it may have waited for long in ours before."""
        self.failed: BaseException | None = None

    @property
    def idle(self) -> bool:
        """Whether no task is left."""
        return not self._tasks

    def begin(self, work: Coroutine[object, object, None]) -> None:
        """Do this beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not is_cancelled_exception(error):
            # An error of our own: the workflow shows it, and goes on when it is mended.
            self.failed = error

    async def cut_off(self) -> None:
        """End what still runs."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def resume(self) -> None:
        """Begin again what the run before left."""
        for patch in self._state.patches.values():
            self.begin(self._patch(patch))
        for feed in self._state.feeds.values():
            self.begin(self._feed(feed))

    def send(self, plan: act.PlanResult) -> None:
        """Send what is planned; the book has it already."""
        now = workflow.now()
        for patch in plan.patches:
            self._state.patches[patch.reference] = patch
            self.begin(self._patch(patch))
        for planned in plan.feeds:
            feed = self._state.feeds[planned.key] = FeedState(feed=planned, since=now)
            self.begin(self._feed(feed))
        lately = now - self._state.kept.pace.confirm
        self._taken = {reference: at for reference, at in self._taken.items() if at > lately}
        for late in plan.overdue:
            if len(self._asked) >= _QUESTIONS_AT_ONCE:
                break  # what is left over is overdue at the next planning, too
            if not any(late.reference in each for each in (self._state.patches, self._asked, self._taken)):
                self._asked.add(late.reference)
                self.begin(self._ask(late))

    # --- one quantity ---------------------------------------------------------------------------

    async def _patch(self, patch: act.PlannedPatch) -> None:
        await workflow.wait_condition(lambda: self._under_way < _PATCHES_AT_ONCE or self._state.closing)
        if self._state.closing:
            return
        self._under_way += 1
        try:
            answer = await self._patched(patch)
        finally:
            self._under_way -= 1
        if answer is not None:
            self._state.inbox.answers.append(answer)
        self._state.patches.pop(patch.reference, None)

    async def _patched(self, patch: act.PlannedPatch) -> act.Answer | None:
        """What the book is to be told; nothing of a quantity that Amazon has taken: it is not live yet."""
        now, seller = workflow.now, patch.request.seller_id
        try:
            result = await calls.patch(patch.request)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self._state.note(now(), f"The quantity of {patch.request.sku} was not sent: {calls.said(error)}")
            if not calls.never_began(error):
                self._state.rest(seller, now() + _REST)
            return _answer(patch, "lost", now())
        if result.accepted:
            self._taken[patch.reference] = now()
            return None
        return _answer(patch, "refused", now(), code=result.code, message=result.message)

    async def _ask(self, late: act.Overdue) -> None:
        """Nobody has told: what does Amazon show?"""
        try:
            seen = await calls.seen(
                sending.ListingRequest(seller_id=late.seller, marketplace_id=late.marketplace, sku=late.sku)
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self._state.note(
                workflow.now(), f"What Amazon shows of {late.sku} is not known: {calls.said(error)}"
            )
            return
        finally:
            self._asked.discard(late.reference)
        if seen.refusal:
            self._state.note(workflow.now(), f"What Amazon shows of {late.sku} is not known: {seen.refusal}")
            return
        code, _, message = seen.issues[0].partition(" ") if seen.issues else ("", "", "")
        self._state.inbox.answers.append(
            act.Answer(
                **late.model_dump(),
                kind="seen",
                at=seen.asked_at,
                quantity=seen.quantity,
                exists=seen.exists,
                by_amazon=seen.channel == "FBA",
                code=code,
                message=message,
            )
        )

    # --- a feed ---------------------------------------------------------------------------------

    async def _feed(self, feed: FeedState) -> None:
        key = feed.feed.key
        try:
            answer = await self._carried(feed)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            answer = self._lost(feed, calls.said(error))
        if answer is not None:  # else the next run goes on with it
            self._state.inbox.feeds.append(answer)
            del self._state.feeds[key]

    async def _carried(self, feed: FeedState) -> act.FeedAnswer | None:
        """Hand it in, wait until Amazon has done it, read what came of it; None where the run ends before."""
        seller_id, key = feed.feed.seller_id, feed.feed.key
        if not feed.feed_ids:
            request = sending.SubmitFeedRequest(seller_id=seller_id, key=key, since=feed.since)
            taken = await calls.of_feed(
                sending.SUBMIT_FEED,
                sending.AMAZON_CREATE_FEED_QUEUE,
                seller_id,
                request,
                sending.SubmitFeedResult,
                f"{feed.feed.messages} quantities in {feed.feed.marketplace_id}",
            )
            if not taken.feed_ids:
                return self._lost(feed, f"Amazon refused it: {taken.code} {taken.message}")
            feed = self._state.feeds[key] = feed.model_copy(update={"feed_ids": taken.feed_ids})
        ended: list[tuple[str, sending.FeedLook]] = []
        for feed_id in feed.feed_ids:
            look = await self._until_ended(feed, feed_id)
            if look is None:
                return None
            ended.append((feed_id, look))
        results = [await self._result(feed, feed_id, look) for feed_id, look in ended]
        unreadable = next((result.unreadable for result in results if result.unreadable), "")
        if unreadable:
            return self._lost(feed, unreadable)
        refusals = tuple(result.refusals_key for result in results)
        return act.FeedAnswer(key=key, at=workflow.now(), refusals=refusals)

    async def _until_ended(self, feed: FeedState, feed_id: str) -> sending.FeedLook | None:
        state = self._state
        pause = min(_FIRST_LOOK, state.kept.pace.every / 3)
        while True:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: feed_id in state.finished or state.closing,
                    timeout=pause,
                    timeout_summary=f"Feed {feed_id}",
                )
            if state.closing:
                return None
            state.finished.discard(feed_id)
            look = await calls.of_feed(
                sending.LOOK_AT_FEED,
                sending.AMAZON_GET_FEED_QUEUE,
                feed.feed.seller_id,
                sending.LookAtFeedRequest(seller_id=feed.feed.seller_id, feed_id=feed_id),
                sending.FeedLook,
                f"How is feed {feed_id}?",
            )
            state.feeds[feed.feed.key] = feed.model_copy(update={"status": look.status})
            if look.ended:
                return look
            pause = min(pause * 1.5, _LOOKS_APART)

    async def _result(self, feed: FeedState, feed_id: str, look: sending.FeedLook) -> sending.FeedResult:
        request = sending.FeedResultRequest(
            seller_id=feed.feed.seller_id,
            feed_id=feed_id,
            document_id=look.document_id,
            key=feed.feed.key,
            status=look.status,
        )
        return await calls.of_feed(
            sending.READ_FEED_RESULT,
            sending.AMAZON_GET_FEED_DOCUMENT_QUEUE,
            feed.feed.seller_id,
            request,
            sending.FeedResult,
            f"What became of feed {feed_id}?",
        )

    def _lost(self, feed: FeedState, why: str) -> act.FeedAnswer:
        """Nobody knows what became of its quantities: the newest ones go again."""
        now, seller_id = workflow.now(), feed.feed.seller_id
        self._state.no_feed(seller_id, now + _WITHOUT_FEED)
        self._state.note(
            now,
            f"A feed of {feed.feed.messages} quantities of seller {seller_id} came to nothing. {why} What is most "
            f"urgent is patched, the rest goes by feed after {now + _WITHOUT_FEED:%H:%M} UTC.",
        )
        return act.FeedAnswer(key=feed.feed.key, at=now, lost=True)


def _answer(
    patch: act.PlannedPatch, kind: Literal["refused", "lost"], at: datetime, code: str = "", message: str = ""
) -> act.Answer:
    return act.Answer(
        seller=patch.request.seller_id,
        marketplace=patch.request.marketplace_id,
        sku=patch.request.sku,
        whlo=patch.whlo,
        itno=patch.itno,
        reference=patch.reference,
        kind=kind,
        at=at,
        code=code,
        message=message,
    )

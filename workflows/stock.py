"""The stock keeper: the one workflow that knows what Amazon should show of M3's stock, and sends it.

It loops rounds: what it was told is merged into the stock book, then what should be shown is planned from it and sent.
All that takes time goes on beside that: questions to M3, patches, feeds. Their answers are news as any other. The book
itself lies in the archive; here is the key of its present state (docs/decisions/0011-stock-book.md).
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.alert_contracts import AlertMessage
from canonical.stock import keeper_contracts as act
from canonical.stock.keeper_state import Sent, StockInput
from canonical.stock.news import STOCK
from workflows import stock_calls as calls
from workflows import stock_texts as texts
from workflows.alarms import tell_people
from workflows.stock_handlers import StockHandlers
from workflows.stock_sending import StockSending
from workflows.stock_state import Asked, StockState

LONG_HISTORY: Final = 10_000
"""Events after which a run ends, if Temporal does not suggest it before."""
_READ_AT_ONCE: Final = 4
_PRUNE_EVERY: Final = timedelta(days=1)
_END_IN: Final = timedelta(minutes=2)
"""What is under way when a run ends may take so long; the next run begins again what takes longer."""


@workflow.defn(name=STOCK)
class Stock(StockHandlers):
    """Started by every worker where stock is configured; the first one wins."""

    @workflow.init
    def __init__(self, start: StockInput) -> None:
        self._state = StockState(start.state)
        self._sending = StockSending(self._state)
        self._began = workflow.now()
        """The round."""

    @workflow.run
    async def run(self, _: StockInput) -> None:
        """Live for ever, in runs of a bounded history."""
        self._sending.resume()
        while True:
            await self._round()
            info = workflow.info()
            if info.is_continue_as_new_suggested() or info.get_current_history_length() > LONG_HISTORY:
                await self._end_run()
            await self._wait()

    async def _round(self) -> None:
        state = self._state
        state.merging = bool(state.inbox.told)
        self._began = workflow.now()
        try:
            await self._merge()
            self._look_at_m3()
            if state.kept.paused is None:
                await self._plan()
            await self._prune()
        finally:
            state.merging = False
        workflow.set_current_details(texts.details(state.view()))
        if self._sending.failed is not None:
            raise self._sending.failed

    async def _wait(self) -> None:
        """Until there is something to do, or it is time to look; then a moment more, for what comes together."""
        state = self._state
        pause = max(self._began + state.kept.pace.every - workflow.now(), state.gather)
        paused = state.kept.paused
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: (
                    bool(state.inbox)
                    or (state.asked.now and not state.asking_m3)
                    or state.kept.paused is not paused
                    or self._sending.failed is not None
                ),
                timeout=pause,
                timeout_summary="Until the next look",
            )
            await workflow.sleep(state.gather, summary="What comes together")

    # --- the book -------------------------------------------------------------------------------

    async def _merge(self) -> None:
        state = self._state
        while state.inbox:
            request = state.inbox.take(state.kept.book, workflow.now())
            done = await calls.of_book(act.MERGE_STOCK, request, act.MergeResult, "Take the news in")
            state.asked.now |= done.totals.unread > state.kept.totals.unread
            state.keep(book=done.book, totals=done.totals, to_plan=done.changed)
            for remark in done.remarks:
                state.note(workflow.now(), remark)
            if done.refused_now:
                self._tell(texts.refused(done.refused, done.refused_now))

    async def _plan(self) -> None:
        state = self._state
        now = workflow.now()
        request = state.plan_request(now)
        done = await calls.of_book(
            act.PLAN_STOCK, request, act.PlanResult, f"Round {request.round}: what is to be sent"
        )
        state.keep(
            book=done.book,
            totals=done.totals,
            pace=done.pace,
            round=request.round,
            to_plan=False,
            planned_at=now,
        )
        if done.patches or done.feeds:
            messages = sum(feed.messages for feed in done.feeds)
            sent = Sent(
                round=request.round,
                at=now,
                patches=len(done.patches),
                feeds=len(done.feeds),
                in_feeds=messages,
            )
            state.keep(last_sent=sent)
        self._sending.send(done)
        if done.noted_now:
            self._tell(texts.noted(done.notes, done.noted_now))

    async def _prune(self) -> None:
        state, now = self._state, workflow.now()
        if state.kept.pruned_at is not None and now - state.kept.pruned_at < _PRUNE_EVERY:
            return
        request = act.PruneRequest(book=state.kept.book, at=now)
        await calls.of_book(act.PRUNE_STOCK, request, act.PruneResult, "Delete what no book needs")
        state.keep(pruned_at=now)

    def _tell(self, message: AlertMessage) -> None:
        async def telling() -> None:
            await tell_people(message, message.title)

        self._sending.begin(telling())

    # --- M3 -------------------------------------------------------------------------------------

    def _look_at_m3(self) -> None:
        """Begin a look where one is due, or asked for, and none is under way."""
        state, looked = self._state, self._state.kept.looked_at
        due = looked is None or self._began - looked >= state.kept.pace.every
        if state.asking_m3 or not (due or state.asked.now):
            return
        state.asking_m3 = True
        self._sending.begin(self._looked_at_m3())

    async def _looked_at_m3(self) -> None:
        """Orders first: a balance counts them only if it was asked for after M3 was known to have them."""
        state, now = self._state, self._began
        asked, full = state.asked, state.full_is_due(now)
        state.asked = Asked()
        state.keep(looked_at=now)
        try:
            in_m3 = await self._orders_in_m3()
            changed = await calls.of_m3(
                act.FIND_CHANGED_BALANCES,
                act.FindChangedRequest(
                    book=state.kept.book,
                    since=None if full else state.kept.since,
                    pools=tuple(asked.pools),
                    in_m3=in_m3,
                ),
                act.FindChangedResult,
                "Every balance" if full else "Which balances have changed?",
            )
            await self._read_balances(changed.parts)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            state.asked.full |= asked.full
            state.asked.pools |= asked.pools
            state.note(workflow.now(), f"M3's stock could not be read: {calls.said(error)}")
        else:
            state.keep(since=changed.asked_at, full_at=now if changed.full else state.kept.full_at)
            if changed.remark:
                state.note(workflow.now(), changed.remark)
        finally:
            state.asking_m3 = False

    async def _orders_in_m3(self) -> str:
        state = self._state
        if not state.kept.totals.not_in_m3:
            return ""
        request = act.FindSoldRequest(book=state.kept.book, round=state.kept.round)
        found = await calls.of_m3(
            act.FIND_SOLD_IN_M3, request, act.FindSoldResult, "Which orders does M3 have?"
        )
        if found.key:
            state.inbox.in_m3.append(found.key)
        return found.key

    async def _read_balances(self, parts: tuple[str, ...]) -> None:
        gate = asyncio.Semaphore(_READ_AT_ONCE)

        async def one(part: str) -> None:
            async with gate:
                request = act.ReadBalancesRequest(part=part)
                done = await calls.of_m3(act.READ_BALANCES, request, act.ReadBalancesResult, "Read balances")
            self._state.inbox.balances.append(done.key)

        failures = await asyncio.gather(*(one(part) for part in parts), return_exceptions=True)
        for failure in failures:
            if isinstance(failure, BaseException):
                raise failure

    # --- the end of a run -----------------------------------------------------------------------

    async def _end_run(self) -> None:
        """Go on in a new run, with everything that is known and under way."""
        state = self._state
        state.closing = True
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._sending.idle, timeout=_END_IN)
        await self._sending.cut_off()
        while state.inbox:  # the last word before the new run: nothing that was told is lost
            await self._merge()
            await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(StockInput(state=state.snapshot()))

"""A bulk import: the orders of a file, of a period, or of a report are started chunk by chunk, behind live ones.

The orders themselves lie in the archive; the history carries counts. A few chunks are under way at a time, each
started only while not too much waits for M3; when the history has grown the import goes on in a new run, from
where it was.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from canonical.activity_contracts import HELD
from canonical.import_contracts import (
    BULK_IMPORT,
    FINISH_IMPORT,
    IMPORT_REFUSED,
    IMPORTS_QUEUE,
    PAGE_TOKEN_REFUSED,
    PROGRESS,
    READ_IMPORT_PAGE,
    SPLIT_IMPORT,
    START_CHUNK,
    ChunkRequest,
    ChunkResult,
    FileWanted,
    FinishRequest,
    ImportCounts,
    ImportInput,
    ImportPeriod,
    ImportProgress,
    ImportResult,
    PageRequest,
    PageResult,
    ReportWanted,
    SplitRequest,
    SplitResult,
)
from workflows.policies import (
    AMAZON_SEARCH,
    BULK_PRIORITY,
    HEARTBEAT,
    CallPolicy,
    marketplace_priority,
    seller_priority,
)
from workflows.reports import ask_and_wait, refused

R = TypeVar("R", bound=BaseModel)

_PATIENT: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=[HELD, IMPORT_REFUSED, PAGE_TOKEN_REFUSED],
)
"""An import waits as long as it must; what cannot be done says so itself."""
_ARCHIVE_CALL: Final = CallPolicy(IMPORTS_QUEUE, timedelta(hours=1), _PATIENT)
_MOST_REMARKS: Final = 50
_REREADS: Final = 5
"""How often a period is read from its beginning because Amazon no longer knew the page's token."""


@workflow.defn(name=BULK_IMPORT)
class BulkImport:
    """Every order of the input is started, once; what became of each line is in the archive."""

    @workflow.init
    def __init__(self, start: ImportInput) -> None:
        self._start = start
        state = start.state
        self._state = state.model_copy(update={"first_run": state.first_run or workflow.info().run_id})
        self._next = state.taken + 1
        self._done: dict[int, ChunkResult] = {}
        self._full = False
        """Whether the history is long enough: what is under way is finished, the rest is for the next run."""
        self._phase = "beginning"

    @workflow.run
    async def run(self, start: ImportInput) -> ImportResult:
        if start.report is not None and self._state.file is None and not await self._report(start.report):
            return self._result()
        await self._split()
        works = [self._start_chunks() for _ in range(start.chunks_at_once)]
        if start.period is not None:
            works.append(self._read_pages(start.period))
        await _all(works)
        if self._full:
            workflow.continue_as_new(start.model_copy(update={"state": self._state}))
        self._say("clearing up")
        await self._call(FINISH_IMPORT, FinishRequest(folder=start.folder), None, "Delete the chunks")
        self._say("done")
        return self._result()

    @workflow.query(name=PROGRESS)
    def progress(self) -> ImportProgress:
        """How far it is."""
        known = self._state.complete or self._start.period is None
        return ImportProgress(
            phase=self._phase, counts=self._state.counts, total=self._state.counts.orders if known else 0
        )

    async def _report(self, wanted: ReportWanted) -> bool:
        """Ask Amazon for the report and wait for it; False where Amazon has no data."""
        self._say("waiting for Amazon's report")
        ended = await ask_and_wait(self._start.seller_id, wanted)
        if ended.file is None and ended.status == "CANCELLED":
            self._note(ended.sentence)
            return False
        if ended.file is None:
            raise refused(ended.sentence)
        self._note(ended.sentence)
        self._state = self._state.model_copy(update={"file": ended.file})
        return True

    async def _split(self) -> None:
        file = self._state.file or self._start.file
        if file is None or self._state.complete:
            return
        self._say("reading the file")
        split = await self._call(SPLIT_IMPORT, self._split_request(file), SplitResult, "Split into chunks")
        self._state = self._state.model_copy(
            update={
                "file": file,
                "chunks": split.chunks,
                "complete": True,
                "counts": self._state.counts.plus(split.counts),
            }
        )

    def _split_request(self, file: FileWanted) -> SplitRequest:
        start = self._start
        return SplitRequest(
            seller_id=start.seller_id, folder=start.folder, file=file, marketplace_id=start.marketplace_id
        )

    async def _read_pages(self, period: ImportPeriod) -> None:
        """Each page becomes a chunk at Amazon's pace, however fast the chunks are started: Amazon keeps a page's
        token for 24 hours only."""
        rereads = 0
        while not self._state.complete and not self._full:
            try:
                await self._read_page(period)
            except ActivityError as error:
                if not _is_refused_token(error) or rereads == _REREADS:
                    raise
                rereads += 1
                self._note("Amazon no longer knew where its pages went on; the period is read again.")
                self._state = self._state.model_copy(update={"token": ""})

    async def _read_page(self, period: ImportPeriod) -> None:
        start, state = self._start, self._state
        self._say(self._pace())
        page: PageResult = await workflow.execute_activity(
            READ_IMPORT_PAGE,
            PageRequest(
                seller_id=start.seller_id,
                folder=start.folder,
                number=state.chunks + 1,
                period=period,
                token=state.token,
            ),
            result_type=PageResult,
            task_queue=AMAZON_SEARCH.queue,
            start_to_close_timeout=AMAZON_SEARCH.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=_PATIENT,
            priority=seller_priority(start.seller_id, BULK_PRIORITY),
            summary=f"Page after {state.counts.orders} orders",
        )
        self._state = self._state.model_copy(
            update={
                "chunks": state.chunks + 1,
                "token": page.next_token,
                "complete": not page.next_token,
                "counts": self._state.counts.plus(ImportCounts(orders=page.orders)),
            }
        )

    async def _start_chunks(self) -> None:
        """One of several that take the next chunk, until there is none."""
        while True:
            await workflow.wait_condition(self._something_to_do)
            if self._full or self._next > self._state.chunks:
                return
            number = self._next
            self._next += 1
            self._say(self._pace())
            request = ChunkRequest(
                seller_id=self._start.seller_id,
                folder=self._start.folder,
                number=number,
                results=self._results,
                import_id=self._state.first_run,
            )
            self._take(number, await self._call(START_CHUNK, request, ChunkResult, f"Start chunk {number}"))

    def _something_to_do(self) -> bool:
        return self._full or self._state.complete or self._next <= self._state.chunks

    def _take(self, number: int, result: ChunkResult) -> None:
        self._done[number] = result
        taken = self._state.taken
        while taken + 1 in self._done:
            taken += 1
            del self._done[taken]
        self._state = self._state.model_copy(
            update={"taken": taken, "counts": self._state.counts.plus(result.counts)}
        )
        for remark in result.remarks:
            self._remark(remark)
        self._say(self._pace())
        in_this_run = taken - self._start.state.taken
        if workflow.info().is_continue_as_new_suggested() or in_this_run >= self._start.chunks_in_run:
            self._full = True

    async def _call(self, name: str, request: BaseModel, result: type[R] | None, summary: str) -> R:
        answer: R = await workflow.execute_activity(
            name,
            request,
            result_type=result,
            task_queue=_ARCHIVE_CALL.queue,
            start_to_close_timeout=_ARCHIVE_CALL.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=_ARCHIVE_CALL.retry,
            priority=marketplace_priority(self._start.seller_id, self._start.marketplace_id, BULK_PRIORITY),
            summary=summary,
        )
        return answer

    @property
    def _results(self) -> str:
        return f"{self._start.folder}/results/{self._state.first_run}"

    def _pace(self) -> str:
        counts = self._state.counts
        whole = f" of {counts.orders}" if self._state.complete else f" of {counts.orders} read so far"
        return f"{counts.done}{whole} orders handed over, {counts.started} of them started"

    def _say(self, phase: str) -> None:
        self._phase = phase
        workflow.set_current_details(f"{phase[:1].upper()}{phase[1:]}.")

    def _remark(self, sentence: str) -> None:
        if sentence and len(self._state.remarks) < _MOST_REMARKS:
            remarks = (*self._state.remarks, sentence)
            self._state = self._state.model_copy(update={"remarks": remarks})

    def _note(self, sentence: str) -> None:
        if sentence:
            self._state = self._state.model_copy(update={"notes": (*self._state.notes, sentence)})

    def _result(self) -> ImportResult:
        return ImportResult(
            counts=self._state.counts,
            results=self._results,
            remarks=self._state.remarks,
            notes=self._state.notes,
        )


async def _all(works: list[Coroutine[object, object, None]]) -> None:
    """All of them, or the error of the first that fails, with the others stopped."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _is_refused_token(error: ActivityError) -> bool:
    return isinstance(error.cause, ApplicationError) and error.cause.type == PAGE_TOKEN_REFUSED

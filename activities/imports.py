"""Bulk imports as Temporal activities: split a file, read a page, start a chunk of orders, clear up.

What starts workflows and what knows how much is waiting lies above this room; it is handed in.
"""

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import import_chunks as chunks
from activities.amazon.client import AmazonClient, Period
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.outcomes import PATIENCE, asking_amazon
from activities.archive import Archive, ArchiveError, NotArchived
from activities.errors import RetryLater, bounded, failures_as_temporal_knows_them, heartbeating
from canonical.import_contracts import (
    FINISH_IMPORT,
    IMPORT_REFUSED,
    PAGE_TOKEN_REFUSED,
    READ_IMPORT_PAGE,
    SPLIT_IMPORT,
    START_CHUNK,
    ChunkRequest,
    ChunkResult,
    FinishRequest,
    ImportEntry,
    ImportLine,
    PageRequest,
    PageResult,
    SplitRequest,
    SplitResult,
)
from canonical.order_contracts import OrderToCashInput
from canonical.order_files import Owner
from canonical.order_reports import UnreadableReport

T = TypeVar("T")
AT_ONCE: Final = 10
"""At most so many orders of one chunk are started at the same time, and never more than there is room for."""
MOST_REMARKS: Final = 20
BACKLOG: Final = "backlog"
INCOMPLETE: Final = "import_incomplete"
ARCHIVE_UNAVAILABLE: Final = "archive_unavailable"
"""ApplicationError types of what Temporal tries again."""
_LOOK_AGAIN: Final = 1.0
"""Seconds between two looks at what is waiting."""
_LOOKS: Final = 60
"""Looks before the activity gives its place to another and comes again."""
_COME_AGAIN: Final = timedelta(seconds=30)
_MISSED: Final = 10
"""Attempts after which what is not in the archive is believed not to be there."""

_log = structlog.get_logger(__name__)


class NotStartable(Exception):  # noqa: N818 - said as a sentence to a person
    """Temporal will never take this order; the text says why."""


class StartImported(Protocol):
    """Start an order, behind live ones, or tell the running one.

    `import_id` is noted on the order; with `again` an order that carries it counts as started. The outcome is one
    of started, under_way, closed, with a sentence where a person should know. Raises NotStartable.
    """

    async def __call__(self, order: OrderToCashInput, *, import_id: str, again: bool) -> tuple[str, str]: ...


class Waiting(Protocol):
    """How many tasks wait for M3 or for a worker now."""

    async def __call__(self) -> int: ...


class ImportActivities:
    """Imports of every configured seller.

    clients and marketplaces: by seller id. most_waiting: how many tasks may wait before an import pauses.
    """

    def __init__(
        self,
        archive: Archive,
        clients: Mapping[str, AmazonClient],
        marketplaces: Mapping[str, tuple[str, ...]],
        *,
        start: StartImported,
        waiting: Waiting,
        most_waiting: int,
        keep: timedelta,
    ) -> None:
        self._archive = archive
        self._clients = clients
        self._marketplaces = marketplaces
        self._start = start
        self._waiting = waiting
        self._most_waiting = most_waiting
        self._keep = keep

    @property
    def all(self) -> Sequence[Callable[..., object]]:
        """What the queue of imports hosts."""
        return (self.split_import, self.start_chunk, self.finish_import)

    @activity.defn(name=SPLIT_IMPORT)
    async def split_import(self, request: SplitRequest) -> SplitResult:
        """Split an archived file into chunks; after a crash the same chunks are written again.

        Fails for good where the file cannot be read.
        """
        owner = Owner(
            request.seller_id, self._marketplaces.get(request.seller_id, ()), request.marketplace_id
        )

        def work(stopped: threading.Event) -> SplitResult:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "input"
                self._archive.download(request.file.key, file)
                number, counts = chunks.split_file(
                    file, self._archive, request.folder, owner, request.file.charset, _unless(stopped)
                )
                return SplitResult(chunks=number, counts=counts)

        async with archived():
            try:
                return await in_thread(work)
            except UnreadableReport as error:
                raise refused(f"The file cannot be imported: {error}") from None

    @activity.defn(name=READ_IMPORT_PAGE)
    async def read_import_page(self, request: PageRequest) -> PageResult:
        """One searchOrders page becomes one chunk."""
        client = self._clients.get(request.seller_id)
        if client is None:
            raise refused(f"Seller {request.seller_id} is not in the configuration.")
        period = Period(request.period.created_after, request.period.created_before, by_creation=True)
        async with asking_amazon(f"Orders of seller {request.seller_id}"), archived(beating=False):
            try:
                page = await client.search_orders(period, token=request.token)
            except AmazonError as error:
                if error.failure is Failure.REFUSED and request.token and activity.info().attempt >= PATIENCE:
                    raise ApplicationError(
                        error.sentence, type=PAGE_TOKEN_REFUSED, non_retryable=True
                    ) from None
                raise
            entries = [chunks.entry_of_payload(payload, request.seller_id) for payload in page.orders]
            await asyncio.to_thread(
                chunks.write_chunk, self._archive, request.folder, request.number, entries
            )
            return PageResult(orders=len(page.orders), next_token=page.next_token)

    @activity.defn(name=START_CHUNK)
    async def start_chunk(self, request: ChunkRequest) -> ChunkResult:
        """Start every order of a chunk, once, while not too much is waiting, and write down what became of each.

        After a crash it starts over: an order this import had started already still counts as started.
        """
        async with archived():
            entries = await asyncio.to_thread(
                chunks.read_chunk, self._archive, request.folder, request.number
            )
            lines: list[ImportLine] = []
            while len(lines) < len(entries):
                room = await self._until_there_is_room()
                some = entries[len(lines) : len(lines) + min(room, AT_ONCE)]
                lines += await _all(self._line(entry, request) for entry in some)
            counts = await asyncio.to_thread(
                chunks.write_results, self._archive, request.results, request.number, lines
            )
        remarks = [
            line.sentence
            for line in lines
            if line.sentence and line.outcome in ("started", "under_way", "closed")
        ]
        return ChunkResult(counts=counts, remarks=tuple(remarks[:MOST_REMARKS]))

    @activity.defn(name=FINISH_IMPORT)
    async def finish_import(self, request: FinishRequest) -> None:
        """Delete the chunks, and what was imported longer ago than it may be kept."""

        def work(_: threading.Event) -> int:
            self._archive.remove(chunks.chunks_of(request.folder))
            before = datetime.now(UTC) - self._keep
            return sum(self._archive.prune(prefix, before) for prefix in ("imports", "reports"))

        async with archived():
            pruned = await in_thread(work)
            if pruned:
                _log.info("archive_pruned", files=pruned)

    async def _until_there_is_room(self) -> int:
        """How many orders may be started now, at least one."""
        for _ in range(_LOOKS):
            waiting = await self._waiting()
            if waiting < self._most_waiting:
                return self._most_waiting - waiting
            await asyncio.sleep(_LOOK_AGAIN)
        raise RetryLater(
            f"The import pauses: {waiting} tasks wait for M3 or for a worker.",
            kind=BACKLOG,
            delay=_COME_AGAIN,
            expected=True,
        )

    async def _line(self, entry: ImportEntry, request: ChunkRequest) -> ImportLine:
        if entry.outcome:
            return ImportLine(
                lines=entry.lines, order_id=entry.order_id, outcome=entry.outcome, sentence=entry.sentence
            )
        order = OrderToCashInput(seller_id=request.seller_id, order_id=entry.order_id, order=entry.order)
        again = activity.info().attempt > 1
        try:
            outcome, sentence = await self._start(order, import_id=request.import_id, again=again)
        except NotStartable as error:
            outcome, sentence = chunks.REFUSED, str(error)
        return ImportLine(
            lines=entry.lines,
            order_id=entry.order_id,
            outcome=outcome,
            sentence=" ".join(filter(None, (entry.sentence, sentence))),
        )


def refused(sentence: str) -> ApplicationError:
    """The import cannot go on; the sentence is for the person who asked for it."""
    return ApplicationError(bounded(sentence), type=IMPORT_REFUSED, non_retryable=True)


@contextlib.asynccontextmanager
async def archived(*, beating: bool = True) -> AsyncIterator[None]:
    """Around what uses the archive: heartbeats, and its failures as Temporal knows them."""
    with failures_as_temporal_knows_them():
        try:
            async with heartbeating() if beating else contextlib.nullcontext():
                yield
        except NotArchived as error:
            if activity.info().attempt < _MISSED:
                raise RetryLater(str(error), kind=ARCHIVE_UNAVAILABLE) from None
            raise refused(
                f"{error} Workers and commands must see the same archive: set archive.url in the configuration."
            ) from None
        except ArchiveError as error:
            raise RetryLater(str(error), kind=ARCHIVE_UNAVAILABLE) from None


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """`work` in a thread; where the activity is cancelled, the event tells it to stop."""
    stopped = threading.Event()
    try:
        return await asyncio.to_thread(work, stopped)
    except asyncio.CancelledError:
        stopped.set()
        raise


async def _all(works: Iterable[Coroutine[object, object, ImportLine]]) -> list[ImportLine]:
    """All of them; raises RetryLater where some could not be done, after the others were."""
    results = await asyncio.gather(*works, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if not isinstance(failure, Exception):
            raise failure
    if failures:
        # The type alone: the text of a foreign error may repeat the order's content.
        kind = type(failures[0]).__name__
        raise RetryLater(
            f"{len(failures)} of {len(results)} orders could not be handed to Temporal ({kind}); the chunk is "
            "started again.",
            kind=INCOMPLETE,
        )
    return [result for result in results if isinstance(result, ImportLine)]


def _unless(stopped: threading.Event) -> Callable[[], None]:
    def going_on() -> None:
        if stopped.is_set():
            raise ArchiveError("The work was stopped.")

    return going_on

"""Amazon's transactions, looked through for kinds of amounts that nobody has said how to book.

settlements/<seller>/finances.json    what was found and told so far (`FinanceBook`)
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.amazon.client import AmazonClient
from activities.amazon.outcomes import asking_amazon
from activities.archive import Archive, ArchiveError, NotArchived
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.m3.settlements import ARCHIVE_AWAY
from canonical import finance_contracts as act
from canonical.settlement.finance_book import FinanceBook
from canonical.settlement.finance_names import FinanceNames
from canonical.settlement.finance_reading import FinancePage, read_page

FIRST_LOOK: Final = timedelta(days=35)
"""How far back the first look reads: fees that come once a month are in it."""
OVERLAP: Final = timedelta(days=3)
"""How far a look reaches back behind the one before: Amazon shows transactions up to two days late."""
LONGEST: Final = timedelta(days=178)
"""Amazon leaves a window of more than 180 days empty; a look begins at a midnight."""


class FinanceLookActivities:
    """clients: by seller id. names: what is known, by the configuration."""

    def __init__(self, clients: Mapping[str, AmazonClient], archive: Archive, names: FinanceNames) -> None:
        self._clients = clients
        self._archive = archive
        self._names = names

    @property
    def keeping(self) -> Sequence[Callable[..., object]]:
        """What uses the archive alone."""
        return (self.begin_finance_look, self.end_finance_look, self.note_finance_told)

    @activity.defn(name=act.BEGIN_FINANCE_LOOK)
    async def begin_finance_look(self, request: act.BeginFinanceRequest) -> act.FinancePageRequest:
        """Where the look begins: a while behind the last one that ended."""
        async with _keeping():
            until = (await self._book(request.seller_id)).until
        wanted = request.as_of - FIRST_LOOK if until is None else until - OVERLAP
        day = max(wanted, request.as_of - LONGEST).astimezone(UTC).date()
        return act.FinancePageRequest(
            seller_id=request.seller_id, since=datetime.combine(day, time(), tzinfo=UTC)
        )

    @activity.defn(name=act.READ_FINANCE_PAGE)
    async def read_finance_page(self, request: act.FinancePageRequest) -> FinancePage:
        """One listTransactions page, of every marketplace: what nobody has said how to book, and no other amount."""
        async with asking_amazon(f"Transactions of seller {request.seller_id}"):
            client = self._clients.get(request.seller_id)
            if client is None:
                raise ApplicationError(
                    f"Seller {request.seller_id} is not in the configuration.",
                    type="seller_not_configured",
                    non_retryable=True,
                )
            page = await client.finances.transactions(request.since, None, token=request.token)
            return read_page(page.transactions, self._names, page.next_token)

    @activity.defn(name=act.END_FINANCE_LOOK)
    async def end_finance_look(self, request: act.EndFinanceRequest) -> act.FinanceKinds:
        """Remember what was found; again it changes nothing."""
        async with _keeping():
            known = await self._book(request.seller_id)
            book = known.looked(request.since, request.until, request.sightings, self._names)
            await self._keep(request.seller_id, book)
        return act.FinanceKinds(kinds=book.kinds, untold=book.untold)

    @activity.defn(name=act.NOTE_FINANCE_TOLD)
    async def note_finance_told(self, request: act.FinanceToldRequest) -> act.FinanceKinds:
        """Remember that people were told."""
        async with _keeping():
            book = (await self._book(request.seller_id)).with_told(request.keys, request.now)
            await self._keep(request.seller_id, book)
        return act.FinanceKinds(kinds=book.kinds, untold=book.untold)

    async def _book(self, seller_id: str) -> FinanceBook:
        try:
            return FinanceBook.model_validate_json(await self._archive.fetch(_key(seller_id)))
        except NotArchived:
            return FinanceBook()

    async def _keep(self, seller_id: str, book: FinanceBook) -> None:
        await self._archive.keep(_key(seller_id), book.model_dump_json(indent=1).encode())


@contextlib.asynccontextmanager
async def _keeping() -> AsyncIterator[None]:
    with failures_as_temporal_knows_them():
        async with heartbeating():
            try:
                yield
            except ArchiveError as error:
                raise RetryLater(str(error), kind=ARCHIVE_AWAY) from error


def _key(seller_id: str) -> str:
    return f"settlements/{seller_id}/finances.json"

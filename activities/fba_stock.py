"""Amazon's own stock as activities: what each marketplace shows, and what its ledger tells of adjustments.

fba-stock/<seller>/<subject>/adjustments.json   adjustments that one look found
fba-stock/<seller>/<subject>/plan-*.json        what becomes of them (`Corrections`)
fba-stock/<seller>/taken/<subject>.json         references of adjustments that have a workflow
fba-stock/looks/...                             what marketplaces show, and the comparison with M3
"""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import TypeAdapter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.amazon.client import AmazonClient
from activities.amazon.outcomes import asking_amazon
from activities.archive import Archive, ArchiveError, NotArchived
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from canonical.fba_ledger import RefusedRow, read_ledger
from canonical.held import HeldReason, held
from canonical.report_text import UnreadableReport
from canonical.stock import fba_contracts as act
from canonical.stock import fba_ids as ids
from canonical.stock.corrections import FbaAdjustment
from canonical.stock.fba_pool import FbaView

ARCHIVE_AWAY: Final = "archive_away"
"""ApplicationError type of what Temporal tries again."""
UNREADABLE: Final = "ledger_unreadable"
NOT_CONFIGURED: Final = "seller_not_configured"
"""ApplicationError types, not retried."""
KEPT: Final = timedelta(days=600)
"""Amazon tells adjustments of eighteen months: so long it has to be known which were taken in."""
_REMARKS: Final = 20
_GZIP: Final = b"\x1f\x8b"

ADJUSTMENTS: Final = TypeAdapter(tuple[FbaAdjustment, ...])
VIEWS: Final = TypeAdapter(tuple[FbaView, ...])
_REFERENCES: Final = TypeAdapter(tuple[str, ...])


class FbaStockActivities:
    """FBA stock of every configured seller; M3 is not asked here."""

    def __init__(self, clients: Mapping[str, AmazonClient], archive: Archive) -> None:
        self._clients = clients
        self._archive = archive

    @property
    def reading(self) -> Sequence[Callable[..., object]]:
        """What reads archived files and asks nobody."""
        return (self.read_fba_ledger, self.note_fba_taken)

    @activity.defn(name=act.READ_FBA_STOCK)
    async def read_fba_stock(self, request: act.ReadStockRequest) -> act.StockRead:
        """Every page of one marketplace: as many getInventorySummaries calls as it has fifty SKUs, paced by the
        operation's rate."""
        client = self._clients.get(request.seller_id)
        if client is None:
            sentence = f"Seller {request.seller_id} is not in the configuration."
            raise ApplicationError(sentence, type=NOT_CONFIGURED, non_retryable=True)
        subject = f"FBA stock of seller {request.seller_id} in {request.marketplace_id}"
        async with asking_amazon(subject), in_archive(beating=False):
            shown = await client.inventory.summaries(request.seller_id, request.marketplace_id)
            key = f"{request.folder}/{request.seller_id}-{request.marketplace_id}.json.gz"
            await keep(self._archive, key, VIEWS.dump_json(shown.views))
            return act.StockRead(key=key, skus=len(shown.views), passes=shown.passes, remarks=shown.remarks)

    @activity.defn(name=act.READ_FBA_LEDGER)
    async def read_fba_ledger(self, request: act.ReadLedgerRequest) -> act.LedgerRead:
        """The adjustments of a report that no look has taken in; asked again, the same ones under the same key."""
        async with in_archive():
            content = await fetch(self._archive, request.file.key)
            try:
                told = await asyncio.to_thread(_read, content, request.seller_id, request.file.charset)
            except UnreadableReport as error:
                sentence = f"Amazon's inventory ledger of seller {request.seller_id}: {error}"
                raise ApplicationError(sentence, type=UNREADABLE, non_retryable=True) from None
            adjustments, refused = told
            taken = await asyncio.to_thread(self._taken, request.seller_id)
            new = tuple(
                one
                for one in adjustments
                if one.reference not in taken and (request.begin is None or one.at.date() >= request.begin)
            )
            subject = ids.fba_correction_subject(one.reference for one in new) if new else ""
            key = ids.adjustments_key(request.seller_id, subject) if new else ""
            if new:
                await keep(self._archive, key, ADJUSTMENTS.dump_json(new))
            return act.LedgerRead(
                subject=subject,
                key=key,
                adjustments=len(new),
                known=len(adjustments) - len(new),
                unreadable=len(refused),
                remarks=tuple(f"Line {row.line}: {row.sentence}" for row in refused[:_REMARKS]),
            )

    @activity.defn(name=act.NOTE_FBA_TAKEN)
    async def note_fba_taken(self, request: act.NoteTakenRequest) -> act.NoteTakenResult:
        """Remember that these adjustments have a workflow: no look takes them in again."""
        async with in_archive():
            found = ADJUSTMENTS.validate_json(await fetch(self._archive, request.key))
            references = tuple(one.reference for one in found)
            key = ids.taken_key(request.seller_id, request.subject)
            await keep(self._archive, key, _REFERENCES.dump_json(references))
            before = datetime.now(UTC) - KEPT
            for folder in (f"{ids.FOLDER}/{request.seller_id}", ids.looks_folder()):
                await asyncio.to_thread(self._archive.prune, folder, before)
            return act.NoteTakenResult(adjustments=len(references))

    def _taken(self, seller_id: str) -> set[str]:
        found: set[str] = set()
        for key in self._archive.keys(ids.taken_folder(seller_id)):
            with contextlib.suppress(NotArchived):  # pruned a moment ago
                found.update(_REFERENCES.validate_json(self._archive.read(key)))
        return found


async def keep(archive: Archive, key: str, content: bytes) -> None:
    """Put it into the archive, packed where the key says so: the same content is the same file to the byte."""
    await archive.keep(key, gzip.compress(content, mtime=0) if key.endswith(".gz") else content)


async def fetch(archive: Archive, key: str) -> bytes:
    """All that is under a key, unpacked."""
    content = await archive.fetch(key)
    return await asyncio.to_thread(gzip.decompress, content) if content[:2] == _GZIP else content


@contextlib.asynccontextmanager
async def in_archive(*, beating: bool = True) -> AsyncIterator[None]:
    """Around what uses the archive: heartbeats, and its failures as Temporal knows them."""
    with failures_as_temporal_knows_them():
        try:
            async with heartbeating() if beating else contextlib.nullcontext():
                yield
        except NotArchived as error:
            raise held(HeldReason.NOT_CONFIGURED, f"{error} All workers need the same archive.") from None
        except ArchiveError as error:
            raise RetryLater(str(error), kind=ARCHIVE_AWAY) from None


def _read(content: bytes, seller_id: str, charset: str) -> tuple[list[FbaAdjustment], list[RefusedRow]]:
    adjustments: list[FbaAdjustment] = []
    refused: list[RefusedRow] = []
    for told in read_ledger(content, seller_id, charset):
        if isinstance(told, FbaAdjustment):
            adjustments.append(told)
        else:
            refused.append(told)
    return adjustments, refused

"""What becomes of one message: read, judged, handed to Temporal or kept, and only then acknowledged.

| document | becomes |
|--|--|
| Sync.Shipment of an MFN order under way | its M3Document workflow asks M3 and tells the order `goods_left` |
| Sync.Shipment of any MFN order | the same look finds labels that Amazon knows otherwise, and Amazon is told again |
| Sync.Invoice of an order held for its invoice | its M3Document workflow lets the order try again |
| other Sync.Shipment, Sync.Invoice; Sync.SalesOrder; Acknowledge | acknowledged, nothing to do, counted |
| Process | answered with an Acknowledge that rejects, where a logical id is configured; otherwise kept |
| anything else | kept in the archive |
"""

import asyncio
from collections import Counter
from enum import StrEnum
from typing import Final

import structlog

from canonical.bod_xml import BodProblem
from canonical.bods import Bod, BodDocument, read_bod
from canonical.ids import m3_document_workflow_id
from canonical.ion_messages import MessageParameters, digest_of, key_of, unpacked
from canonical.m3_document_contracts import Acknowledgement, DocumentNews, Hint, OrderHint, Verdict
from starters.ion.kept import Keeper
from worker.m3_documents import DocumentsOnTemporal, Standing

HINTS: Final = {"Sync.Shipment": Hint.GOODS_LEFT, "Sync.Invoice": Hint.INVOICED}
NOTHING_TO_DO: Final = frozenset({"Sync.SalesOrder"})
"""M3's own order changes: what this service books it reads back itself, and what people change the audit shows."""
RECEIVED: Final = (*HINTS, *sorted(NOTHING_TO_DO))
"""Documents this service asks ION for."""
_REJECTION: Final = (
    "This service takes no requests: Amazon's orders come from Amazon, and M3 is asked directly."
)
_PARSED_AT_ONCE: Final = 2

_log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What became of a message."""

    FOLLOWED = "followed"
    """An order of ours may be concerned; its document's workflow has it."""
    ANSWERED = "answered"
    """A Process BOD; its answer is with Temporal."""
    NOTHING_TO_DO = "nothing_to_do"
    NOT_OURS = "not_ours"
    """Of no order this service knows."""
    CLOSED = "closed"
    """Of an order that has ended, and nothing follows from it."""
    DUPLICATE = "duplicate"
    OLDER = "older"
    CONFLICT = "conflict"
    """The id of another message, with another content; refused."""
    KEPT = "kept"
    """Unknown, and in the archive."""


_RANK: Final = (
    Outcome.CONFLICT,
    Outcome.FOLLOWED,
    Outcome.ANSWERED,
    Outcome.KEPT,
    Outcome.OLDER,
    Outcome.DUPLICATE,
    Outcome.NOTHING_TO_DO,
    Outcome.CLOSED,
    Outcome.NOT_OURS,
)
_OF_VERDICT: Final = {
    Verdict.DUPLICATE: Outcome.DUPLICATE,
    Verdict.OLDER: Outcome.OLDER,
    Verdict.CONFLICT: Outcome.CONFLICT,
}
_OF_STANDING: Final = {
    Standing.INDIFFERENT: Outcome.NOTHING_TO_DO,
    Standing.CLOSED: Outcome.CLOSED,
    Standing.UNKNOWN: Outcome.NOT_OURS,
}


class Receiver:
    """Takes messages one by one. `counts` says what became of all of them in this process."""

    def __init__(
        self, documents: DocumentsOnTemporal, archive: Keeper, *, max_bytes: int, answers: bool
    ) -> None:
        self._documents = documents
        self._archive = archive
        self._max_bytes = max_bytes
        self._answers = answers
        self._parsing = asyncio.Semaphore(_PARSED_AT_ONCE)
        self.counts: Counter[Outcome] = Counter()

    async def take(self, parameters: MessageParameters, payload: bytes) -> Outcome:
        """Take one message; when this returns, it is safe with Temporal or in the archive.

        Raises `BodProblem` and `TooLarge` for what cannot be read, `Unsettled`, RPCError and ArchiveError where the
        message is to be sent again.
        """
        async with self._parsing:
            bod, plain = await asyncio.to_thread(self._read, parameters, payload)
        outcomes = [await self._document(bod, each, parameters, plain) for each in bod.documents]
        outcome = min(outcomes, key=_RANK.index)
        self.counts[outcome] += 1
        _log.info(
            "ion_message",
            document=bod.name,
            ids=[each.id for each in bod.documents[:5]] if bod.name in HINTS else [],
            outcome=outcome.value,
        )
        return outcome

    def _read(self, parameters: MessageParameters, payload: bytes) -> tuple[Bod, bytes]:
        """The BOD and its text; a message sent again may be packed in another way."""
        plain = unpacked(payload, parameters, self._max_bytes)
        bod = read_bod(plain)
        if bod.name != parameters.document_name:
            raise BodProblem(f"The document is a {bod.name}, and its documentName says something else.")
        return bod, plain.encode() if isinstance(plain, str) else plain

    async def _document(
        self, bod: Bod, document: BodDocument, parameters: MessageParameters, plain: bytes
    ) -> Outcome:
        digest = digest_of(plain)
        news = DocumentNews(
            key=key_of(parameters.source_id, digest),
            digest=digest,
            name=bod.name,
            document_id=document.id[:60],
            variation=parameters.variation if document.variation is None else document.variation,
            hint=HINTS.get(bod.name),
        )
        if news.hint is not None:
            return await self._hint(bod, document, news, news.hint)
        if bod.name in NOTHING_TO_DO or bod.verb == "Acknowledge":
            return Outcome.NOTHING_TO_DO
        if bod.verb == "Process" and self._answers:
            return await self._answer(bod, document, news)
        name = f"{bod.name}/{digest_of(f'{news.key}/{digest}'.encode())}"
        return Outcome.KEPT if await self._archive.keep(name, plain) else Outcome.DUPLICATE

    async def _hint(self, bod: Bod, document: BodDocument, news: DocumentNews, hint: Hint) -> Outcome:
        orders, standing = await self._documents.concerned(
            hint, document.amazon_order_ids, document.sales_orders
        )
        if not orders:
            return _OF_STANDING[standing]
        return await self._take(bod, document, news, orders=tuple(orders))

    async def _answer(self, bod: Bod, document: BodDocument, news: DocumentNews) -> Outcome:
        acknowledgement = Acknowledgement(
            message_id=f"ack-{digest_of(f'{news.key}/{document.id}'.encode())}",
            noun=bod.noun,
            document_id=document.id,
            accounting_entity=document.accounting_entity,
            original_bod_id=bod.bod_id,
            reason=_REJECTION,
        )
        return await self._take(bod, document, news, acknowledgement=acknowledgement)

    async def _take(
        self,
        bod: Bod,
        document: BodDocument,
        news: DocumentNews,
        *,
        orders: tuple[OrderHint, ...] = (),
        acknowledgement: Acknowledgement | None = None,
    ) -> Outcome:
        news = news.model_copy(update={"orders": orders, "acknowledgement": acknowledgement})
        workflow_id = m3_document_workflow_id(bod.name, document.accounting_entity, document.id or news.key)
        verdict = await self._documents.take(workflow_id, news)
        if verdict is Verdict.NEW:
            return Outcome.FOLLOWED if acknowledgement is None else Outcome.ANSWERED
        return _OF_VERDICT[verdict]

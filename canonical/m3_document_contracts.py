"""The words around M3's documents (BODs): what their workflow is told, remembers and asks for.

One workflow per document of M3. It remembers which messages it has seen and the highest variation, so that
a message that comes again, or late, changes nothing; the memory of a closed run is in its result.
"""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

M3_DOCUMENT: Final = "M3Document"
"""Workflow type."""
DOCUMENT_CHANGED: Final = "document_changed"
"""Signal: another message about the same document."""
FOLLOW_M3_DOCUMENT: Final = "follow_m3_document"
ACKNOWLEDGE_BOD: Final = "acknowledge_bod"
ION_INACTIVE: Final = "ion_inactive"
"""ApplicationError type: the connection point in ION is not active; somebody has to activate it."""

MOST_REMEMBERED: Final = 200
"""Messages about one document; M3 sends a handful."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class Verdict(StrEnum):
    """What a message is, measured by what is remembered of its document."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """The same message has been taken before."""
    CONFLICT = "conflict"
    """The same message id, with another content."""
    OLDER = "older"
    """A later variation of the document has been taken before."""


class Hint(StrEnum):
    """What a document may mean for an order; M3 decides."""

    GOODS_LEFT = "goods_left"
    """Sync.Shipment: a delivery of the order may have left, or the labels of one may have been corrected."""
    INVOICED = "invoiced"
    """Sync.Invoice: an order held for a missing invoice may go on."""


class OrderHint(_Contract):
    """One order a document is about."""

    seller_id: str
    order_id: str


class Acknowledgement(_Contract):
    """An Acknowledge BOD that is to be sent: the answer to a Process BOD."""

    message_id: str
    """The same whenever the same Process is answered."""
    noun: str
    document_id: str = ""
    accounting_entity: str = ""
    original_bod_id: str = ""
    reason: str
    """Why what was asked for is not done."""


class DocumentNews(_Contract):
    """One message about a document, without its content."""

    key: str
    """What the message is known by (`ion_messages.key_of`)."""
    digest: str
    name: str
    """Such as Sync.Shipment."""
    document_id: str
    variation: int | None = None
    hint: Hint | None = None
    orders: tuple[OrderHint, ...] = ()
    acknowledgement: Acknowledgement | None = None


class DocumentMemory(_Contract):
    """What is remembered of a document."""

    seen: dict[str, str] = Field(default_factory=dict)
    """Digest by message key, oldest first."""
    highest: int | None = None
    """Highest variation taken."""

    def verdict(self, news: DocumentNews) -> Verdict:
        """What `news` is. A message without a variation is never older."""
        known = self.seen.get(news.key)
        if known is not None:
            return Verdict.DUPLICATE if known == news.digest else Verdict.CONFLICT
        if news.variation is not None and self.highest is not None and news.variation < self.highest:
            return Verdict.OLDER
        return Verdict.NEW

    def with_news(self, news: DocumentNews) -> "DocumentMemory":
        """The memory after `news` was taken."""
        seen = {**self.seen, news.key: news.digest}
        while len(seen) > MOST_REMEMBERED:
            seen.pop(next(iter(seen)))
        known = [each for each in (self.highest, news.variation) if each is not None]
        return DocumentMemory(seen=seen, highest=max(known) if known else None)


class M3DocumentInput(_Contract):
    """Starts a document's workflow: the message, and what the run before remembered."""

    news: DocumentNews
    memory: DocumentMemory = DocumentMemory()


class FollowM3Document(_Contract):
    """Ask M3 about the orders of a document and tell those that have news."""

    name: str
    document_id: str
    hint: Hint
    orders: tuple[OrderHint, ...]


class FollowedM3Document(_Contract):
    told: tuple[str, ...] = ()
    """Amazon order ids whose workflow was told something."""
    corrected: tuple[str, ...] = ()
    """Amazon order ids of which Amazon is told a package again."""


class AcknowledgeBod(_Contract):
    """Send an Acknowledge BOD."""

    acknowledgement: Acknowledgement


class M3DocumentResult(_Contract):
    """How a run ended, and what the next one has to know."""

    memory: DocumentMemory
    followed: int = 0
    """How often M3 was asked, or ION answered."""
    repeated: int = 0
    """Messages that were duplicates, conflicts or older."""
    told: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    sentence: str = ""

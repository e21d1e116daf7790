"""The words of Amazon's own stock between workflows, activities and starters: names, requests, results.

What grows with the seller's assortment is in the archive (`fba-stock/`); here are keys and counts.
"""

from datetime import date, datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from canonical.import_contracts import FileWanted
from canonical.order_contracts import Repair
from canonical.steps import Step
from canonical.stock.fba_drift import FbaDifference

AMAZON_INVENTORY_QUEUE: Final = "o2c-amazon-getInventorySummaries"
"""One activity reads every page of a marketplace, since Amazon's token for the next lives thirty seconds: its first
call is let out by the queue, the later ones it paces itself by the same rate."""

FBA_ADJUSTMENTS: Final = "FbaAdjustments"
"""Workflow type: one look for the adjustments of a seller."""
FBA_CORRECTION: Final = "FbaCorrection"
"""Workflow type: what one look found, until all of it is in M3 or a person has left it out."""
FBA_STOCK_LOOK: Final = "FbaStockLook"
"""Workflow type: Amazon's stock beside M3's."""

READ_FBA_LEDGER: Final = "read_fba_ledger"
NOTE_FBA_TAKEN: Final = "note_fba_taken"
PLAN_FBA_CORRECTIONS: Final = "plan_fba_corrections"
BOOK_FBA_CORRECTIONS: Final = "book_fba_corrections"
READ_FBA_STOCK: Final = "read_fba_stock"
COMPARE_FBA_STOCK: Final = "compare_fba_stock"

CHUNK: Final = 50
"""Corrections in one activity."""

Part = Literal["ready", "to_approve"]
"""Which of a plan's corrections: those that go by themselves, or those that a person approves first."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


# --- adjustments ------------------------------------------------------------------------------------


class FbaAdjustmentsInput(_Contract):
    """A look at what Amazon did to a seller's stock."""

    seller_id: str
    marketplace_ids: tuple[str, ...] = ()
    look_back: timedelta = timedelta(days=30)
    """How far a look reaches back behind the one before; what was taken in counts once."""
    since: datetime | None = None
    """A person's own period: then Amazon is asked for exactly this."""
    until: datetime | None = None
    begin: date | None = None
    """Adjustments of earlier days are in M3's stock already: they are never taken in."""


class ReadLedgerRequest(_Contract):
    """A report in the archive."""

    seller_id: str
    file: FileWanted
    begin: date | None = None


class LedgerRead(_Contract):
    """What a report tells that no look took in before."""

    subject: str = ""
    """Names these adjustments: the same ones, read again in another report, have the same."""
    key: str = ""
    """Of the adjustments in the archive."""
    adjustments: int = 0
    known: int = 0
    """Adjustments that a look before took in, or from before the beginning."""
    unreadable: int = 0
    remarks: tuple[str, ...] = ()
    """Of lines that cannot be read."""


class NoteTakenRequest(_Contract):
    """The adjustments under `key` have a workflow that carries them to their end."""

    seller_id: str
    subject: str
    key: str


class NoteTakenResult(_Contract):
    adjustments: int = 0


class FbaAdjustmentsResult(_Contract):
    """The schedule's memory: the next look begins `look_back` before `until`."""

    seller_id: str
    until: datetime
    read: LedgerRead = LedgerRead()
    workflow_id: str = ""
    """Of the corrections that this look began."""
    sentence: str = ""


# --- corrections ------------------------------------------------------------------------------------


class FbaCorrectionInput(_Contract):
    """What starts the corrections of one look."""

    seller_id: str
    subject: str
    key: str
    """Of the adjustments in the archive."""
    adjustments: int


class PlanCorrectionsRequest(_Contract):
    """What becomes of adjustments by the configuration and the aliases of now."""

    seller_id: str
    subject: str
    key: str
    """Of the adjustments; with `doubts_only` of a plan whose doubts are planned again."""
    number: int
    doubts_only: bool = False


class PlannedCorrections(_Contract):
    """A plan; the corrections themselves are in the archive under `key`, which never changes its content."""

    key: str
    ready: int = 0
    ready_pieces: int = 0
    """Up and down added."""
    to_approve: int = 0
    to_approve_pieces: int = 0
    doubts: int = 0
    without: int = 0
    """Adjustments that change nothing in M3: transfers, and goods that are no stock any more."""
    approval_examples: tuple[str, ...] = ()
    doubt_examples: tuple[str, ...] = ()


class BookCorrectionsRequest(_Contract):
    """Book these corrections of a plan in M3, each once."""

    seller_id: str
    subject: str
    plan_key: str
    part: Part
    first: int = 0
    count: int = CHUNK
    numbers: tuple[str, ...] = ()
    """Only these (PMSN), whichever part they are of: what M3 refused before."""


class RefusedCorrection(_Contract):
    """One correction that M3 did not take."""

    number: str
    """PMSN."""
    part: Part
    plan_key: str
    sentence: str
    code: str = ""


class BookedCorrections(_Contract):
    """What became of them."""

    booked: int = 0
    repeated: int = 0
    """Of these, known to M3 from before."""
    pieces: int = 0
    """Up and down added."""
    refused: tuple[RefusedCorrection, ...] = ()


class Waiting(_Contract):
    """Corrections of a plan that are not in M3 yet."""

    plan_key: str
    part: Part
    first: int = 0
    numbers: tuple[str, ...] = ()
    """Only these; empty: all from `first` on."""


class LeftOut(_Contract):
    """Adjustments that a person decided not to book."""

    count: int
    what: str
    by: str = ""
    why: str = ""


class FbaCorrectionView(_Contract):
    """Answer of the query `state`, and the result."""

    seller_id: str
    subject: str
    step: Step
    sentence: str
    outcome: str = ""
    """booked, or cancelled."""
    adjustments: int = 0
    plans: tuple[PlannedCorrections, ...] = ()
    booked: int = 0
    pieces: int = 0
    refused: tuple[RefusedCorrection, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    held_reason: str = ""
    held_sentence: str = ""
    held_since: datetime | None = None
    repairs: tuple[Repair, ...] = ()
    remarks: tuple[str, ...] = ()


# --- Amazon's stock beside M3's ---------------------------------------------------------------------


class FbaStockInput(_Contract):
    """Look at the stock of these sellers in all their marketplaces."""

    sellers: dict[str, tuple[str, ...]]
    """Marketplaces by seller."""
    alert_pieces: int = Field(default=0, ge=0)
    """People are told where an item differs by more pieces."""
    tells: bool = False
    """Whether people are told at all: the daily look does, a person who looks is told by the command."""


class ReadStockRequest(_Contract):
    """Every page of one marketplace (getInventorySummaries)."""

    seller_id: str
    marketplace_id: str
    folder: str


class StockRead(_Contract):
    """What a marketplace shows; the views are in the archive."""

    key: str
    skus: int = 0
    passes: int = 1
    """How often it was begun: a token that was stale begins it again."""
    remarks: tuple[str, ...] = ()


class CompareStockRequest(_Contract):
    """Put what Amazon shows beside M3's balances."""

    folder: str
    keys: tuple[str, ...]


class FbaStockCompared(_Contract):
    """Amazon has, M3 has."""

    as_of: datetime
    skus: int = 0
    """Seller and SKU, each area's pool counted once."""
    items: int = 0
    equal: int = 0
    explained: int = 0
    """Items that differ by no more than what is on its way."""
    differing: int = 0
    rows: tuple[FbaDifference, ...] = ()
    """What differs, the largest first, as many as are told."""
    unmapped: tuple[str, ...] = ()
    """SKUs with stock for which M3 has no item, as many as are told."""
    unmapped_count: int = 0
    key: str = ""
    """Every item, in the archive."""
    told_at: datetime | None = None
    """When people were told last of what differs."""

    @property
    def agrees(self) -> bool:
        """Whether nothing differs beyond what is on its way."""
        return not self.differing and not self.unmapped_count

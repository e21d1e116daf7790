"""What Amazon did to the goods in its warehouses, as corrections of the stock that M3 keeps for them.

Amazon tells each adjustment with a reason (report GET_LEDGER_DETAIL_VIEW_DATA, event type Adjustments). Sales, returns,
receipts and removals come to M3 by their own ways and are no corrections.
"""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


class AdjustmentKind(StrEnum):
    """What an adjustment means for the seller's stock."""

    FOUND = "found"
    """Amazon has found goods."""
    LOST = "lost"
    """Amazon has lost goods."""
    DAMAGED = "damaged"
    """Goods were damaged in Amazon's hands."""
    DISPOSED = "disposed"
    """Goods were destroyed or given away."""
    EXPIRED = "expired"
    """Goods are past their date."""
    DISPOSITION = "disposition"
    """From sellable to unsellable or back; the goods are still there."""
    CORRECTION = "correction"
    """Amazon put its own books right."""
    TRANSFER = "transfer"
    """Between owners or Amazon's warehouses, in pairs; M3 keeps one warehouse for them all."""


REASONS: Final[Mapping[str, AdjustmentKind]] = {
    "F": AdjustmentKind.FOUND,
    "N": AdjustmentKind.TRANSFER,
    "M": AdjustmentKind.LOST,
    "5": AdjustmentKind.LOST,
    "E": AdjustmentKind.DAMAGED,
    "6": AdjustmentKind.DAMAGED,
    "7": AdjustmentKind.EXPIRED,
    "H": AdjustmentKind.DAMAGED,
    "K": AdjustmentKind.DAMAGED,
    "U": AdjustmentKind.DAMAGED,
    "D": AdjustmentKind.DISPOSED,
    "P": AdjustmentKind.DISPOSITION,
    "Q": AdjustmentKind.DISPOSITION,
    "3": AdjustmentKind.TRANSFER,
    "4": AdjustmentKind.TRANSFER,
    "O": AdjustmentKind.CORRECTION,
    "1": AdjustmentKind.CORRECTION,
}
"""Amazon's reason codes as sellers know them; Amazon's models do not list them, so a site may give its own. One that is
not known is shown to a person, never guessed."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class FbaAdjustment(_Part):
    """One adjustment as Amazon tells it."""

    reference: str
    """What makes it this one and no other: Amazon's reference id with date, FNSKU, disposition and fulfilment centre,
    since Amazon uses one reference id for several lines."""
    seller: str
    sku: str
    at: AwareDatetime
    quantity: int
    """Below zero for goods that are gone."""
    reason: str
    sellable: bool
    """Disposition SELLABLE."""
    area: str = ""
    """Whose stock it is of, as `fba_pool.area_of_country` names it; empty where Amazon names no country."""


class CorrectionLimits(BaseModel):
    """What adjustments mean, and which corrections wait for a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whlo_unsellable: Annotated[str, StringConstraints(max_length=3)] = ""
    """The warehouse in M3 for unsellable goods; empty: they are no stock any more."""
    reasons: dict[str, AdjustmentKind] = Field(default_factory=dict)
    """What Amazon's reason codes mean, beside or against the table that is built in."""
    transaction_reasons: dict[AdjustmentKind, Annotated[str, StringConstraints(max_length=3)]] = Field(
        default_factory=dict
    )
    """RSCD by kind of adjustment; blank where none is given."""
    most_pieces: int = Field(default=20, ge=0)
    """A correction of more pieces waits for a person."""
    most_value: Decimal | None = Field(default=Decimal(500), ge=0)
    """A correction worth more, in the division's currency, waits for a person, where the worth of a piece is known;
    none counts pieces only."""
    most_pieces_a_run: int = Field(default=200, ge=0)
    """With more pieces in one run, up and down added, all of it waits for a person: Amazon's report may be wrong."""


class CorrectionRules(CorrectionLimits):
    """How the adjustments of one seller come to M3."""

    whlo: Annotated[str, StringConstraints(max_length=3)]
    """The warehouse in M3 that stands for Amazon's, for areas that have none of their own; empty where each has."""
    warehouses: Mapping[str, str] = Field(default_factory=dict)
    """WHLO by area, where Amazon's stock of several areas is kept apart in M3."""

    def warehouse(self, area: str) -> str:
        """The warehouse that stands for Amazon's in an area; empty where none does."""
        return self.warehouses.get(area, self.whlo)


class Correction(_Part):
    """A change of stock in M3 (MMS850MI.AddAdjust)."""

    whlo: str
    itno: str
    quantity: int
    kind: AdjustmentKind
    rscd: str
    reference: str
    number: str
    """PMSN, 17 characters: by it M3 knows one that was sent before."""
    approval: str = ""
    """Why a person must approve it, as a sentence; empty where it goes by itself."""


class Doubt(_Part):
    """An adjustment that nobody can book without a person."""

    adjustment: FbaAdjustment
    sentence: str


class Corrections(_Part):
    """What becomes of a run's adjustments."""

    corrections: tuple[Correction, ...]
    doubts: tuple[Doubt, ...]


def message_number(reference: str, whlo: str) -> str:
    """PMSN of a correction: the same for the same adjustment and warehouse for ever."""
    return f"S{hashlib.sha256(f'{reference} {whlo}'.encode()).hexdigest()[:16]}"


def corrections(
    adjustments: Iterable[FbaAdjustment],
    rules: CorrectionRules,
    items: Mapping[str, str],
    costs: Mapping[str, Decimal],
) -> Corrections:
    """Corrections of stock for Amazon's adjustments, each once however often it is told.

    `items`: ITNO by SKU. `costs`: worth of one piece by ITNO; an item without counts by pieces alone.
    """
    found: list[Correction] = []
    doubts: list[Doubt] = []
    seen: set[str] = set()
    reasons = {**REASONS, **rules.reasons}
    for adjustment in adjustments:
        if adjustment.reference in seen or not adjustment.quantity:
            continue
        seen.add(adjustment.reference)
        itno, kind = items.get(adjustment.sku), reasons.get(adjustment.reason)
        if itno is None:
            doubts.append(
                Doubt(adjustment=adjustment, sentence=f"No item in M3 has the SKU {adjustment.sku}.")
            )
        elif kind is None:
            sentence = (
                f"Amazon's reason {adjustment.reason or 'without a code'} is not known. Say what it means."
            )
            doubts.append(Doubt(adjustment=adjustment, sentence=sentence))
        elif not rules.warehouse(adjustment.area):
            where = adjustment.area or "a country that it does not name"
            sentence = f"No warehouse in M3 stands for Amazon's stock of {where}."
            doubts.append(Doubt(adjustment=adjustment, sentence=sentence))
        else:
            correction = _correction(adjustment, rules, itno, kind, costs.get(itno))
            if correction is not None:
                found.append(correction)
    pieces = sum(abs(each.quantity) for each in found)
    if pieces > rules.most_pieces_a_run:
        sentence = f"The run changes {pieces} pieces, more than {rules.most_pieces_a_run}."
        found = [each if each.approval else each.model_copy(update={"approval": sentence}) for each in found]
    return Corrections(corrections=tuple(found), doubts=tuple(doubts))


def _correction(
    adjustment: FbaAdjustment, rules: CorrectionRules, itno: str, kind: AdjustmentKind, cost: Decimal | None
) -> Correction | None:
    whlo = rules.warehouse(adjustment.area) if adjustment.sellable else rules.whlo_unsellable
    if kind is AdjustmentKind.TRANSFER or not whlo:
        return None
    return Correction(
        whlo=whlo,
        itno=itno,
        quantity=adjustment.quantity,
        kind=kind,
        rscd=rules.transaction_reasons.get(kind, ""),
        reference=adjustment.reference,
        number=message_number(adjustment.reference, whlo),
        approval=_approval(abs(adjustment.quantity), rules, cost),
    )


def _approval(pieces: int, rules: CorrectionRules, cost: Decimal | None) -> str:
    if pieces > rules.most_pieces:
        return f"It changes {pieces} pieces, more than {rules.most_pieces}."
    if rules.most_value is not None and cost is not None and pieces * cost > rules.most_value:
        return f"It is worth {pieces * cost:f}, more than {rules.most_value:f}."
    return ""

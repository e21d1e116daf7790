"""What the corrections of one look remember, and what is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from canonical.held import HeldReason, Hold
from canonical.stock import fba_contracts as act
from workflows.held_state import HeldState

_NAMED = 5


@dataclass
class FbaCorrectionState(HeldState):
    """Everything under way for what one look found."""

    key: str
    adjustments: int
    plans: list[act.PlannedCorrections] = field(default_factory=list)
    waiting: list[act.Waiting] = field(default_factory=list)
    """Corrections of the plans that are not in M3."""
    refused: list[act.RefusedCorrection] = field(default_factory=list)
    """What M3 refused and nobody has decided on."""
    left_out: list[act.LeftOut] = field(default_factory=list)
    booked: int = 0
    pieces: int = 0
    outcome: str = ""

    @property
    def subject(self) -> str:
        """What these adjustments are called."""
        return self.order_id

    def view(self) -> act.FbaCorrectionView:
        """For the query `state`, and when all is done its result."""
        return act.FbaCorrectionView(
            seller_id=self.seller_id,
            subject=self.subject,
            step=self.step,
            sentence=self.sentence,
            outcome=self.outcome,
            adjustments=self.adjustments,
            plans=tuple(self.plans),
            booked=self.booked,
            pieces=self.pieces,
            refused=tuple(self.refused),
            left_out=tuple(self.left_out),
            waiting=(*self.waiting, *_of_refused(self.refused)),
            held_reason=self.hold.reason if self.hold else "",
            held_sentence=self.hold.sentence if self.hold else "",
            held_since=self.held_since,
            repairs=tuple(self.repairs),
            remarks=tuple(self.remarks),
        )

    # --- what is said ---------------------------------------------------------------------------

    def to_approve(self, plan: act.PlannedCorrections) -> Hold:
        """Corrections that wait for a person."""
        told = _examples(plan.approval_examples, plan.to_approve)
        return Hold(
            reason=HeldReason.STOCK_CORRECTION_TO_APPROVE,
            sentence=f"{_counted(plan.to_approve, 'correction')} {self.subject} of seller {self.seller_id}, "
            f"{plan.to_approve_pieces} pieces, {_wait(plan.to_approve)} to be approved: {told}",
            system="Amazon",
        )

    def unknown(self, plan: act.PlannedCorrections) -> Hold:
        """Adjustments that nobody can book without a person."""
        told = _examples(plan.doubt_examples, plan.doubts)
        return Hold(
            reason=HeldReason.STOCK_ADJUSTMENT_UNKNOWN,
            sentence=f"{_counted(plan.doubts, 'adjustment')} {self.subject} of seller {self.seller_id} cannot be "
            f"booked: {told}",
            system="Amazon",
        )

    def not_taken(self) -> Hold:
        """Corrections that M3 refused."""
        told = _examples([one.sentence for one in self.refused], len(self.refused))
        return Hold(
            reason=HeldReason.STOCK_CORRECTION_REFUSED,
            sentence=f"M3 did not take {_counted(len(self.refused), 'correction')} {self.subject} of seller "
            f"{self.seller_id}: {told}",
            system="M3",
            code=self.refused[0].code if self.refused else "",
        )

    def ended(self) -> str:
        """The sentence of what is done."""
        without = sum(plan.without for plan in self.plans)
        parts = [f"{_counted(self.booked, 'correction')} of {self.pieces} pieces booked in M3"]
        if without:
            parts.append(f"{without} adjustments change nothing in M3")
        parts += [
            f"{one.count} left out ({one.what}{f', {one.by}' if one.by else ''}{f': {one.why}' if one.why else ''})"
            for one in self.left_out
        ]
        return f"{'; '.join(parts)}."


def _of_refused(refused: Sequence[act.RefusedCorrection]) -> list[act.Waiting]:
    by_plan: dict[tuple[str, act.Part], list[str]] = {}
    for one in refused:
        by_plan.setdefault((one.plan_key, one.part), []).append(one.number)
    return [
        act.Waiting(plan_key=key, part=part, numbers=tuple(numbers))
        for (key, part), numbers in by_plan.items()
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _examples(told: Sequence[str], count: int) -> str:
    said = " ".join(told[:_NAMED])
    more = count - min(len(told), _NAMED)
    return f"{said} And {more} more." if more > 0 else said

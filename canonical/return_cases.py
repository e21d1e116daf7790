"""The rules of a return case: how one order item stands after the sale, and what is to be done next.

Three things have to meet: money the buyer got back (refund), goods that came back or were sent again (return with
its disposition, replacement), and what Amazon makes good (reimbursement). M3 follows with a customer return for
the goods and a credit for the money. Money is counted once although several sources tell it: of the sums by source
the largest is taken, since each source tells every refund at last, and no refund twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_DOWN, Decimal
from typing import Final

from canonical.money import round_to_currency
from canonical.order import Channel
from canonical.return_facts import CaseFacts, Refund
from canonical.return_models import Accepted, Booked, CaseOrder, CaseRules, Movement, Next, Standing

_ZERO: Final = Decimal(0)
AMAZONS_FAULT: Final = frozenset({"CARRIER_DAMAGED", "WAREHOUSE_DAMAGED", "WHSE_DAMAGED", "DAMAGED"})
"""Dispositions for which Amazon reimburses the seller: the buyer did not damage it (inferred from Amazon's
reimbursement policy; the list of dispositions is open)."""
_REIMBURSED_STATUS: Final = "reimbursed"


class _Figures:
    """The numbers of one case. Pieces are whole, money is in the order's currency."""

    def __init__(self, facts: CaseFacts, order: CaseOrder) -> None:
        self.facts, self.order = facts, order
        refunds = counted_refunds(facts.refunds)
        self.refunded = sum((refund.creditable for refund in refunds), _ZERO)
        self.replaced = sum(fact.pieces for fact in facts.replaced.values())
        self.announced = sum(fact.pieces for fact in facts.announced.values())
        self.returned: Counter[str] = Counter()
        self.faulty = 0
        for fact in facts.returned.values():
            self.returned[fact.disposition] += fact.pieces
            if fact.disposition in AMAZONS_FAULT or fact.status.casefold() == _REIMBURSED_STATUS:
                self.faulty += fact.pieces
        self.back = sum(self.returned.values())
        self.reimbursed = sum(fact.pieces for fact in facts.reimbursed.values())
        self.reimbursed_money = sum((fact.amount for fact in facts.reimbursed.values()), _ZERO)
        self.lost = max(0, self.reimbursed - self.faulty)
        """Pieces reimbursed although nothing came back."""
        self.refunded_pieces = self._refunded_pieces(refunds)
        own = order.channel is Channel.MFN
        self.sent_anyway = sum(fact.pieces for fact in facts.sent_anyway.values()) if own else 0
        self.left = order.shipped + self.sent_anyway
        """Amazon counts as shipped what it was told of, and of a cancelled item nothing."""
        self.expected = self.sent_anyway + min(
            order.shipped, max(self.refunded_pieces + self.replaced, self.announced)
        )

    def _refunded_pieces(self, refunds: Sequence[Refund]) -> int:
        """Whole pieces whose price was given back. Half a piece's price or less is money alone (goodwill)."""
        shipped, paid = self.order.shipped, self.order.paid
        told = [refund.pieces for refund in refunds]
        most = sum(pieces or 0 for pieces in told) if None not in told else shipped
        if self.refunded <= 0 or shipped == 0:
            return 0
        if paid <= 0:
            return min(most, shipped) if None not in told else 0
        by_money = int((self.refunded * shipped / paid).to_integral_value(rounding=ROUND_HALF_DOWN))
        return min(by_money, most or shipped, shipped)


def counted_refunds(refunds: Mapping[str, Refund]) -> tuple[Refund, ...]:
    """The refunds of the source that tells most: several sources tell the same money, each in its time."""
    by_source: dict[str, list[Refund]] = {}
    for refund in refunds.values():
        by_source.setdefault(refund.source, []).append(refund)
    sums = {source: sum((each.creditable for each in group), _ZERO) for source, group in by_source.items()}
    best = max(sums, key=lambda source: (abs(sums[source]), source), default=None)
    return tuple(by_source[best]) if best is not None else ()


def tax_share(facts: CaseFacts, amount: Decimal, currency: str) -> Decimal:
    """The tax in `amount`, in the proportion in which the refunds have it."""
    refunds = counted_refunds(facts.refunds)
    whole = sum((refund.creditable for refund in refunds), _ZERO)
    tax = sum((refund.tax + refund.withheld for refund in refunds), _ZERO)
    return round_to_currency(amount * tax / whole, currency) if whole else _ZERO


def standing(
    facts: CaseFacts, order: CaseOrder, booked: Booked, accepted: Accepted, rules: CaseRules, now: datetime
) -> Standing:
    """How the case stands at `now`, and what is to be done. The same facts in any order give the same."""
    figures = _Figures(facts, order)
    odd = tuple(sentence for sentence in _odd(figures, booked) if sentence not in accepted.odd)
    missing = _missing(figures)
    since = facts.since
    due = since + rules.flag_after if since is not None and missing else None
    said = Standing(next=Next.WAIT, sentence="", states=_states(figures), missing=missing, odd=odd, due=due)
    if odd:
        return _to(said, Next.ODD, " ".join(odd))
    step = _booking(figures, booked, said) or _crediting(booked, said)
    if step is not None:
        return step
    if missing and missing != accepted.missing:
        if due is not None and now >= due:
            days = rules.flag_after.days
            return _to(said, Next.OVERDUE, f"After {days} days still missing: {', '.join(missing)}.")
        return _to(said, Next.WAIT, f"Still to come: {', '.join(missing)}.")
    difference = figures.refunded - booked.credited
    if abs(difference) > rules.tolerance and difference != accepted.difference:
        said = said.model_copy(update={"difference": difference})
        sentence = (
            f"Amazon refunded {figures.refunded} {order.currency}, and M3 has credited {booked.credited}; "
            f"{difference:+} {order.currency} is open."
        )
        return _to(said, Next.DIFFERS, sentence)
    return _to(said, Next.DONE, f"Settled: {', '.join(said.states) or 'nothing happened'}.")


def _to(said: Standing, what: Next, sentence: str) -> Standing:
    return said.model_copy(update={"next": what, "sentence": sentence})


def _booking(figures: _Figures, booked: Booked, said: Standing) -> Standing | None:
    """A customer return M3 is to get. Goods in Amazon's hands are booked when they are back and it is known
    what they are worth; goods on their way to an own warehouse are announced to it."""
    unpaid = max(figures.sent_anyway - booked.unpaid_pieces, 0)
    if unpaid:
        pieces, disposition = unpaid, ""
    elif figures.order.channel is Channel.MFN:
        pieces, disposition = figures.expected - booked.pieces, ""
    else:
        open_pieces = figures.back - booked.pieces
        pieces, disposition = _of_one_disposition(figures.returned, booked.movements, open_pieces)
        if not figures.facts.refunds and not figures.facts.replaced:
            return None
    if pieces <= 0:
        return None
    amount = None if unpaid else _worth(figures, booked, pieces)
    what = f"{_count(pieces)}{f' ({disposition})' if disposition else ''}"
    update = {"pieces": pieces, "disposition": disposition, "amount": amount, "unpaid": bool(unpaid)}
    return _to(said.model_copy(update=update), Next.BOOK, f"M3 is to take back {what}.")


def _of_one_disposition(
    returned: Mapping[str, int], movements: Sequence[Movement], most: int
) -> tuple[int, str]:
    known: Counter[str] = Counter()
    for move in movements:
        known[move.disposition] += move.pieces
    for disposition in sorted(returned):
        pieces = min(returned[disposition] - known[disposition], most)
        if pieces > 0:
            return pieces, disposition
    return 0, ""


def _worth(figures: _Figures, booked: Booked, pieces: int) -> Decimal | None:
    """What `pieces` are to be credited with: their share of the refund, all of the rest with the last of them."""
    if not figures.facts.refunds:
        return _ZERO if figures.replaced else None
    paid = [move for move in booked.movements if not move.unpaid]
    spoken_for = sum((_spoken_for(move) for move in paid), _ZERO)
    rest = figures.refunded - spoken_for - sum((credit.amount for credit in booked.by_hand), _ZERO)
    left = max(figures.refunded_pieces - booked.pieces + booked.unpaid_pieces, pieces)
    share = rest if left == pieces else round_to_currency(rest * pieces / left, figures.order.currency)
    return max(share, _ZERO)


def _spoken_for(move: Movement) -> Decimal:
    """What M3 has credited for a return, or will have."""
    return move.credited_amount if move.credited >= move.pieces else move.amount or move.credited_amount


def _crediting(booked: Booked, said: Standing) -> Standing | None:
    for move in booked.movements:
        if move.awaits_credit:
            sentence = f"M3 is to credit customer return {move.repn}."
            return _to(said.model_copy(update={"movement": move.number}), Next.CREDIT, sentence)
    return None


def _missing(figures: _Figures) -> tuple[str, ...]:
    parts = []
    goods = figures.expected - figures.back - figures.lost
    if goods > 0:
        parts.append(f"{_count(goods)} returned or reimbursed")
    unpaid = figures.back - figures.refunded_pieces - figures.replaced - figures.sent_anyway
    money_alone = figures.refunded > 0 and figures.refunded_pieces == 0
    if unpaid > 0 and not money_alone:
        parts.append(f"the refund of {_count(unpaid)} that came back")
    damaged = figures.faulty - figures.reimbursed
    if damaged > 0:
        parts.append(f"the reimbursement of {_count(damaged)} damaged by Amazon or its carrier")
    return tuple(parts)


def _odd(figures: _Figures, booked: Booked) -> list[str]:
    order, found = figures.order, []
    if figures.back > figures.left:
        found.append(f"{_count(figures.back)} came back, and {figures.left} left.")
    elif figures.back + figures.lost > figures.left:
        found.append(
            f"{_count(figures.back)} came back and {figures.lost} were reimbursed as lost, of {figures.left} that left."
        )
    if order.paid > 0 and figures.refunded > order.paid:
        found.append(f"Amazon refunded {figures.refunded} {order.currency} of {order.paid}.")
    if figures.refunded < 0:
        found.append(f"The refunds come to {figures.refunded} {order.currency}, below zero.")
    if figures.refunded_pieces + figures.replaced > order.shipped:
        found.append(
            f"{_count(figures.refunded_pieces)} refunded and {figures.replaced} replaced, of {order.shipped} that left."
        )
    refunds = figures.facts.refunds.values()
    currencies = {refund.currency for refund in refunds} - {order.currency}
    if currencies and order.currency:
        found.append(f"Refunds are in {', '.join(sorted(currencies))}, the order in {order.currency}.")
    unknown = sorted({kind for refund in refunds for kind in refund.unknown})
    if unknown:
        found.append(f"A refund has amounts of unknown kind: {', '.join(unknown)}.")
    if order.channel is Channel.FBA and booked.pieces > figures.back:
        found.append(f"M3 took back {_count(booked.pieces)}, and Amazon now tells of {figures.back}.")
    return found


def _states(figures: _Figures) -> tuple[str, ...]:
    states = []
    if figures.facts.refunds:
        states.append(f"refunded {figures.refunded} {figures.order.currency}")
    for disposition, pieces in sorted(figures.returned.items()):
        states.append(f"returned {pieces}{f' {disposition}' if disposition else ''}")
    if figures.replaced:
        states.append(f"replaced {figures.replaced}")
    if figures.sent_anyway:
        states.append(f"sent although cancelled {figures.sent_anyway}")
    if figures.facts.reimbursed:
        currency = next(iter(figures.facts.reimbursed.values())).currency or figures.order.currency
        states.append(f"reimbursed {figures.reimbursed_money} {currency} and {_count(figures.reimbursed)}")
    return tuple(states)


def _count(pieces: int) -> str:
    return "1 piece" if pieces == 1 else f"{pieces} pieces"

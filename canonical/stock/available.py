"""Available to sell: what each offer of a pool may promise.

The pool has: on hand less allocated less reserved (M3's balance), less what Amazon has sold and the balance may not
know yet, less the safety stock. Of that each offer shows its share, never less than nothing.

What holds, exactly. Let a promise be computed from a balance and from the Amazon orders known at that moment.

1. The promise of one offer, and in a split pool the sum of all, is at most what the balance has free less the known
   orders it may be without less the safety stock, or 0.
2. When the promise reaches Amazon, Amazon may have sold units that were not known when it was computed, and others may
   have taken goods in M3 since the balance was read. By exactly these two amounts, less the safety stock, what is
   shown can exceed what is there. The next push puts it right.
3. Where more is sold than there is, and so nothing is offered, Amazon may still show again the units of an order that
   is cancelled. The next push puts this right too. Nothing else makes what is shown exceed what is there.

So with a safety stock of at least what is sold and taken between a reading and its push nothing is oversold from a
split pool, nor from a pool with one offer. In a shared pool this holds for each offer by itself, with what the others
sell among the units that were not known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from canonical.stock.models import RELEASED, Balance, Known, NoBalance, Offer, OfferName, PendingOrder
from canonical.stock.rules import Sharing, StockRules, split


class Problem(StrEnum):
    """Why nothing is offered although somebody might expect it; told to a person."""

    NO_BALANCE = "no_balance"
    ITEM_BLOCKED = "item_blocked"
    NEGATIVE_STOCK = "negative_stock"
    OVERSOLD = "oversold"


class Note(BaseModel):
    """Something about a pool that a person should know."""

    model_config = ConfigDict(frozen=True)

    problem: Problem
    sentence: str


class Promise(BaseModel):
    """What one offer may show."""

    model_config = ConfigDict(frozen=True)

    offer: Offer
    quantity: int
    as_of: AwareDatetime
    """Of the balance it was computed from: a promise of an older balance never replaces one of a newer."""

    @property
    def name(self) -> OfferName:
        """Of the offer."""
        return self.offer.name


@dataclass(frozen=True)
class PoolPromises:
    """A pool as it is promised."""

    available: int
    """Pieces that may be promised, before shares; 0 where there are none."""
    promises: tuple[Promise, ...]
    """One for each MFN offer, in the order given; FBA offers have none."""
    notes: tuple[Note, ...]


def promise(
    known: Known, pending: Iterable[PendingOrder], offers: Sequence[Offer], rules: StockRules
) -> PoolPromises:
    """What each offer of one pool may promise.

    `pending` are the Amazon orders of this pool that are not cancelled: shipped ones too, until the balance is newer
    than their coming into M3. Others are not looked at. Raises ValueError for an offer of another pool.
    """
    if any(offer.key != known.key for offer in offers):
        raise ValueError(f"An offer does not sell from the pool {known.whlo}/{known.itno}.")
    mine = [offer for offer in offers if offer.channel == "MFN"]
    available, notes = _available(known, pending, rules)
    rule = rules.for_pool(known.key)
    chosen = [rules.for_offer(offer) for offer in mine]
    if rule.sharing is Sharing.SPLIT:
        # The ratios say how the pool is divided; what they leave of it together, below 1, is offered nowhere.
        weights = [each.ratio for each in chosen]
        offered = _whole(available * min(sum(weights, Decimal(0)), Decimal(1)))
        parts = split(offered, weights)
    else:
        parts = [_whole(available * each.ratio) for each in chosen]
    promises = []
    for offer, limits, part in zip(mine, chosen, parts, strict=True):
        shown = 0 if part < limits.minimum else part
        if limits.maximum is not None:
            shown = min(shown, limits.maximum)
        promises.append(Promise(offer=offer, quantity=shown, as_of=known.as_of))
    return PoolPromises(available, tuple(promises), tuple(notes))


def _whole(pieces: Decimal) -> int:
    return int(pieces.to_integral_value(ROUND_FLOOR))


def _available(known: Known, pending: Iterable[PendingOrder], rules: StockRules) -> tuple[int, list[Note]]:
    if isinstance(known, NoBalance):
        return 0, [Note(problem=Problem.NO_BALANCE, sentence=known.sentence)]
    where = f"item {known.itno} in warehouse {known.whlo}"
    if known.item_status != RELEASED:
        sentence = (
            f"The {where} has status {known.item_status} in M3, not {RELEASED}. Nothing of it is offered."
        )
        return 0, [Note(problem=Problem.ITEM_BLOCKED, sentence=sentence)]
    notes = []
    if known.on_hand < 0:
        sentence = f"M3 shows a stock of {known.on_hand:f} for {where}. Nothing of it is offered. Count it."
        notes.append(Note(problem=Problem.NEGATIVE_STOCK, sentence=sentence))
    free = known.free - pending_units(known, pending)
    if free < 0 <= known.on_hand:
        sentence = f"Of {where} {-free} pieces more are sold than there are. Nothing of it is offered."
        notes.append(Note(problem=Problem.OVERSOLD, sentence=sentence))
    return max(0, free - rules.for_pool(known.key).safety_stock), notes


def pending_units(balance: Balance, pending: Iterable[PendingOrder]) -> int:
    """Units sold at Amazon that the balance may be without; an order line given twice counts once, by its largest
    quantity and as missing if one of them is."""
    units: dict[tuple[str, str], int] = {}
    for order in pending:
        if (order.whlo, order.itno) == balance.key and order.missing_from(balance):
            line = (order.order_id, order.order_item_id)
            units[line] = max(units.get(line, 0), order.quantity)
    return sum(units.values())

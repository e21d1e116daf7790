"""One round: from what is known of the pools to the quantities that are sent now."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from canonical.stock.available import promise
from canonical.stock.book import PoolState
from canonical.stock.models import OfferName
from canonical.stock.pushes import (
    CLOCKS_DIFFER,
    PATCHES,
    OfferState,
    Push,
    PushPlan,
    Sale,
    Shown,
    due_in_pool,
    plan,
)
from canonical.stock.rules import Sharing, StockRules

PATCHES_A_ROUND: Final = 1_000
"""Of all sellers together; the rest waits for the next round, the largest falls do not."""
FEED_MARK: Final = "#"
"""In the reference of a quantity that goes by feed: behind the feed's key, before the number of its message."""


_SURE: Final = 2 * CLOCKS_DIFFER
"""After a sending it takes so long until it is known which sales it has covered."""


class Wanted(NamedTuple):
    """A pool as it should be shown, and what is due of it."""

    pool: PoolState
    pushes: list[Push]
    later: int
    """Pushes that are due in a moment."""
    notes: list[str]
    """Sentences that people have not been told of it."""


def wanted(pool: PoolState, rules: StockRules, at: datetime, least_rise: int = 1) -> Wanted:
    """Before the first balance nothing is wanted of any offer."""
    if pool.known is None:
        return Wanted(pool, [], 0, [])
    found = promise(pool.known, pool.pending, [state.offer for state in pool.offers], rules)
    quantities = {each.name: each.quantity for each in found.promises}
    states = [state.want(quantities.get(state.name, 0)) for state in pool.offers]
    split_of = found.available if rules.for_pool(pool.key).sharing is Sharing.SPLIT else None
    sales = pool.sales
    due = due_in_pool(states, sales, split_of=split_of, least_rise=least_rise)
    shown = {state.name: state.shown for state in states}
    pushes = [
        push
        for push in due
        if not _is_shown(push, shown[push.offer.name], sales.get(push.offer.name, ()), at)
    ]
    told = {note.problem for note in pool.notes}
    notes = [note.sentence for note in found.notes if note.problem not in told] if states else []
    update = {"offers": tuple(states), "notes": found.notes if states else ()}
    return Wanted(pool.model_copy(update=update), pushes, len(due) - len(pushes), notes)


def _is_shown(push: Push, shown: Shown | None, sales: Sequence[Sale], at: datetime) -> bool:
    """Whether the last quantity was right already, but for clocks that may differ: it was computed when these sales and
    cancellations were known. To send it again at once would go on for as long as the clocks may differ; it is sent
    once more when that is over."""
    if shown is None or at - shown.sent_at >= _SURE:
        return False
    if push.fall:
        back = sum(
            sale.quantity for sale in sales if sale.cancelled_at and sale.cancelled_at >= shown.sent_at
        )
        return shown.quantity + back <= push.quantity
    return shown.quantity - sum(sale.quantity for sale in sales if sale.at >= shown.sent_at) >= push.quantity


def chosen(
    pushes: Iterable[Push],
    *,
    patches: int = PATCHES,
    patching: Mapping[str, int] | None = None,
    no_feeds: Collection[str] = (),
    nothing: Collection[str] = (),
) -> PushPlan:
    """Which of them go now, and how. For sellers in `no_feeds` only so many as may be patched, for those in `nothing`
    none: what is left out is due at the next planning, with its newest quantity. `patching`: by seller, patches that
    Amazon has not answered yet. A quantity that waits behind them would be an old one when it goes."""
    now: list[Push] = []
    resting: dict[str, list[Push]] = {}
    for push in pushes:
        seller = push.offer.seller
        if seller in nothing:
            continue
        (resting.setdefault(seller, []) if seller in no_feeds else now).append(push)
    for seller, mine in resting.items():
        room = max(0, patches - (patching or {}).get(seller, 0))
        now += sorted(mine, key=_first)[:room]
    found = plan(now, patches=patches, patching=patching)
    return PushPlan(patches=found.patches[:PATCHES_A_ROUND], feeds=found.feeds)


def _first(push: Push) -> tuple[int, int, OfferName]:
    return -push.fall, push.quantity, push.offer.name


class Going(NamedTuple):
    """A quantity that is about to be sent."""

    quantity: int
    reference: str


def sent(pool: PoolState, going: Mapping[OfferName, Going], at: datetime) -> PoolState:
    """These are on their way; written down before anything is sent."""
    offers = [
        state.sent(going[state.name].quantity, at, going[state.name].reference)
        if state.name in going
        else state
        for state in pool.offers
    ]
    return pool.model_copy(update={"offers": tuple(offers)})


def overdue(pool: PoolState, before: datetime) -> list[OfferState]:
    """Offers with a patch that was sent before this moment and that nobody has confirmed."""
    return [
        state
        for state in pool.offers
        if state.flight is not None
        and FEED_MARK not in state.flight.reference
        and state.flight.sent_at <= before
    ]

"""One round: from what is known of the pools to the quantities that are sent now."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from canonical.stock.available import promise
from canonical.stock.book import PoolState
from canonical.stock.models import OfferName
from canonical.stock.pushes import PATCHES, OfferState, Push, PushPlan, due_in_pool, plan
from canonical.stock.rules import Sharing, StockRules

PATCHES_A_ROUND: Final = 1_000
"""Of all sellers together; the rest waits for the next round, the largest falls do not."""
FEED_MARK: Final = "#"
"""In the reference of a quantity that goes by feed: behind the feed's key, before the number of its message."""


class Wanted(NamedTuple):
    """A pool as it should be shown, and what is due of it."""

    pool: PoolState
    pushes: list[Push]
    notes: list[str]
    """Sentences that people have not been told of it."""


def wanted(pool: PoolState, rules: StockRules, least_rise: int = 1) -> Wanted:
    """Before the first balance nothing is wanted of any offer."""
    if pool.known is None:
        return Wanted(pool, [], [])
    found = promise(pool.known, pool.pending, [state.offer for state in pool.offers], rules)
    quantities = {each.name: each.quantity for each in found.promises}
    states = [state.want(quantities.get(state.name, 0)) for state in pool.offers]
    split_of = found.available if rules.for_pool(pool.key).sharing is Sharing.SPLIT else None
    pushes = due_in_pool(states, pool.sales, split_of=split_of, least_rise=least_rise)
    told = {note.problem for note in pool.notes}
    notes = [note.sentence for note in found.notes if note.problem not in told] if states else []
    update = {"offers": tuple(states), "notes": found.notes if states else ()}
    return Wanted(pool.model_copy(update=update), pushes, notes)


def chosen(
    pushes: Iterable[Push],
    *,
    patches: int = PATCHES,
    no_feeds: Collection[str] = (),
    nothing: Collection[str] = (),
) -> PushPlan:
    """Which of them go now, and how. For sellers in `no_feeds` only so many as may be patched, for those in `nothing`
    none: what is left out is due at the next planning, with its newest quantity."""
    now: list[Push] = []
    resting: dict[str, list[Push]] = {}
    for push in pushes:
        seller = push.offer.seller
        if seller in nothing:
            continue
        (resting.setdefault(seller, []) if seller in no_feeds else now).append(push)
    for mine in resting.values():
        now += sorted(mine, key=_first)[:patches]
    found = plan(now, patches=patches)
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

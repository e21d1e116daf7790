"""Which quantities are worth a push, one at a time for each offer, and which way they go.

Amazon takes what it is told in the order in which it gets to it, and a feed may be worked off long after a patch that
was sent later. So that the newest value wins, an offer has at most one quantity on its way. What changes meanwhile
waits, and only the latest of it is sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from canonical.stock.models import Offer, OfferName

FEED_MESSAGES: Final = 25_000
"""Most messages of one JSON_LISTINGS_FEED (Amazon's Feeds guide)."""
PATCHES: Final = 500
"""Up to so many changes of a seller are patched one by one: at five patchListingsItem a second they are through before
a feed would be."""
CLOCKS_DIFFER: Final = timedelta(seconds=30)
"""How far a moment of Amazon's may be from one of ours."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Sale(_Part):
    """Units of an offer that Amazon has sold: it takes them off the quantity it shows by itself."""

    quantity: int = Field(ge=0)
    at: AwareDatetime
    """PurchaseDate."""
    cancelled_at: AwareDatetime | None = None
    """Whether Amazon puts the units back then is not documented: they may be shown again or not."""


class Shown(_Part):
    """A quantity that Amazon has confirmed."""

    quantity: int
    sent_at: AwareDatetime
    confirmed_at: AwareDatetime

    def bounds(self, sales: Iterable[Sale]) -> tuple[int, int]:
        """The least and the most that Amazon may show now.

        A sale after the confirmation has lowered it. Of one between sending and confirming nobody knows whether the
        quantity came after it and covered it. One before the sending was covered.
        """
        least = most = self.quantity
        for sale in sales:
            if sale.at > self.confirmed_at + CLOCKS_DIFFER:
                most -= sale.quantity
            if sale.at >= self.sent_at - CLOCKS_DIFFER:
                least -= sale.quantity
            if sale.cancelled_at is not None and sale.cancelled_at >= self.sent_at - CLOCKS_DIFFER:
                most += sale.quantity
        return max(0, least), max(0, most)


class Push(_Part):
    """A quantity to be sent for an offer. Never one of Amazon's own fulfilment."""

    offer: Offer
    quantity: int = Field(ge=0)
    fall: int = 0
    """By how much less this may be than what is shown; the largest falls go first."""

    @model_validator(mode="after")
    def _ours_to_ship(self) -> Self:
        if self.offer.channel == "FBA":
            raise ValueError(f"SKU {self.offer.sku} is fulfilled by Amazon: its quantity is never sent.")
        return self


class Flight(_Part):
    """A quantity on its way to Amazon."""

    quantity: int
    sent_at: AwareDatetime
    reference: str
    """What the answer will name: feed id and message number, or the submission id of a patch."""

    def most(self, sales: Iterable[Sale]) -> int:
        """The most that Amazon may show once it has this: it may put back the units of orders cancelled since."""
        since = self.sent_at - CLOCKS_DIFFER
        back = (
            sale.quantity for sale in sales if sale.cancelled_at is not None and sale.cancelled_at >= since
        )
        return self.quantity + sum(back)


class Refusal(_Part):
    """Amazon did not take a quantity, and its issue says why."""

    quantity: int
    code: str
    message: str


class OfferState(_Part):
    """One offer between M3 and Amazon. Every method answers the next state; none changes this one."""

    offer: Offer
    wanted: int | None = None
    """What Amazon should show, None before the first balance."""
    shown: Shown | None = None
    """What Amazon was last known to show, None where nobody knows."""
    flight: Flight | None = None
    refusal: Refusal | None = None
    """Keeps back every push of this offer until a person, or the passing of what was wrong, lets it go on."""

    @property
    def name(self) -> OfferName:
        """Of the offer."""
        return self.offer.name

    def want(self, quantity: int) -> Self:
        """Amazon should show this from now on. What was wanted before is forgotten."""
        return self.model_copy(update={"wanted": quantity})

    def due(self, sales: Iterable[Sale] = (), *, least_rise: int = 1) -> Push | None:
        """The quantity to send now, if one is worth it and none is on its way.

        A fall always is: Amazon may show more than there is. A rise is from nothing, or from `least_rise` pieces on.
        """
        if self.wanted is None or self.flight is not None or self.refusal is not None:
            return None
        if self.shown is None:
            return Push(offer=self.offer, quantity=self.wanted, fall=int(self.wanted == 0))
        least, most = self.shown.bounds(sales)
        if self.wanted < most:
            return Push(offer=self.offer, quantity=self.wanted, fall=most - self.wanted)
        rise = self.wanted - least
        if rise > 0 and (least == 0 or rise >= least_rise):
            return Push(offer=self.offer, quantity=self.wanted)
        return None

    def ceiling(self, sales: Iterable[Sale] = ()) -> int | None:
        """The most that Amazon may show now or as soon as it has what is on its way; None where nobody knows."""
        if self.shown is None:
            return None
        known = list(sales)
        most = self.shown.bounds(known)[1]
        return most if self.flight is None else max(most, self.flight.most(known))

    def sent(self, quantity: int, at: AwareDatetime, reference: str) -> Self:
        """A quantity is on its way; call it before the sending, so that a crash leaves the flight, not a gap."""
        flight = Flight(quantity=quantity, sent_at=at, reference=reference)
        return self.model_copy(update={"flight": flight})

    def confirmed(self, reference: str, at: AwareDatetime) -> Self:
        """Amazon has taken the quantity (feed result, LISTINGS_ITEM_MFN_QUANTITY_CHANGE). Another reference than
        that on its way changes nothing."""
        if self.flight is None or self.flight.reference != reference:
            return self
        shown = Shown(quantity=self.flight.quantity, sent_at=self.flight.sent_at, confirmed_at=at)
        return self.model_copy(update={"shown": shown, "flight": None})

    def refused(self, reference: str, code: str, message: str) -> Self:
        """Amazon has not taken it; what it shows is what it showed."""
        if self.flight is None or self.flight.reference != reference:
            return self
        refusal = Refusal(quantity=self.flight.quantity, code=code, message=message)
        return self.model_copy(update={"refusal": refusal, "flight": None})

    def lost(self, reference: str) -> Self:
        """Nobody will tell what became of it: what Amazon shows is unknown, and the newest value is sent again."""
        if self.flight is None or self.flight.reference != reference:
            return self
        return self.model_copy(update={"shown": None, "flight": None})

    def seen(self, quantity: int, at: AwareDatetime) -> Self:
        """Amazon was asked and shows this (getListingsItem, asked at this moment); not while one is on its way."""
        if self.flight is not None:
            return self
        return self.model_copy(update={"shown": Shown(quantity=quantity, sent_at=at, confirmed_at=at)})

    def again(self) -> Self:
        """What was refused may be tried again."""
        return self.model_copy(update={"refusal": None})


def due_in_pool(
    states: Sequence[OfferState],
    sales: Mapping[OfferName, Sequence[Sale]],
    *,
    split_of: int | None = None,
    least_rise: int = 1,
) -> list[Push]:
    """The pushes due among the offers of one pool.

    `split_of`: what a split pool has available, None for a shared one. In a split pool an offer rises only into what
    the others have given up and Amazon has confirmed, else all together would for a while show more than there is.
    """
    pushes = [state.due(sales.get(state.name, ()), least_rise=least_rise) for state in states]
    if split_of is None:
        return [push for push in pushes if push is not None]
    ceilings = [state.ceiling(sales.get(state.name, ())) for state in states]
    found: list[Push] = []
    for place, (state, push) in enumerate(zip(states, pushes, strict=True)):
        if push is None:
            continue
        mine = ceilings[place]
        others = [each for other, each in enumerate(ceilings) if other != place]
        room = split_of - sum(each for each in others if each is not None)
        if mine is not None and state.shown is not None:
            # What is at most shown already raises nothing, whatever the others show.
            least, _ = state.shown.bounds(sales.get(state.name, ()))
            room = least if None in others else max(room, least)
        quantity = max(0, min(push.quantity, room))
        if mine is not None and not push.fall and quantity < push.quantity and quantity <= mine:
            continue
        found.append(push.model_copy(update={"quantity": quantity}))
        ceilings[place] = max(mine or 0, quantity)
    return found


class PushPlan(_Part):
    """The ways a number of pushes go."""

    patches: tuple[Push, ...]
    """One patchListingsItem each, in this order."""
    feeds: tuple[tuple[Push, ...], ...]
    """One JSON_LISTINGS_FEED each: one seller, one marketplace, at most 25,000 messages, no SKU twice."""


def plan(
    pushes: Iterable[Push], *, patches: int = PATCHES, patching: Mapping[str, int] | None = None
) -> PushPlan:
    """Few changes of a seller are patched, many go by feed; the largest falls first, so that what may be oversold is
    put right first. `patching`: by seller, patches that have not been answered; they are among the few. Raises
    ValueError for an offer given twice."""
    ordered = sorted(pushes, key=lambda push: (-push.fall, push.quantity, push.offer.name))
    if len({push.offer.name for push in ordered}) < len(ordered):
        raise ValueError("An offer has two quantities to push at once.")
    by_seller: dict[str, list[Push]] = {}
    for push in ordered:
        by_seller.setdefault(push.offer.seller, []).append(push)
    single: list[Push] = []
    feeds: list[tuple[Push, ...]] = []
    for seller, mine in by_seller.items():
        if len(mine) <= patches - (patching or {}).get(seller, 0):
            single += mine
        else:
            feeds += _feeds(mine)
    single.sort(key=lambda push: (-push.fall, push.quantity, push.offer.name))
    return PushPlan(patches=tuple(single), feeds=tuple(feeds))


def _feeds(pushes: Sequence[Push]) -> list[tuple[Push, ...]]:
    by_marketplace: dict[str, list[Push]] = {}
    for push in pushes:
        by_marketplace.setdefault(push.offer.marketplace_id, []).append(push)
    return [
        tuple(mine[start : start + FEED_MESSAGES])
        for mine in by_marketplace.values()
        for start in range(0, len(mine), FEED_MESSAGES)
    ]


def ours_to_ship(offers: Iterable[Offer]) -> tuple[list[Offer], list[Offer]]:
    """MFN offers, and those left alone: a SKU that Amazon fulfils in one marketplace of a seller is left alone in all
    of them."""
    known = list(offers)
    fba = {(offer.seller, offer.sku) for offer in known if offer.channel == "FBA"}
    left = [offer for offer in known if (offer.seller, offer.sku) in fba]
    return [offer for offer in known if (offer.seller, offer.sku) not in fba], left

"""The stock book: what is known of each pool, and what becomes of it as news come.

A pool has M3's balance, the lines of Amazon's orders that the balance may be without, and the offers that sell from it.
Every function answers the next state; none changes one. All of them may be called again with what they were told
before.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from canonical.stock.available import Note
from canonical.stock.book_lines import OrderLine, latest
from canonical.stock.keeper_contracts import Answer
from canonical.stock.models import Known, Offer, OfferName, PendingOrder, PoolKey, newer
from canonical.stock.news import QuantityMoved
from canonical.stock.pushes import CLOCKS_DIFFER, OfferState, Sale, Shown

NO_LISTING: Final = "no_listing"
"""Code of a refusal that is ours: Amazon has no such offer."""


class PoolState(BaseModel):
    """One pool, and everything that is known of it."""

    model_config = ConfigDict(frozen=True)

    whlo: str
    itno: str
    known: Known | None = None
    lines: tuple[OrderLine, ...] = ()
    offers: tuple[OfferState, ...] = ()
    notes: tuple[Note, ...] = ()
    """What people were told of it at the last planning."""

    @property
    def key(self) -> PoolKey:
        """Item and warehouse."""
        return PoolKey(self.whlo, self.itno)

    @property
    def pending(self) -> list[PendingOrder]:
        """The lines as `promise` takes them."""
        return [
            PendingOrder(
                order_id=line.order_id,
                order_item_id=line.order_item_id,
                itno=self.itno,
                whlo=self.whlo,
                quantity=line.quantity,
                in_m3_since=line.in_m3_since,
            )
            for line in self.lines
            if line.quantity
        ]

    @property
    def sales(self) -> dict[OfferName, list[Sale]]:
        """By offer, what Amazon takes off the quantity it shows, and may put back."""
        found: dict[OfferName, list[Sale]] = {}
        for line in self.lines:
            found.setdefault(line.offer, []).extend(line.sales)
        return found

    def _with(self, name: OfferName, state: OfferState) -> Self:
        kept = [*(each for each in self.offers if each.name != name), state]
        return self.model_copy(update={"offers": tuple(sorted(kept, key=lambda each: each.name))})

    def offer(self, name: OfferName) -> OfferState | None:
        """The offer of this name."""
        return next((each for each in self.offers if each.name == name), None)

    # --- news -----------------------------------------------------------------------------------

    def listed(self, offer: Offer, quantity: int | None, at: datetime) -> Self:
        """Amazon lists this offer, and showed this much of it then; a quantity counts where nothing newer is known, and
        where sales do not explain it."""
        state = self.offer(offer.name)
        if state is None:
            return self._with(offer.name, _seen(OfferState(offer=offer), quantity, at))
        if quantity is None or state.flight is not None:
            return self
        if state.shown is not None:
            least, most = state.shown.bounds(self.sales.get(offer.name, ()))
            if at <= state.shown.confirmed_at or least <= quantity <= most:
                return self
        return self._with(offer.name, _seen(state, quantity, at))

    def without(self, name: OfferName, *, moving: bool) -> tuple[Self, list[OrderLine]]:
        """Without this offer; where it sells from another pool now, with the lines that M3 is not known to have: they
        will be of that pool's item."""
        lines = [line for line in self.lines if moving and line.offer == name and line.in_m3_since is None]
        left = {line.id for line in lines}
        update = {
            "lines": tuple(line for line in self.lines if line.id not in left),
            "offers": tuple(each for each in self.offers if each.name != name),
        }
        return self.model_copy(update=update), lines

    def sold(self, lines: Iterable[OrderLine]) -> Self:
        """Amazon tells lines of orders."""
        known = {line.id: line for line in self.lines}
        for line in lines:
            known[line.id] = latest(known.get(line.id), line)
        return self.model_copy(update={"lines": tuple(known.values())})

    def entered(self, orders: Mapping[str, datetime]) -> Self:
        """M3 has these orders, by id, at the latest since these moments."""
        lines = tuple(
            line.model_copy(update={"in_m3_since": orders[line.order_id]})
            if line.in_m3_since is None and line.order_id in orders
            else line
            for line in self.lines
        )
        return self.model_copy(update={"lines": lines})

    def read(self, told: Known) -> Self:
        """M3 has told the balance."""
        return self.model_copy(update={"known": newer(self.known, told)})

    def answered(self, answer: Answer) -> Self:
        """Amazon has answered, or nobody will."""
        name = OfferName(answer.seller, answer.marketplace, answer.sku)
        state = self.offer(name)
        if state is None or state.flight is None or state.flight.reference != answer.reference:
            return self
        if answer.kind == "refused":
            return self._with(name, state.refused(answer.reference, answer.code, answer.message))
        if answer.kind == "lost":
            return self._with(name, state.lost(answer.reference))
        return self._with(name, self._looked_at(state, answer))

    def _looked_at(self, state: OfferState, answer: Answer) -> OfferState:
        reference, flight = answer.reference, state.flight
        if not answer.exists or answer.quantity is None or flight is None:
            return state.refused(reference, NO_LISTING, "Amazon has no such offer of the seller's own.")
        landed = Shown(quantity=flight.quantity, sent_at=flight.sent_at, confirmed_at=answer.at)
        least, most = landed.bounds(self.sales.get(state.name, ()))
        if least <= answer.quantity <= most:
            return state.confirmed(reference, answer.at)
        if answer.code or answer.message:
            return state.refused(reference, answer.code, answer.message)
        return state.lost(reference)

    def confirmed(self, name: OfferName, reference: str, at: datetime) -> Self:
        """A feed's result has it as taken."""
        state = self.offer(name)
        return self if state is None else self._with(name, state.confirmed(reference, at))

    def moved(self, told: QuantityMoved) -> Self:
        """Amazon shows another quantity: one on its way has come, or it shows more than anybody can explain.

        Amazon's notification names no marketplace. Of several offers of the SKU it confirms one, the one sent first:
        where the same quantity is on its way to five marketplaces, five notifications confirm them.
        """
        mine = [
            state
            for state in self.offers
            if (state.name.seller, state.name.sku) == (told.seller_id, told.sku)
            and told.marketplace_id in ("", state.name.marketplace_id)
        ]
        flights = [
            (state.flight.sent_at, state.name, state.flight.reference)
            for state in mine
            if state.flight is not None
            and state.flight.quantity == told.quantity
            and told.at >= state.flight.sent_at
        ]
        if flights:
            _, name, reference = min(flights)
            return self.confirmed(name, reference, told.at)
        if len(mine) != 1 or mine[0].flight is not None:
            return self
        (state,) = mine
        if state.shown is None or told.at <= state.shown.confirmed_at:
            return self
        _, most = state.shown.bounds(self.sales.get(state.name, ()))
        return self._with(state.name, state.seen(told.quantity, told.at)) if told.quantity > most else self

    def again(self, names: Iterable[OfferName]) -> Self:
        """What was refused may go on."""
        wanted = frozenset(names)
        offers = tuple(each.again() if each.name in wanted else each for each in self.offers)
        return self.model_copy(update={"offers": offers})

    def settled(self) -> Self:
        """Without the lines that no longer matter."""
        states = {state.name: state for state in self.offers}
        lines = tuple(line for line in self.lines if self._matters(line, states.get(line.offer)))
        return self if len(lines) == len(self.lines) else self.model_copy(update={"lines": lines})

    def _matters(self, line: OrderLine, state: OfferState | None) -> bool:
        """Whether the balance may be without it, or it may still explain what Amazon shows."""
        since = line.in_m3_since
        if line.quantity and (self.known is None or since is None or since >= self.known.as_of):
            return True
        if state is None:
            return False
        base = state.shown or state.flight
        if base is None:
            return state.refusal is None
        last = max(line.purchased_at, line.lowered_at or line.purchased_at)
        return last >= base.sent_at - CLOCKS_DIFFER


def _seen(state: OfferState, quantity: int | None, at: datetime) -> OfferState:
    return state if quantity is None else state.seen(quantity, at)

"""Ten thousand random steps of sales, balances that overtake each other, allocations, and pushes that come late:
never more is promised than there is, and the newest value wins."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.stock.available import PoolPromises, promise
from canonical.stock.models import Balance, Known, Offer, PendingOrder, newer
from canonical.stock.pushes import OfferState, Sale, due_in_pool
from canonical.stock.rules import PoolRule, Sharing, StockRules

START = datetime(2026, 11, 20, tzinfo=UTC)
STEP = timedelta(seconds=40)
SAFETY = 2
OFFERS = tuple(
    Offer(seller="S", marketplace_id=place, sku="TEA", itno="T1", whlo="MAI") for place in ("DE", "FR")
)
KINDS = (
    "nothing", "sale", "sale", "learn", "learn", "enter", "ship", "cancel", "receive", "receive", "others_take",
    "count_down", "read", "answer", "answer", "push", "push", "land", "land", "land", "confirm", "confirm",
    "confirm", "rush",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 1), st.integers(1, 9)), min_size=250, max_size=250
)


@dataclass
class Sold:
    """An order at Amazon."""

    number: int
    place: int
    quantity: int
    at: datetime
    known: bool = False
    in_m3: bool = False
    in_m3_since: datetime | None = None
    shipped: bool = False
    cancelled_at: datetime | None = None
    cancel_known: bool = False

    @property
    def owed(self) -> int:
        return 0 if self.shipped or self.cancelled_at else self.quantity


@dataclass
class Wire:
    """A push on its way: what was known when it was computed."""

    reference: str
    quantity: int
    known: frozenset[int]
    taken: int
    tight: bool
    """Whether with all that the other offers may show it is still no more than was available."""
    landed: bool = False


@dataclass(frozen=True)
class Landed:
    """Of the last push that reached Amazon: what could not be known when it was computed."""

    unseen: int = 0
    """Sold by this offer between the computing and the landing."""
    taken: int = 0
    """`Town.taken` when the balance was read."""
    known: frozenset[int] = frozenset()


@dataclass
class Town:
    """Amazon, M3, and the bridge between them; of each only what matters to one item."""

    sharing: Sharing
    on_hand: int = 60
    others: int = 0
    """Wanted in M3 by others than Amazon's buyers."""
    of_amazon: int = 0
    """Wanted in M3 by Amazon's buyers."""
    taken: int = 0
    """All that has been taken from M3's supply since the beginning, but by Amazon's buyers."""
    now: datetime = START
    orders: list[Sold] = field(default_factory=list)
    shown: list[int] = field(default_factory=lambda: [0, 0])
    answers: list[tuple[Balance, int]] = field(default_factory=list)
    balance: Known | None = None
    taken_at_balance: int = 0
    wires: list[Wire | None] = field(default_factory=lambda: [None, None])
    back: list[int] = field(default_factory=lambda: [0, 0])
    """What Amazon shows again of cancelled orders, since the last push that reached it."""
    landed: list[Landed] = field(default_factory=lambda: [Landed(), Landed()])
    counter: int = 0

    def __post_init__(self) -> None:
        self.rules = StockRules(pools=(PoolRule(safety_stock=SAFETY, sharing=self.sharing),))
        self.states = [OfferState(offer=offer).seen(0, START - timedelta(days=1)) for offer in OFFERS]

    @property
    def supply(self) -> int:
        return self.on_hand - self.others

    # --- what happens outside ---------------------------------------------------------------

    def sale(self, place: int, size: int) -> None:
        quantity = min(size, self.shown[place])
        if quantity:
            self.shown[place] -= quantity
            self.orders.append(Sold(len(self.orders), place, quantity, self.now))

    def cancel(self, place: int, size: int) -> None:
        for order in self.orders:
            if order.owed and not order.in_m3 and order.place == place:
                order.cancelled_at = self.now
                if size % 2:
                    self.shown[place] += order.quantity
                    self.back[place] += order.quantity
                return

    def receive(self, _: int, size: int) -> None:
        self.on_hand += 2 * size

    def others_take(self, _: int, __: int) -> None:
        self.others += 1
        self.taken += 1

    def count_down(self, _: int, __: int) -> None:
        self.on_hand -= 1
        self.taken += 1

    # --- the bridge -------------------------------------------------------------------------

    def learn(self, _: int, size: int) -> None:
        for order in [each for each in self.orders if not each.known][:size]:
            order.known = True
        for order in [each for each in self.orders if each.cancelled_at][:size]:
            order.cancel_known = order.known

    def enter(self, _: int, __: int) -> None:
        for order in self.orders:
            if order.known and not order.in_m3 and not order.cancel_known:
                order.in_m3, order.in_m3_since = True, self.now
                self.of_amazon += order.quantity
                return

    def ship(self, _: int, __: int) -> None:
        for order in self.orders:
            if order.in_m3 and not order.shipped and not order.cancelled_at:
                order.shipped = True
                self.on_hand -= order.quantity
                self.of_amazon -= order.quantity
                return

    def read(self, _: int, size: int) -> None:
        wanted = self.others + self.of_amazon
        allocated = min(wanted, size)
        balance = Balance(
            whlo="MAI", itno="T1", on_hand=Decimal(self.on_hand), allocated=Decimal(allocated),
            reserved=Decimal(wanted - allocated), as_of=self.now,
        )  # fmt: skip
        self.answers.append((balance, self.taken))

    def answer(self, _: int, size: int) -> None:
        if self.answers:
            told, taken = self.answers.pop(size % len(self.answers))
            before = self.balance
            self.balance = newer(before, told)
            assert before is None or self.balance.as_of >= before.as_of
            if self.balance is told:
                self.taken_at_balance = taken

    def promised(self) -> PoolPromises | None:
        if self.balance is None:
            return None
        pending = [
            PendingOrder(
                order_id=str(order.number), order_item_id="1", itno="T1", whlo="MAI",
                quantity=order.quantity, in_m3_since=order.in_m3_since,
            )
            for order in self.orders
            if order.known and not order.cancel_known
        ]  # fmt: skip
        found = promise(self.balance, pending, OFFERS, self.rules)
        quantities = [each.quantity for each in found.promises]
        assert all(0 <= each <= found.available for each in quantities)
        if self.sharing is Sharing.SPLIT:
            assert sum(quantities) <= found.available
        return found

    def push(self, _: int, __: int) -> None:
        found = self.promised()
        if found is None:
            return
        for place, each in enumerate(found.promises):
            self.states[place] = self.states[place].want(each.quantity)
        split_of = found.available if self.sharing is Sharing.SPLIT else None
        sales = self.sales()
        for push in due_in_pool(self.states, sales, split_of=split_of):
            place = OFFERS.index(push.offer)
            assert self.wires[place] is None, "two quantities of one offer are on their way"
            self.counter += 1
            reference = str(self.counter)
            others = [s.ceiling(sales[s.name]) or 0 for s in self.states if s.offer is not push.offer]
            tight = split_of is None or push.quantity + sum(others) <= split_of
            self.states[place] = self.states[place].sent(push.quantity, self.now, reference)
            unseen = sum(o.quantity for o in self.orders if o.place == place and not o.known)
            assert tight or push.quantity <= self.shown[place] + unseen, "it raises what did not fit"
            known = frozenset(order.number for order in self.orders if order.known)
            self.wires[place] = Wire(reference, push.quantity, known, self.taken_at_balance, tight)

    def sales(self) -> dict[tuple[str, str, str], list[Sale]]:
        return {
            offer.name: [
                Sale(
                    quantity=order.quantity,
                    at=order.at,
                    cancelled_at=order.cancelled_at if order.cancel_known else None,
                )
                for order in self.orders
                if order.known and order.place == place
            ]
            for place, offer in enumerate(OFFERS)
        }

    def land(self, place: int, _: int) -> None:
        wire = self.wires[place]
        if wire is None or wire.landed:
            return
        wire.landed = True
        self.shown[place], self.back[place] = wire.quantity, 0
        unseen = sum(o.quantity for o in self.orders if o.place == place and o.number not in wire.known)
        before = self.landed[place]
        if wire.tight:
            self.landed[place] = Landed(unseen, wire.taken, wire.known)
        else:  # at most what the offer showed: nothing is raised but over sales that were not known
            self.landed[place] = Landed(before.unseen + unseen, before.taken, before.known)

    def confirm(self, place: int, size: int) -> None:
        wire = self.wires[place]
        if wire is not None and wire.landed:
            self.states[place] = self.states[place].confirmed(wire.reference, self.now)
            self.wires[place] = None
        elif size == 1:
            assert self.states[place].confirmed("0", self.now) == self.states[place]

    def rush(self, place: int, size: int) -> None:
        """An order is sold, told, and in M3 before the balance is read again; then a push goes through."""
        self.sale(place, size)
        self.learn(place, len(self.orders))
        self.enter(place, size)
        self.now += STEP
        self.land(place, size)
        self.confirm(place, size)
        self.push(place, size)
        self.land(place, size)

    # --- what must hold ---------------------------------------------------------------------

    def check(self) -> None:
        """What is shown, and sold but not shipped, is at most the supply, but for what nobody could know. Where nothing
        is promised any more, only what Amazon itself shows again may be shown."""
        owed = sum(order.owed for order in self.orders)
        if self.sharing is Sharing.SPLIT:
            unknown = sum(each.unseen for each in self.landed)
            unknown += self.taken - min(each.taken for each in self.landed)
            assert sum(self.shown) <= sum(self.back) or sum(self.shown) + owed <= self.supply + unknown
            return
        for place, (shown, last) in enumerate(zip(self.shown, self.landed, strict=True)):
            back = self.back[place]
            elsewhere = (o.quantity for o in self.orders if o.place != place and o.number not in last.known)
            unknown = last.unseen + self.taken - last.taken + sum(elsewhere)
            assert shown <= back or shown + owed + SAFETY <= self.supply + unknown

    def settle(self) -> None:
        """Everything is learnt, read, pushed and confirmed: what Amazon shows is what it should."""
        for _ in range(6):
            self.now += STEP * 3
            self.learn(0, len(self.orders))
            self.read(0, 1)
            while self.answers:
                self.answer(0, len(self.answers) - 1)
            for place in (0, 1):
                self.land(place, 0)
                self.confirm(place, 0)
            self.push(0, 0)
        found = self.promised()
        assert found is not None
        assert self.shown == [each.quantity for each in found.promises]
        owed = sum(order.owed for order in self.orders)
        assert sum(self.shown) == 0 or max(self.shown) + owed + SAFETY <= self.supply
        if self.sharing is Sharing.SPLIT:
            assert sum(self.shown) == 0 or sum(self.shown) + owed + SAFETY <= self.supply


def walk(sharing: Sharing, steps: list[tuple[str, int, int]]) -> None:
    town = Town(sharing)
    for kind, place, size in steps:
        town.now += STEP
        if kind != "nothing":
            getattr(town, kind)(place, size)
        town.check()
    town.settle()


@settings(max_examples=40)
@given(STEPS)
def test_a_split_pool_never_promises_more_than_there_is(steps: list[tuple[str, int, int]]) -> None:
    walk(Sharing.SPLIT, steps)


@settings(max_examples=40)
@given(STEPS)
def test_an_offer_of_a_shared_pool_never_promises_more_than_there_is(
    steps: list[tuple[str, int, int]],
) -> None:
    walk(Sharing.SHARED, steps)

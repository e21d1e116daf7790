"""The stock book: what each piece of news changes, in whatever order and however often it comes; and its files."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities import listings_snapshot
from activities.archive import Archive
from activities.stock_merge import merged
from activities.stock_plan import StockPolicy, plan_of
from activities.stock_shelf import BOOK, StockShelf
from canonical.stock import keeper_contracts as act
from canonical.stock.book import PoolState
from canonical.stock.book_lines import OrderLine, latest, line_of
from canonical.stock.book_parts import PARTS, Marks, Part, part_of
from canonical.stock.listings import Listing, ListingsHead
from canonical.stock.models import Balance, Offer, OfferName
from canonical.stock.news import ListingsRead, SoldLine, SoldLines
from canonical.stock.pushes import OfferState, Push
from canonical.stock.round import chosen, wanted
from canonical.stock.rules import PoolRule, StockRules

NOW = datetime(2026, 11, 20, tzinfo=UTC)
RULES = StockRules(pools=(PoolRule(safety_stock=1),))
DE, FR = "DE", "FR"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def offer(place: str = DE, sku: str = "TEA") -> Offer:
    return Offer(seller="S", marketplace_id=place, sku=sku, itno="T1", whlo="MAI")


def balance(on_hand: int, at: float = 0, itno: str = "T1") -> Balance:
    return Balance(whlo="MAI", itno=itno, on_hand=Decimal(on_hand), as_of=later(at))


def sold(quantity: int, at: float, order: str = "1", **facts: object) -> SoldLine:
    fields = {
        "order_id": order,
        "order_item_id": "1",
        "marketplace_id": DE,
        "sku": "TEA",
        "quantity": quantity,
        "purchased_at": NOW,
        "updated_at": later(at),
    }
    return SoldLine.model_validate(fields | facts)


# --- order lines ---------------------------------------------------------------------------------

TELLINGS = st.lists(
    st.builds(
        lambda quantity, at, cancelled: sold(quantity, at, cancelled=cancelled),
        st.integers(0, 3),
        st.integers(0, 5),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(TELLINGS, st.randoms())
def test_of_all_tellings_of_a_line_the_last_one_holds_in_whatever_order(
    told: list[SoldLine], chance: object
) -> None:
    def all_of(lines: Sequence[SoldLine]) -> OrderLine:
        known: OrderLine | None = None
        for line in lines:
            known = latest(known, line_of("S", line))
        assert known is not None
        return known

    shuffled = [*told, *told]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = all_of(told), all_of(shuffled)
    assert (one.quantity, one.updated_at) == (other.quantity, other.updated_at)
    assert one.quantity <= one.most


def test_a_lower_quantity_is_a_sale_and_a_cancellation() -> None:
    line = latest(line_of("S", sold(3, 0)), line_of("S", sold(1, 10)))
    assert [(sale.quantity, sale.cancelled_at) for sale in line.sales] == [(1, None), (2, later(10))]


# --- pools ---------------------------------------------------------------------------------------

LINES = st.lists(
    st.builds(
        lambda number, quantity, at, seconds, cancelled: line_of(
            "S", sold(quantity, at + 1, str(number), purchased_at=later(at), cancelled=cancelled)
        ).model_copy(update={"in_m3_since": None if seconds is None else later(seconds)}),
        st.integers(1, 8),
        st.integers(1, 3),
        st.integers(-200, 200),
        st.none() | st.integers(-200, 200),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=300)
@given(LINES, st.integers(-200, 200), st.none() | st.integers(-200, 200), st.booleans())
def test_lines_that_are_dropped_change_nothing(
    lines: list[OrderLine], read: int, shown: int | None, flying: bool
) -> None:
    state = OfferState(offer=offer())
    if shown is not None:
        state = state.want(5).sent(5, later(shown), "1").confirmed("1", later(shown + 5))
    if flying:
        state = state.want(4).sent(4, later(201), "2")
    pool = PoolState(whlo="MAI", itno="T1", known=balance(9, read), offers=(state,)).sold(lines)
    settled = pool.settled()
    before, after = (wanted(each, RULES, later(10_000)) for each in (pool, settled))
    assert [each.wanted for each in before.pool.offers] == [each.wanted for each in after.pool.offers]
    assert before.pushes == after.pushes
    assert settled.settled() == settled


def test_a_line_is_dropped_when_the_balance_has_it_and_no_quantity_needs_it() -> None:
    shown = OfferState(offer=offer()).seen(5, later(60))
    pool = PoolState(whlo="MAI", itno="T1", offers=(shown,)).sold([line_of("S", sold(1, 0))])
    pool = pool.read(balance(9, 50)).entered({"1": later(70)})
    assert len(pool.settled().lines) == 1
    assert pool.read(balance(8, 80)).settled().lines == ()


def test_amazons_answer_to_the_question_what_it_shows_decides() -> None:
    flying = OfferState(offer=offer()).want(5).sent(5, NOW, "r1-1")
    pool = PoolState(whlo="MAI", itno="T1", offers=(flying,))

    def said(**facts: object) -> OfferState:
        fields = {"seller": "S", "marketplace": DE, "sku": "TEA", "whlo": "MAI", "itno": "T1"}
        fields |= {"reference": "r1-1", "kind": "seen", "at": later(900)}  # type: ignore[dict-item]
        (state,) = pool.answered(act.Answer.model_validate(fields | facts)).offers
        return state

    shown = said(quantity=5).shown
    assert shown is not None
    assert shown.quantity == 5
    lost = said(quantity=2)
    assert (lost.shown, lost.flight, lost.refusal) == (None, None, None)
    refused = said(quantity=2, code="8541", message="It differs.").refusal
    assert refused is not None
    assert refused.code == "8541"
    assert said(exists=False).refusal is not None
    assert said(quantity=5, reference="r0-1") == flying


def test_a_listing_counts_only_where_nothing_newer_is_known_and_no_sale_explains_it() -> None:
    state = OfferState(offer=offer()).want(5).sent(5, NOW, "1").confirmed("1", later(10))
    pool = PoolState(whlo="MAI", itno="T1", offers=(state,)).sold(
        [line_of("S", sold(2, 99, purchased_at=later(99)))]
    )
    assert pool.listed(offer(), 9, later(5)) == pool
    assert pool.listed(offer(), 3, later(200)) == pool
    (seen,) = pool.listed(offer(), 9, later(200)).offers
    assert seen.shown is not None
    assert seen.shown.quantity == 9


def test_what_was_just_sent_is_not_sent_again_for_the_clocks_sake() -> None:
    state = OfferState(offer=offer()).want(8).sent(8, later(5), "1").confirmed("1", later(6))
    pool = PoolState(whlo="MAI", itno="T1", known=balance(11), offers=(state,)).sold(
        [line_of("S", sold(2, 0))]
    )
    soon, then = wanted(pool, RULES, later(20)), wanted(pool, RULES, later(70))
    assert (soon.pushes, soon.later) == ([], 1)
    assert [push.quantity for push in then.pushes] == [8]


def test_sellers_that_wait_for_a_feed_send_the_largest_falls_and_resting_ones_nothing() -> None:
    pushes = [Push(offer=offer(sku=f"T{n}"), quantity=0, fall=n) for n in range(40)]
    found = chosen(pushes, patches=10, no_feeds=["S"])
    assert [push.fall for push in found.patches] == list(range(39, 29, -1))
    assert not found.feeds
    assert not chosen(pushes, nothing=["S"]).patches
    assert sum(map(len, chosen(pushes, patches=10).feeds)) == 40


def test_patches_without_an_answer_leave_less_room_for_others() -> None:
    pushes = [Push(offer=offer(sku=f"T{n}"), quantity=0, fall=n) for n in range(6)]
    assert len(chosen(pushes, patches=10, patching={"S": 4}).patches) == 6
    assert len(chosen(pushes, patches=10, patching={"another": 9}).patches) == 6
    crowded = chosen(pushes, patches=10, patching={"S": 5})
    assert (len(crowded.patches), [len(feed) for feed in crowded.feeds]) == (0, [6])
    waiting = chosen(pushes, patches=10, patching={"S": 8}, no_feeds=["S"])
    assert ([push.fall for push in waiting.patches], waiting.feeds) == ([5, 4], ())
    assert not chosen(pushes, patches=10, patching={"S": 30}, no_feeds=["S"]).patches


# --- files ---------------------------------------------------------------------------------------


def test_a_part_keeps_what_nobody_reads_as_it_is() -> None:
    part = Part(PoolState)
    for number in range(3):
        pool = PoolState(whlo="MAI", itno=f"I\t{number} ü", known=balance(number))
        part.put(pool.key, pool, Marks(offers=number))
    again = Part(PoolState, part.encoded())
    assert again.encoded() == part.encoded()
    assert sorted(again) == sorted(part)
    assert again.sums().offers == 3
    assert again.get(("MAI", "I\t2 ü")) == part.get(("MAI", "I\t2 ü"))
    again.remove(("MAI", "I\t2 ü"))
    assert Part(PoolState, again.encoded()).get(("MAI", "I\t2 ü")) is None
    assert {part_of(("MAI", str(n))) for n in range(2000)} == set(range(PARTS))


class Desk:
    """A book in an archive."""

    def __init__(self, folder: Path, rules: StockRules = RULES) -> None:
        self.archive = Archive(str(folder))
        self.shelf = StockShelf(self.archive)
        self.policy = StockPolicy(rules, {DE: "MAI", FR: "MAI"}, 1, 500, act.Pace())
        self.book = ""
        self.round = 0

    def merge(self, at: float = 0, **news: object) -> act.MergeResult:
        request = act.MergeRequest.model_validate({"book": self.book, "at": later(at), **news})
        done = merged(self.shelf, self.policy.warehouses, request)
        assert merged(self.shelf, self.policy.warehouses, request) == done, "run again it is another"
        self.book = done.book
        return done

    def plan(self, at: float = 0) -> act.PlanResult:
        self.round += 1
        request = act.PlanRequest(book=self.book, round=self.round, at=later(at))
        done = plan_of(self.shelf, self.policy, request)
        assert plan_of(self.shelf, self.policy, request) == done, "run again it is another"
        self.book = done.book
        return done

    def listed(self, place: str, *rows: Listing, at: float = 0) -> act.MergeResult:
        head = ListingsHead(seller_id="S", marketplace_id=place, report_id="1", taken_at=later(at))
        key = listings_snapshot.write(self.archive, head, rows)
        read = ListingsRead(seller_id="S", marketplace_id=place, key=key, taken_at=later(at))
        return self.merge(at, listed=(read,))

    def told(self, *lines: SoldLine) -> act.MergeResult:
        return self.merge(sold=(SoldLines(seller_id="S", lines=lines),))

    def read(self, *balances: Balance) -> act.MergeResult:
        return self.merge(balances=(self.shelf.keep_balances(balances),))

    def pool(self, itno: str = "T1") -> PoolState | None:
        key = ("MAI", itno)
        return self.shelf.pools(self.shelf.index(self.book), part_of(key)).get(key)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def row(sku: str = "TEA", itno: str = "T1", **facts: object) -> Listing:
    fields = {"sku": sku, "channel": "MFN", "quantity": 0, "itno": itno, "by": "alias"}
    return Listing.model_validate(fields | facts)


def test_from_listings_balances_and_orders_come_quantities_each_once(desk: Desk) -> None:
    desk.listed(DE, row())
    desk.listed(FR, row())
    assert desk.plan().patches == ()
    desk.read(balance(6))
    desk.told(sold(2, 0))
    sent = desk.plan(10)
    assert {(each.request.marketplace_id, each.request.quantity) for each in sent.patches} == {
        (DE, 3),
        (FR, 3),
    }
    assert sent.totals.on_their_way == 2
    assert desk.plan(20).patches == ()
    assert len(desk.plan(1000).overdue) == 2


def test_what_is_no_product_yet_is_not_offered_and_is_as_soon_as_it_is_one(desk: Desk) -> None:
    assert desk.listed(DE, row(active=False, product=False)).totals.offers == 0
    assert desk.listed(DE, row(), at=60).totals.offers == 1
    assert desk.listed(DE, row(active=False, product=False), at=120).totals.offers == 0


def test_an_order_of_an_unknown_sku_waits_for_its_listing(desk: Desk) -> None:
    assert desk.told(sold(2, 0)).totals.strangers == 1
    assert desk.listed(DE, row()).totals.strangers == 0
    pool = desk.pool()
    assert pool is not None
    assert [line.quantity for line in pool.lines] == [2]


def test_a_sku_that_is_mapped_to_another_item_takes_along_what_m3_does_not_have(desk: Desk) -> None:
    desk.listed(DE, row())
    desk.told(sold(2, 0), sold(1, 0, "2"))
    found = act.OrdersInM3(since=later(5), orders={"2": (("MAI", "T1"),)})
    desk.merge(in_m3=(desk.shelf.keep_news(found),))
    desk.listed(DE, row(itno="T2"), at=60)
    before, after = desk.pool("T1"), desk.pool("T2")
    assert before is not None
    assert after is not None
    assert ([line.order_id for line in before.lines], before.offers) == (["2"], ())
    assert [line.order_id for line in after.lines] == ["1"]
    assert [state.name for state in after.offers] == [OfferName("S", DE, "TEA")]


def test_a_sku_that_amazon_fulfils_in_one_place_has_no_offer_in_any(desk: Desk) -> None:
    desk.listed(DE, row(), row("CUP", "C1"))
    desk.told(sold(2, 0))
    desk.listed(FR, row(channel="FBA"), at=60)
    pool = desk.pool()
    assert pool is not None
    assert (pool.offers, len(pool.lines)) == ((), 1)
    assert desk.listed(FR, row(), at=120).totals.offers == 3


def test_a_report_that_lacks_most_listings_drops_none(desk: Desk) -> None:
    rows = [row(f"SKU{n}", f"I{n}") for n in range(40)]
    assert desk.listed(DE, *rows).totals.offers == 40
    cut = desk.listed(DE, *rows[:15], at=60)
    assert cut.totals.offers == 40
    assert "may be cut" in cut.remarks[0]
    assert desk.listed(DE, *rows[:30], at=120).totals.offers == 30


def test_other_rules_are_planned_for_every_pool(desk: Desk) -> None:
    desk.listed(DE, row())
    desk.read(balance(6))
    assert desk.plan().patches[0].request.quantity == 5
    desk.policy = StockPolicy(StockRules(), desk.policy.warehouses, 1, 500, act.Pace())
    desk.plan(60)
    pool = desk.pool()
    assert pool is not None
    assert pool.offers[0].wanted == 6


def test_pruning_leaves_what_the_book_needs_however_old(desk: Desk, tmp_path: Path) -> None:
    desk.listed(DE, row())
    old = desk.book
    desk.read(balance(6))
    now = datetime.now(UTC)
    long_ago = (now - timedelta(days=4)).timestamp()
    for file in (tmp_path / BOOK).iterdir():
        os.utime(file, (long_ago, long_ago))
    assert desk.shelf.prune(desk.book, now) == 2
    assert set(desk.archive.keys(BOOK)) == {*desk.shelf.index(desk.book).files, desk.book}
    assert old not in desk.archive.keys(BOOK)
    assert desk.pool() is not None


def test_a_part_that_is_gone_is_told_and_filled_again(desk: Desk) -> None:
    desk.listed(DE, row())
    index = desk.shelf.index(desk.book)
    for ref in index.pools.values():
        desk.archive.remove(ref.file)
    told = desk.read(balance(6))
    assert "gone from the archive" in told.remarks[0]
    assert desk.listed(DE, row(), at=60).totals.offers == 1

"""Stock: what an offer may promise, which changes are pushed, what differs, what Amazon did to its stock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from canonical.stock.available import Problem, promise
from canonical.stock.corrections import (
    AdjustmentKind,
    CorrectionRules,
    FbaAdjustment,
    corrections,
    message_number,
)
from canonical.stock.drift import DriftKind, drift
from canonical.stock.fba_pool import FbaView, pools
from canonical.stock.models import Balance, NoBalance, Offer, OfferName, PendingOrder, newer
from canonical.stock.pushes import (
    FEED_MESSAGES,
    OfferState,
    Push,
    Sale,
    due_in_pool,
    ours_to_ship,
    plan,
)
from canonical.stock.rules import OfferRule, PoolRule, Sharing, StockRules, split

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DE, GB, FR = "A1PA6795UKMFR9", "A1F83G8C2ARO7P", "A13V1IB3VIYZZH"


def balance(on_hand: object = 20, at: datetime = NOON, **more: object) -> Balance:
    return Balance.model_validate({"whlo": "MAI", "itno": "T1", "on_hand": on_hand, "as_of": at} | more)


def offer(marketplace: str = DE, sku: str = "TEA", **more: object) -> Offer:
    fields = {"seller": "S", "marketplace_id": marketplace, "sku": sku, "itno": "T1", "whlo": "MAI"}
    return Offer.model_validate(fields | more)


def pending(quantity: int, since: datetime | None = None, number: str = "1") -> PendingOrder:
    return PendingOrder(
        order_id=number, order_item_id="1", itno="T1", whlo="MAI", quantity=quantity, in_m3_since=since
    )


def rules(*offers: OfferRule, **pool: object) -> StockRules:
    return StockRules(offers=offers, pools=(PoolRule.model_validate(pool),))


def shown(
    known: Balance | NoBalance, *orders: PendingOrder, by: StockRules | None = None, n: int = 1
) -> list[int]:
    offers = [offer(place) for place in (DE, GB, FR)[:n]]
    return [each.quantity for each in promise(known, orders, offers, by or StockRules()).promises]


def test_what_m3_and_amazon_have_sold_is_taken_off() -> None:
    known = balance(20, allocated=3, reserved=2)
    assert shown(known) == [15]
    assert shown(known, pending(4)) == [11]
    assert shown(known, pending(4), by=rules(safety_stock=5)) == [6]
    assert shown(known, pending(40)) == [0]


def test_an_order_counts_until_the_balance_is_newer_than_its_coming_into_m3() -> None:
    assert shown(balance(), pending(4, NOON - MINUTE)) == [20]
    assert shown(balance(), pending(4, NOON)) == [16]
    assert shown(balance(), pending(4, NOON + MINUTE)) == [16]


def test_an_order_told_twice_counts_once() -> None:
    assert shown(balance(), pending(4), pending(4)) == [16]
    assert shown(balance(), pending(4), pending(4, number="2")) == [12]


def test_m3s_own_figure_holds_where_it_is_less() -> None:
    assert shown(balance(20, allocatable=12)) == [12]
    assert shown(balance(20, allocated=15, allocatable=12)) == [5]
    assert shown(balance("7.9")) == [7]


@pytest.mark.parametrize(
    ("known", "problem"),
    [
        (balance(-3), Problem.NEGATIVE_STOCK),
        (balance(item_status="80"), Problem.ITEM_BLOCKED),
        (balance(2, reserved=5), Problem.OVERSOLD),
        (
            NoBalance(whlo="MAI", itno="T1", why="unknown_warehouse", code="WWH0103", as_of=NOON),
            Problem.NO_BALANCE,
        ),
    ],
)
def test_what_cannot_be_offered_is_told(known: Balance | NoBalance, problem: Problem) -> None:
    found = promise(known, [], [offer()], StockRules())
    assert [each.quantity for each in found.promises] == [0]
    [note] = found.notes
    assert note.problem is problem
    assert "MAI" in note.sentence


def test_a_share_a_minimum_and_a_maximum_by_item_and_marketplace() -> None:
    by = rules(
        OfferRule(ratio=Decimal("0.5")),
        OfferRule(marketplace_id=GB, ratio=Decimal("0.1"), minimum=3),
        OfferRule(itno="T1", marketplace_id=FR, maximum=4),
    )
    assert shown(balance(20), by=by, n=3) == [10, 0, 4]
    with pytest.raises(ValidationError, match="same item and place"):
        rules(OfferRule(), OfferRule())


def test_a_pool_is_promised_as_often_as_it_is_shared_and_once_where_it_is_split() -> None:
    assert shown(balance(20), n=3) == [20, 20, 20]
    assert shown(balance(20), by=rules(sharing="split"), n=3) == [7, 7, 6]
    half = OfferRule(marketplace_id=DE, ratio=Decimal("0.5"))
    rest = OfferRule(ratio=Decimal("0.2"))
    assert shown(balance(20), by=rules(half, rest, sharing="split"), n=3) == [10, 4, 4]


@given(st.integers(-50, 5000), st.lists(st.decimals(0, 1, places=2), max_size=8))
def test_a_split_is_of_whole_pieces_and_loses_none(pieces: int, weights: list[Decimal]) -> None:
    parts = split(pieces, weights)
    assert all(part >= 0 for part in parts)
    assert sum(parts) == (max(0, pieces) if sum(weights) > 0 else 0)


def test_the_newer_question_wins_whichever_answer_comes_first() -> None:
    old, new = balance(5, NOON), balance(9, NOON + MINUTE)
    assert newer(newer(None, old), new) is new
    assert newer(newer(None, new), old) is new
    assert newer(balance(9), old) is old


def test_nothing_is_ever_sent_for_what_amazon_fulfils() -> None:
    fba = offer(FR, "FBA-TEA", channel="FBA")
    assert promise(balance(), [], [fba], StockRules()).promises == ()
    with pytest.raises(ValidationError, match="fulfilled by Amazon"):
        Push(offer=fba, quantity=1)
    mine, left = ours_to_ship([offer(DE, "FBA-TEA"), fba, offer()])
    assert mine == [offer()]
    assert left == [offer(DE, "FBA-TEA"), fba]


def confirmed(quantity: int, place: str = DE) -> OfferState:
    state = OfferState(offer=offer(place)).want(quantity).sent(quantity, NOON, "1")
    return state.confirmed("1", NOON + MINUTE)


def test_a_sale_that_amazon_has_taken_off_itself_costs_no_push() -> None:
    state = confirmed(10).want(8)
    assert state.due([Sale(quantity=2, at=NOON + 5 * MINUTE)]) is None
    assert state.due([]) == Push(offer=offer(), quantity=8, fall=2)
    unsure = state.due([Sale(quantity=2, at=NOON + MINUTE)])
    assert unsure is not None
    assert unsure.quantity == 8
    assert confirmed(10).due([Sale(quantity=2, at=NOON - 5 * MINUTE)]) is None


def test_what_a_cancelled_order_had_may_be_shown_again() -> None:
    sale = Sale(quantity=2, at=NOON + 5 * MINUTE, cancelled_at=NOON + 9 * MINUTE)
    assert confirmed(10).ceiling([sale]) == 10
    due = confirmed(10).want(10).due([sale])
    assert due is not None
    assert due.quantity == 10


def test_small_rises_wait_and_falls_never_do() -> None:
    assert confirmed(10).want(12).due(least_rise=5) is None
    assert confirmed(10).want(9).due(least_rise=5) is not None
    assert confirmed(0).want(1).due(least_rise=5) is not None


def test_one_quantity_at_a_time_and_then_the_newest() -> None:
    state = confirmed(10).want(7).sent(7, NOON + 2 * MINUTE, "2").want(5).want(4)
    assert state.due() is None
    assert state.confirmed("1", NOON + 3 * MINUTE) == state
    landed = state.confirmed("2", NOON + 3 * MINUTE)
    due = landed.due()
    assert due is not None
    assert due.quantity == 4
    lost = state.lost("2").due()
    assert lost is not None
    assert lost.quantity == 4


def test_a_refused_quantity_waits_for_somebody() -> None:
    state = confirmed(10).want(7).sent(7, NOON + 2 * MINUTE, "2").refused("2", "4000003", "Not your listing.")
    assert state.due() is None
    assert state.again().due() is not None


def test_in_a_split_pool_nothing_rises_before_the_others_have_fallen() -> None:
    states = [confirmed(2).want(5), confirmed(8, FR).want(5)]
    [fall] = due_in_pool(states, {}, split_of=10)
    assert (fall.offer.marketplace_id, fall.quantity) == (FR, 5)
    landed = states[1].sent(5, NOON + 2 * MINUTE, "2")
    assert due_in_pool([states[0], landed], {}, split_of=10) == []
    [rise] = due_in_pool([states[0], landed.confirmed("2", NOON + 3 * MINUTE)], {}, split_of=10)
    assert (rise.offer.marketplace_id, rise.quantity) == (DE, 5)
    assert len(due_in_pool(states, {})) == 2


def test_in_a_split_pool_a_rise_on_its_way_counts_as_shown() -> None:
    rising = confirmed(2).want(6).sent(6, NOON + 2 * MINUTE, "2")
    other = confirmed(4, FR).want(8)
    assert due_in_pool([rising, other], {}, split_of=10) == []
    [rise] = due_in_pool([rising, other], {}, split_of=11)
    assert rise.quantity == 5


def test_what_is_on_its_way_may_get_the_units_of_a_cancelled_order_on_top() -> None:
    sale = Sale(quantity=3, at=NOON + 2 * MINUTE, cancelled_at=NOON + 6 * MINUTE)
    rising = confirmed(2).want(6).sent(6, NOON + 5 * MINUTE, "2")
    assert rising.ceiling([sale]) == 9
    assert rising.ceiling([sale.model_copy(update={"cancelled_at": NOON + 3 * MINUTE})]) == 6


def test_in_a_split_pool_nothing_rises_while_nobody_knows_what_the_others_show() -> None:
    unknown = OfferState(offer=offer(FR)).want(5)
    [first] = due_in_pool([confirmed(2).want(5), unknown], {}, split_of=10)
    assert (first.offer.marketplace_id, first.quantity) == (FR, 5)


def test_few_changes_are_patched_and_many_go_by_feed() -> None:
    few = [Push(offer=offer(sku=f"S{number}"), quantity=number) for number in range(3)]
    urgent = Push(offer=offer(sku="U"), quantity=0, fall=40)
    assert plan([*few, urgent]).patches == (urgent, *few)
    many = [
        Push(offer=offer(place, f"S{n}"), quantity=1)
        for place, count in ((DE, FEED_MESSAGES + 1), (FR, 2))
        for n in range(count)
    ]
    found = plan(many)
    assert found.patches == ()
    assert sorted(len(feed) for feed in found.feeds) == [1, 2, FEED_MESSAGES]
    assert all(len({push.offer.marketplace_id for push in feed}) == 1 for feed in found.feeds)
    assert plan(many[:4], patches=3).feeds == (tuple(sorted(many[:4], key=lambda push: push.offer.name)),)
    with pytest.raises(ValueError, match="two quantities"):
        plan([urgent, urgent])


def test_drift_is_told_the_worst_first() -> None:
    more, less, gone = confirmed(5), confirmed(5, GB), confirmed(5, FR)
    stranger = OfferName("S", DE, "STRANGER")
    shows = {more.name: 9, less.name: 1, stranger: 3, OfferName("S", DE, "SOLD-OUT"): 0}
    found = drift([less, gone, more], shows)
    assert [(each.kind, each.shows, each.should) for each in found] == [
        (DriftKind.MORE, 9, 5),
        (DriftKind.NO_OFFER, None, 5),
        (DriftKind.UNKNOWN, 3, None),
        (DriftKind.LESS, 1, 5),
    ]
    [refused] = drift([more.want(9).sent(9, NOON, "2").refused("2", "4000003", "Not yours.")], {more.name: 5})
    assert (refused.kind, refused.reason) == (DriftKind.REFUSED, "4000003 Not yours.")
    [coming] = drift([more.want(9).sent(9, NOON, "2")], {more.name: 5})
    assert coming.on_its_way
    assert drift([more], {more.name: 5}) == []


def view(place: str, fulfillable: int, reserved: int = 0) -> FbaView:
    return FbaView(
        seller="S", marketplace_id=place, sku="TEA", fnsku="X1", fulfillable=fulfillable, reserved=reserved
    )


def test_one_european_pool_is_counted_once() -> None:
    found = pools([view(DE, 30, 2), view(FR, 30, 2), view(GB, 7)])
    assert [(each.area, each.held, each.differing) for each in found] == [("EU", 32, False), ("GB", 7, False)]
    [differing] = pools([view(DE, 30), view(FR, 0)])
    assert (differing.held, differing.differing) == (30, True)
    assert len(pools([view(DE, 30), view(FR, 5)], {FR: "FR"})) == 2


CORRECTING = CorrectionRules(whlo="AFE", transaction_reasons={AdjustmentKind.LOST: "LOS"})


def adjustment(quantity: int, reason: str = "M", reference: str = "1", **more: object) -> FbaAdjustment:
    fields = {"reference": reference, "seller": "S", "sku": "TEA", "at": NOON, "sellable": True}
    return FbaAdjustment.model_validate(fields | {"quantity": quantity, "reason": reason} | more)


def test_an_adjustment_becomes_a_correction_once() -> None:
    found = corrections([adjustment(-2), adjustment(-2)], CORRECTING, {"TEA": "T1"}, {})
    [one] = found.corrections
    assert (one.whlo, one.itno, one.quantity, one.rscd, one.approval) == ("AFE", "T1", -2, "LOS", "")
    assert one.number == message_number("1", "AFE")
    assert len(one.number) == 17
    assert found.doubts == ()


def test_unsellable_goods_are_no_stock_unless_they_have_a_warehouse() -> None:
    broken = adjustment(3, "Q", sellable=False)
    assert corrections([broken], CORRECTING, {"TEA": "T1"}, {}).corrections == ()
    own = CORRECTING.model_copy(update={"whlo_unsellable": "AFU"})
    [one] = corrections([broken], own, {"TEA": "T1"}, {}).corrections
    assert one.whlo == "AFU"


def test_what_is_large_dear_or_much_in_one_run_waits_for_a_person() -> None:
    def approvals(*many: FbaAdjustment) -> list[bool]:
        found = corrections(many, CORRECTING, {"TEA": "T1"}, {"T1": Decimal(60)})
        return [bool(each.approval) for each in found.corrections]

    assert approvals(adjustment(-8), adjustment(-9, reference="2")) == [False, True]
    assert approvals(*(adjustment(-8, reference=str(number)) for number in range(26))) == [True] * 26
    dear = corrections([adjustment(21)], CORRECTING, {"TEA": "T1"}, {})
    assert "21 pieces" in dear.corrections[0].approval


def test_a_reason_or_sku_nobody_knows_is_a_doubt_and_never_guessed() -> None:
    strange = [adjustment(-2, "?"), adjustment(-2, reference="2", sku="OTHER")]
    found = corrections(strange, CORRECTING, {"TEA": "T1"}, {})
    assert found.corrections == ()
    assert [each.adjustment.reference for each in found.doubts] == ["1", "2"]
    told = CORRECTING.model_copy(update={"reasons": {"?": AdjustmentKind.LOST}})
    assert len(corrections(strange, told, {"TEA": "T1"}, {}).corrections) == 1


def test_a_pool_rule_for_the_item_goes_before_one_for_the_warehouse() -> None:
    by = StockRules(
        pools=(
            PoolRule(safety_stock=1),
            PoolRule(whlo="MAI", safety_stock=2),
            PoolRule(itno="T1", safety_stock=3),
        )
    )
    assert by.for_pool(balance().key).safety_stock == 3
    assert by.for_pool(balance().key).sharing is Sharing.SHARED

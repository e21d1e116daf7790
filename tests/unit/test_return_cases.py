"""The rules of a return case: money and pieces counted once, whatever comes how often and in which order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.order import Channel
from canonical.return_cases import standing, tax_share
from canonical.return_facts import (
    FROM_FINANCES,
    FROM_M3,
    FROM_SETTLEMENT,
    Announced,
    CaseFacts,
    Refund,
    Reimbursed,
    Replaced,
    Returned,
    SentAnyway,
)
from canonical.return_models import (
    Accepted,
    Booked,
    CaseItem,
    CaseOrder,
    CaseRules,
    Credit,
    Movement,
    Next,
    Standing,
)

DAY = timedelta(days=1)
START = datetime(2026, 9, 1, tzinfo=UTC)
RULES = CaseRules(flag_after=45 * DAY)
PRICE = Decimal("12.50")


def order(pieces: int = 2, channel: Channel = Channel.FBA, paid: Decimal | None = None) -> CaseOrder:
    item = CaseItem(
        order_item_id="1", quantity=pieces, shipped=pieces, paid=PRICE * pieces if paid is None else paid
    )
    return CaseOrder(channel=channel, marketplace_id="A1PA6795UKMFR9", currency="EUR", items=(item,))


def refund(key: str = "T1", pieces: int | None = 1, amount: Decimal | None = None, **more: object) -> Refund:
    goods = PRICE * (pieces or 1) if amount is None else amount
    facts = {"key": key, "at": START, "told": START, "currency": "EUR", "goods": goods, "pieces": pieces}
    return Refund.model_validate(facts | more)


def back(key: str = "L1", pieces: int = 1, disposition: str = "SELLABLE", **more: object) -> Returned:
    facts = {"key": key, "at": START + DAY, "told": START + DAY, "pieces": pieces, "disposition": disposition}
    return Returned.model_validate(facts | more)


def made_good(key: str = "R1", pieces: int = 1, **more: object) -> Reimbursed:
    facts = {"key": key, "at": START + 9 * DAY, "told": START + 9 * DAY, "cash_pieces": pieces}
    return Reimbursed.model_validate(facts | {"amount": PRICE * pieces, "currency": "EUR"} | more)


def sent(pieces: int = 1, key: str = "1010000001") -> SentAnyway:
    return SentAnyway(key=key, at=START, told=START, pieces=pieces)


def judged(
    *facts: object,
    of: CaseOrder | None = None,
    booked: Booked | None = None,
    accepted: Accepted | None = None,
    now: datetime = START + 3 * DAY,
) -> Standing:
    told = CaseFacts.of(*facts)  # type: ignore[arg-type]
    return standing(told, of or order(), booked or Booked(), accepted or Accepted(), RULES, now)


def moved(number: int = 1, pieces: int = 1, credit: str = "12.50", **more: object) -> Movement:
    facts = {"number": number, "repn": str(number), "reli": "1", "whlo": "AFE", "pieces": pieces}
    return Movement.model_validate(
        facts
        | {
            "disposition": "SELLABLE",
            "received": pieces,
            "amount": Decimal(credit),
            "credits": [{"ivno": str(number), "year": "2026", "amount": Decimal(credit)}],
            "credited": pieces,
        }
        | more
    )


def uncredited(move: Movement) -> Movement:
    """As it is before M3 has credited anything of it."""
    return move.model_copy(update={"credits": (), "credited": 0})


# --- goods that were sent although they were cancelled ---------------------------------------------


def test_goods_sent_although_cancelled_are_announced_awaited_and_credited_at_m3s_price() -> None:
    """Amazon counts nothing of them as shipped, and nobody refunds them."""
    none = order(0, Channel.MFN, paid=Decimal(0))
    first = judged(sent(2), of=none)
    assert (first.next, first.pieces, first.amount, first.unpaid) == (Next.BOOK, 2, None, True)
    announced = moved(pieces=2, disposition="", received=0, amount=None, unpaid=True)
    announced = uncredited(announced)
    waiting = judged(sent(2), of=none, booked=Booked(movements=(announced,)))
    assert (waiting.next, waiting.missing) == (Next.WAIT, ("2 pieces returned or reimbursed",))
    assert waiting.states == ("sent although cancelled 2",)
    late = judged(sent(2), of=none, booked=Booked(movements=(announced,)), now=START + 46 * DAY)
    assert late.next is Next.OVERDUE
    received = announced.model_copy(update={"received": 2})
    came = back(pieces=2, disposition="", source=FROM_M3)
    assert judged(sent(2), came, of=none, booked=Booked(movements=(received,))).next is Next.CREDIT
    credit = Credit(ivno="1", year="2026", amount=Decimal("99.99"))
    booked = Booked(movements=(received.with_credits((credit,), 2),))
    assert judged(sent(2), came, of=none, booked=booked).next is Next.DONE
    assert booked.credited == 0, "No refund stands against it."


def test_a_refund_of_other_pieces_is_booked_and_compared_apart() -> None:
    of = order(1, Channel.MFN)
    unpaid = moved(1, disposition="", amount=None, credit="50.00", unpaid=True)
    facts = (sent(), refund(), back(pieces=1, disposition=""))
    found = judged(*facts, of=of, booked=Booked(movements=(unpaid,)))
    assert (found.next, found.pieces, found.amount, found.unpaid) == (Next.BOOK, 1, PRICE, False)
    both = Booked(movements=(unpaid, moved(2, disposition="")))
    last = judged(*facts, back("L2", disposition=""), of=of, booked=both)
    assert last.next is Next.DONE


# --- what is complete, odd, overdue ----------------------------------------------------------------


def test_refunded_goods_that_came_back_are_booked_with_what_they_cost_then_credited_then_settled() -> None:
    first = judged(refund(), back())
    assert (first.next, first.pieces, first.disposition, first.amount) == (Next.BOOK, 1, "SELLABLE", PRICE)
    waiting = uncredited(moved(credit="12.50"))
    assert judged(refund(), back(), booked=Booked(movements=(waiting,))).next is Next.CREDIT
    done = judged(refund(), back(), booked=Booked(movements=(moved(),)))
    assert (done.next, done.states) == (Next.DONE, ("refunded 12.50 EUR", "returned 1 SELLABLE"))


def test_a_return_that_comes_in_two_parts_is_credited_twice_and_settled_with_the_sum() -> None:
    own, money = order(2, Channel.MFN), refund(pieces=2)
    half = uncredited(moved(pieces=2, credit="25.00", disposition="", received=1))

    def at(move: Movement, pieces: int) -> Standing:
        came = back("1/1", pieces, "", source=FROM_M3)
        return judged(money, came, of=own, booked=Booked(movements=(move,)))

    assert at(half, 1).next is Next.CREDIT
    first = half.with_credits((Credit(ivno="1", year="2026", amount=PRICE),), 1)
    assert (at(first, 1).next, at(first, 1).missing) == (Next.WAIT, ("1 piece returned or reimbursed",))
    more = first.model_copy(update={"received": 2})
    assert at(more, 2).next is Next.CREDIT
    both = more.with_credits((Credit(ivno="2", year="2026", amount=PRICE),), 2)
    assert at(both, 2).next is Next.DONE
    assert Booked(movements=(both,)).credited == PRICE * 2


def test_a_refund_waits_for_the_goods_until_its_age_then_is_overdue() -> None:
    assert judged(refund()).next is Next.WAIT
    late = judged(refund(), now=START + 45 * DAY)
    assert late.next is Next.OVERDUE
    assert "1 piece returned or reimbursed" in late.sentence
    assert judged(refund()).due == START + 45 * DAY


def test_what_was_accepted_as_missing_leaves_the_money_to_be_settled() -> None:
    late = judged(refund(), now=START + 50 * DAY)
    after = judged(refund(), accepted=Accepted(missing=late.missing), now=START + 50 * DAY)
    assert (after.next, after.difference) == (Next.DIFFERS, PRICE)
    by_hand = Booked(by_hand=(Credit(ivno="7", year="2026", amount=PRICE),))
    assert (
        judged(refund(), accepted=Accepted(missing=late.missing), booked=by_hand, now=START + 50 * DAY).next
        is Next.DONE
    )


def test_a_reimbursed_piece_is_missing_no_more_and_its_refund_is_still_to_be_credited() -> None:
    assert judged(refund(), made_good()).next is Next.DIFFERS
    assert judged(refund(), made_good(cash_pieces=0, inventory_pieces=1, amount=0)).missing == ()


def test_reimbursement_in_instalments_adds_up_and_a_reversal_takes_away() -> None:
    of = order(3)
    assert judged(refund(pieces=3), made_good("R1"), of=of).missing == ("2 pieces returned or reimbursed",)
    assert judged(refund(pieces=3), made_good("R1"), made_good("R2", 2), of=of).missing == ()
    taken_back = made_good("R3", pieces=-1, amount=-PRICE)
    assert judged(refund(pieces=3), made_good("R1", 3), taken_back, of=of).missing == (
        "1 piece returned or reimbursed",
    )


def test_goods_that_amazon_damaged_are_to_be_reimbursed_although_they_came_back() -> None:
    damaged = back(disposition="WAREHOUSE_DAMAGED")
    booked = Booked(movements=(moved(disposition="WAREHOUSE_DAMAGED"),))
    assert "reimbursement of 1 piece" in judged(refund(), damaged, booked=booked).missing[0]
    assert judged(refund(), damaged, made_good(), booked=booked).next is Next.DONE


def test_goods_without_a_refund_are_not_booked_and_are_overdue_one_day() -> None:
    assert judged(back()).next is Next.WAIT
    assert judged(back(), now=START + 60 * DAY).next is Next.OVERDUE


def test_a_replacement_takes_the_place_of_the_refund_and_is_credited_with_nothing() -> None:
    again = Replaced(key="302-1", at=START, told=START, pieces=1)
    standing = judged(again, back())
    assert (standing.next, standing.amount) == (Next.BOOK, Decimal(0))
    free = uncredited(moved(amount=Decimal(0), credit="0"))
    assert judged(again, back(), booked=Booked(movements=(free,))).next is Next.DONE


def test_a_refund_of_money_alone_expects_no_goods() -> None:
    goodwill = judged(refund(amount=Decimal("3.00")))
    assert (goodwill.next, goodwill.missing) == (Next.DIFFERS, ())


def test_shipping_that_is_not_refunded_does_not_make_a_refund_a_goodwill() -> None:
    of = order(1, paid=Decimal("16.90"))
    assert judged(refund(), of=of).missing == ("1 piece returned or reimbursed",)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ((refund(), back(pieces=3)), "came back"),
        ((refund(pieces=2), back(pieces=2), made_good()), "reimbursed as lost"),
        ((refund(amount=Decimal("25.01"), pieces=2),), "of 25.00"),
        ((refund(currency="USD"),), "USD"),
        ((refund(unknown=("Sales/NewThing",)),), "NewThing"),
        ((refund(amount=Decimal(-1)),), "below zero"),
        ((refund(pieces=2), Replaced(key="302-1", at=START, told=START, pieces=1)), "replaced"),
    ],
)
def test_what_cannot_be_is_odd_and_waits_for_a_person(facts: tuple[object, ...], word: str) -> None:
    found = judged(*facts)
    assert found.next is Next.ODD
    assert word in found.sentence
    assert judged(*facts, accepted=Accepted(odd=found.odd)).next is not Next.ODD


def test_goods_of_two_dispositions_are_two_returns_that_share_the_refund() -> None:
    facts = (refund(pieces=2, amount=Decimal("24.99")), back("L1"), back("L2", disposition="DEFECTIVE"))
    first = judged(*facts)
    assert (first.disposition, first.amount) == ("DEFECTIVE", Decimal("12.50"))
    booked = Booked(movements=(moved(disposition="DEFECTIVE"),))
    second = judged(*facts, booked=booked)
    assert (second.disposition, second.amount) == ("SELLABLE", Decimal("12.49"))


def test_goods_on_their_way_to_an_own_warehouse_are_announced_to_it_once() -> None:
    own = order(2, Channel.MFN)
    told = Announced(key="RMA1", at=START, told=START, pieces=2)
    first = judged(told, of=own)
    assert (first.next, first.pieces, first.amount) == (Next.BOOK, 2, None)
    announced = uncredited(moved(pieces=2, received=0, amount=None, disposition=""))
    waiting = judged(told, refund(pieces=2), of=own, booked=Booked(movements=(announced,)))
    assert waiting.next is Next.WAIT
    came = announced.model_copy(update={"received": 2})
    arrived = back("1/1", 2, "", source=FROM_M3)
    assert (
        judged(told, refund(pieces=2), arrived, of=own, booked=Booked(movements=(came,))).next is Next.CREDIT
    )


def test_the_same_money_told_by_two_sources_is_counted_once() -> None:
    early, final = refund(source=FROM_FINANCES), refund("row 17", source=FROM_SETTLEMENT)
    booked = Booked(movements=(moved(),))
    assert judged(early, final, back(), booked=booked).next is Next.DONE


def test_the_tax_of_a_part_is_its_share() -> None:
    facts = CaseFacts.of(refund(amount=Decimal("10.00"), tax=Decimal("1.90")))
    assert tax_share(facts, Decimal("5.95"), "EUR") == Decimal("0.95")


# --- properties ------------------------------------------------------------------------------------

MOMENTS = st.integers(0, 30).map(lambda days: START + days * DAY)
KEYS = st.sampled_from(["a", "b", "c"])
AMOUNTS = st.integers(-500, 4000).map(lambda cents: Decimal(cents) / 100)
FACTS = st.one_of(
    st.builds(
        refund,
        KEYS,
        st.one_of(st.none(), st.integers(0, 3)),
        AMOUNTS,
        at=MOMENTS,
        told=MOMENTS,
        source=st.sampled_from([FROM_FINANCES, FROM_SETTLEMENT]),
    ),
    st.builds(back, KEYS, st.integers(1, 2), st.sampled_from(["SELLABLE", "DEFECTIVE", "CARRIER_DAMAGED"]),
              at=MOMENTS, told=MOMENTS),
    st.builds(made_good, KEYS, st.integers(-1, 2), at=MOMENTS, told=MOMENTS),
    st.builds(lambda key, pieces: Replaced(key=key, at=START, told=START, pieces=pieces), KEYS, st.integers(1, 2)),
    st.builds(lambda key, pieces: sent(pieces, key), KEYS, st.integers(1, 2)),
)  # fmt: skip


def taken(facts: Sequence[object]) -> CaseFacts:
    known = CaseFacts()
    for fact in facts:
        known = known.plus(CaseFacts.of(fact))  # type: ignore[arg-type]
    return known


@given(st.lists(FACTS, max_size=8), st.randoms(use_true_random=False))
def test_facts_are_the_same_in_any_order_and_however_often(facts: list[object], random: object) -> None:
    shuffled = [*facts, *facts[: len(facts) // 2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert taken(shuffled) == taken(facts)
    assert taken(facts).knows(taken(shuffled))
    half = len(facts) // 2
    assert taken(facts[:half]).plus(taken(facts[half:])) == taken(facts[half:]).plus(taken(facts[:half]))


@given(st.lists(FACTS, max_size=8), st.integers(1, 3), st.sampled_from(Channel))
@settings(max_examples=150)
def test_a_case_is_driven_to_its_end_and_takes_back_each_piece_once(
    facts: list[object], pieces: int, channel: Channel
) -> None:
    """M3 does what it is told, a person accepts what is odd or missing: the case then always ends, M3 has taken
    back no more than was shipped, and all money that was not accepted as open is credited."""
    of, told, now = order(pieces, channel), taken(facts), START + 100 * DAY
    booked, accepted = Booked(), Accepted()
    for _ in range(30):
        found = standing(told, of, booked, accepted, RULES, now)
        match found.next:
            case Next.DONE:
                break
            case Next.BOOK:
                assert found.pieces > 0
                assert found.amount is None or found.amount >= 0
                number = len(booked.movements) + 1
                move = moved(
                    number,
                    found.pieces,
                    disposition=found.disposition,
                    amount=found.amount,
                    unpaid=found.unpaid,
                )
                booked = Booked(movements=(*booked.movements, uncredited(move)))
            case Next.CREDIT:
                booked = Booked(movements=tuple(
                    move.with_credits((Credit(ivno=str(move.number), year="2026",
                                              amount=move.amount or Decimal(0)),), move.received)
                    if move.number == found.movement else move
                    for move in booked.movements
                ))  # fmt: skip
            case Next.ODD:
                accepted = accepted.model_copy(update={"odd": (*accepted.odd, *found.odd)})
            case Next.OVERDUE:
                accepted = accepted.model_copy(update={"missing": found.missing})
            case Next.DIFFERS:
                accepted = accepted.model_copy(update={"difference": found.difference})
            case Next.WAIT:
                raise AssertionError(f"waits for what is overdue: {found}")
    else:
        raise AssertionError(f"the case does not end: {found}")
    if channel is Channel.MFN or not accepted.odd:
        assert booked.pieces <= pieces + sum(fact.pieces for fact in told.sent_anyway.values())
    assert not [move for move in booked.movements if move.awaits_credit]
    refunds = standing(told, of, Booked(), accepted, RULES, now)
    assert booked.credited == sum((each.amount for each in booked.credits), Decimal(0))
    if accepted.difference is None and not accepted.odd:
        assert f"refunded {booked.credited} EUR" in refunds.states or booked.credited == 0

"""A settlement's payments and vouchers in M3: posted once, whatever befalls the worker, and read back."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from canonical.held import HeldReason
from canonical.settlement.matching import MatchStatus
from canonical.settlement_contracts import VerifySettlementRequest
from tests.activities.m3_bench import BLACK, GREEN, Bench, WorkerDied, bench
from tests.support.settlements import Made
from tests.support.settling import ACCOUNTS, Settling, fee, invoiced, options, rules, settling, sold


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path / "m3", options=options()) as running:
        yield running


async def two_orders(stage: Bench, tmp_path: Path) -> Settling:
    """Two invoiced orders and their fees."""
    one, first = await invoiced(stage, (GREEN, 2))
    two, second = await invoiced(stage, (BLACK, 1))
    made = Made(
        (
            sold(one.order_id, first),
            fee(one.order_id, "-3.10"),
            sold(two.order_id, second),
            fee(two.order_id, "-1.20"),
        )
    )
    return settling(stage, tmp_path, made)


async def test_orders_are_paid_fees_booked_and_clearing_is_left_with_the_deposit(
    stage: Bench, tmp_path: Path
) -> None:
    it = await two_orders(stage, tmp_path)
    total = it.booking.settlement.header.total
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    assert (matched.orders, matched.lines, matched.rest) == ({MatchStatus.MATCHED: 2}, 2, 0)
    paid = await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    assert (paid.clearing, paid.lines) == (total + Decimal("4.30"), 4)
    [voucher] = it.ledger
    posted = await stage.run(it.m3.post_settlement_voucher, it.to_post(voucher, paid.vono))
    assert posted.clearing == Decimal("-4.30")
    assert (await it.ledger_of_m3())["open_items"] == []
    assert await it.balance("1815") == total
    assert await it.balance("1510") == 0
    request = VerifySettlementRequest(
        ref=it.ref,
        vouchers=(paid, posted),
        currency="EUR",
        home="Amazon.de",
        marketplaces=("Amazon.de",),
        expected=total,
    )
    verified = await stage.run(it.m3.verify_settlement, request)
    assert (verified.troubles, verified.clearing) == ((), total)
    wrong = await stage.run(
        it.m3.verify_settlement, request.model_copy(update={"expected": total + Decimal("0.01")})
    )
    assert wrong.troubles == (
        f"The vouchers leave {total} EUR on clearing; it should be {total + Decimal('0.01')}.",
    )


async def count_calls(stage: Bench, it: Settling) -> tuple[int, int]:
    """Calls of a payment batch and of a ledger voucher that nothing befalls."""
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    before = len(stage.wire.calls)
    paid = await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    between = len(stage.wire.calls)
    await stage.run(it.m3.post_settlement_voucher, it.to_post(it.ledger[0], paid.vono))
    return between - before, len(stage.wire.calls) - between


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_that_dies_between_any_two_calls_leaves_one_voucher(tmp_path: Path, when: str) -> None:
    """The worker dies at each of its calls in turn; another one takes up the same activity."""
    async with bench(tmp_path / "m3", options=options()) as stage:
        sample = await two_orders(stage, tmp_path)
        payments, ledger = await count_calls(stage, sample)
    assert (payments, ledger) >= (4, 5)
    for place in range(1, payments + ledger + 1):
        folder = tmp_path / f"{when}-{place}"
        folder.mkdir()
        async with bench(folder / "m3", options=options()) as stage:
            it = await two_orders(stage, folder)
            matched = await stage.run(it.m3.match_settlement, it.to_match())
            pay, voucher = it.to_pay(matched), it.ledger[0]
            stage.wire.dies_at = (len(stage.wire.calls) + place, when)
            died = 0
            try:
                paid = await stage.run(it.m3.post_settlement_payments, pay)
            except WorkerDied:
                died += 1
                paid, _ = await stage.until_done(it.other.post_settlement_payments, pay)
            post = it.to_post(voucher, paid.vono)
            try:
                posted = await stage.run(it.m3.post_settlement_voucher, post)
            except WorkerDied:
                died += 1
                posted, _ = await stage.until_done(it.other.post_settlement_voucher, post)
            assert died == 1, f"the worker did not die at call {place}"
            found = await it.vouchers()
            assert sorted(row["vono"] for row in found) == sorted((int(paid.vono), int(posted.vono))), place
            assert await it.balance("1815") == it.booking.settlement.header.total
            assert (await it.ledger_of_m3())["open_items"] == []


@pytest.mark.parametrize(
    "operation",
    [
        "ARS040MI.AddBatchHead", "ARS040MI.AddBatchLine", "ARS040MI.ControlBatch", "GLS840MI.AddBatchHead",
        "GLS840MI.AddBatchLineFld", "GLS840MI.CtrlBatch", "GLS840MI.UpdBatch",
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["status_504", "drop"])
async def test_a_lost_reply_leaves_one_voucher(
    stage: Bench, tmp_path: Path, operation: str, action: str
) -> None:
    it = await two_orders(stage, tmp_path)
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    await stage.fault(operation, action, "after")
    paid, _ = await stage.until_done(it.m3.post_settlement_payments, it.to_pay(matched))
    posted, _ = await stage.until_done(it.m3.post_settlement_voucher, it.to_post(it.ledger[0], paid.vono))
    assert await stage.fired() == 1
    found = await it.vouchers()
    assert sorted(row["vono"] for row in found) == sorted((int(paid.vono), int(posted.vono)))
    assert await it.balance("1815") == it.booking.settlement.header.total


async def test_what_m3_has_no_invoice_for_is_listed_and_goes_on_account_when_accepted(
    stage: Bench, tmp_path: Path
) -> None:
    one, first = await invoiced(stage, (GREEN, 1))
    strange = "028-9999999-7654321"
    made = Made((sold(one.order_id, first + 2), sold(strange, Decimal("7.50")), fee(strange, "-1.00")))
    it = settling(stage, tmp_path, made)
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    assert matched.orders == {MatchStatus.VARIANCE: 1, MatchStatus.NO_INVOICE: 1}
    assert (matched.lines, matched.rest, matched.rest_orders) == (1, Decimal("9.50"), 2)
    assert {each.sentence for each in matched.listed} == {
        "M3 has no such order.",
        f"2.00 EUR more than M3 has open ({matched.listed[-1].paid[0].number}).",
    }
    paid = await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    assert paid.clearing == first
    rest = await stage.run(it.m3.post_on_account, it.to_put_on_account(matched, paid.vono))
    assert (rest.clearing, rest.on_account) == (Decimal("9.50"), True)
    assert await it.balance("1819") == Decimal("-9.50")
    again = await stage.run(it.m3.post_on_account, it.to_put_on_account(matched, paid.vono))
    assert again == rest


async def test_an_account_m3_does_not_know_is_refused_and_posted_once_it_does(
    stage: Bench, tmp_path: Path
) -> None:
    one, first = await invoiced(stage, (GREEN, 1))
    made = Made((sold(one.order_id, first), fee(one.order_id, "-3.00")))
    it = settling(stage, tmp_path, made, rules(accounts={**ACCOUNTS, "fees": "6599"}))
    [voucher] = it.ledger
    hold = await stage.held(it.m3.post_settlement_voucher, it.to_post(voucher))
    assert hold.reason is HeldReason.SETTLEMENT_REFUSED
    assert "6599" in hold.sentence
    assert await it.vouchers() == []
    await stage.post("ledger/identity", identity="6599", dimension=1)
    posted = await stage.run(it.m3.post_settlement_voucher, it.to_post(voucher))
    assert posted.clearing == Decimal("-3.00")

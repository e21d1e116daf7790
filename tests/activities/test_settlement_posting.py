"""A settlement's payments and vouchers in M3: posted once, whatever befalls the worker, and read back."""

import ast
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError

import simulators.m3.programs  # noqa: F401 - registers M3's transactions
from activities.m3.programs import ledger as ledger_program
from activities.m3.programs import payments as payments_program
from activities.m3.steps.match_settlement import matches_in
from canonical.held import HeldReason
from canonical.order import Channel
from canonical.settlement.matching import MatchStatus
from canonical.settlement_contracts import STALE, VerifySettlementRequest
from simulators.m3.ledger_batch import PARM_LAYOUT
from simulators.m3.registry import registered
from tests.activities.m3_bench import BLACK, GREEN, Bench, WorkerDied, amazon_order, bench, booking
from tests.support.settlements import SETTLEMENT_ID, Made
from tests.support.settling import ACCOUNTS, Settling, fee, invoiced, options, rules, settling, sold
from tests.support.writes_settlement import BY_FIELDS, BY_POSITION, SETTLEMENT_WRITES


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
    assert (matched.orders, matched.lines, matched.rest) == ({MatchStatus.MATCHED: 2}, 2, Decimal(0))
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


async def one_order(stage: Bench, tmp_path: Path, settlement_id: str) -> Settling:
    """One invoiced order and its fee."""
    order, amount = await invoiced(stage, (GREEN, 2))
    lines = (sold(order.order_id, amount), fee(order.order_id, "-3.10"))
    return settling(stage, tmp_path, Made(lines, settlement_id=settlement_id))


async def count_calls(stage: Bench, it: Settling) -> tuple[int, int]:
    """Calls of a payment batch and of a ledger voucher that nothing befalls."""
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    before = len(stage.wire.calls)
    paid = await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    between = len(stage.wire.calls)
    await stage.run(it.m3.post_settlement_voucher, it.to_post(it.ledger[0], paid.vono))
    return between - before, len(stage.wire.calls) - between


async def test_a_worker_that_dies_between_any_two_calls_leaves_one_voucher(
    stage: Bench, tmp_path: Path
) -> None:
    """The worker dies at each of its calls in turn, before M3 has it or after; another takes up the same activity."""
    payments, ledger = await count_calls(stage, await one_order(stage, tmp_path, SETTLEMENT_ID))
    assert (payments, ledger) >= (4, 5)
    total, number = await balance(stage), 0
    for when in ("before", "after"):
        for place in range(1, payments + ledger + 1):
            number += 1
            it = await one_order(stage, tmp_path, f"25719800{number:03d}")
            matched = await stage.run(it.m3.match_settlement, it.to_match())
            there = {row["vono"] for row in await it.vouchers()}
            stage.wire.dies_at = (len(stage.wire.calls) + place, when)
            pay, died = it.to_pay(matched), 0
            try:
                paid = await stage.run(it.m3.post_settlement_payments, pay)
            except WorkerDied:
                died += 1
                paid, _ = await stage.until_done(it.other.post_settlement_payments, pay)
            post = it.to_post(it.ledger[0], paid.vono)
            try:
                posted = await stage.run(it.m3.post_settlement_voucher, post)
            except WorkerDied:
                died += 1
                posted, _ = await stage.until_done(it.other.post_settlement_voucher, post)
            assert died == 1, f"the worker did not die {when} call {place}"
            made = {row["vono"] for row in await it.vouchers()} - there
            assert made == {int(paid.vono), int(posted.vono)}, f"{when} call {place}"
            total += it.booking.settlement.header.total
            assert await balance(stage) == total
            assert (await it.ledger_of_m3())["open_items"] == []


async def balance(stage: Bench) -> Decimal:
    """What stands on clearing."""
    rows = (await stage.control.get("/_control/ledger")).json()["accounts"]
    return sum((Decimal(row["balance"]) for row in rows if row["account"] == "1815"), Decimal(0))


@pytest.mark.parametrize("operation", [*BY_FIELDS, BY_POSITION])
@pytest.mark.parametrize("action", ["status_504", "drop"])
async def test_a_lost_reply_leaves_one_voucher(tmp_path: Path, operation: str, action: str) -> None:
    chosen = by_position() if operation == BY_POSITION else options()
    async with bench(tmp_path / "m3", options=chosen) as stage:
        it = await one_order(stage, tmp_path, SETTLEMENT_ID)
        matched = await stage.run(it.m3.match_settlement, it.to_match())
        await stage.fault(operation, action, "after")
        paid, _ = await stage.until_done(it.m3.post_settlement_payments, it.to_pay(matched))
        posted, _ = await stage.until_done(it.m3.post_settlement_voucher, it.to_post(it.ledger[0], paid.vono))
        assert await stage.fired() == 1
        found = await it.vouchers()
        assert sorted(row["vono"] for row in found) == sorted((int(paid.vono), int(posted.vono)))
        assert await it.balance("1815") == it.booking.settlement.header.total


def by_position() -> dict[str, object]:
    """A company whose ledger interface takes lines of fixed positions, with a decimal comma."""
    layout = {name: list(place) for name, place in PARM_LAYOUT.items()}
    return options(interface={"name": "AMZGL1", "positions": layout, "decimal_mark": ","})


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


async def test_a_batch_m3_has_not_updated_is_waited_for(stage: Bench, tmp_path: Path) -> None:
    it = await two_orders(stage, tmp_path)
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    await stage.post("ledger/updates", run=False)
    for _ in range(2):
        with pytest.raises(ApplicationError) as caught:
            await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
        assert (caught.value.type, caught.value.non_retryable) == ("m3_not_yet", False)
        with pytest.raises(ApplicationError) as caught:
            await stage.run(it.m3.post_settlement_voucher, it.to_post(it.ledger[0]))
        assert (caught.value.type, caught.value.non_retryable) == ("m3_not_yet", False)
    assert await it.vouchers() == []
    await stage.post("ledger/updates", run=True)
    paid = await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    posted = await stage.run(it.m3.post_settlement_voucher, it.to_post(it.ledger[0], paid.vono))
    assert {int(paid.vono), int(posted.vono)} == {row["vono"] for row in await it.vouchers()}


async def test_an_interface_with_positions_takes_the_same_voucher(tmp_path: Path) -> None:
    async with bench(tmp_path / "m3", options=by_position()) as stage:
        it = await two_orders(stage, tmp_path)
        posted = await stage.run(it.m3.post_settlement_voucher, it.to_post(it.ledger[0]))
        assert (posted.clearing, posted.lines) == (Decimal("-4.30"), 2)


async def test_an_invoice_paid_by_others_since_it_was_matched_is_matched_anew(
    stage: Bench, tmp_path: Path
) -> None:
    it = await two_orders(stage, tmp_path)
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    first = next(iter(matches_in(it.files.archive, matched.folder)))
    client, [paid] = stage.m3.context.client, first.paid
    by_hand = {"PBID": "77", "TRNO": "1", "CINO": paid.number, "INYR": paid.year, "CUNO": paid.customer}
    await client.execute("ARS040MI", "AddBatchHead", {"PBID": "77", "BOPE": "BNK"})
    await client.execute("ARS040MI", "AddBatchLine", {**by_hand, "PYAM": str(paid.amount)})
    await client.execute("ARS040MI", "ControlBatch", {"PBID": "77"})
    with pytest.raises(ApplicationError) as caught:
        await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    assert caught.value.type == STALE
    assert paid.number in caught.value.message
    anew = await stage.run(it.m3.match_settlement, it.to_match(2))
    assert anew.orders == {MatchStatus.MATCHED: 1, MatchStatus.NO_INVOICE: 1}
    posted = await stage.run(it.m3.post_settlement_payments, it.to_pay(anew))
    assert posted.clearing == anew.pays


async def test_an_invoice_paid_in_equal_parts_by_two_settlements_is_paid_by_both(
    stage: Bench, tmp_path: Path
) -> None:
    order, gross = await invoiced(stage, (GREEN, 2))
    vouchers = []
    for number in (1, 2):
        end = datetime(2026, 7, 20 + number, tzinfo=UTC)
        part = Made((sold(order.order_id, gross / 2),), settlement_id=f"2571980000{number}", end=end)
        it = settling(stage, tmp_path, part)
        matched = await stage.run(it.m3.match_settlement, it.to_match())
        assert matched.pays == gross / 2
        vouchers.append((await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))).vono)
    assert len(set(vouchers)) == 2
    assert (await it.ledger_of_m3())["open_items"] == []
    assert await balance(stage) == gross


@pytest.mark.parametrize("on_premises", [False, True])
async def test_two_batches_that_come_to_the_same_are_two_vouchers(tmp_path: Path, on_premises: bool) -> None:
    async with bench(tmp_path / "m3", options={**options(), "on_premises": on_premises}) as stage:
        orders = [await invoiced(stage, (GREEN, 2)) for _ in range(2)]
        it = settling(stage, tmp_path, Made(tuple(sold(order.order_id, gross) for order, gross in orders)))
        matched = await stage.run(it.m3.match_settlement, it.to_match())
        first = it.to_pay(matched).model_copy(update={"lines": 1})
        one = await stage.run(it.m3.post_settlement_payments, first)
        second = {"first": 1, "lines": 1, "known": (one.vono,)}
        two = await stage.run(it.m3.post_settlement_payments, it.to_pay(matched, 2).model_copy(update=second))
        assert one.vono != two.vono
        assert (await it.ledger_of_m3())["open_items"] == []


async def test_orders_invoiced_later_are_paid_by_a_batch_of_their_own(stage: Bench, tmp_path: Path) -> None:
    one, first = await invoiced(stage, (GREEN, 1))
    late = amazon_order((BLACK, 1), channel=Channel.MFN, shipping="0")
    await stage.post("trouble", kind="shipment_not_reportable", cuor=late.order_id)
    await stage.run(stage.m3.create_sales_order, booking(late))
    price = late.lines[0].amounts
    assert price is not None
    it = settling(stage, tmp_path, Made((sold(one.order_id, first), sold(late.order_id, price.total))))
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    assert (matched.lines, matched.rest_orders) == (1, 1)
    assert "is not invoiced" in matched.listed[0].sentence
    await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    await stage.post("heal", kind="shipment_not_reportable", cuor=late.order_id)
    await stage.post("advance", seconds=600)
    again = await stage.run(it.m3.match_settlement, it.to_match(2, matched.folder, matched.lines))
    assert (again.orders, again.lines) == ({MatchStatus.MATCHED: 1}, 1)
    second = await stage.run(it.m3.post_settlement_payments, it.to_pay(again, 2))
    assert second.clearing == price.total
    assert await balance(stage) == first + price.total


async def test_another_voucher_of_the_same_settlement_in_the_ledger_stops_the_posting(
    stage: Bench, tmp_path: Path
) -> None:
    it = await two_orders(stage, tmp_path)
    [voucher] = it.ledger
    other = [
        line.model_copy(update={"account": "6590"}) if line.account == "6510" else line
        for line in voucher.lines
    ]
    by_hand = voucher.model_copy(update={"lines": tuple(other)})
    posted = await stage.run(it.m3.post_settlement_voucher, it.to_post(by_hand))
    hold = await stage.held(it.m3.post_settlement_voucher, it.to_post(voucher))
    assert hold.reason is HeldReason.SETTLEMENT_REFUSED
    assert posted.vono in hold.sentence
    assert len(await it.vouchers()) == 1


async def test_a_closed_period_is_refused_and_posted_when_it_is_open(stage: Bench, tmp_path: Path) -> None:
    it = await two_orders(stage, tmp_path)
    matched = await stage.run(it.m3.match_settlement, it.to_match())
    await stage.post("ledger/close", until="20991231")
    for function, request in (
        (it.m3.post_settlement_payments, it.to_pay(matched)),
        (it.m3.post_settlement_voucher, it.to_post(it.ledger[0])),
    ):
        hold = await stage.held(function, request)  # type: ignore[arg-type]
        assert hold.reason is HeldReason.SETTLEMENT_REFUSED
        assert "closed" in hold.sentence
    await stage.post("ledger/close", until="")
    paid = await stage.run(it.m3.post_settlement_payments, it.to_pay(matched))
    await stage.run(it.m3.post_settlement_voucher, it.to_post(it.ledger[0], paid.vono))
    assert len(await it.vouchers()) == 2


# --- the rows of the write matrix -----------------------------------------------------------------


def test_every_write_of_settlements_has_its_row() -> None:
    programs = {"GLS840MI", "ARS040MI"}
    sent = {
        f"{program}.{transaction}"
        for module in (ledger_program, payments_program)
        for program, transaction in itertools.product(programs & _texts_in(module), _texts_in(module))
        if transaction in registered()[program]
    }
    assert sent == set(SETTLEMENT_WRITES)


@pytest.mark.parametrize("where", sorted({each for proofs in SETTLEMENT_WRITES.values() for each in proofs}))
def test_what_a_row_says_is_proved_here(where: str) -> None:
    file, _, name = where.partition("::")
    assert file == "tests/activities/test_settlement_posting.py"
    assert name in globals()


def _texts_in(module: ModuleType) -> set[str]:
    assert module.__file__ is not None
    nodes = ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}

"""A settlement from its report to M3's ledger: taken in once, held where a person is needed, repaired, booked."""

import asyncio
import inspect
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowHandle

from canonical.fixes import type_of_fix
from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS, SETTLEMENT_REASONS
from canonical.settlement_contracts import SettlementResult, SettlementView
from canonical.settlement_ids import settlement_payment_batch, settlement_workflow_id
from canonical.settlement_reports import Claim, TakenIn
from starters.repairs import ask
from starters.settlements import hand_in, look
from tests.support.holding import Workshop, workshop
from tests.support.orders import ORDINARY, order
from tests.support.settlements import Line, Made
from tests.support.settling import fee, sold
from tests.support.world import PATIENCE, eventually
from worker.archiving import open_archive
from worker.settlements import settlement_files
from workflows import search_attributes as sa

EU, NA = "A2EUSELLER0001", "A2NASELLER0001"
_numbers = itertools.count(1)
Handle = WorkflowHandle[object, SettlementResult]


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """Servers of its own: settlements pay whatever was sold."""
    async with workshop(tmp_path_factory.mktemp("settlements")) as running:
        yield running


@pytest_asyncio.fixture(autouse=True)
async def ordinary(shop: Workshop) -> None:
    """Every test begins with the ordinary configuration, whatever the one before wanted."""
    await shop.configure()


def new_id() -> str:
    return f"25719{next(_numbers):06d}"


async def sale(shop: Workshop, quantity: int = 1, marketplace: str = "DE") -> tuple[str, Decimal]:
    """An order that is shipped, invoiced and posted, and its invoice's amount."""
    order_id = await shop.place(order((ORDINARY, quantity), status="SHIPPED", marketplace=marketplace))
    result = await shop.result(await shop.start(order_id))
    assert result.outcome == "booked", result.sentence
    [invoice] = (await shop.in_m3(order_id))["invoices"]
    return order_id, Decimal(str(invoice["gross"]))


async def taken(shop: Workshop, folder: Path, made: Made | str) -> TakenIn:
    """The file handed in."""
    file = folder / f"report-{next(_numbers)}.txt"
    file.write_text(made if isinstance(made, str) else made.text(), encoding="utf-8")
    return await hand_in(shop.client, shop.settings, EU, file)


def handle(shop: Workshop, subject: str) -> Handle:
    return shop.client.get_workflow_handle(settlement_workflow_id(EU, subject), result_type=SettlementResult)


async def view(shop: Workshop, subject: str) -> SettlementView:
    found: SettlementView = await handle(shop, subject).query("state", result_type=SettlementView)
    return found


async def held(shop: Workshop, subject: str, reason: str) -> SettlementView:
    """The settlement as it is held, with what a person is shown."""
    found = await eventually(lambda: view(shop, subject), lambda now: bool(now.held_reason or now.outcome))
    assert found.held_reason == reason, found
    shown = await shop.details(handle(shop, subject))  # type: ignore[arg-type]
    assert f"Settlement **{subject}**" in shown
    assert HELD_REASONS[reason].title in shown  # type: ignore[index]
    assert subject in found.held_sentence
    assert found.held_sentence in shown
    attributes = (await handle(shop, subject).describe()).typed_search_attributes
    assert attributes.get(sa.HELD_REASON) == reason
    return found


async def ended(shop: Workshop, subject: str) -> SettlementResult:
    try:
        return await asyncio.wait_for(handle(shop, subject).result(), PATIENCE.total_seconds())
    except TimeoutError:
        raise AssertionError(f"The settlement does not end: {await view(shop, subject)}") from None


async def fix(shop: Workshop, subject: str, name: str, **argument: str) -> None:
    """Repair it as `o2c fix` does, which sends again what came to nothing; the repair must be accepted."""
    repair = type_of_fix[name].model_validate(argument)
    said = await ask(shop.client, handle(shop, subject).id, subject, FixName(name), repair)
    assert f"settlement {subject} was accepted" in said.sentence


async def ledger(shop: Workshop) -> dict[str, Any]:
    found: dict[str, Any] = (await shop.m3.get("/_control/ledger")).json()
    return found


async def balance(shop: Workshop, account: str) -> Decimal:
    rows = (await ledger(shop))["accounts"]
    return sum((Decimal(row["balance"]) for row in rows if row["account"] == account), Decimal(0))


async def open_orders(shop: Workshop) -> set[str]:
    return {row["cuor"] for row in (await ledger(shop))["open_items"]}


async def paid_out(shop: Workshop, marketplace: str) -> dict[str, Any]:
    """Amazon closes the marketplace's settlement now."""
    answer = await shop.amazon.post(
        "/_control/settlements", json={"seller": EU, "marketplace": marketplace, "reserve": "5.00"}
    )
    assert answer.status_code == 201, answer.text
    [closed] = answer.json()
    found: dict[str, Any] = closed
    return found


async def test_what_amazon_settles_is_taken_in_once_and_booked_to_the_cent(shop: Workshop) -> None:
    one, _ = await sale(shop, 4)
    two, _ = await sale(shop, 6)
    before = await balance(shop, "1815")
    closed = await paid_out(shop, "A1PA6795UKMFR9")
    subject = closed["settlementId"]
    fed = await look(shop.client, shop.settings, EU)
    mine = [each for each in fed.taken if each.settlement_id == subject]
    assert [each.started for each in mine] == [True], fed
    result = await ended(shop, subject)
    assert result.outcome == "booked", result
    assert await balance(shop, "1815") - before == Decimal(closed["total"])
    assert not {one, two} & await open_orders(shop)
    assert result.verified is not None
    assert result.verified.clearing == Decimal(closed["total"])
    again = await look(shop.client, shop.settings, EU)
    assert (again.listed, again.known, again.taken) == (fed.listed, fed.listed, ())

    answer = await shop.amazon.post(f"/_control/settlements/{subject}/reports", json={"shuffle": 3})
    assert answer.status_code == 201
    third = await look(shop.client, shop.settings, EU)
    [repeated] = third.taken
    assert (repeated.started, repeated.settlement_id) == (False, subject)
    assert "nothing is posted twice" in repeated.sentence
    assert await balance(shop, "1815") - before == Decimal(closed["total"])
    shown = await shop.o2c("settlement", "show", subject)
    assert shown.status == 0, shown.err
    assert "booked" in shown.out
    listed = await shop.o2c("settlement", "list", "--seller", EU)
    assert subject in listed.out


async def test_an_unknown_amount_stops_the_settlement_until_it_is_mapped(
    shop: Workshop, tmp_path: Path
) -> None:
    order_id, amount = await sale(shop)
    strange = Line("Moon Fee", "other-transaction", "Moon Fee", Decimal("-4.00"))
    made = Made((sold(order_id, amount), fee(order_id, "-1.50"), strange), settlement_id=new_id())
    subject = (await taken(shop, tmp_path, made)).settlement_id
    seen = await held(shop, subject, "settlement_unknown")
    assert "row 5: Moon Fee" in seen.held_sentence
    assert seen.posted == ()
    listed = await shop.o2c("held", "--reason", "settlement_unknown")
    assert f"o2c fix {subject} retry" in listed.out
    entry = (
        '\n[[settlement.map]]\ntransaction_type = "Moon Fee"\namount_type = "*"\namount_description = "*"\n'
        'category = "fee_other"\n'
    )
    await shop.configure(
        lambda text: text.replace("\n[settlement.posting]", f"{entry}\n[settlement.posting]")
    )
    said = await shop.o2c("fix", subject, "retry", "--by", "controlling")
    assert (said.status, subject in said.out) == (0, True), said.err
    result = await ended(shop, subject)
    assert result.outcome == "booked"
    assert [(repair.fix, repair.by) for repair in result.repairs] == [("retry", "controlling")]
    assert order_id not in await open_orders(shop)


async def test_a_total_that_is_off_by_a_cent_posts_nothing_until_a_right_report_comes(
    shop: Workshop, tmp_path: Path
) -> None:
    order_id, amount = await sale(shop)
    made = Made((sold(order_id, amount),), total=amount + Decimal("0.01"), settlement_id=new_id())
    subject = (await taken(shop, tmp_path, made)).settlement_id
    seen = await held(shop, subject, "settlement_differs")
    assert "0.01 EUR" in seen.held_sentence
    right = Made((sold(order_id, amount),), settlement_id=subject)
    told = await taken(shop, tmp_path, right)
    assert (told.started, "under way" in told.sentence) == (False, True)
    result = await ended(shop, subject)
    assert result.outcome == "booked"
    assert len(result.others) == 1


async def test_a_report_that_cannot_be_read_is_held_with_its_row(shop: Workshop, tmp_path: Path) -> None:
    made = Made((fee("028-1234567-8901234", "-1.00"),), settlement_id=new_id())
    cut = made.text()[:-40]
    subject = (await taken(shop, tmp_path, cut)).settlement_id
    seen = await held(shop, subject, "settlement_unreadable")
    assert "Row 3" in seen.held_sentence
    await fix(shop, subject, "cancel")
    assert (await ended(shop, subject)).outcome == "cancelled"
    nameless = await taken(shop, tmp_path, "this is no settlement\nat all\n")
    assert nameless.settlement_id == ""
    subject = nameless.workflow_id.removeprefix(f"settlement-{EU}-")
    await held(shop, subject, "settlement_unreadable")
    await fix(shop, subject, "cancel")
    assert (await ended(shop, subject)).outcome == "cancelled"


async def test_orders_without_invoice_are_held_when_the_rest_is_posted_and_go_on_account_if_accepted(
    shop: Workshop, tmp_path: Path
) -> None:
    order_id, amount = await sale(shop)
    strange = "028-7777777-7654321"
    lines = (sold(order_id, amount), sold(strange, Decimal("11.00")), fee(strange, "-1.00"))
    before = await balance(shop, "1815")
    subject = (await taken(shop, tmp_path, Made(lines, settlement_id=new_id()))).settlement_id
    seen = await held(shop, subject, "settlement_no_invoice")
    assert strange in seen.held_sentence
    assert (len(seen.posted), seen.unposted) == (2, Decimal("11.00"))
    assert order_id not in await open_orders(shop)
    assert await balance(shop, "1815") - before == amount - 1
    await fix(shop, subject, "accept_difference", why="from before the service")
    result = await ended(shop, subject)
    assert (result.outcome, result.on_account, result.unposted) == ("booked", Decimal("11.00"), Decimal(0))
    assert await balance(shop, "1815") - before == amount + 10


async def test_a_settlement_of_another_seller_is_refused_until_that_one_is_given_up(
    shop: Workshop, tmp_path: Path
) -> None:
    made = Made((fee("028-4444444-7654321", "-1.00"),), settlement_id=new_id(), total=Decimal("7.00"))
    first = await taken(shop, tmp_path, made)
    subject = first.settlement_id
    await held(shop, subject, "settlement_differs")
    file = tmp_path / "again.txt"
    file.write_text(made.text(), encoding="utf-8")
    said = await shop.o2c("settlement", "post", str(file), "--seller", NA)
    assert said.status == 1
    for part in (f"settlement {subject} was taken in under seller {EU}", first.report_id, first.workflow_id):
        assert part in said.out
    assert f"'o2c fix {subject} cancel --seller {EU}'" in said.out
    assert not [one async for one in shop.client.list_workflows(f'WorkflowId="settlement-{NA}-{subject}"')]
    again = await taken(shop, tmp_path, made)
    assert (again.refused, again.started) == (False, False)

    assert (await shop.o2c("fix", subject, "cancel", "--seller", EU)).status == 0
    assert (await ended(shop, subject)).outcome == "cancelled"
    moved = await hand_in(shop.client, shop.settings, NA, file)
    assert (moved.started, moved.workflow_id) == (True, f"settlement-{NA}-{subject}")
    await shop.client.get_workflow_handle(moved.workflow_id).signal("cancel")


async def test_the_feed_refuses_what_another_seller_has_and_asks_again(shop: Workshop) -> None:
    await sale(shop, 2, "FR")  # Germany's settlement would have orders that other tests have had paid
    subject = (await paid_out(shop, "A13V1IB3VIYZZH"))["settlementId"]
    files = settlement_files(shop.settings, open_archive(shop.settings.archive))
    other = Claim(seller_id=NA, report_id="77", at=datetime.now(UTC))
    assert files.claim(subject, other) is None
    fed = await look(shop.client, shop.settings, EU)
    [refused] = [one for one in fed.failed if one.settlement_id == subject]
    assert (refused.refused, f"under seller {NA} (report 77" in refused.sentence) == (True, True)
    files.release(subject, other)
    fed = await look(shop.client, shop.settings, EU)
    assert [one.started for one in fed.taken if one.settlement_id == subject] == [True]
    assert (await ended(shop, subject)).outcome == "booked"


async def test_many_orders_make_several_payment_batches(shop: Workshop, tmp_path: Path) -> None:
    sales = [await sale(shop, quantity) for quantity in (1, 2, 3)]
    await shop.configure(
        lambda text: text.replace('interface = "AMZGL2"', 'interface = "AMZGL2"\nbatch_lines = 2')
    )
    before = await balance(shop, "1815")
    made = Made(tuple(sold(*each) for each in sales), settlement_id=new_id())
    result = await ended(shop, (await taken(shop, tmp_path, made)).settlement_id)
    assert (result.outcome, [each.lines for each in result.posted]) == ("booked", [4, 2])
    assert [each.key[-2:] for each in result.posted] == ["01", "02"]
    assert await balance(shop, "1815") - before == sum(amount for _, amount in sales)
    assert not {order_id for order_id, _ in sales} & await open_orders(shop)


async def test_a_settlement_of_unknown_orders_alone_posts_nothing_before_a_person_has_looked(
    shop: Workshop, tmp_path: Path
) -> None:
    lines = (sold("028-6666666-7654321", Decimal("11.00")), fee("028-6666666-7654321", "-1.00"))
    subject = (await taken(shop, tmp_path, Made(lines, settlement_id=new_id()))).settlement_id
    seen = await held(shop, subject, "settlement_no_invoice")
    assert seen.posted == ()
    assert "another seller's" in seen.held_sentence
    await fix(shop, subject, "cancel")
    result = await ended(shop, subject)
    assert (result.outcome, result.posted) == ("cancelled", ())


async def test_an_account_m3_does_not_have_is_corrected_in_the_configuration(
    shop: Workshop, tmp_path: Path
) -> None:
    order_id, amount = await sale(shop)
    await shop.configure(lambda text: text.replace('fees = "6510"', 'fees = "6599"', 1))
    made = Made((sold(order_id, amount), fee(order_id, "-2.00")), settlement_id=new_id())
    before = await balance(shop, "6510")
    subject = (await taken(shop, tmp_path, made)).settlement_id
    seen = await held(shop, subject, "settlement_refused")
    assert "6599" in seen.held_sentence
    await shop.configure()
    await fix(shop, subject, "retry")
    result = await ended(shop, subject)
    assert result.outcome == "booked", result
    assert await balance(shop, "6510") - before == 2
    assert any("made anew" in remark for remark in result.remarks)


async def changed(shop: Workshop, vono: str, amount: str) -> None:
    """M3's staff books an amount of a posted voucher from clearing to the fees."""
    await shop.in_m3_control(
        "ledger/change", vono=int(vono), amount=amount, from_account="1815", to_account="6510"
    )


@pytest.mark.parametrize("repair", ["retry", "accept_difference"])
async def test_a_voucher_that_is_changed_in_m3_meanwhile_is_found_when_it_is_read_back(
    shop: Workshop, tmp_path: Path, repair: str
) -> None:
    order_id, amount = await sale(shop)
    lines = (sold(order_id, amount), fee(order_id, "-2.00"), sold("028-5555555-7654321", Decimal("11.00")))
    before = await balance(shop, "1815")
    subject = (await taken(shop, tmp_path, Made(lines, settlement_id=new_id()))).settlement_id
    waiting = await held(shop, subject, "settlement_no_invoice")
    _, voucher = waiting.posted
    await changed(shop, voucher.vono, "0.50")
    await fix(shop, subject, "accept_difference", why="from before the service")
    seen = await held(shop, subject, "settlement_misposted")
    assert f"Voucher {voucher.vono} has debits of 2.50 now; it was posted with 2.00." in seen.held_sentence
    assert f"leave {amount + Decimal('8.50')} EUR on clearing" in seen.held_sentence
    assert len(seen.posted) == 3
    listed = await shop.o2c("held", "--reason", "settlement_misposted")
    assert f"o2c fix {subject} retry" in listed.out
    shown = await shop.o2c("settlement", "show", subject)
    assert (shown.status, "held for settlement_misposted" in shown.out) == (1, True), shown.err
    if repair == "retry":
        await changed(shop, voucher.vono, "-0.50")
    said = await shop.o2c("fix", subject, repair, "--by", "controlling")
    assert said.status == 0, said.err
    result = await ended(shop, subject)
    assert (result.outcome, [one.fix for one in result.repairs]) == ("booked", ["accept_difference", repair])
    left = Decimal("9.00") if repair == "retry" else Decimal("8.50")
    assert await balance(shop, "1815") - before == amount + left
    assert result.verified is not None
    assert (result.verified.troubles == ()) is (repair == "retry")


@pytest.mark.long
async def test_a_batch_that_m3_does_not_post_is_named_by_hand(shop: Workshop, tmp_path: Path) -> None:
    order_id, amount = await sale(shop)
    await shop.in_m3_control("ledger/updates", run=False)
    made = Made((sold(order_id, amount), fee(order_id, "-2.00")), settlement_id=new_id())
    subject = (await taken(shop, tmp_path, made)).settlement_id
    await eventually(lambda: view(shop, subject), lambda now: now.step == "payments")
    await asyncio.wait_for(shop.env.fast_forward(handle(shop, subject), 4 * 24 * 3600.0), 90)
    await held(shop, subject, "settlement_not_posted")
    await fix(shop, subject, "mark_step_done", step="payments", number="1")
    again = await eventually(lambda: view(shop, subject), lambda now: bool(now.remarks and now.held_reason))
    assert "payments 1 was not taken as done" in again.remarks[-1]
    await shop.in_m3_control("ledger/updates", run=True)
    pbid = int(settlement_payment_batch(subject, 1))
    posted = await eventually(lambda: payment_batch(shop, pbid), lambda row: row["vono"] > 0)
    await fix(shop, subject, "mark_step_done", step="payments", number=str(posted["vono"]))
    found = await ended(shop, subject)
    assert found.outcome == "booked"
    assert (found.posted[0].vono, found.posted[0].by_hand) == (str(posted["vono"]), True)


async def payment_batch(shop: Workshop, pbid: int) -> dict[str, Any]:
    rows: list[dict[str, Any]] = (await ledger(shop))["payment_batches"]
    return next(row for row in rows if row["pbid"] == pbid)


TOLD = {
    HeldReason.SETTLEMENT_UNREADABLE: test_a_report_that_cannot_be_read_is_held_with_its_row,
    HeldReason.SETTLEMENT_UNKNOWN: test_an_unknown_amount_stops_the_settlement_until_it_is_mapped,
    HeldReason.SETTLEMENT_DIFFERS: test_a_total_that_is_off_by_a_cent_posts_nothing_until_a_right_report_comes,
    HeldReason.SETTLEMENT_NO_INVOICE: (
        test_orders_without_invoice_are_held_when_the_rest_is_posted_and_go_on_account_if_accepted
    ),
    HeldReason.SETTLEMENT_REFUSED: test_an_account_m3_does_not_have_is_corrected_in_the_configuration,
    HeldReason.SETTLEMENT_NOT_POSTED: test_a_batch_that_m3_does_not_post_is_named_by_hand,
    HeldReason.SETTLEMENT_MISPOSTED: (
        test_a_voucher_that_is_changed_in_m3_meanwhile_is_found_when_it_is_read_back
    ),
}
"""Which test tells how a settlement comes to be held for a reason, and what repairs it."""


@pytest.mark.parametrize("reason", sorted(SETTLEMENT_REASONS))
def test_every_reason_a_settlement_is_held_for_has_its_story(reason: HeldReason) -> None:
    assert reason in TOLD, f"No test tells how a settlement comes to be held for {reason}."
    assert f'held(shop, subject, "{reason}")' in inspect.getsource(TOLD[reason])

"""A held order of each kind is repaired by the real `o2c fix` and closes; what is no repair changes nothing."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

import activities.m3.steps.report_goods_issue
from canonical.held import FixName, HeldReason
from canonical.held_reasons import ORDER_REASONS
from canonical.order_contracts import OrderResult, OrderView
from tests.support import (  # noqa: F401 - they register their stories
    held_stories_after,
    held_stories_before,
    held_stories_closed,
)
from tests.support.held_story import STORIES
from tests.support.holding import OrderHandle, Telling, Workshop, sku_of, workshop
from tests.support.orders import ORDINARY, order

REPORT = Path("test-output/repairs.md")


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """A service whose M3 does at once what it does at all: waiting inside a call for it changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activities.m3.steps.report_goods_issue, "_PATIENCE", 0.0)
        async with workshop(tmp_path_factory.mktemp("shop")) as built:
            yield built


@pytest.fixture(scope="module")
def told() -> list[tuple[str, ...]]:
    """Rows of the report: reason, how it came about, repair, command, outcome."""
    return []


@pytest_asyncio.fixture
async def ordinary(shop: Workshop) -> AsyncIterator[Workshop]:
    """The shop with its ordinary configuration and nothing in the way."""
    await shop.configure()
    yield shop
    await shop.m3.delete("/_control/faults")
    await shop.amazon.delete("/_control/faults")


@pytest.mark.parametrize("reason", ORDER_REASONS)
async def test_an_order_held_for_each_reason_is_repaired_and_closes(
    ordinary: Workshop, reason: HeldReason, told: list[tuple[str, ...]]
) -> None:
    assert reason in STORIES, f"No story tells how an order comes to be held for {reason}."
    story, telling = STORIES[reason], Telling(ordinary, reason)
    await story.tell(telling, ordinary)
    result = await telling.closed()
    assert result.outcome == story.outcome, result.sentence
    assert [repair.reason for repair in result.repairs] == [reason]
    assert result.repairs[0].by == "operations"
    await _one_of_each(ordinary, result)
    told.append((reason, story.how, story.repaired, telling.command, telling.sentence, result.sentence))


async def _one_of_each(shop: Workshop, result: OrderResult) -> None:
    """M3 has one living order, and of everything after it what the order says, once."""
    found = await shop.in_m3(result.order_id)
    living = [entry for entry in found["orders"] if entry["stat"] != "90"]
    assert [entry["orno"] for entry in living] == [result.orno]
    assert not [entry for entry in found["temporary"] if entry["stat"] != "90"], (
        "Something is left in OIS275."
    )
    if result.outcome == "booked":
        assert [str(entry["dlix"]) for entry in found["deliveries"]] == list(result.deliveries)
        assert [str(entry["ivno"]) for entry in found["invoices"]] == list(result.invoices)
        assert [str(entry["vono"]) for entry in found["vouchers"]] == list(result.vouchers)
        assert len(result.deliveries) == len(result.invoices) == len(result.vouchers) == 1


@pytest.fixture(scope="module", autouse=True)
def report(told: list[tuple[str, ...]]) -> Iterator[None]:
    """Print and keep how every held order was repaired."""
    yield
    if told:
        heads = ("reason", "how it came about", "repaired by", "command", "what the operator read", "outcome")
        rows = [heads, ("--",) * len(heads), *told]
        text = "\n".join(f"| {' | '.join(cell.replace('|', '¦') for cell in row)} |" for row in rows)
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(f"# Held orders and what repaired them\n\n{text}\n", encoding="utf-8")
        sys.stdout.write(f"\n{text}\n")


# --- what is no repair ---------------------------------------------------------------------------


class Refusal(NamedTuple):
    """Words after `o2c fix ORDER`, and what the answer must say."""

    words: tuple[str, ...]
    says: tuple[str, ...]


SKU = "TEA-NOBODY-KNOWS"
NO_REPAIRS = {
    "wrong action for the reason": Refusal(
        ("accept_difference",), ("does not repair unmapped_sku", "map_sku, retry, cancel")
    ),
    "a step that is not to be marked": Refusal(
        ("mark_step_done", "step=sales_order", "number=1"), ("mark_step_done does not repair",)
    ),
    "unknown action": Refusal(("mapsku", "sku=A", "itno=B"), ("'mapsku' is no repair", *FixName)),
    "missing argument": Refusal(("map_sku", f"sku={SKU}"), ("itno", "required", '{"sku": ')),
    "no argument at all": Refusal(("map_sku",), ("sku", "itno", "required")),
    "surplus argument": Refusal(
        ("map_sku", f"sku={SKU}", "itno=101360-TEA", "qty=3"), ("qty", "not permitted")
    ),
    "argument for a repair that takes none": Refusal(("retry", "now=yes"), ("now", "not permitted")),
    "wrong argument": Refusal(("map_sku", f"sku={SKU}", "itno=THIS-ITEM-NUMBER-IS-LONG"), ("itno", "15")),
    "empty argument": Refusal(("map_sku", f"sku={SKU}", "itno="), ("itno", "1 character")),
    "a SKU of another order": Refusal(
        ("map_sku", f"sku={ORDINARY}", "itno=101360-TEA"), (f"has no SKU {ORDINARY}", SKU)
    ),
    "no pair": Refusal(("map_sku", "101360-TEA"), ("'101360-TEA' is no key=value pair",)),
    "a key twice": Refusal(("map_sku", f"sku={SKU}", "itno=A", "itno=B"), ("itno is given twice",)),
    "broken JSON": Refusal(("map_sku", '{"sku": '), ("JSON cannot be read", "position")),
    "JSON of another kind": Refusal(("map_sku", '{"sku": 7, "itno": [1]}'), ("sku", "itno", "string")),
}


@pytest_asyncio.fixture(scope="module")
async def unmapped(shop: Workshop) -> OrderHandle:
    """An order held for a SKU that nobody maps."""
    order_id = await shop.place(order(SKU, status="SHIPPED"))
    handle = await shop.start(order_id)
    await shop.until_held(handle, HeldReason.UNMAPPED_SKU)
    return handle


async def _refused(shop: Workshop, order_id: str, words: tuple[str, ...]) -> str:
    """The sentence with which the command refuses; nothing on standard output, a status other than 0."""
    said = await shop.o2c("fix", order_id, *words)
    assert said.status in (1, 2), said
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.strip().endswith((".", "}")), f"No sentence: {said.err}"
    return said.err


async def _as_it_was(shop: Workshop, handle: OrderHandle) -> tuple[OrderView, list[int]]:
    """The order's view and the events of its history, to be compared."""
    history = await handle.fetch_history()
    return await shop.view(handle), [event.event_type for event in history.events]


@pytest.mark.parametrize("case", NO_REPAIRS)
async def test_what_is_no_repair_is_answered_and_changes_nothing(
    ordinary: Workshop, unmapped: OrderHandle, case: str
) -> None:
    refusal = NO_REPAIRS[case]
    before = await _as_it_was(ordinary, unmapped)
    sentence = await _refused(ordinary, unmapped.id[-19:], refusal.words)
    for part in refusal.says:
        assert part in sentence
    assert await _as_it_was(ordinary, unmapped) == before


@pytest.mark.parametrize("name", [name for name in FixName if name is not FixName.CANCEL])
async def test_an_order_that_is_not_held_takes_no_repair(ordinary: Workshop, name: FixName) -> None:
    handle = await ordinary.start(await ordinary.place(order(ORDINARY)))
    await ordinary.until(handle, lambda view: view.step == "awaiting_shipment")
    before = await _as_it_was(ordinary, handle)
    sentence = await _refused(ordinary, handle.id[-19:], (name, *WORDS.get(name, ())))
    assert "is not held (step awaiting_shipment); there is nothing to repair" in sentence
    assert await _as_it_was(ordinary, handle) == before


WORDS: dict[FixName, tuple[str, ...]] = {
    FixName.MAP_SKU: (f"sku={ORDINARY}", "itno=100000-TEA"),
    FixName.CORRECT_ADDRESS: ("address.name=A", "address.lines=B", "address.city=C", "address.country=DE"),
    FixName.SET_CUSTOMER: ("cuno=AMZDE",),
    FixName.MARK_STEP_DONE: ("step=invoice", "number=1"),
}


async def test_a_closed_order_takes_no_repair_and_says_how_it_ended(ordinary: Workshop) -> None:
    handle = await ordinary.start(await ordinary.place(order(ORDINARY, status="SHIPPED")))
    result = await handle.result()
    sentence = await _refused(ordinary, result.order_id, ("retry",))
    assert f"Order {result.order_id} is closed since" in sentence
    assert result.sentence in sentence
    assert "There is nothing to repair." in sentence


async def test_an_order_nobody_knows_and_what_is_no_order_id(ordinary: Workshop) -> None:
    unknown = await _refused(ordinary, "999-0000000-0000000", ("retry",))
    assert "Temporal has no workflow of order 999-0000000-0000000" in unknown
    assert "028-1234567-8901234" in await _refused(ordinary, "12345", ("retry",))


async def test_a_number_that_m3_does_not_have_is_not_believed(ordinary: Workshop) -> None:
    handle = await ordinary.start(await ordinary.place(order(sku_of("invoice_missing"), status="SHIPPED")))
    view = await ordinary.until_held(handle, HeldReason.INVOICE_MISSING)
    said = await ordinary.o2c("fix", view.order_id, "mark_step_done", "step=invoice", "number=999999")
    assert said.status == 0
    again = await ordinary.until(handle, lambda now: "999999" in now.held_sentence)
    assert again.held_sentence == f"M3 has no invoice 999999 for Amazon order {view.order_id}."
    assert again.invoices == ()
    await ordinary.in_m3_control("heal", kind="invoice_missing", cuor=view.order_id)
    assert (await ordinary.o2c("fix", view.order_id, "retry")).status == 0
    assert (await handle.result()).outcome == "booked"

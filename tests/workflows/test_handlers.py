"""What is sent to an order and is no repair: answered in a sentence, noted on the order, harmless."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

import pytest
import pytest_asyncio
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from canonical.amazon_orders import read_order
from canonical.held import FixName, HeldReason
from canonical.order_contracts import AmazonChanged, OrderResult, OrderView
from tests.support.orders import ORDINARY, order, sku_with
from tests.support.world import World, eventually
from workflows.repairs import EXAMPLES

OrderHandle = WorkflowHandle[object, OrderResult]
HeldFor = Callable[[str], Awaitable[OrderHandle]]
SKU = "SKU-NOBODY-KNOWS"
GOOD: dict[str, object] = {
    "retry": {},
    "map_sku": {"sku": SKU, "itno": "100000-TEA"},
    "correct_address": {"address": {"name": "A", "lines": ["B"], "city": "C", "country": "DE"}},
    "set_customer": {"cuno": "AMZDE"},
    "accept_difference": {},
    "mark_step_done": {"step": "items", "number": "1"},
    "cancel": {},
    "accept_cancellation": {},
    "refuse_cancellation": {},
    "amazon_changed": {"order": {}},
    "goods_left": {"deliveries": []},
    "amazon_notified": {"notices": [{"id": "notification-1", "at": "2026-11-20T00:00:00Z"}]},
    "amazon_shipped": {"shipments": []},
}
"""A right argument of every signal; which of them fit an order held for an unmapped SKU is another matter."""

TAKES_NOTHING = ("retry", "accept_difference", "cancel", "accept_cancellation", "refuse_cancellation")
"""Repairs without an argument: nothing and null are what they take."""

NOT_JSON = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"sku": SKU-1'))


class Sent(NamedTuple):
    """Arguments of one signal or update, and why they are wrong."""

    why: str
    arguments: Sequence[object]


def wrong_arguments(name: str) -> list[Sent]:
    """Everything a hurried person or a program of yesterday may send."""
    wrong = [
        Sent("surplus argument", [GOOD[name], "and more"]),
        Sent("text", ["please"]),
        Sent("number", [7]),
        Sent("list", [[GOOD[name]]]),
        Sent("nonsense", [{"nonsense": {"sku": [None]}, "deliveries": 7}]),
    ]
    if name not in TAKES_NOTHING:
        wrong += [Sent("missing argument", []), Sent("null", [None]), Sent("empty object", [{}])]
        fields = GOOD[name]
        assert isinstance(fields, dict)
        wrong.append(Sent("mistyped fields", [{field: [None, 7] for field in fields}]))
        wrong.append(Sent("null fields", [dict.fromkeys(fields)]))
    return wrong


SIGNALS = [(name, sent) for name in GOOD for sent in wrong_arguments(name)]
UPDATES = [(name, sent) for name in FixName for sent in wrong_arguments(name)]


async def _held(world: World, sku: str = SKU) -> OrderHandle:
    handle = await world.start(await world.place(order(sku, status="SHIPPED")))
    await world.until_held(handle, HeldReason.UNMAPPED_SKU)
    return handle


def _but_remarks(view: OrderView) -> OrderView:
    return view.model_copy(update={"remarks": ()})


@pytest.mark.parametrize(("name", "sent"), SIGNALS, ids=[f"{name}-{sent.why}" for name, sent in SIGNALS])
async def test_a_signal_nobody_can_read_changes_nothing_and_is_noted(
    world: World, held_for: HeldFor, name: str, sent: Sent
) -> None:
    handle = await held_for(name)
    before = await world.view(handle)
    await handle.signal(name, args=sent.arguments)
    after = await world.until(handle, lambda view: len(view.remarks) > len(before.remarks))
    assert _but_remarks(after) == _but_remarks(before)
    *known, remark = after.remarks
    assert tuple(known) == before.remarks
    assert name in remark
    assert "refused" in remark or "ignored" in remark
    assert len(remark) > len(f"2026-11-20 00:00 Signal {name} was refused:") + 20, f"Why? {remark}"
    assert remark in await _details(handle)


@pytest_asyncio.fixture(scope="module")
async def held_for(world: World) -> AsyncIterator[HeldFor]:
    """A held order for the wrong words of each signal: they change nothing, so that the next find it as it was."""
    orders: dict[str, OrderHandle] = {}

    async def of(name: str) -> OrderHandle:
        if name not in orders:
            orders[name] = await _held(world)
        return orders[name]

    yield of
    await asyncio.gather(*(handle.signal("cancel") for handle in orders.values()))


async def _details(handle: OrderHandle) -> str:
    """The Markdown the Web UI shows as Current Details."""
    metadata: WorkflowMetadata = await handle.query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    return metadata.current_details


async def test_every_signal_and_update_of_the_workflow_is_tried_here(world: World) -> None:
    handle = await _held(world)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert {known.name for known in metadata.definition.signal_definitions if known.name} == set(GOOD)
    assert {known.name for known in metadata.definition.update_definitions if known.name} == set(FixName)


async def test_a_signal_that_is_no_json_is_dropped_by_the_sdk_and_does_no_harm(world: World) -> None:
    """No handler ever sees it; the history keeps the payload for whoever wants to know."""
    handle = await _held(world, sku := "SKU-MAPPED-AFTER-NONSENSE")
    await handle.signal("map_sku", NOT_JSON)
    await handle.signal("map_sku", {"sku": sku, "itno": "100000-TEA"})
    assert (await handle.result()).outcome == "booked"


@pytest.mark.parametrize("name", ["map_skus", "resolve", "Retry", "x" * 300])
async def test_a_signal_of_another_name_is_noted_with_what_can_be_sent(world: World, name: str) -> None:
    handle = await _held(world)
    before = await world.view(handle)
    await handle.signal(name, {"sku": SKU})
    after = await world.until(handle, lambda view: len(view.remarks) > len(before.remarks))
    assert _but_remarks(after) == before
    assert name[:50] in after.remarks[-1]
    assert ", ".join(FixName) in after.remarks[-1]
    assert len(after.remarks[-1]) < 400


async def test_news_of_another_order_is_noted_and_ignored(world: World) -> None:
    handle, other = await _held(world), await _held(world)
    before = await world.view(handle)
    other_id = other.id[-19:]
    news = read_order(await world.at_amazon(other_id), "A2EUSELLER0001")
    await handle.signal("amazon_changed", AmazonChanged(order=news))
    after = await world.until(handle, lambda view: bool(view.remarks))
    assert _but_remarks(after) == before
    assert f"News of another order ({other_id})" in after.remarks[-1]


async def test_many_bad_signals_push_out_the_oldest_remarks_only(world: World) -> None:
    handle = await _held(world)
    before = await world.view(handle)
    for number in range(70):
        await handle.signal(f"nonsense-{number}")
    after = await world.until(handle, lambda view: "nonsense-69" in "".join(view.remarks))
    assert len(after.remarks) <= 50
    assert _but_remarks(after) == before
    assert len(await _details(handle)) < 8_000


# --- updates -------------------------------------------------------------------------------------


async def _answer(handle: OrderHandle, name: str, arguments: Sequence[object]) -> str:
    """The sentence with which an update is refused."""
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(name, args=arguments)
    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    return cause.message


@pytest.mark.parametrize(("name", "sent"), UPDATES, ids=[f"{name}-{sent.why}" for name, sent in UPDATES])
async def test_an_update_nobody_can_read_is_answered_and_leaves_no_trace(
    world: World, held: OrderHandle, name: str, sent: Sent
) -> None:
    before = await _everything(world, held)
    sentence = await _answer(held, name, sent.arguments)
    assert sentence.startswith(name)
    assert sentence.endswith(".")
    assert json.dumps(EXAMPLES[FixName(name)]) in sentence
    assert await _everything(world, held) == before


@pytest_asyncio.fixture(scope="module")
async def held(world: World) -> OrderHandle:
    """An order held for a SKU nobody maps, for what leaves no trace: its alert has left one already."""
    handle = await _held(world)

    async def at_rest() -> bool:
        seen = (await handle.describe()).raw_description
        return not seen.pending_activities and not seen.HasField("pending_workflow_task")

    await eventually(at_rest, bool)
    return handle


async def _everything(world: World, handle: OrderHandle) -> tuple[OrderView, int]:
    return await world.view(handle), (await handle.describe()).history_length


async def test_an_update_that_is_no_json_is_refused_by_the_sdk(world: World, held: OrderHandle) -> None:
    before = await world.view(held)
    assert await _answer(held, "map_sku", [NOT_JSON]) == "Failed decoding arguments"
    assert await world.view(held) == before


async def test_an_unknown_update_is_answered_with_the_known_ones(world: World, held: OrderHandle) -> None:
    sentence = await _answer(held, "map_skus", [{}])
    assert "map_skus" in sentence
    assert all(name in sentence for name in FixName)


@pytest.mark.parametrize("name", ["set_customer", "accept_difference", "correct_address", "mark_step_done"])
async def test_an_update_that_does_not_fit_the_reason_says_what_does(
    world: World, held: OrderHandle, name: str
) -> None:
    before = await _everything(world, held)
    sentence = await _answer(held, name, [GOOD[name]])
    assert "does not repair unmapped_sku" in sentence
    assert "map_sku, retry, cancel" in sentence
    assert await _everything(world, held) == before


async def test_of_two_operators_at_once_one_repairs_and_the_other_is_told(world: World) -> None:
    handle = await _held(world, sku := "SKU-MAPPED-BY-TWO")
    items = ("100000-TEA", "100017-TEA")
    answers = await asyncio.gather(
        *(handle.execute_update("map_sku", {"sku": sku, "itno": itno, "by": itno}) for itno in items),
        return_exceptions=True,
    )
    [accepted] = [answer for answer in answers if isinstance(answer, str)]
    [refused] = [answer for answer in answers if isinstance(answer, WorkflowUpdateFailedError)]
    assert "was accepted; unmapped_sku is being repaired" in accepted
    assert isinstance(refused.cause, ApplicationError)
    assert "Another repair" in refused.cause.message or "is not held" in refused.cause.message
    result = await handle.result()
    assert result.outcome == "booked"
    [repair] = result.repairs
    [booked] = (await world.in_m3(result.order_id))["orders"]
    assert [line["itno"] for line in booked["lines"]] == [repair.by]  # type: ignore[attr-defined]


async def test_of_two_repairs_sent_as_signals_the_second_is_noted(world: World) -> None:
    handle = await _held(world)
    await asyncio.gather(*(handle.signal("cancel", {"by": by}) for by in ("first shift", "second shift")))
    result = await handle.result()
    assert result.outcome == "cancelled"
    assert [repair.fix for repair in result.repairs] == ["cancel"]
    view = await world.view(handle)
    assert any("Signal cancel was refused" in remark for remark in view.remarks)


@pytest.mark.parametrize("name", FixName)
async def test_a_closed_order_takes_neither_update_nor_signal(
    world: World, closed: OrderHandle, name: FixName
) -> None:
    before = await _everything(world, closed)
    for send in (closed.execute_update(name, GOOD[name]), closed.signal(name, GOOD[name])):
        with pytest.raises(RPCError) as refused:
            await send
        assert refused.value.status is RPCStatusCode.NOT_FOUND
        assert "completed" in refused.value.message
    assert await _everything(world, closed) == before


@pytest_asyncio.fixture(scope="module")
async def closed(world: World) -> OrderHandle:
    """An order that has reached its end."""
    handle = await world.start(await world.place(order(ORDINARY, status="SHIPPED")))
    await handle.result()
    return handle


@pytest.mark.parametrize("name", TAKES_NOTHING)
@pytest.mark.parametrize("arguments", [[], [None], [{}]], ids=["nothing", "null", "empty object"])
async def test_a_repair_without_argument_takes_nothing_null_and_an_empty_object(
    world: World, name: str, arguments: list[object]
) -> None:
    asked = name in (FixName.ACCEPT_CANCELLATION, FixName.REFUSE_CANCELLATION)
    handle, reason = await (_asked_to_cancel(world) if asked else _of_another_total(world))
    await handle.signal(name, args=arguments)
    view = await world.until(handle, lambda view: bool(view.repairs))
    assert [(repair.fix, repair.reason) for repair in view.repairs] == [(name, reason)]


async def _of_another_total(world: World) -> tuple[OrderHandle, HeldReason]:
    sku = sku_with("total_differs")
    handle = await world.start(await world.place(order(sku, status="SHIPPED")))
    await world.until_held(handle, HeldReason.TOTAL_DIFFERS)
    return handle, HeldReason.TOTAL_DIFFERS


async def _asked_to_cancel(world: World) -> tuple[OrderHandle, HeldReason]:
    """Its buyer no longer wants it."""
    order_id = await world.place(order(ORDINARY, channel="MERCHANT"))
    await world.event(order_id, "request_cancel")
    handle = await world.start(order_id)
    await world.until_held(handle, HeldReason.CANCELLATION_REQUESTED)
    return handle, HeldReason.CANCELLATION_REQUESTED

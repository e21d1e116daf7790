"""What is sent to an order and is no repair: answered in a sentence, noted on the order, harmless."""

import asyncio
import json
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from canonical.activity_contracts import OrderResult, OrderView
from canonical.held import FixName, HeldReason
from tests.support.orders import ORDINARY, order
from tests.support.world import World, eventually

OrderHandle = WorkflowHandle[object, OrderResult]
SKU = "SKU-NOBODY-KNOWS"
GOOD: dict[str, object] = {
    "retry": {},
    "map_sku": {"sku": SKU, "itno": "100000-TEA"},
    "correct_address": {"address": {"name": "A", "lines": ["B"], "city": "C", "country": "DE"}},
    "set_customer": {"cuno": "AMZDE"},
    "accept_difference": {},
    "mark_step_done": {"step": "items", "number": "1"},
    "cancel": {},
    "amazon_changed": {"order": {}},
    "goods_left": {"deliveries": []},
}
"""A right argument of every signal; which of them fit an order held for an unmapped SKU is another matter."""

TAKES_NOTHING = ("retry", "accept_difference", "cancel")
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
        Sent("broken JSON", [NOT_JSON]),
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


async def _held(world: World) -> OrderHandle:
    handle = await world.start(await world.place(order(SKU, status="SHIPPED")))
    await world.until_held(handle, HeldReason.UNMAPPED_SKU)
    return handle


def _but_remarks(view: OrderView) -> OrderView:
    return view.model_copy(update={"remarks": ()})


@pytest.mark.parametrize(("name", "sent"), SIGNALS, ids=[f"{name}-{sent.why}" for name, sent in SIGNALS])
async def test_a_signal_nobody_can_read_changes_nothing_and_is_noted(
    world: World, name: str, sent: Sent
) -> None:
    handle = await _held(world)
    before = await world.view(handle)
    await handle.signal(name, args=sent.arguments)
    after = await world.until(handle, lambda view: len(view.remarks) > len(before.remarks))
    assert _but_remarks(after) == before
    [remark] = after.remarks
    assert name in remark
    assert "refused" in remark or "ignored" in remark

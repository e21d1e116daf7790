"""What Amazon says of an order that was closed here: each case has its outcome, and none is told twice."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from canonical.amazon_orders import read_order
from canonical.audit_contracts import AuditWorkflowsRequest, WorkflowFacts
from canonical.held import FixName
from canonical.ids import after_close_workflow_id
from canonical.late_contracts import AfterCloseResult, RefundTold
from canonical.late_events import closed_order, late_events
from canonical.money import Money
from canonical.order_contracts import OrderResult
from starters.bulk_fix import plan
from starters.held_orders import held_orders
from starters.lookup import find_open
from starters.repairs import AnswerKind, ask, read_argument
from tests.support.orders import ORDINARY, order, sku_with
from tests.support.world import World, eventually, updated
from worker.late import LateKept, tell_closed
from worker.visibility import OrdersOnTemporal
from workflows import search_attributes as sa

EU = "A2EUSELLER0001"


def late(world: World, order_id: str) -> WorkflowHandle[object, OrderResult]:
    return world.client.get_workflow_handle(
        after_close_workflow_id(EU, order_id), result_type=AfterCloseResult
    )


async def booked(world: World) -> tuple[str, OrderResult]:
    order_id = await world.place(order((ORDINARY, 2), status="SHIPPED"))
    result = await world.result(await world.start(order_id))
    assert result.outcome == "booked"
    return order_id, result


async def exists(world: World, order_id: str) -> bool:
    try:
        await late(world, order_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def audited(world: World, order_id: str) -> WorkflowFacts:
    """How the audit sees the order's workflow."""
    request = AuditWorkflowsRequest(seller_id=EU, order_ids=(order_id,))
    [facts] = (await OrdersOnTemporal(world.client).facts(request)).orders
    return facts


async def test_a_closed_order_met_again_by_a_sweep_is_no_news(world: World) -> None:
    order_id, _ = await booked(world)
    await world.start(order_id)
    await world.sweep(EU, m3=False)
    assert not await exists(world, order_id)


async def test_a_cancellation_after_close_is_held_and_settled_once(world: World) -> None:
    order_id, result = await booked(world)
    await world.event(order_id, "cancel")
    swept = (await world.sweep(EU, m3=False)).amazon[EU]
    assert swept.after_close >= 1
    handle = late(world, order_id)
    view = await world.until_held(handle, "cancelled_after_close")
    assert result.orno in view.held_sentence
    attributes = (await handle.describe()).typed_search_attributes
    assert attributes.get(sa.M3_ORDER) == result.orno
    [row] = [one for one in await held_orders(world.client, "http://ui") if one.order_id == order_id]
    assert (row.kind, row.reason, row.command) == (
        "closed order",
        "cancelled_after_close",
        f"o2c fix {order_id} retry",
    )
    found = await find_open(world.client, [EU], order_id)
    assert found.description.id == handle.id
    where = 'HeldReason="cancelled_after_close"'
    planned = await plan(world.client, where, FixName.RETRY, read_argument(FixName.RETRY, []), EU)
    assert order_id in {one.order_id for one in planned if not one.refusal}

    facts = await eventually(lambda: audited(world, order_id), lambda facts: facts.status == "RUNNING")
    assert facts.held_reason == "cancelled_after_close"

    await updated(handle, "mark_step_done", {"step": "cancelling", "number": "0009999999"})
    view = await world.until(handle, lambda view: bool(view.remarks) and bool(view.held_reason))
    assert "was not taken as done" in view.remarks[-1]
    await handle.signal("mark_step_done", {"step": "cancelling", "number": result.orno, "by": "tester"})
    settled = await world.result(handle)
    assert (settled.outcome, [one.fix for one in settled.repairs][-1]) == ("settled", "mark_step_done")

    facts = await eventually(lambda: audited(world, order_id), lambda facts: facts.status == "COMPLETED")
    assert facts.accepted[-1] == "cancelled_after_close"

    await world.start(order_id)  # another process, which does not remember what it told
    assert (await handle.describe()).close_time is not None
    runs = [one async for one in world.client.list_workflows(f'WorkflowId="{handle.id}"')]
    assert len(runs) == 1


async def test_goods_shipped_after_the_order_was_given_up_are_held_until_m3_has_them(world: World) -> None:
    order_id = await world.place(order(sku_with("shipment_not_reportable")))
    own = await world.start(order_id)
    await world.until(own, lambda view: view.step == "awaiting_shipment")
    await own.signal("cancel")
    assert (await world.result(own)).outcome == "cancelled"
    await world.event(order_id, "ship", actor="AMAZON")
    await world.sweep(EU, m3=False)
    handle = late(world, order_id)
    view = await world.until_held(handle, "shipped_after_close")
    assert "took its order" in view.held_sentence
    await handle.signal("accept_difference", {"by": "tester", "why": "stock was corrected"})
    settled = await world.result(handle)
    assert settled.outcome == "settled"
    await world.start(order_id)
    runs = [one async for one in world.client.list_workflows(f'WorkflowId="{handle.id}"')]
    assert len(runs) == 1


async def test_retry_reads_the_order_again_and_ends_the_hold_where_amazon_took_it_back(world: World) -> None:
    order_id, _ = await booked(world)
    body = await world.at_amazon(order_id)
    told = await tell_closed(world.client, EU, order_id, refund=RefundTold(transaction_id="T-1"))
    assert told.kept is LateKept.CARRIED
    handle = late(world, order_id)
    await world.until_held(handle, "refunded_after_close")
    assert body["fulfillment"]["fulfillmentStatus"] == "SHIPPED"  # type: ignore[index]
    await handle.signal("retry")
    view = await world.until(handle, lambda view: len(view.repairs) == 1 and bool(view.held_reason))
    assert view.held_reason == "refunded_after_close"
    await handle.signal("accept_difference")
    assert (await world.result(handle)).outcome == "settled"


async def test_a_refund_is_told_once_and_a_second_one_again(world: World) -> None:
    order_id, _ = await booked(world)
    amount = Money(amount=Decimal("5.00"), currency="EUR")
    for transaction in ("T-1", "T-1", "T-2"):
        refund = RefundTold(transaction_id=transaction, amount=amount)
        assert (await tell_closed(world.client, EU, order_id, refund=refund)).kept is LateKept.CARRIED
    handle = late(world, order_id)
    for transaction in ("T-1", "T-2"):
        view = await world.until(handle, lambda view, named=transaction: named in view.held_sentence)  # type: ignore[misc]
        assert "5.00 EUR" in view.held_sentence
        accept = read_argument(FixName.ACCEPT_DIFFERENCE, [], why="the settlement books it")
        said = await ask(world.client, handle.id, order_id, FixName.ACCEPT_DIFFERENCE, accept)
        assert said.kind is AnswerKind.ACCEPTED, said.sentence
    settled = await world.result(handle)
    assert settled.outcome == "settled"
    assert len(settled.repairs) == 2
    assert all(transaction in settled.sentence for transaction in ("T-1", "T-2"))


async def test_news_by_the_id_alone_is_read_at_amazon_and_ends_where_nothing_is_new(world: World) -> None:
    order_id, _ = await booked(world)
    assert (await tell_closed(world.client, EU, order_id)).kept is LateKept.CARRIED
    assert (await world.result(late(world, order_id))).outcome == "nothing_new"


async def test_a_terminated_order_is_said_and_not_followed(world: World) -> None:
    order_id = await world.place(order(ORDINARY))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await handle.terminate("by mistake")
    await world.event(order_id, "ship", actor="AMAZON")
    swept = (await world.sweep(EU, m3=False)).amazon[EU]
    assert any(order_id in remark and "terminated" in remark for remark in swept.remarks)
    assert not await exists(world, order_id)


async def test_an_open_order_hears_its_own_news(world: World) -> None:
    order_id = await world.place(order("NOT-IN-M3-STILL-OPEN"))
    handle = await world.start(order_id)
    await eventually(lambda: world.view(handle), lambda view: bool(view.held_reason))
    assert (await tell_closed(world.client, EU, order_id)).kept is LateKept.STILL_OPEN
    assert not await exists(world, order_id)


async def test_an_order_unknown_here_is_said(world: World) -> None:
    told = await tell_closed(world.client, EU, "999-0000000-0000000")
    assert told.kept is LateKept.UNFOLLOWED


async def test_orders_of_every_kind_are_no_news_once_they_are_closed(world: World) -> None:
    """Promotions, taxes, gift wrap, several currencies, partial shipments: what Amazon lists again is no news."""
    answer = await world.amazon.post("/_control/orders", json={"count": 40, "seed": 23})
    ids = answer.json()["created"]

    async def closed() -> list[str]:
        await world.sweep()
        query = f'WorkflowType="OrderToCash" AND ExecutionStatus="Completed" AND StartTime > "{begun}"'
        return [one.id async for one in world.client.list_workflows(query) if one.id[-19:] in ids]

    begun = f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    handed = await eventually(closed, lambda found: len(found) >= 28)
    for workflow_id in handed:
        result: OrderResult = await world.client.get_workflow_handle(
            workflow_id, result_type=OrderResult
        ).result()
        now = read_order(await world.at_amazon(result.order_id), result.seller_id)
        events = late_events(closed_order(result), now)
        assert events == (), f"{result.outcome}: {events}"

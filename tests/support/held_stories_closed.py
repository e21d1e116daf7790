"""Stories of orders that were closed here before Amazon said more of them."""

from decimal import Decimal

from canonical.held import HeldReason
from canonical.ids import after_close_workflow_id
from canonical.late_contracts import RefundTold
from canonical.money import Money
from canonical.order_contracts import OrderResult
from simulators import assortment
from tests.support.held_story import story
from tests.support.holding import OrderHandle, Telling, Workshop, sku_of
from tests.support.orders import ORDINARY, order
from worker.late import tell_closed

EU = "A2EUSELLER0001"


def _late(shop: Workshop, order_id: str) -> OrderHandle:
    return shop.client.get_workflow_handle(after_close_workflow_id(EU, order_id), result_type=OrderResult)


async def _booked(shop: Workshop) -> OrderResult:
    order_id = await shop.place(order(ORDINARY, status="SHIPPED"))
    return await shop.result(await shop.start(order_id))


@story(
    HeldReason.SHIPPED_AFTER_CLOSE,
    "an operator gave the order up, and Amazon ships it all the same",
    "the order is entered in M3 by hand; the step is marked done with its number",
    outcome="settled",
)
async def _shipped_after_close(telling: Telling, shop: Workshop) -> None:
    sku = sku_of("shipment_not_reportable")
    order_id = await shop.place(order(sku))
    own = await shop.start(order_id)
    await shop.until(own, lambda view: view.step == "awaiting_shipment")
    await own.signal("cancel")
    assert (await shop.result(own)).outcome == "cancelled"
    await shop.event(order_id, "ship", actor="AMAZON")
    await shop.sweep(EU, m3=False)
    await telling.held(_late(shop, order_id))
    item = assortment.ITEM_BY_SKU[sku]
    orno = await shop.mi.order(order_id, items=[item], quantities=[1], whlo="AFE", ortp="AZF")
    await telling.fix("mark_step_done", "step=sales_order", f"number={orno}")


@story(
    HeldReason.CANCELLED_AFTER_CLOSE,
    "Amazon cancels an order that is shipped and invoiced",
    "the goods come back as a return; the step is marked done with M3's order number",
    outcome="settled",
)
async def _cancelled_after_close(telling: Telling, shop: Workshop) -> None:
    result = await _booked(shop)
    await shop.event(result.order_id, "cancel")
    await shop.sweep(EU, m3=False)
    await telling.held(_late(shop, result.order_id))
    await telling.fix("mark_step_done", "step=cancelling", f"number={result.orno}")


@story(
    HeldReason.REFUNDED_AFTER_CLOSE,
    "Amazon pays part of the price back to the buyer",
    "the difference is accepted: the settlement books it",
    outcome="settled",
)
async def _refunded_after_close(telling: Telling, shop: Workshop) -> None:
    result = await _booked(shop)
    refund = RefundTold(transaction_id="T-REFUND-1", amount=Money(amount=Decimal("2.50"), currency="EUR"))
    await tell_closed(shop.client, EU, result.order_id, refund=refund)
    await telling.held(_late(shop, result.order_id))
    await telling.fix("accept_difference")

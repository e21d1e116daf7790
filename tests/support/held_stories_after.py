"""Stories of orders that are held after they were booked, or because a system does not answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from canonical.fba_contracts import AMAZON_SHIPPED, AmazonShipped, FbaItem, FbaShipment
from canonical.held import HeldReason
from simulators import assortment
from tests.support.held_story import items_at_amazon, story
from tests.support.holding import Telling, Workshop, sku_of
from tests.support.orders import ORDINARY, order


@story(
    HeldReason.CANCELLED_TOO_LATE,
    "Amazon cancels while the own warehouse has already shipped",
    "the goods come back as a return; the step is marked done with M3's order number",
    outcome="cancelled",
)
async def _cancelled_too_late(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, channel="MERCHANT"))
    handle = await shop.start(order_id)
    view = await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    await shop.in_m3_control("ship", cuor=order_id)
    await shop.event(order_id, "cancel")
    await shop.start(order_id)
    await telling.held(handle)
    await telling.fix("mark_step_done", "step=cancelling", f"number={view.orno}")


@story(
    HeldReason.CANCELLATION_REQUESTED,
    "the buyer asks to cancel what the own warehouse has not shipped yet",
    "it is refused, and the goods leave",
)
async def _cancellation_requested(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("shipment_not_reportable"), channel="MERCHANT"))
    handle = await shop.start(order_id)
    await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    await shop.event(order_id, "request_cancel")
    await shop.start(order_id)
    await telling.held(handle)
    await telling.fix("refuse_cancellation")
    await shop.in_m3_control("heal", kind="shipment_not_reportable", cuor=order_id)
    await shop.in_m3_control("ship", cuor=order_id)
    await shop.sweep_until(handle, lambda view: view.step == "closed")


# --- shipments, invoices, ledger -----------------------------------------------------------------


@story(
    HeldReason.SHIPMENT_NOT_REPORTABLE,
    "M3 has no stock for what Amazon shipped, in every attempt",
    "the stock is corrected in M3",
    slow=True,
)
async def _shipment_not_reportable(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("shipment_not_reportable"), status="SHIPPED"))
    handle = await shop.start(order_id)
    await shop.let_retries_pass(handle, telling.reason)
    await telling.held(handle)
    await shop.in_m3_control("heal", kind="shipment_not_reportable", cuor=order_id)
    await telling.fix("retry")


@story(
    HeldReason.SHIPPED_TOO_MUCH,
    "Amazon's report has a second shipment of a piece that was ordered once",
    "the surplus is booked out in M3; the difference is accepted",
)
async def _shipped_too_much(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order((ORDINARY, 2)))
    handle = await shop.start(order_id)
    await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    [item] = await items_at_amazon(shop, order_id)
    told = [
        FbaShipment(
            shipment_id=name,
            shipped_at=datetime.now(UTC),
            center="LEJ1",
            items=(FbaItem(order_item_id=item, sku=ORDINARY, quantity=pieces),),
        )
        for name, pieces in (("DqqZkqXyk", 2), ("DrrYlmWzn", 1))
    ]
    await handle.signal(AMAZON_SHIPPED, AmazonShipped(shipments=tuple(told)))
    await telling.held(handle)
    await telling.fix("accept_difference")


@story(
    HeldReason.SHIPPED_TOO_LITTLE,
    "Amazon calls an order shipped of which one piece never left",
    "nothing more comes: the difference is accepted, the rest closed in M3",
)
async def _shipped_too_little(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order((ORDINARY, 3)))
    handle = await shop.start(order_id)
    await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    [item] = await items_at_amazon(shop, order_id)
    await shop.event(order_id, "ship", items={item: 2}, actor="AMAZON")
    await shop.event(order_id, "drop", actor="AMAZON")
    await shop.start(order_id)
    await telling.held(handle)
    await shop.in_m3_control("stop", cuor=order_id)
    await telling.fix("accept_difference")


@story(
    HeldReason.SHIPMENT_REFUSED,
    "the shipment was confirmed by hand in Seller Central, with another tracking number",
    "the step is marked done with M3's delivery",
)
async def _shipment_refused(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, channel="MERCHANT"))
    handle = await shop.start(order_id)
    await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    await shop.event(order_id, "ship")
    await shop.sweep_until(handle, lambda view: view.held_reason == telling.reason)
    await telling.held(handle)
    [delivery] = (await shop.in_m3(order_id))["deliveries"]
    await telling.fix("mark_step_done", "step=shipment", f"number={delivery['dlix']}")


@story(
    HeldReason.CARRIER_UNKNOWN,
    "M3 ships with a forwarder that is not in the carrier map",
    "the forwarder is added to the configuration, the worker restarted",
)
async def _carrier_unknown(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("carrier_unknown"), channel="MERCHANT"))
    handle = await shop.start(order_id)
    await shop.sweep_until(handle, lambda view: view.held_reason == telling.reason)
    await telling.held(handle)
    added = 'DHL = { code = "DHL" }\nXYZ = { code = "Other", name = "XYZ Spedition" }'
    await shop.configure(lambda text: text.replace('DHL = { code = "DHL" }', added))
    await telling.fix("retry")


@story(HeldReason.INVOICE_MISSING, "the delivery stays at status 61", "it is approved in OIS155")
async def _invoice_missing(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("invoice_missing"), status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.in_m3_control("heal", kind="invoice_missing", cuor=order_id)
    await telling.fix("retry")


@story(
    HeldReason.LEDGER_MISMATCH,
    "the voucher was posted with another amount",
    "the voucher is corrected in M3",
)
async def _ledger_mismatch(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("ledger_mismatch"), status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.in_m3_control("heal", kind="ledger_mismatch", cuor=order_id)
    await telling.fix("retry")


# --- systems that do not answer, or do not let us in ---------------------------------------------


@story(
    HeldReason.M3_REFUSED,
    "M3 refuses the order with a message id nobody knows",
    "the cause is repaired in M3",
)
async def _m3_refused(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, status="SHIPPED"))
    await shop.fault(shop.m3, "OIS100MI.AddBatchHead", "nok:OIS0199", CUOR=order_id)
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.m3.delete("/_control/faults")
    await telling.fix("retry")


@story(
    HeldReason.M3_UNAVAILABLE,
    "M3 answers HTTP 500 until every attempt is used up",
    "M3 is back",
    slow=True,
)
async def _m3_unavailable(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, channel="MERCHANT"))
    await shop.fault(shop.m3, "OIS100MI.AddBatchHead", "status_500", CUOR=order_id)
    handle = await shop.start(order_id)
    await shop.let_retries_pass(handle, telling.reason)
    await telling.held(handle)
    await shop.m3.delete("/_control/faults")
    await telling.fix("retry")
    await shop.sweep_until(handle, lambda view: view.step == "closed")


@story(
    HeldReason.M3_NOT_AUTHORISED,
    "the service account may not call the program (HTTP 403)",
    "the authority is given",
)
async def _m3_not_authorised(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, status="SHIPPED"))
    await shop.fault(shop.m3, "OIS100MI.AddBatchHead", "forbidden_no_body", CUOR=order_id)
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.m3.delete("/_control/faults")
    await telling.fix("retry")


@story(
    HeldReason.AMAZON_UNAVAILABLE,
    "Amazon answers HTTP 503 in HTML until every attempt is used up",
    "Amazon is back",
    slow=True,
)
async def _amazon_unavailable(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, status="SHIPPED"))
    await shop.fault(shop.amazon, "getOrder", "html_503", orderId=order_id)
    handle = await shop.start_by_id(order_id)
    await shop.let_retries_pass(handle, telling.reason)
    await telling.held(handle)
    await shop.amazon.delete("/_control/faults")
    await telling.fix("retry")


REFUSED_TOKEN: Final[Mapping[str, str]] = {"NA_REFRESH_TOKEN": "Atzr|withdrawn"}


@story(
    HeldReason.AMAZON_NOT_AUTHORISED,
    "Login with Amazon refuses the refresh token",
    "the authorisation is renewed, the worker restarted",
)
async def _amazon_not_authorised(telling: Telling, shop: Workshop) -> None:
    await shop.configure(environment=REFUSED_TOKEN)
    seller = "A2NASELLER0001"
    order_id = await shop.place(order(ORDINARY, marketplace="US", status="SHIPPED"), seller=seller)
    handle = await shop.start_by_id(order_id, seller)
    await telling.held(handle)
    await shop.configure()
    await telling.fix("retry")


RULE: Final = 'numbers = ["AMZDE"] }\nitem_rules = [{ pattern = "(.+)-EXPORT", itno = "%s" }]'


@story(
    HeldReason.INTERNAL_ERROR,
    "an item rule makes an item number of 17 characters, which no M3 call could carry",
    "the rule is corrected, the worker restarted",
)
async def _internal_error(telling: Telling, shop: Workshop) -> None:
    generic = 'numbers = ["AMZDE"] }'
    await shop.configure(lambda text: text.replace(generic, RULE % r"\\1"))
    order_id = await shop.place(order("TEA-GREEN-ORGANIC-EXPORT", status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    itno = assortment.ITEM_BY_SKU[ORDINARY].itno
    await shop.configure(lambda text: text.replace(generic, RULE % itno))
    await telling.fix("retry")

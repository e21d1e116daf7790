"""Stories of orders that are held before or while they are booked in M3."""

from canonical.held import HeldReason
from simulators import assortment
from tests.support.held_story import amazon_ships, items_at_amazon, story
from tests.support.holding import Telling, Workshop, sku_of
from tests.support.orders import GERMAN_ADDRESS, ORDINARY, order

# --- items and customer -------------------------------------------------------------------------


@story(
    HeldReason.UNMAPPED_SKU,
    "a SKU is sold that nobody entered in M3",
    "the likeliest item of the details is named",
)
async def _unmapped_sku(telling: Telling, shop: Workshop) -> None:
    sku = sku_of("unmapped_sku")
    order_id = await shop.place(order(sku, status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    meant = assortment.ITEM_BY_SKU[sku].itno
    shown = await shop.details(handle)
    assert f"- `{meant}` " in shown, f"The item is not among the likely ones:\n{shown}"
    await telling.fix("map_sku", f"sku={sku}", f"itno={meant}")


@story(HeldReason.ITEM_BLOCKED, "the M3 item has status 80", "the item is released in MMS001")
async def _item_blocked(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("item_blocked"), status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.in_m3_control("heal", kind="item_blocked")
    await telling.fix("retry")


@story(
    HeldReason.CUSTOMER_UNUSABLE,
    "the configured customer has status 90",
    "another customer is named",
)
async def _customer_unusable(telling: Telling, shop: Workshop) -> None:
    await shop.configure(lambda text: text.replace('["AMZFR"]', '["AMZOLD"]'))
    order_id = await shop.place(order(ORDINARY, marketplace="FR", status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await telling.fix("set_customer", "cuno=AMZFR")


# --- what Amazon tells ---------------------------------------------------------------------------


@story(
    HeldReason.ORDER_INCOMPLETE,
    "Amazon shows no delivery address, the application lacks the role",
    "the role is granted, the order is read again",
)
async def _order_incomplete(telling: Telling, shop: Workshop) -> None:
    await _personal_data(shop, refused=True)
    order_id = await shop.place(order(ORDINARY, channel="MERCHANT"))
    handle = await shop.start_by_id(order_id)
    await telling.held(handle)
    await _personal_data(shop, refused=False)
    await telling.fix("retry")
    await shop.sweep_until(handle, lambda view: view.step == "closed")


async def _personal_data(shop: Workshop, *, refused: bool) -> None:
    answer = await shop.amazon.post("/_control/pii", json={"seller": "A2EUSELLER0001", "refused": refused})
    assert answer.is_success, answer.text


@story(
    HeldReason.AMOUNTS_INCONSISTENT,
    "Amazon's grand total is not the sum of its lines",
    "Amazon corrects it, the order is read again",
)
async def _amounts_inconsistent(telling: Telling, shop: Workshop) -> None:
    body = order((ORDINARY, 2))
    body["proceeds"] = {"grandTotal": {"amount": "1.00", "currencyCode": "EUR"}}
    order_id = await shop.place(body)
    handle = await shop.start(order_id)
    await telling.held(handle)
    [item] = await items_at_amazon(shop, order_id)
    await shop.event(order_id, "change_quantity", items={item: 2})
    await telling.fix("retry")
    await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    await amazon_ships(shop, order_id)


@story(
    HeldReason.ADDRESS_DOES_NOT_FIT,
    "a street line has a word of 44 characters",
    "a shorter address is sent",
)
async def _address_does_not_fit(telling: Telling, shop: Workshop) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitäns-Allee"
    telling.personal = (*telling.personal, "Donaudampf")
    order_id = await shop.place(
        order(ORDINARY, channel="MERCHANT", address={**GERMAN_ADDRESS, "addressLine1": f"{long} 1"})
    )
    handle = await shop.start(order_id)
    await telling.held(handle)
    await telling.fix(
        "correct_address",
        "address.name=Erika Beispiel",
        "address.lines=Donaudampfschifffahrts-|Allee 1",
        "address.city=Köln",
        "address.postal_code=50667",
        "address.country=DE",
    )
    await shop.sweep_until(handle, lambda view: view.step == "closed")


@story(
    HeldReason.ADDRESS_REFUSED,
    "M3 has no such country (CRS045)",
    "the address is corrected, sent as JSON",
)
async def _address_refused(telling: Telling, shop: Workshop) -> None:
    abroad = {**GERMAN_ADDRESS, "countryCode": "CL"}
    order_id = await shop.place(order(ORDINARY, channel="MERCHANT", address=abroad))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await telling.fix(
        "correct_address",
        '{"address": {"name": "Erika Beispiel", "lines": ["Lindenstraße 12"], "city": "Köln", '
        '"postal_code": "50667", "country": "DE"}}',
    )
    await shop.sweep_until(handle, lambda view: view.step == "closed")


@story(
    HeldReason.ORDER_CHANGED,
    "the buyer wants one piece more after M3 booked it",
    "the line is changed in M3, the difference accepted",
)
async def _order_changed(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("shipment_not_reportable")))
    handle = await shop.start(order_id)
    view = await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    [item] = await items_at_amazon(shop, order_id)
    await shop.event(order_id, "change_quantity", items={item: 2})
    await shop.start(order_id)
    await telling.held(handle)
    await shop.mi.call("OIS100MI.ChgLineBatchEnt", ORNO=view.orno, PONR="1", ORQA="2")
    await shop.in_m3_control("heal", kind="shipment_not_reportable", cuor=order_id)
    await telling.fix("accept_difference")
    await amazon_ships(shop, order_id)


# --- the sales order -----------------------------------------------------------------------------


@story(
    HeldReason.ORDER_REJECTED,
    "M3's validation rejects the item in this facility",
    "the item is repaired in M3",
)
async def _order_rejected(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("order_rejected"), status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.in_m3_control("heal", kind="order_rejected")
    await telling.fix("retry")


@story(
    HeldReason.CREDIT_STOP,
    "M3 stops the order for credit",
    "the credit department releases it",
)
async def _credit_stop(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("credit_stop"), channel="MERCHANT"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.in_m3_control("heal", kind="credit_stop", cuor=order_id)
    await telling.fix("retry")
    await shop.sweep_until(handle, lambda view: view.step == "closed")


@story(
    HeldReason.DUPLICATE_IN_M3,
    "somebody entered the order twice in M3, once with a wrong item",
    "the wrong one is deleted in M3",
)
async def _duplicate_in_m3(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, status="SHIPPED"))
    item = assortment.ITEM_BY_SKU[ORDINARY]
    wrong = assortment.ITEM_BY_SKU[sku_of("shipment_not_reportable")]
    first = await shop.mi.order(order_id, items=[item], quantities=[1], whlo="AFE", ortp="AZF")
    second = await shop.mi.order(order_id, items=[wrong], quantities=[1], whlo="AFE", ortp="AZF")
    handle = await shop.start(order_id)
    await telling.held(handle)
    assert first in telling.sentence
    assert second in telling.sentence
    await shop.mi.call("OIS100MI.DelHead", ORNO=second)
    await telling.fix("retry")


@story(HeldReason.TOTAL_DIFFERS, "M3 adds a surcharge", "the difference is accepted")
async def _total_differs(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("total_differs"), status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await telling.fix("accept_difference", "why=freight surcharge")


@story(
    HeldReason.NOT_CONFIGURED,
    "the configuration names an order type M3 does not have",
    "the configuration is corrected, the worker restarted",
)
async def _not_configured(telling: Telling, shop: Workshop) -> None:
    await shop.configure(lambda text: text.replace('order_type_fba = "AZF"', 'order_type_fba = "AFZ"'))
    order_id = await shop.place(order(ORDINARY, status="SHIPPED"))
    handle = await shop.start(order_id)
    await telling.held(handle)
    await shop.configure()
    await telling.fix("retry")

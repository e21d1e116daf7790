"""How an order comes to be held for each reason, and what repairs it: one story a reason, as it happens in life.

Nothing is set in the workflow: M3 or Amazon is brought into the state that the reason means, the service finds it,
a person repairs the cause where it is and sends the repair.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from canonical.held import HeldReason
from simulators import catalogue
from tests.support.holding import Telling, Workshop, sku_of
from tests.support.orders import GERMAN_ADDRESS, ORDINARY, order

Tell = Callable[[Telling, Workshop], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """One reason's story; `outcome` is how the order ends."""

    tell: Tell
    how: str
    repaired: str
    outcome: str = "booked"


STORIES: dict[HeldReason, Story] = {}


def story(reason: HeldReason, how: str, repaired: str, outcome: str = "booked") -> Callable[[Tell], Tell]:
    """Register the story of a reason."""

    def register(tell: Tell) -> Tell:
        STORIES[reason] = Story(tell, how, repaired, outcome)
        return tell

    return register


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
    meant = catalogue.ITEM_BY_SKU[sku].itno
    shown = await shop.details(handle)
    assert f"| `{meant}` |" in shown, f"The item is not among the likely ones:\n{shown}"
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
    [item] = await _items(shop, order_id)
    await shop.event(order_id, "change_quantity", items={item: 2})
    await telling.fix("retry")
    await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    await _amazon_ships(shop, order_id)


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
    "Amazon cancels a line after M3 booked it",
    "the line is deleted in M3, the difference accepted",
)
async def _order_changed(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(ORDINARY, sku_of("shipment_not_reportable")))
    handle = await shop.start(order_id)
    view = await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    _, second = await _items(shop, order_id)
    await shop.event(order_id, "cancel", items={second: 1})
    await shop.start(order_id)
    await telling.held(handle)
    await shop.mi.call("OIS100MI.DelLine", ORNO=view.orno, PONR="2")
    await telling.fix("accept_difference")
    await _amazon_ships(shop, order_id)


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
    item = catalogue.ITEM_BY_SKU[ORDINARY]
    wrong = catalogue.ITEM_BY_SKU[sku_of("shipment_not_reportable")]
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


# --- shipments, invoices, ledger -----------------------------------------------------------------


@story(
    HeldReason.SHIPMENT_NOT_REPORTABLE,
    "M3 has no stock for what Amazon shipped, in every attempt",
    "the stock is corrected in M3",
)
async def _shipment_not_reportable(telling: Telling, shop: Workshop) -> None:
    order_id = await shop.place(order(sku_of("shipment_not_reportable"), status="SHIPPED"))
    handle = await shop.start(order_id)
    await shop.let_retries_pass(handle, telling.reason)
    await telling.held(handle)
    await shop.in_m3_control("heal", kind="shipment_not_reportable", cuor=order_id)
    await telling.fix("retry")


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
    itno = catalogue.ITEM_BY_SKU[ORDINARY].itno
    await shop.configure(lambda text: text.replace(generic, RULE % itno))
    await telling.fix("retry")


async def _items(shop: Workshop, order_id: str) -> list[str]:
    """The order's item ids at Amazon."""
    body = await shop.at_amazon(order_id)
    return [item["orderItemId"] for item in body["orderItems"]]  # type: ignore[attr-defined]


async def _amazon_ships(shop: Workshop, order_id: str) -> None:
    """Amazon sends everything, and the order is told."""
    await shop.event(order_id, "ship", actor="AMAZON")
    await shop.start(order_id)

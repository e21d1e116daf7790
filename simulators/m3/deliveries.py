"""MWS410MI, MWS411MI, MWS420MI and MWS423MI: deliveries, their lines, packages and picking lists."""

from __future__ import annotations

from collections.abc import Iterator

from simulators import catalogue
from simulators.m3.clock import day_of, time_of
from simulators.m3.errors import GENERIC, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.money import quantity_text
from simulators.m3.records import ZERO, Delivery, DeliveryLine, Package
from simulators.m3.registry import Call, Row, mi
from simulators.m3.warehouse import REPORTED, open_list, release, report_all, require_packed
from simulators.m3.world import World

CUSTOMER_ORDER = "3"


def _line_fields(delivery: Delivery, line: DeliveryLine) -> Row:
    planned = quantity_text(line.quantity)
    on_list = quantity_text(line.quantity if delivery.plsx else ZERO)
    return {
        "DLIX": str(delivery.dlix), "RORC": CUSTOMER_ORDER, "RIDN": delivery.orno, "RIDL": str(line.ponr),
        "RIDX": "0", "ITNO": line.itno, "FACI": catalogue.FACI, "PRNO": line.itno, "TRQT": planned,
        "PLQT": on_list, "TRQA": planned, "PLQA": on_list, "ALUN": "PCS", "STCD": "1", "WHLO": delivery.whlo,
        "RGDT": day_of(delivery.entered), "RGTM": time_of(delivery.entered), "CHID": "M3SRVADM",
    }  # fmt: skip


@mi("MWS411MI", "LstDelLnByOrd")
def list_lines_of_order(world: World, call: Call) -> list[Row]:
    """Delivery lines of an order; none before allocation. RORC other than 3 is another kind of order."""
    order = world.orders.get(call.text("RIDN"))
    if order is None or call.text("RORC") != CUSTOMER_ORDER:
        return []
    wanted = call.integer("RIDL")
    return [
        _line_fields(delivery, line)
        for delivery in world.deliveries_of(order)
        for line in delivery.lines
        if wanted in (0, line.ponr)
    ]


@mi("MWS411MI", "LstDeliveryLine")
def list_lines(world: World, call: Call) -> list[Row]:
    """Lines of one delivery."""
    delivery = world.delivery(call.integer("DLIX"))
    return [_line_fields(delivery, line) for line in delivery.lines]


@mi("MWS411MI", "GetDeliveryLine")
def get_line(world: World, call: Call) -> list[Row]:
    """One line of one delivery."""
    delivery = world.delivery(call.integer("DLIX"))
    for line in delivery.lines:
        if line.ponr == call.integer("RIDL") and delivery.orno == call.text("RIDN"):
            return [_line_fields(delivery, line)]
    raise NotOk(RECORD_MISSING, "RIDL")


@mi("MWS410MI", "GetHead")
def get_head(world: World, call: Call) -> list[Row]:
    """Head of a delivery: status PGRS, picking list status PIST, carrier FWNO, tracking number ETRN (of the
    first package only), invoice."""
    delivery = world.delivery(call.integer("DLIX"))
    order = world.order(delivery.orno)
    row = {
        "DLIX": str(delivery.dlix), "CUOR": order.cuor, "RORC": CUSTOMER_ORDER, "WHLO": delivery.whlo,
        "RIDN": order.orno, "PGRS": delivery.pgrs, "PIST": delivery.pist, "PLSX": str(delivery.plsx),
        "ETRN": delivery.etrn, "FWNO": delivery.fwno, "IVNO": str(delivery.ivno), "CSCD": order.country,
        "EXIN": external_number(delivery.ivno) if delivery.ivno else "",
        "INPX": INVOICE_PREFIX if delivery.ivno else "", "MODL": order.fields.get("MODL", ""),
        "TEDL": order.fields.get("TEDL", ""), "YREF": order.fields.get("YREF", ""),
        "NRUL": str(len(delivery.packages)), "BLOP": "0",
    }  # fmt: skip
    if delivery.shipped:
        day, time = day_of(delivery.shipped), time_of(delivery.shipped)
        row.update({"TRDT": day, "TRTM": time, "DSDT": day, "DSHM": time[:4], "RCDT": day, "RCTM": time})
    return [row]


INVOICE_PREFIX = "AMZ"


def external_number(ivno: int) -> str:
    """EXIN: the invoice number the customer sees."""
    return f"{INVOICE_PREFIX}{ivno:09d}"


@mi("MWS410MI", "LstPackages")
def list_packages(world: World, call: Call) -> list[Row]:
    """Packages of a delivery; their tracking numbers (ETRN) are shown by the cloud edition only."""
    delivery = world.delivery(call.integer("DLIX"))
    return [
        {
            "PANR": package.panr, "DLIX": str(delivery.dlix), "ETRN": package.etrn, "PACT": "BOX",
            "NUPA": "1", "RORC": CUSTOMER_ORDER, "PCON": "0", "DSDT": day_of(delivery.shipped),
        }
        for package in delivery.packages
    ]  # fmt: skip


@mi("MWS410MI", "LstPackageLine")
def list_package_lines(world: World, call: Call) -> list[Row]:
    """What is in the packages of a delivery, by order line."""
    delivery = world.delivery(call.integer("DLIX"))
    order = world.order(delivery.orno)
    items = {line.ponr: line.itno for line in delivery.lines}
    wanted = call.text("PANR")
    return [
        {
            "RORC": CUSTOMER_ORDER, "RIDN": delivery.orno, "RIDL": ponr, "RIDX": "0", "PANR": package.panr,
            "ITNO": items.get(int(ponr), ""), "DLQT": quantity_text(quantity), "UNMS": "PCS",
            "CUOR": order.cuor, "DLQA": quantity_text(quantity), "ALUN": "PCS",
        }
        for package in delivery.packages
        if wanted in ("", package.panr)
        for ponr, quantity in package.contents.items()
    ]  # fmt: skip


@mi("MWS410MI", "GetAdr")
def get_address(world: World, call: Call) -> list[Row]:
    """An address of a delivery by type; of type 1, where the goods go: the order's own, else the customer's."""
    delivery = world.delivery(call.integer("DLIX"))
    order = world.order(delivery.orno)
    kind = str(call.integer("ADRT", 1))
    own = order.addresses.get(kind)
    customer = world.customers.get(order.cuno)
    if own is None and (customer is None or kind != "1"):
        raise NotOk(RECORD_MISSING, "ADRT")
    told = own if own is not None else customer.fields if customer is not None else {}
    return [
        {
            "CONA": order.cuno, "DIVI": catalogue.DIVI, "FACI": catalogue.FACI, "NAME": told.get("CUNM", ""),
            **{f"ADR{number}": told.get(f"CUA{number}", "") for number in range(1, 5)},
            **{name: told.get(name, "") for name in ("PONO", "CSCD", "ECAR", "TOWN", "LNCD")},
        }
    ]  # fmt: skip


@mi("MWS423MI", "AddPackage")
def add_package(world: World, call: Call) -> list[Row]:
    """A package of a delivery, with its tracking number ETRN. PANR may be given; XRE0104 where it is taken.
    After the goods have left nothing is packed any more (inferred)."""
    delivery = world.delivery(call.integer("DLIX"))
    if delivery.pist == REPORTED:
        raise NotOk(GENERIC, "DLIX", f"Delivery {delivery.dlix} has been issued; it cannot be packed")
    panr = call.text("PANR") or f"{world.number('package'):020d}"
    if any(package.panr == panr for package in delivery.packages):
        raise NotOk(RECORD_EXISTS, "PANR")
    delivery.packages.append(Package(panr=panr, etrn=call.text("ETRN"), contents={}))
    delivery.etrn = delivery.etrn or call.text("ETRN")
    world.keep_delivery(delivery)
    return [{"PANR": panr}]


@mi("MWS410MI", "RelForAlloc")
def release_for_allocation(world: World, call: Call) -> list[Row]:
    """Releases a delivery for allocation. Deliveries here are allocated from the start: nothing is left to
    do."""
    world.delivery(call.integer("DLIX"))
    return []


@mi("MWS410MI", "RelForPick")
def release_for_picking(world: World, call: Call) -> list[Row]:
    """Releases the picking list of a delivery now."""
    delivery = world.delivery(call.integer("DLIX"))
    if delivery.plsx:
        raise NotOk(GENERIC, "DLIX", f"Delivery {delivery.dlix} has already been released for picking")
    release(world, delivery)
    return []


@mi("MWS420MI", "LstPickHeader")
def list_pick_headers(world: World, call: Call) -> list[Row]:
    """Picking lists of a delivery."""
    delivery = world.delivery(call.integer("DLIX"))
    return [_pick_header(delivery)] if delivery.plsx else []


def _pick_header(delivery: Delivery) -> Row:
    return {"CONO": str(catalogue.CONO), "DLIX": str(delivery.dlix), "PLSX": str(delivery.plsx)}


@mi("MWS420MI", "LstPickList")
def list_pick_lists(world: World, call: Call) -> Iterator[Row]:
    """Picking lists of a warehouse whose status is from FPIS to TPIS."""
    low, high = call.text("FPIS", "00"), call.text("TPIS", "99")
    for delivery in world.deliveries:
        asked = call.text("WHLO") in ("", delivery.whlo) and call.integer("DLIX") in (0, delivery.dlix)
        if asked and delivery.plsx and low <= delivery.pist <= high:
            order = world.order(delivery.orno)
            yield {
                **_pick_header(delivery), "WHLO": delivery.whlo, "PISS": delivery.pist, "PISE": delivery.pist,
                "PIST": delivery.pist, "PGRS": delivery.pgrs, "CUNO": order.cuno, "RORC": CUSTOMER_ORDER,
                "NPLL": str(len(delivery.lines)), "RGDT": day_of(delivery.entered),
            }  # fmt: skip


@mi("MWS420MI", "LstPLViaPckLst")
def list_pick_lines(world: World, call: Call) -> list[Row]:
    """Lines of one picking list: ALQT still to be picked, PAQT picked, PLRN their reporting number."""
    delivery = world.delivery(call.integer("RIDI"))
    if delivery.plsx != call.integer("PLSX"):
        raise NotOk("WPL1803", "PLSX")
    return [
        {
            "CONO": str(catalogue.CONO), "WHLO": delivery.whlo, "ITNO": line.itno, "TTYP": "31",
            "RIDN": delivery.orno, "RIDI": str(delivery.dlix), "PLSX": str(delivery.plsx),
            "RIDL": str(line.ponr), "RIDX": "0", "STAT": "40" if line.picked is None else "90",
            "PISE": delivery.pist, "ALQT": quantity_text(line.quantity if line.picked is None else ZERO),
            "TRQT": quantity_text(line.quantity), "PAQT": quantity_text(line.picked or ZERO),
            "PLRN": str(line.reporting_number),
        }
        for line in delivery.lines
    ]  # fmt: skip


@mi("MWS420MI", "Confirm")
def confirm_issue(world: World, call: Call) -> list[Row]:
    """Reports everything still open on a picking list as picked in full. MW42220 where it is not packed."""
    delivery = open_list(world, call.integer("DLIX"), call.integer("PLSX"))
    require_packed(delivery)
    report_all(world, delivery)
    return []

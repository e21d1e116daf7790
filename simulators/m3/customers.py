"""CRS610MI (customers and their addresses) and CRS045MI (countries and areas)."""

from __future__ import annotations

from simulators import catalogue
from simulators.m3.errors import GENERIC, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.records import Customer
from simulators.m3.registry import Call, Row, mi
from simulators.m3.site_tables import AREAS, COUNTRIES, address_error, check_address
from simulators.m3.world import World

USABLE = "20"
WITH_ERRORS = "12"


def usable_customer(world: World, cuno: str) -> Customer:
    """The customer if orders may be entered for it. NotOk WCU0203 (none) or XIM0002 (status other than
    20)."""
    customer = world.customers.get(cuno)
    if customer is None:
        raise NotOk("WCU0203", "CUNO")
    if customer.fields["STAT"] != USABLE:
        raise NotOk("XIM0002", "CUNO")
    return customer


def _customer(world: World, call: Call) -> Customer:
    customer = world.customers.get(call.text("CUNO"))
    if customer is None:
        raise NotOk(RECORD_MISSING, "CUNO")
    return customer


@mi("CRS610MI", "Add")
def add_customer(world: World, call: Call) -> list[Row]:
    """Creates a customer from a template. OK with ERRM filled means: created, but at status 12, unusable."""
    template = world.customers.get(call.text("CUTM"))
    if template is None:
        raise NotOk("WCU0203", "CUTM")
    cuno = call.text("CUNO") or f"C{world.number('customer'):09d}"
    if cuno in world.customers:
        raise NotOk(RECORD_EXISTS, "CUNO")
    given = {name: value for name, value in call.fields.items() if name not in ("CUTM", "CONO")}
    fields = {
        "CUCD": template.fields["CUCD"], "LNCD": template.fields["LNCD"], "CUTP": "0", "STAT": USABLE,
        **given, "CUNO": cuno, "RGDT": world.clock.day(), "LMDT": world.clock.day(),
    }  # fmt: skip
    wrong = address_error(fields.get("CSCD", ""), fields.get("ECAR", ""))
    if wrong is not None:
        fields["STAT"] = WITH_ERRORS
    world.customers.put(cuno, Customer(fields=fields))
    return [{"CUNO": cuno, "ERRM": wrong[1] if wrong else ""}]


@mi("CRS610MI", "GetBasicData")
def get_customer(world: World, call: Call) -> list[Row]:
    """Basic data of one customer, STAT among them."""
    return [_shown(_customer(world, call))]


def _shown(customer: Customer) -> Row:
    return {"CONO": str(catalogue.CONO), "DIVI": "", "CHNO": "1", **customer.fields}


@mi("CRS610MI", "ChgBasicData")
def change_customer(world: World, call: Call) -> list[Row]:
    """Changes what is given; "?" blanks a field. Status 20 only with a country and area M3 knows."""
    customer = _customer(world, call)
    given = {name: "" if value == "?" else value for name, value in call.fields.items()}
    fields = {**customer.fields, **given, "LMDT": world.clock.day()}
    wrong = address_error(fields.get("CSCD", ""), fields.get("ECAR", ""))
    if wrong is not None and fields["STAT"] == USABLE:
        raise NotOk(GENERIC, *wrong)
    fields.pop("CONO", None)
    customer.fields = fields
    world.customers.put(fields["CUNO"], customer)
    return [{"CUNO": fields["CUNO"]}]


@mi("CRS610MI", "LstByNumber")
def list_customers(world: World, call: Call) -> list[Row]:
    """Customers from the given number on, in the order of their numbers."""
    start = call.text("CUNO")
    return [
        _shown(c)
        for c in sorted(world.customers, key=lambda c: c.fields["CUNO"])
        if c.fields["CUNO"] >= start
    ]


def _address_key(call: Call) -> str:
    return f"{call.integer('ADRT')}/{call.text('ADID')}"


@mi("CRS610MI", "AddAddress")
def add_address(world: World, call: Call) -> list[Row]:
    """Adds an address under a key of the caller's; the same key again is refused."""
    customer = world.customers.get(call.text("CUNO"))
    if customer is None:
        raise NotOk("WCU0203", "CUNO")
    key = _address_key(call)
    if key in customer.addresses:
        raise NotOk(RECORD_EXISTS, "ADID")
    check_address(call.text("CSCD"), call.text("ECAR"))
    customer.addresses[key] = {**call.fields, "ADRT": str(call.integer("ADRT"))}
    world.customers.put(customer.fields["CUNO"], customer)
    return [_shown_address(customer.addresses[key])]


def _shown_address(address: Row) -> Row:
    return {**address, "CONO": str(catalogue.CONO)}


@mi("CRS610MI", "GetAddress")
def get_address(world: World, call: Call) -> list[Row]:
    """One address of a customer."""
    address = _customer(world, call).addresses.get(_address_key(call))
    if address is None:
        raise NotOk(RECORD_MISSING, "ADID")
    return [_shown_address(address)]


@mi("CRS610MI", "LstAddresses")
def list_addresses(world: World, call: Call) -> list[Row]:
    """A customer's addresses, of one type if given."""
    wanted = call.text("ADRT")
    return [
        _shown_address(address)
        for address in _customer(world, call).addresses.values()
        if not wanted or address["ADRT"] == wanted
    ]


@mi("CRS045MI", "LstCountry")
def list_countries(_: World, call: Call) -> list[Row]:
    """The site's countries between FRCD and TOCD."""
    first, last = call.text("FRCD"), call.text("TOCD", "ZZZ")
    return [
        {"CONO": str(catalogue.CONO), "CSCD": code, "TX40": name, "TX15": name[:15], "CUCD": currency}
        for code, (name, currency) in COUNTRIES.items()
        if first <= code <= last
    ]


@mi("CRS045MI", "LstCountryArea")
def list_areas(_: World, call: Call) -> list[Row]:
    """The areas of a country, or of all."""
    wanted = call.text("CSCD")
    return [
        {
            "CONO": str(catalogue.CONO),
            "CSCD": code,
            "TX15": COUNTRIES[code][0][:15],
            "ECAR": area,
            "TE15": area,
        }
        for code, areas in AREAS.items()
        if wanted in ("", code)
        for area in sorted(areas)
    ]

"""What `o2c doctor` asks M3 before the first order: authority, programs, fields, set-up. Reads only."""

from collections.abc import Mapping
from typing import Final

from activities.checks import Check
from activities.errors import RetryLater
from activities.m3.client import Call, M3Client
from activities.m3.errors import MIError
from activities.m3.fields import CLOUD_ONLY, FIELDS, Field
from activities.m3.lookup import OrderLookup
from activities.m3.options import M3Options, SettlementOptions
from activities.m3.programs.customers import customer
from canonical.held import OrderHeld
from canonical.profile import MarketplaceProfile

_INPUT: Final = "I"
_NO_ORDER: Final = "000-0000000-0000000"


async def check_m3(
    client: M3Client, options: M3Options, profiles: Mapping[str, MarketplaceProfile]
) -> list[Check]:
    """Everything this service needs of M3, each as a sentence that says how to put it right."""
    access = await _access(client)
    if not access.ok:
        return [access]
    checks = [access, await _fields(client, options), await _cuor(client, options, profiles)]
    checks += await _order_types(client, profiles)
    checks += await _customers(client, profiles)
    checks += await _warehouses(client, profiles)
    return checks


async def _access(client: M3Client) -> Check:
    name = "M3 access"
    try:
        await client.execute("MRS001MI", "LstFields", _lst_fields("MMS200MI", "Get"), maxrecs=1)
    except MIError as error:
        advice = "give the service account authority for the M3 API and for this company (MNS150, MNS410)"
        return Check(name, ok=False, sentence=f"{error.sentence}; {advice}.")
    except RetryLater as error:
        return Check(name, ok=False, sentence=f"{error.sentence} Check the address and whether M3 runs.")
    return Check(name, ok=True, sentence="The service account is let in and M3 answers.")


def _lst_fields(program: str, transaction: str) -> dict[str, str]:
    return {"MINM": program, "TRNM": transaction, "TRTP": _INPUT}


async def _fields(client: M3Client, options: M3Options) -> Check:
    """Every transaction used exists here and takes the fields as this service sends them."""
    name = "MI programs"
    used = [call for call in FIELDS if _is_used(call, options)]
    calls: list[Call] = [("LstFields", _lst_fields(*call.split("."))) for call in used]
    try:
        answers = await client.execute_bulk("MRS001MI", calls, maxrecs=1000)
    except (MIError, RetryLater) as error:
        return Check(name, ok=False, sentence=f"M3's own metadata cannot be read: {error}.")
    complaints = []
    for call, answer in zip(used, answers, strict=True):
        if answer.error is not None and not answer.error.is_missing:
            complaints.append(f"{call} cannot be looked up ({answer.error.code})")
            continue
        known = {row.get("FLNM", "").strip(): row for row in answer.records}
        complaints += _differences(call, FIELDS[call], known)
    if complaints:
        told = "; ".join(complaints[:10])
        more = f"; and {len(complaints) - 10} more" if len(complaints) > 10 else ""
        return Check(name, ok=False, sentence=f"M3's MI programs differ from what is sent: {told}{more}.")
    return Check(name, ok=True, sentence=f"All {len(used)} transactions take the fields this service sends.")


def _is_used(call: str, options: M3Options) -> bool:
    if call in _OF_SETTLEMENTS:
        return options.settlements is not None and _posts_by(call, options, options.settlements)
    if call in CLOUD_ONLY:
        return options.trigger_invoice and not options.on_premises
    if call.startswith("EXPORTMI"):
        return options.cuor_lookup == "export"
    return True


_OF_SETTLEMENTS: Final = frozenset(
    call
    for call in FIELDS
    if call.startswith(("GLS840MI", "ARS040MI", "ARS200MI"))
    or call in ("OIS350MI.LstAllInvByCO", "GLS200MI.LstVouchersByDt")
)


def _posts_by(call: str, options: M3Options, settlements: SettlementOptions) -> bool:
    """Whether settlements are posted by this transaction: a line has fixed positions or fields."""
    if call in CLOUD_ONLY and options.on_premises:
        return False
    by_position = bool(settlements.interface.positions)
    return not call.startswith("GLS840MI.AddBatchLine") or (call == "GLS840MI.AddBatchLine") is by_position


def _differences(call: str, ours: Mapping[str, Field], theirs: Mapping[str, dict[str, str]]) -> list[str]:
    if not theirs:
        return [f"{call} does not exist"]
    found = []
    for field in ours.values():
        row = theirs.get(field.name)
        if row is None:
            found.append(f"{call} has no field {field.name}")
        elif row.get("LENG", "").isdecimal() and int(row["LENG"]) < field.length:
            found.append(f"{call} field {field.name} has {row['LENG']} characters, not {field.length}")
    for name, row in theirs.items():
        mandatory = row.get("MAND", "").strip() == "1"
        if mandatory and (name not in ours or not ours[name].mandatory):
            found.append(f"{call} wants field {name}")
    return found


async def _cuor(client: M3Client, options: M3Options, profiles: Mapping[str, MarketplaceProfile]) -> Check:
    """The look-up by Amazon's order id works; without it nothing may be written."""
    name = f"look-up by CUOR ({options.cuor_lookup})"
    customers = [number for profile in profiles.values() for number in profile.customer.numbers]
    try:
        await OrderLookup(client, options, customers).find(_NO_ORDER)
    except MIError as error:
        advice = {
            "lists": f"set up the lists {options.cuor_lists.batch_orders} and {options.cuor_lists.orders} in CMS010 "
            "with the input field OACUOR, or configure another cuor_lookup",
            "export": "allow EXPORTMI for the service account, or configure another cuor_lookup",
            "by_customer": "give the service account authority for OIS100MI",
        }[options.cuor_lookup]
        return Check(name, ok=False, sentence=f"{error.sentence}; {advice}.")
    except (OrderHeld, RetryLater) as error:
        return Check(name, ok=False, sentence=str(error))
    return Check(name, ok=True, sentence="An order can be found by Amazon's order id.")


async def _order_types(client: M3Client, profiles: Mapping[str, MarketplaceProfile]) -> list[Check]:
    wanted = {
        ortp
        for profile in profiles.values()
        for ortp in (profile.order_type_fba, profile.order_type_mfn, profile.order_type_replacement)
        if ortp
    }
    try:
        rows = await client.execute("OIS010MI", "LstOrderTypes", {}, maxrecs=1000)
    except (MIError, RetryLater) as error:
        return [Check("order types", ok=False, sentence=f"The order types cannot be read: {error}.")]
    missing = sorted(wanted - {row.get("ORTP", "") for row in rows})
    if missing:
        sentence = (
            f"M3 has no order type {', '.join(missing)}: enter it in OIS010 or correct the configuration."
        )
        return [Check("order types", ok=False, sentence=sentence)]
    return [Check("order types", ok=True, sentence=f"{', '.join(sorted(wanted))} exist.")]


async def _customers(client: M3Client, profiles: Mapping[str, MarketplaceProfile]) -> list[Check]:
    numbers = {
        number
        for profile in profiles.values()
        for number in (*profile.customer.numbers, profile.customer.template)
        if number
    }
    wrong = []
    for number in sorted(numbers):
        try:
            found = await customer(client, number)
        except (MIError, RetryLater) as error:
            return [Check("customers", ok=False, sentence=f"Customer {number} cannot be read: {error}.")]
        if found is None:
            wrong.append(f"{number} does not exist")
        elif found.status != "20":
            wrong.append(f"{number} has status {found.status}")
    if wrong:
        sentence = (
            f"Customers that cannot take orders: {'; '.join(wrong)}. Repair them in CRS610 (status 20)."
        )
        return [Check("customers", ok=False, sentence=sentence)]
    return [Check("customers", ok=True, sentence=f"{', '.join(sorted(numbers))} are at status 20.")]


async def _warehouses(client: M3Client, profiles: Mapping[str, MarketplaceProfile]) -> list[Check]:
    wanted = {
        (whlo, profile.facility)
        for profile in profiles.values()
        for whlo in (profile.warehouse_fba, profile.warehouse_mfn)
    }
    pairs = sorted(wanted)
    calls: list[Call] = [("GetWarehouse", {"WHLO": whlo}) for whlo, _ in pairs]
    try:
        answers = [answer.row() for answer in await client.execute_bulk("MMS005MI", calls)]
    except (MIError, RetryLater) as error:
        return [Check("warehouses", ok=False, sentence=f"The warehouses cannot be read: {error}.")]
    wrong = [f"{whlo} does not exist" for (whlo, _), row in zip(pairs, answers, strict=True) if row is None]
    wrong += [
        f"{whlo} belongs to facility {row['FACI']}, not {faci}"
        for (whlo, faci), row in zip(pairs, answers, strict=True)
        if row and row.get("FACI") not in ("", None, faci)
    ]
    if wrong:
        sentence = f"Warehouses: {'; '.join(wrong)}. Correct the configuration or MMS005."
        return [Check("warehouses", ok=False, sentence=sentence)]
    return [Check("warehouses", ok=True, sentence=f"{', '.join(sorted({w for w, _ in pairs}))} exist.")]

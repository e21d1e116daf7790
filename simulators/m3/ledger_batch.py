"""GLS840MI: vouchers by interface batch. KEY1 is the caller's and unique; no voucher number comes back, and no
transaction tells what has become of a batch.

Inferred: what the check (option 6) finds, its texts, that M3 checks once more when it updates, and that rows of one
voucher share one accounting date. A line of fixed positions is stored as it comes; only the check reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from simulators import catalogue
from simulators.m3.chart import check_accounts, check_day, check_decimals, updates_run
from simulators.m3.errors import GENERIC, NOT_AUTHORIZED, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.ledger import INTERFACE_ENTRY, post
from simulators.m3.ledger_records import GlBatch, VoucherLine
from simulators.m3.money import rate_of, rounded
from simulators.m3.records import ZERO
from simulators.m3.registry import Call, Row, job, mi
from simulators.m3.site_tables import RATES_TO_LOCAL
from simulators.m3.world import World

ENTERED, CHECKED, UPDATING, STOPPED, UPDATED = "10", "20", "80", "85", "90"
TRANSACTION_ROW = "I1"

PARM_LAYOUT: dict[str, tuple[int, int]] = {
    "INRI": (1, 2), "ACDT": (3, 8), "GRNR": (11, 10), "AIT1": (21, 10), "AIT2": (31, 10), "AIT3": (41, 10),
    "AIT4": (51, 10), "AIT5": (61, 10), "AIT6": (71, 10), "AIT7": (81, 10), "CUCD": (91, 3), "CUAM": (94, 17),
    "VTXT": (111, 40),
}  # fmt: skip
"""Interface AMZGL1 as this site has set it up in GLS850, usage type 1: field -> first position and length in
PARM. CUAM is signed (credit negative) and has a decimal comma."""


def _key(call: Call) -> str:
    if call.text("DIVI", catalogue.DIVI) != catalogue.DIVI:
        raise NotOk(NOT_AUTHORIZED, "DIVI")
    return call.text("KEY1")


def _batch(world: World, call: Call) -> GlBatch:
    batch = world.gl_batches.get(_key(call))
    if batch is None:
        raise NotOk(RECORD_MISSING, "KEY1")
    return batch


def _changeable(world: World, call: Call, usage: int) -> GlBatch:
    batch = _batch(world, call)
    if batch.stat in (UPDATING, UPDATED):
        raise NotOk(GENERIC, "KEY1", f"Batch {batch.key1} has status {batch.stat}, already updated")
    if catalogue.GL_INTERFACES[batch.intn] != usage:
        raise NotOk(GENERIC, "KEY1", f"Interface {batch.intn} has another usage type")
    return batch


@mi("GLS840MI", "AddBatchHead")
def add_head(world: World, call: Call) -> list[Row]:
    """Opens a batch under the caller's key; the same key again is refused, for ever."""
    key = _key(call)
    if key in world.gl_batches:
        raise NotOk(RECORD_EXISTS, "KEY1")
    if call.text("INTN") not in catalogue.GL_INTERFACES:
        raise NotOk(GENERIC, "INTN", f"Interface {call.text('INTN')} does not exist")
    batch = GlBatch(key1=key, intn=call.text("INTN"), desc=call.text("DESC"), divi=catalogue.DIVI)
    world.gl_batches.put(key, batch)
    return [{"CONO": str(catalogue.CONO)}]


def _add(world: World, batch: GlBatch, number: int, fields: Row) -> None:
    if str(number) in batch.lines:
        raise NotOk(RECORD_EXISTS, "LINE")
    batch.lines[str(number)] = fields
    batch.stat = ENTERED
    world.gl_batches.put(batch.key1, batch)


@mi("GLS840MI", "AddBatchLine")
def add_line(world: World, call: Call) -> list[Row]:
    """Adds a line as one string of fixed positions (see PARM_LAYOUT); interface of usage type 1."""
    batch = _changeable(world, call, 1)
    parm = call.text("PARM")
    fields = {name: parm[first - 1 : first - 1 + size].strip() for name, (first, size) in PARM_LAYOUT.items()}
    # a decimal point does not fit this interface: the check will say so
    fields["CUAM"] = fields["CUAM"].replace(".", "?").replace(",", ".")
    _add(world, batch, call.integer("LINE"), fields)
    return [{"CONO": str(catalogue.CONO)}]


@mi("GLS840MI", "AddBatchLineFld")
def add_line_by_fields(world: World, call: Call) -> list[Row]:
    """Adds a line by named fields; interface of usage type 2. DBCR C makes an amount a credit."""
    batch = _changeable(world, call, 2)
    fields = dict(call.fields)
    amount = call.number("CUAM") or ZERO
    if call.text("DBCR"):
        amount = -abs(amount) if call.text("DBCR") == "C" else abs(amount)
    fields["CUAM"] = f"{amount:f}"
    _add(world, batch, call.integer("LINE"), fields)
    return []


def _voucher_lines(world: World, batch: GlBatch) -> dict[str, list[VoucherLine]]:
    """The rows of each voucher of the batch, by GRNR. NotOk for a row M3 would not post."""
    vouchers: dict[str, list[VoucherLine]] = {}
    for number, fields in sorted(batch.lines.items(), key=lambda entry: int(entry[0])):
        row = _row(world, f"Line {number}", Call("GLS840MI", "CtrlBatch", fields))
        vouchers.setdefault(fields.get("GRNR", ""), []).append(row)
    return vouchers


def _row(world: World, where: str, line: Call) -> VoucherLine:
    amount = line.number("CUAM") or ZERO
    cucd = line.text("CUCD", catalogue.LOCAL_CURRENCY)
    acdt = line.text("ACDT")
    if line.text("INRI") != TRANSACTION_ROW or not line.text("AIT1") or not _is_day(acdt):
        raise NotOk(GENERIC, "LINE", f"{where}: information type, account or accounting date is missing")
    if cucd not in RATES_TO_LOCAL:
        raise NotOk(GENERIC, "CUCD", f"{where}: currency {cucd} does not exist")
    if not amount:
        raise NotOk(GENERIC, "CUAM", f"{where}: amount must be entered")
    ait = [line.text(f"AIT{position}") for position in range(1, 8)]
    check_accounts(world, ait, where, by_interface=True)
    check_day(world, acdt, where)
    check_decimals(amount, cucd, "CUAM", where)
    local = line.number("ACAM")
    if local is None:
        local = rounded(amount * (line.number("ARAT") or rate_of(cucd)))
    return VoucherLine(
        ait=ait,
        amount=amount,
        local=local.copy_sign(amount),
        cucd=cucd,
        text=line.text("VTXT"),
        acdt=acdt,
    )


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a day, not a moment
    except ValueError:
        return False
    return len(text) == 8


def _check(world: World, batch: GlBatch) -> dict[str, list[VoucherLine]]:
    """The vouchers of the batch. NotOk for one M3 would not post."""
    vouchers = _voucher_lines(world, batch)
    if not vouchers:
        raise NotOk(GENERIC, "KEY1", f"Batch {batch.key1} has no lines")
    for group, lines in vouchers.items():
        if len({line.acdt for line in lines}) > 1:
            raise NotOk(GENERIC, "ACDT", f"Voucher {group} has more than one accounting date")
        one_currency = len({line.cucd for line in lines}) == 1
        amounts = (line.amount if one_currency else line.local for line in lines)
        difference: Decimal = sum(amounts, ZERO)
        if difference:
            raise NotOk(GENERIC, "GRNR", f"Voucher {group} does not balance, difference {difference}")
    return vouchers


@mi("GLS840MI", "CtrlBatch")
def check(world: World, call: Call) -> list[Row]:
    """Checks the batch: accounts, dimensions, dates, currencies, and that every voucher in it balances."""
    batch = _batch(world, call)
    if batch.stat in (UPDATING, UPDATED):
        raise NotOk(GENERIC, "KEY1", f"Batch {batch.key1} has status {batch.stat}, already updated")
    _check(world, batch)
    batch.stat, batch.error = CHECKED, ""
    world.gl_batches.put(batch.key1, batch)
    return [{"CONO": str(catalogue.CONO)}]


@mi("GLS840MI", "UpdBatch")
def update(world: World, call: Call) -> list[Row]:
    """Has a checked batch posted; the vouchers appear in a moment."""
    batch = _batch(world, call)
    if batch.stat != CHECKED:
        raise NotOk(GENERIC, "KEY1", f"Batch {batch.key1} has status {batch.stat}, it must be checked first")
    batch.stat = UPDATING
    world.gl_batches.put(batch.key1, batch)
    if updates_run(world):
        world.agenda.later("gl_update", 0.3, 0.3, key1=batch.key1)
    return [{"CONO": str(catalogue.CONO)}]


@job("gl_update")
def update_due(world: World, args: Mapping[str, str]) -> None:
    """Post the vouchers of a batch. What is no longer right stops it, and nobody outside is told."""
    batch = world.gl_batches.get(args["key1"])
    if batch is None or batch.stat != UPDATING:
        return
    try:
        vouchers = _check(world, batch)
    except NotOk as refusal:
        batch.stat, batch.error = STOPPED, refusal.text
    else:
        for lines in vouchers.values():
            _balance_locally(lines)
            batch.vouchers.append(post(world, INTERFACE_ENTRY, lines, key1=batch.key1).vono)
        batch.stat = UPDATED
    world.gl_batches.put(batch.key1, batch)


def _balance_locally(lines: list[VoucherLine]) -> None:
    """Put the rounding of the conversion on the largest row, so that the voucher balances in both
    currencies."""
    largest = max(lines, key=lambda line: abs(line.local))
    largest.local -= sum((line.local for line in lines), ZERO)

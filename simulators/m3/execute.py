"""One MI transaction from its parameters to its records, as the MI layer in front of every program does
it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from simulators import catalogue
from simulators.faults import FaultPlan
from simulators.m3.company import available
from simulators.m3.errors import GENERIC, NOT_AUTHORIZED, DoesNotExist, NotOk
from simulators.m3.metadata import Field, Transaction
from simulators.m3.registry import Call, Row, handler, is_listing, is_writing
from simulators.m3.world import World

DEFAULT_MAXRECS = 100
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)")
_BLANK = {"A": "", "N": "0", "D": "0"}


@dataclass(frozen=True)
class Options:
    """What a caller may ask of any transaction. maxrecs 0 is unlimited; columns empty means all."""

    maxrecs: int = DEFAULT_MAXRECS
    exclude_empty: bool = False
    trim: bool = True
    columns: tuple[str, ...] = ()
    cono: str = ""
    divi: str = ""
    extended: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one transaction: its records, or M3's refusal."""

    transaction: str
    parameters: Mapping[str, str]
    records: list[Row] = field(default_factory=list)
    outputs: list[Field] = field(default_factory=list)
    error: NotOk | None = None


def describe(world: World, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a call, and the CUOR of the order it concerns, for a fault to be aimed at one order."""
    described = dict(fields)
    if "CUOR" in fields:
        return described
    if "OACUOR" in fields:  # a list of the site by CUOR
        return {**described, "CUOR": fields["OACUOR"]}
    kept = world.returns.get(fields.get("REPN", ""))
    number = fields.get("ORNO") or fields.get("RIDN") or fields.get("RORN") or (kept.orno if kept else "")
    dlix = fields.get("DLIX") or fields.get("RIDI") or ""
    delivery = world.deliveries.get(dlix)
    order = world.orders.get(delivery.orno if delivery else number)
    batch = world.batches.get(number)
    if order or batch:
        described["CUOR"] = order.cuor if order else batch.cuor if batch else ""
    return described


def execute(
    world: World,
    plan: FaultPlan,
    operation: tuple[str, str],
    given: Mapping[str, str],
    options: Options,
) -> Outcome:
    """Carry out one transaction (program, name). A refusal by M3 is an outcome too."""
    program, transaction = operation
    try:
        facts = _facts(world, program, transaction)
        _check_access(given, options)
        fields = _checked(facts, given)
        _locked(world, plan, program, transaction, given)
        rows = handler(program, transaction)(world, Call(program, transaction, fields))
        outputs = _columns(facts, options.columns)
        if is_listing(transaction) and options.maxrecs:
            rows = itertools.islice(rows, options.maxrecs)
        records = [_record(row, outputs, options) for row in rows] if facts.outputs else []
    except NotOk as refusal:
        return Outcome(transaction, given, error=refusal)
    return Outcome(transaction, given, records, outputs)


def _facts(world: World, program: str, transaction: str) -> Transaction:
    transactions = available(world).get(program)
    if transactions is None:
        raise DoesNotExist(program)
    facts = transactions.get(transaction)
    if facts is None:
        raise DoesNotExist(program, transaction)
    return facts


def _check_access(given: Mapping[str, str], options: Options) -> None:
    for company in (given.get("CONO", "").strip(), options.cono):
        if company and company.lstrip("0") != str(catalogue.CONO):
            raise NotOk(NOT_AUTHORIZED, "CONO")
    if options.divi and options.divi != catalogue.DIVI:
        raise NotOk(NOT_AUTHORIZED, "DIVI")


def _locked(world: World, plan: FaultPlan, program: str, transaction: str, given: Mapping[str, str]) -> None:
    operation = f"{program}.{transaction}"
    fields = describe(world, given)
    aimed = any(
        f.order.action.startswith("nok:") and f.strikes(operation, fields) for f in plan.aimed.values()
    )
    if aimed or is_writing(transaction):
        code = plan.record_error(operation, fields)
        if code is not None:
            raise NotOk(code)


def _checked(facts: Transaction, given: Mapping[str, str]) -> dict[str, str]:
    """The fields that were given, checked against the metadata. Nothing is cut, nothing is guessed."""
    fields = {}
    for name, raw in given.items():
        declared = facts.inputs.get(name)
        if declared is None:
            text = f"Field {name} does not exist in {facts.program} {facts.name}"
            raise NotOk(GENERIC, name, text)
        value = raw.rstrip()
        if value.strip():
            _check_value(declared, value.strip() if declared.type != "A" else value)
            fields[name] = value.strip() if declared.type != "A" else value
    for declared in facts.inputs.values():
        if declared.mandatory and declared.name not in fields:
            raise NotOk(GENERIC, declared.name, f"Field {declared.name} must be entered")
    return fields


def _check_value(declared: Field, value: str) -> None:
    if len(value) > declared.length:
        text = (
            f"Value of field {declared.name} is too long, {len(value)} positions, maximum {declared.length}"
        )
        raise NotOk(GENERIC, declared.name, text)
    if declared.type == "N" and not _NUMBER.fullmatch(value):
        raise NotOk(GENERIC, declared.name, f"Value {value} of field {declared.name} is not numeric")
    if declared.type == "D" and value != "0":
        try:
            datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            raise NotOk(GENERIC, declared.name, f"Date {value} in field {declared.name} is invalid") from None


def _columns(facts: Transaction, wanted: Iterable[str]) -> list[Field]:
    names = list(wanted)
    for name in names:
        if name not in facts.outputs:
            raise NotOk(GENERIC, name, f"Field {name} is not an output field of {facts.program} {facts.name}")
    return [facts.outputs[name] for name in names] if names else list(facts.outputs.values())


def _record(row: Row, outputs: list[Field], options: Options) -> Row:
    record = {}
    for declared in outputs:
        value = row.get(declared.name) or _BLANK[declared.type]
        if declared.type == "A":
            value = value[: declared.length]
        if options.exclude_empty and value in ("", "0"):
            continue
        record[declared.name] = value if options.trim else value.ljust(declared.length)
    return record

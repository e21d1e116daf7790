"""Settlements whose worker is killed while M3 keeps it waiting, and what M3 has of each of them in the end.

A settlement here pays three orders in two payment batches and crosses the end of a month: four vouchers. Only one goes
on at a time, so that calls are counted without knowing what they are about; each stops where it is to die.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from temporalio.client import WorkflowHandle

from canonical.settlement_contracts import SettlementResult
from canonical.settlement_ids import (
    settlement_payment_batch,
    settlement_voucher_mark,
    settlement_workflow_id,
)
from starters.settlements import hand_in
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.settlements import Line, Made, other
from tests.support.settling import fee, sold
from tests.support.world import World, eventually
from tests.support.write_run import faults_of

SELLER: Final = "A2EUSELLER0001"
CLEARING, CARRIED = "1815", "1817"
BATCH_LINES: Final = 2
EDITS: Final = (('interface = "AMZGL2"\n', f'interface = "AMZGL2"\nbatch_lines = {BATCH_LINES}\n'),)
LINES: Final = {"ARS040MI.AddBatchLine": "TRNO", "GLS840MI.AddBatchLineFld": "LINE"}
"""What sends several lines at once, and the field that numbers them."""
HANG_SECONDS: Final = 300
"""So long the service waits for M3: what hangs together must be killed within it."""
_FIRST_END: Final = date(2026, 8, 1)
_DAYS: Final = 28
_PATIENCE: Final = 600.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Position:
    """A call of a settlement, counted from 0, and whether M3 has done its work when the worker dies."""

    call: int
    when: str
    """before, after, or half way: M3 has the first of several lines."""


@dataclass
class Trial:
    """One settlement and where its worker dies; None where nothing befalls it."""

    number: int
    position: Position | None = None
    pays: bool = True
    """Whether it has orders; otherwise fees and a reimbursement alone."""
    orders: list[tuple[str, Decimal]] = field(default_factory=list)
    """Amazon's order id, and the gross amount of M3's invoice."""
    troubles: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return f"257{19_000_000 + self.number}"

    @property
    def name(self) -> str:
        return f"settlement {self.subject}"

    @property
    def end(self) -> date:
        """A day of its own, so that the ledger of a day has little in it."""
        month, day = divmod(self.number, _DAYS)
        return _FIRST_END.replace(month=_FIRST_END.month + month, day=day + 1)

    @property
    def batches(self) -> tuple[str, ...]:
        """PBID of the payment batches it must make."""
        number = -(-len(self.orders) // BATCH_LINES)
        return tuple(settlement_payment_batch(self.subject, place) for place in range(1, number + 1))

    @property
    def made(self) -> Made:
        """Its report. Fees in both months; the first month's voucher has three rows."""
        last = datetime(self.end.year, self.end.month, self.end.day, 12, 0, tzinfo=UTC)
        first = last.replace(day=1) - timedelta(days=3)
        lines: list[tuple[Line, datetime]] = [
            (other("Subscription Fee", "-39.00"), first),
            (other("Inbound Transportation Fee", "-7.25"), first),
            (other("Storage Fee", "-2.60"), last),
        ]
        if not self.pays:
            lost = Line(
                "other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_LOST", Decimal("100.00")
            )
            lines.append((lost, last))
        for order_id, gross in self.orders:
            lines += [(sold(order_id, gross), last), (fee(order_id, "-3.10"), last)]
        return Made(
            tuple(replace(line, posted=posted) for line, posted in lines),
            settlement_id=self.subject,
            start=first - timedelta(days=1),
            end=last,
        )

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.made.lines), Decimal(0))

    @property
    def told(self) -> str:
        return ", ".join(self.troubles) or "booked once"

    def waits(self, ledger: Json) -> bool:
        """Whether M3 has a batch of it that is checked and not updated."""
        payments = any(
            str(b["pbid"]) in self.batches and b["stat"] == "20" for b in ledger["payment_batches"]
        )
        entries = any(b["key1"].startswith(self.subject) and b["stat"] == "80" for b in ledger["gl_batches"])
        return payments or entries

    def handle(self, world: World) -> WorkflowHandle[object, SettlementResult]:
        return world.client.get_workflow_handle(
            settlement_workflow_id(SELLER, self.subject), result_type=SettlementResult
        )


async def sell(world: World, trials: Sequence[Trial]) -> None:
    """Three orders for each of the settlements, shipped and invoiced, not paid."""

    async def sale(trial: Trial, sku: str, quantity: int) -> None:
        order_id = await world.place(order((sku, quantity), status="SHIPPED"))
        handle = await world.start(order_id)
        result = await asyncio.wait_for(handle.result(), _PATIENCE)
        assert result.outcome == "booked", result.sentence
        [invoice] = (await world.in_m3(order_id))["invoices"]
        trial.orders.append((order_id, Decimal(str(invoice["gross"]))))

    paying = [trial for trial in trials if trial.pays]
    baskets = ((ORDINARY, 1), (ANOTHER, 2), (ORDINARY, 3))
    await asyncio.gather(*(sale(trial, *basket) for basket in baskets for trial in paying))


async def begin(world: World, trial: Trial, folder: Path) -> None:
    """Hand the report in."""
    file = folder / f"{trial.subject}.txt"
    file.write_text(trial.made.text(), encoding="utf-8")
    taken = await hand_in(world.client, world.settings, SELLER, file)
    assert taken.started, taken


async def calls_of(world: World, trial: Trial, folder: Path) -> list[str]:
    """The calls that M3 gets of a settlement that nothing befalls, in their order."""
    before = await _last(world)
    await begin(world, trial, folder)
    result = await asyncio.wait_for(trial.handle(world).result(), _PATIENCE)
    assert result.outcome == "booked", result
    return await _since(world, before)


async def hang(world: World, trial: Trial, calls: Sequence[str], folder: Path) -> None:
    """Let the settlement go on until M3 keeps it waiting where it is to die. No other may make calls meanwhile."""
    position = trial.position
    assert position is not None
    fault = {"id": trial.name, "action": "hang", **_aim(position, calls)}
    (await world.m3.post("/_control/faults", json=fault)).raise_for_status()
    before = await _last(world)
    await begin(world, trial, folder)
    await eventually(
        lambda: faults_of(world), lambda now: bool(now[trial.name]["waiting"]), HANG_SECONDS, 0.1
    )
    made = await _since(world, before)
    assert made == calls[: position.call], f"{trial.name} {position}: {made}"


def _aim(position: Position, calls: Sequence[str]) -> Json:
    """The fault's place in the order of calls."""
    if position.when != "half way":
        return {"skip": position.call, "when": position.when}
    operation = calls[position.call]
    before = calls[: position.call].count(operation)
    return {"operation": operation, "match": {LINES[operation]: "2"}, "skip": before, "when": "before"}


async def all_let_go(world: World, trials: Sequence[Trial]) -> None:
    """Every one of them hung when the worker died, and M3 has noticed that nobody listens any more."""
    names = {trial.name for trial in trials}
    await eventually(
        lambda: faults_of(world),
        lambda now: not any(fault["waiting"] for name, fault in now.items() if name in names),
    )


async def completed(world: World, trials: Sequence[Trial]) -> None:
    """All of them are booked by another worker."""
    for trial in trials:
        try:
            result = await asyncio.wait_for(trial.handle(world).result(), _PATIENCE)
        except TimeoutError:
            trial.troubles.append("does not end")
            continue
        verified = result.verified
        if result.outcome != "booked" or verified is None or verified.troubles:
            trial.troubles.append(f"{result.outcome}: {result.sentence} {verified}")
        elif verified.clearing != trial.total:
            trial.troubles.append(f"says that clearing has {verified.clearing}")


async def ledger_of(world: World) -> Json:
    """What stands in M3's ledgers, read from M3 and not from the service."""
    found: Json = (await world.m3.get("/_control/ledger")).json()
    return found


def judge(trial: Trial, ledger: Json) -> None:
    """Exactly its payments and vouchers are in M3, each once, and what they leave on clearing is the deposit."""
    mine = dict.fromkeys(trial.batches, "90")
    prefix = int(trial.subject[-8:])
    batches = {str(b["pbid"]): b["stat"] for b in ledger["payment_batches"] if b["pbid"] // 100 == prefix}
    _expect(trial, "payment batches", batches, mine)
    keys = [b["key1"] for b in ledger["gl_batches"] if b["key1"].startswith(trial.subject)]
    marks = [settlement_voucher_mark(trial.subject, number) for number in (1, 2)]
    _expect(trial, "interface batches", sorted(key[: len(marks[0])] for key in keys), marks)
    done = [(b["stat"], len(b["vouchers"])) for b in ledger["gl_batches"] if b["key1"] in keys]
    _expect(trial, "interface batches are updated", done, [("90", 1)] * 2)
    money = [v for v in ledger["vouchers"] if _is_of(v, trial)]
    entries = [v for v in ledger["vouchers"] if v["key1"] in keys]
    _expect(trial, "payment vouchers", len(money), len(trial.batches))
    paid = [Decimal(row["amount"]) for v in money for row in v["lines"] if row["ait"][0] == CLEARING]
    _expect(trial, "payments", sorted(paid), sorted(gross for _, gross in trial.orders))
    _expect(trial, "ledger vouchers", sorted(v["key1"] for v in entries), sorted(keys))
    vouchers = [*money, *entries]
    _expect(trial, "clearing", sum((_on(v, CLEARING) for v in vouchers), Decimal(0)), trial.total)
    _expect(trial, "carried forward", sum((_on(v, CARRIED) for v in vouchers), Decimal(0)), Decimal(0))
    unpaid = {item["cuor"] for item in ledger["open_items"]} & {order_id for order_id, _ in trial.orders}
    _expect(trial, "open receivables", unpaid, set())


def judge_all(trials: Sequence[Trial], ledger: Json) -> None:
    """Nothing is in the ledgers beyond what these settlements must leave there."""
    keys = [batch["key1"] for batch in ledger["gl_batches"]]
    assert len(set(keys)) == len(keys) == 2 * len(trials)
    paid = sum(len(trial.batches) for trial in trials)
    by_entry = [voucher["feid"] for voucher in ledger["vouchers"]]
    assert (by_entry.count("AR40"), by_entry.count("GL10")) == (paid, 2 * len(trials))
    balance = sum(
        (Decimal(row["balance"]) for row in ledger["accounts"] if row["account"] == CLEARING), Decimal(0)
    )
    assert balance == sum((trial.total for trial in trials), Decimal(0))


def table(trials: Sequence[Trial], calls: Sequence[str]) -> list[str]:
    """One line for each call: what became of the settlements whose worker died before it and after it."""
    cells = {trial.position: trial.told for trial in trials}
    whens = ("before", "half way", "after")
    lines = [
        f"| call | M3 transaction | {' | '.join(f'killed {when}' for when in whens)} |",
        "|--:|--|--|--|--|",
    ]
    for number, operation in enumerate(calls):
        told = [cells.get(Position(number, when), "") for when in whens]
        lines.append(f"| {number + 1} | {operation} | {' | '.join(told)} |")
    return lines


def _is_of(voucher: Json, trial: Trial) -> bool:
    """A payment's voucher has its batch in every row's text."""
    texts = tuple(f"Payment {pbid} " for pbid in trial.batches)
    return voucher["feid"] == "AR40" and any(row["text"].startswith(texts) for row in voucher["lines"])


def _on(voucher: Json, account: str) -> Decimal:
    return sum((Decimal(row["amount"]) for row in voucher["lines"] if row["ait"][0] == account), Decimal(0))


def _expect(trial: Trial, what: str, found: object, expected: object) -> None:
    if found != expected:
        trial.troubles.append(f"{what}: {found}, expected {expected}")


async def _last(world: World) -> str:
    log = (await world.m3.get("/_control/log", params={"limit": 1})).json()
    return str(log[-1]["request_id"]) if log else ""


async def _since(world: World, request_id: str) -> list[str]:
    """What M3 was asked since then; tokens apart."""
    log = (await world.m3.get("/_control/log", params={"limit": 500})).json()
    at = next((place for place, entry in enumerate(log) if entry["request_id"] == request_id), -1)
    return [entry["operation"] for entry in log[at + 1 :] if entry["operation"] != "token"]

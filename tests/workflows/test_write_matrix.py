"""Every write x {reply lost after the work was done, crash of the worker just before, just after}: in the end
there is one customer, one order, one goods report, one delivery, one invoice, one voucher.
"""

import ast
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console
from rich.table import Table

import activities
import simulators.m3.programs  # noqa: F401 - registers M3's transactions
from activities.amazon.operations import ORDER_OPERATIONS
from activities.m3.client import M3Client
from simulators.m3.registry import is_writing, registered
from starters.actions import count_actions
from tests.support.matrix import Seen, complaints, look
from tests.support.world import World
from tests.support.write_run import faults_of, noting, run, stage
from tests.support.writes import ALIAS, CASES, RELEASED, WRITES, Case, Trial, Write
from tests.support.writes_settlement import SETTLEMENT_WRITES
from worker.outside import outside

OUTPUT = Path(__file__).resolve().parents[2] / "test-output" / "write-matrix.md"


@dataclass
class Matrix:
    """The run, when it is over; both simulators still answer."""

    world: World
    m3: M3Client
    trials: dict[tuple[str, str], Trial]
    seen: dict[tuple[str, str], Seen]
    faults: dict[str, dict[str, object]]

    def wrong(self, write: Write, case: Case) -> list[str]:
        """What is wrong with one cell of the table."""
        key = (write.name, case.name)
        trial = self.trials[key]
        fired = self.faults[trial.id]["fired"]
        never = [] if fired == 1 else [f"the fault fired {fired} times, so {write.operation} was not tried"]
        left = complaints(self.seen[key], cancelled=write.cancelled, may_split=write.may_split)
        return [*trial.troubles, *never, *left]


@pytest_asyncio.fixture(scope="module")
async def matrix(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    """Servers of its own: the others' orders must meet none of these faults, and no other worker helps."""
    folder = tmp_path_factory.mktemp("matrix")
    async with AsyncExitStack() as stack:
        world = await stage(stack, folder)
        m3 = (await stack.enter_async_context(outside(world.settings))).m3
        trials = [Trial(write, case) for write in WRITES for case in CASES]
        await run(world, m3, trials, folder)
        yield await _result(world, m3, trials)


async def _result(world: World, m3: M3Client, trials: list[Trial]) -> Matrix:
    seen = {}
    for trial in trials:
        buyer = trial.buyer if trial.write.per_buyer else ""
        key = (trial.write.name, trial.case.name)
        seen[key] = await look(world, m3, trial.order_id, trial.write.seller, buyer)
        if trial.write.alias:
            await noting(trial, _one_alias(trial, m3))
    keyed = {(trial.write.name, trial.case.name): trial for trial in trials}
    return Matrix(world, m3, keyed, seen, await faults_of(world))


async def _one_alias(trial: Trial, m3: M3Client) -> None:
    [row] = await m3.execute("MMS025MI", "GetItem", {**ALIAS, "POPN": trial.sku})
    assert row["ITNO"] == RELEASED, f"SKU {trial.sku} is another name of {row['ITNO']}"


# --- what is shown ------------------------------------------------------------------------------

_HEADINGS = (
    "write", "what befell it", "customers", "orders", "temporary left", "goods reports", "deliveries",
    "invoices", "vouchers", "packages at Amazon", "outcome",
)  # fmt: skip


def _row(matrix: Matrix, write: Write, case: Case) -> tuple[str, ...]:
    seen = matrix.seen[write.name, case.name]
    wrong = matrix.wrong(write, case)
    return (
        write.name,
        case.name,
        str(seen.customers),
        str(len(seen.live)),
        str(len(seen.leftover)),
        "M3's own" if seen.reports is None else str(seen.reports),
        str(len(seen.m3["deliveries"])),
        str(len(seen.m3["invoices"])),
        str(len(seen.m3["vouchers"])),
        str(len(seen.packages)) if seen.by_merchant else "Amazon's own",
        seen.outcome if not wrong else f"WRONG: {'; '.join(wrong)}",
    )


def test_the_matrix_is_shown(matrix: Matrix, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [_row(matrix, write, case) for write in WRITES for case in CASES]
    OUTPUT.parent.mkdir(exist_ok=True)
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *rows]
    OUTPUT.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines), encoding="utf-8")
    table = Table(*_HEADINGS, title="Every write, whatever befalls it")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for row in rows:
        table.add_row(*row, end_section=row[1] == CASES[-1].name)
    with capsys.disabled():
        Console(width=200).print(table)
    assert len(rows) == len(WRITES) * len(CASES)


# --- what must be so ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_one_of_everything(matrix: Matrix, write: Write, case: Case) -> None:
    assert matrix.wrong(write, case) == []


def test_every_write_of_the_service_is_in_the_matrix() -> None:
    in_matrix = {write.operation for write in WRITES}
    at_amazon = {operation.name for operation in ORDER_OPERATIONS if operation.method != "GET"}
    assert at_amazon == {operation for operation in in_matrix if "." not in operation}
    known = {name for names in registered().values() for name in names if is_writing(name)}
    written = {name for name in _texts_in(Path(activities.__path__[0]) / "m3") if name in known}
    of_settlements = {operation.partition(".")[2] for operation in SETTLEMENT_WRITES}
    of_orders = {operation.partition(".")[2] for operation in in_matrix if "." in operation}
    assert written == of_orders | of_settlements


@pytest.mark.parametrize("operation", sorted(SETTLEMENT_WRITES))
def test_the_writes_of_settlements_are_proved_where_it_is_said(operation: str) -> None:
    for where in SETTLEMENT_WRITES[operation]:
        file, _, name = where.partition("::")
        assert f"def {name}(" in (OUTPUT.parents[1] / file).read_text(encoding="utf-8")


def _texts_in(folder: Path) -> set[str]:
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in folder.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


# --- that the checks see what they are there for ------------------------------------------------


async def _seen_anew(matrix: Matrix, write: Write) -> tuple[Trial, Seen]:
    trial = matrix.trials[write.name, CASES[0].name]
    buyer = trial.buyer if write.per_buyer else ""
    return trial, await look(matrix.world, matrix.m3, trial.order_id, write.seller, buyer)


def _write(operation: str) -> Write:
    return next(write for write in WRITES if write.operation == operation)


async def test_a_second_order_under_the_same_number_is_seen(matrix: Matrix) -> None:
    write = _write("OIS100MI.AddBatchHead")
    trial, seen = await _seen_anew(matrix, write)
    assert complaints(seen) == []
    head = {"CUNO": "AMZDE", "ORTP": "AZF", "WHLO": "AFE", "CUOR": trial.order_id}
    [row] = await matrix.m3.execute("OIS100MI", "AddBatchHead", head)
    _, seen = await _seen_anew(matrix, write)
    assert complaints(seen) == [f"temporary order {row['ORNO']} is left over"]
    line = {"ORNO": row["ORNO"], "ITNO": RELEASED, "ORQT": "1", "SAPR": "12.90"}
    await matrix.m3.execute("OIS100MI", "AddBatchLine", line)
    await matrix.m3.execute("OIS100MI", "Confirm", {"ORNO": row["ORNO"]})
    (await matrix.world.m3.post("/_control/advance", json={"seconds": 60})).raise_for_status()
    _, seen = await _seen_anew(matrix, write)
    assert complaints(seen) == ["2 live customer orders, 2 in all"]


async def test_a_second_customer_of_the_same_buyer_is_seen(matrix: Matrix) -> None:
    write = _write("CRS610MI.Add")
    trial, seen = await _seen_anew(matrix, write)
    assert complaints(seen) == []
    twin = {"CUTM": "AMZTMPL", "CUNM": trial.buyer, "CUA1": "3 rue de la Paix", "CSCD": "FR"}
    await matrix.m3.execute("CRS610MI", "Add", twin)
    _, seen = await _seen_anew(matrix, write)
    assert complaints(seen) == ["2 customers"]


async def test_a_delivery_that_leaves_twice_is_seen(matrix: Matrix) -> None:
    write = _write("MHS850MI.AddCOPick")
    _, seen = await _seen_anew(matrix, write)
    twice = {name: [*found, *found] if name == "deliveries" else found for name, found in seen.m3.items()}
    told = complaints(dataclasses.replace(seen, m3=twice))
    assert "2 deliveries" in told
    assert "delivered {1: 6} of {1: 3}" in told


def test_a_fault_that_never_struck_is_seen(matrix: Matrix) -> None:
    write, case = WRITES[0], CASES[0]
    trial = matrix.trials[write.name, case.name]
    faults = {**matrix.faults, trial.id: {**matrix.faults[trial.id], "fired": 0}}
    idle = dataclasses.replace(matrix, faults=faults)
    assert idle.wrong(write, case) == [f"the fault fired 0 times, so {write.operation} was not tried"]


async def test_an_attempt_that_was_repeated_is_counted_as_an_action(matrix: Matrix) -> None:
    write = _write("OIS100MI.AddBatchHead")
    counts = {}
    for case in CASES:
        trial = matrix.trials[write.name, case.name]
        history = await matrix.world.handle(trial.order_id, write.seller).fetch_history()
        counts[case.name] = count_actions(history).by_kind
    assert {name: kinds["retries"] for name, kinds in counts.items()} == dict.fromkeys(counts, 1)

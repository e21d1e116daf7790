"""Every write x {reply lost after the work was done, crash of the worker just before, just after}: in the end
there is one customer, one order, one goods report, one delivery, one invoice, one voucher.
"""

import dataclasses
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console
from rich.table import Table

from activities.m3.client import M3Client
from starters.actions import count_actions
from tests.support.matrix import Seen, complaints
from tests.support.matrix_beyond import look_at, wrong_of
from tests.support.trials import CASES, Case, Trial, Write
from tests.support.world import World
from tests.support.write_run import faults_of, noting, run, stage
from tests.support.write_scan import modules_that_send, writes_at_amazon, writes_to_m3
from tests.support.writes import ALIAS, RELEASED, WRITES
from tests.support.writes_settlement import SETTLEMENT_WRITES
from tests.support.writes_stock import EDITS, OPERATION, StockTrial, stock_trials
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
    corrections: list[StockTrial]
    """Of Amazon's stock: they are no order's."""

    def wrong(self, write: Write, case: Case) -> list[str]:
        """What is wrong with one cell of the table."""
        key = (write.name, case.name)
        trial = self.trials[key]
        fired = self.faults[trial.id]["fired"]
        never = [] if fired == 1 else [f"the fault fired {fired} times, so {write.operation} was not tried"]
        return [*trial.troubles, *never, *wrong_of(write, self.seen[key])]


@pytest_asyncio.fixture(scope="module")
async def matrix(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    """Servers of its own: the others' orders must meet none of these faults, and no other worker helps."""
    folder = tmp_path_factory.mktemp("matrix")
    async with AsyncExitStack() as stack:
        world = await stage(stack, folder, edits=EDITS)
        m3 = (await stack.enter_async_context(outside(world.settings))).m3
        trials = [Trial(write, case) for write in WRITES for case in CASES]
        corrections = stock_trials()
        await run(world, m3, trials, folder, corrections)
        yield await _result(world, m3, trials, corrections)


async def _result(world: World, m3: M3Client, trials: list[Trial], corrections: list[StockTrial]) -> Matrix:
    seen = {}
    (await world.m3.post("/_control/advance", json={"seconds": 120})).raise_for_status()  # the last invoices
    for trial in trials:
        seen[trial.write.name, trial.case.name] = await look_at(world, m3, trial)
        if trial.write.alias:
            await noting(trial, _one_alias(trial, m3))
    keyed = {(trial.write.name, trial.case.name): trial for trial in trials}
    return Matrix(world, m3, keyed, seen, await faults_of(world), corrections)


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
        (seen.ended or seen.outcome) if not wrong else f"WRONG: {'; '.join(wrong)}",
    )


def test_the_matrix_is_shown(matrix: Matrix, show: Callable[[str], None]) -> None:
    rows = [_row(matrix, write, case) for write in WRITES for case in CASES]
    OUTPUT.parent.mkdir(exist_ok=True)
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *rows]
    OUTPUT.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines), encoding="utf-8")
    table = Table(*_HEADINGS, title="Every write, whatever befalls it")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for row in rows:
        table.add_row(*row, end_section=row[1] == CASES[-1].name)
    Console(file=(written := io.StringIO()), width=200).print(table)
    show(written.getvalue())
    assert len(rows) == len(WRITES) * len(CASES)


# --- what must be so ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_one_of_everything(matrix: Matrix, write: Write, case: Case) -> None:
    assert matrix.wrong(write, case) == []


@pytest.mark.parametrize("number", range(len(stock_trials())), ids=lambda number: stock_trials()[number].id)
async def test_a_stock_correction_is_booked_once(matrix: Matrix, number: int) -> None:
    trial = matrix.corrections[number]
    assert await trial.wrong(matrix.world, matrix.faults) == []


ELSEWHERE = {
    "createOrder": "tests/activities/test_fulfillment_versions.py::test_a_lost_answer_makes_and_cancels_nothing_twice",
    "cancelOrder": "tests/activities/test_fulfillment_versions.py::test_a_lost_answer_makes_and_cancels_nothing_twice",
    "createReport": "tests/activities/test_reports.py::test_a_report_whose_number_was_lost_is_not_asked_for_twice",
    "createDestination": "tests/activities/test_amazon_notifications.py::"
    "test_a_destination_created_by_somebody_else_meanwhile_is_ours_too",
    "createSubscription": "tests/activities/test_amazon_notifications.py::"
    "test_a_subscription_that_exists_by_now_is_no_error",
    "deleteSubscriptionById": "tests/activities/test_amazon_notifications.py::"
    "test_a_subscription_that_is_gone_by_now_is_no_error",
    "patchListingsItem": "tests/activities/test_amazon_stock.py::"
    "test_a_lost_answer_of_a_patch_is_patched_again_and_nothing_is_doubled",
    "createFeedDocument": "tests/activities/test_amazon_stock.py::"
    "test_a_worker_that_dies_between_any_two_steps_leaves_one_feed",
    "createFeed": "tests/activities/test_amazon_stock.py::"
    "test_a_worker_that_dies_between_any_two_steps_leaves_one_feed",
}
"""Writes that carry no order, or that the version of the API in use here does not know: where they are proved."""
BESIDE = {OPERATION}
"""MI transactions that carry no order and are tried beside them (`test_a_stock_correction_is_booked_once`)."""
NO_WRITE = {"createRestrictedDataToken"}
"""Makes a key to what is there, and as many as are asked for."""
SENDERS = {
    "activities.amazon.transport",
    "activities.m3.transport",
    "activities.m3.ion",
    "activities.amazon.lwa",
    "activities.amazon.feed_documents",
    "activities.m3.auth",
    "starters.simulation",
}
"""Operations of Amazon, MI transactions, messages through ION (which receivers tell by their id), tokens, documents of
feeds (which are nothing until createFeed names them), and the simulators' controls."""


def test_every_write_of_the_service_is_in_the_matrix() -> None:
    in_matrix = {write.operation for write in WRITES}
    at_amazon = {operation for operation in in_matrix if "." not in operation}
    assert writes_at_amazon() - NO_WRITE == at_amazon | set(ELSEWHERE)
    assert writes_to_m3() == (in_matrix - at_amazon) | set(SETTLEMENT_WRITES) | BESIDE


def test_nothing_is_sent_but_through_what_the_scan_reads() -> None:
    assert modules_that_send() == SENDERS


@pytest.mark.parametrize("where", sorted({*ELSEWHERE.values(), *chain(*SETTLEMENT_WRITES.values())}))
def test_what_is_proved_elsewhere_is_there(where: str) -> None:
    file, _, name = where.partition("::")
    assert f"def {name}(" in (OUTPUT.parents[1] / file).read_text(encoding="utf-8")


# --- that the checks see what they are there for ------------------------------------------------


async def _seen_anew(matrix: Matrix, write: Write) -> tuple[Trial, Seen]:
    trial = matrix.trials[write.name, CASES[0].name]
    return trial, await look_at(matrix.world, matrix.m3, trial)


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


def _twice(seen: Seen, name: str) -> Seen:
    return dataclasses.replace(seen, m3={**seen.m3, name: [*seen.m3[name], *seen.m3[name]]})


def test_a_second_return_or_credit_is_seen(matrix: Matrix) -> None:
    write = _write("OIS390MI.AddHead")
    seen = matrix.seen[write.name, CASES[0].name]
    assert wrong_of(write, seen) == []
    assert wrong_of(write, _twice(seen, "returns")) == ["2 customer returns with 2 lines"]
    assert wrong_of(write, dataclasses.replace(seen, receipts=2)) == ["2 receipts"]
    assert "2 invoices of credits" in wrong_of(write, _twice(seen, "invoices"))


def test_a_second_fulfilment_order_or_delivery_is_seen(matrix: Matrix) -> None:
    write = _write("createFulfillmentOrder")
    seen = matrix.seen[write.name, CASES[0].name]
    assert wrong_of(write, seen) == []
    orders = {**seen.amazon, "orders": [*seen.amazon["orders"], *seen.amazon["orders"]]}
    told = wrong_of(write, dataclasses.replace(seen, amazon=orders))
    assert told == ["2 fulfilment orders for 1 live customer orders"]
    told = wrong_of(write, _twice(seen, "deliveries"))
    assert told == ["2 deliveries left by 1 goods reports, not 1"]


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

"""A held order of each kind is repaired by the real `o2c fix` and closes; what is no repair changes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import activities.m3.steps.report_goods_issue
from canonical.activity_contracts import OrderResult
from canonical.held import HeldReason
from tests.support.held_stories import STORIES
from tests.support.holding import Telling, Workshop, workshop

REPORT = Path("test-output/repairs.md")


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """A service whose M3 does at once what it does at all: waiting inside a call for it changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activities.m3.steps.report_goods_issue, "_PATIENCE", 0.0)
        async with workshop(tmp_path_factory.mktemp("shop")) as built:
            yield built


@pytest.fixture(scope="module")
def told() -> list[tuple[str, ...]]:
    """Rows of the report: reason, how it came about, repair, command, outcome."""
    return []


@pytest_asyncio.fixture
async def ordinary(shop: Workshop) -> AsyncIterator[Workshop]:
    """The shop with its ordinary configuration and nothing in the way."""
    await shop.configure()
    yield shop
    await shop.m3.delete("/_control/faults")
    await shop.amazon.delete("/_control/faults")


@pytest.mark.parametrize("reason", list(HeldReason))
async def test_an_order_held_for_each_reason_is_repaired_and_closes(
    ordinary: Workshop, reason: HeldReason, told: list[tuple[str, ...]]
) -> None:
    assert reason in STORIES, f"No story tells how an order comes to be held for {reason}."
    story, telling = STORIES[reason], Telling(ordinary, reason)
    await story.tell(telling, ordinary)
    result = await telling.closed()
    assert result.outcome == story.outcome, result.sentence
    assert [repair.reason for repair in result.repairs] == [reason]
    assert result.repairs[0].by == "Ines"
    await _one_of_each(ordinary, result)
    told.append((reason, story.how, story.repaired, telling.command, telling.sentence, result.sentence))


async def _one_of_each(shop: Workshop, result: OrderResult) -> None:
    """M3 has one living order, and of everything after it what the order says, once."""
    found = await shop.in_m3(result.order_id)
    living = [entry for entry in found["orders"] if entry["stat"] != "90"]
    assert [entry["orno"] for entry in living] == [result.orno]
    assert not [entry for entry in found["temporary"] if entry["stat"] != "90"], (
        "Something is left in OIS275."
    )
    if result.outcome == "booked":
        assert [str(entry["dlix"]) for entry in found["deliveries"]] == list(result.deliveries)
        assert [str(entry["ivno"]) for entry in found["invoices"]] == list(result.invoices)
        assert [str(entry["vono"]) for entry in found["vouchers"]] == list(result.vouchers)
        assert len(result.deliveries) == len(result.invoices) == len(result.vouchers) == 1

"""People are told once of a report about returns that Amazon did not make, and not of one without data."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import pytest_asyncio

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.return_contracts import RETURNS_FEED, ReturnsFeedInput, ReturnsFeedResult
from canonical.return_reports import FBA_RETURNS, REIMBURSEMENTS
from tests.support.alert_shop import AlertShop, alerting, receiving
from tests.support.holding import workshop

EU = "A2EUSELLER0001"
_numbers = count(1)


@pytest_asyncio.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AlertShop]:
    with receiving() as here:
        async with workshop(tmp_path_factory.mktemp("returns-told")) as shop, alerting(shop, here) as desk:
            await desk.begin()
            yield desk


async def looked(desk: AlertShop) -> ReturnsFeedResult:
    """One look, as the schedule makes it."""
    number = next(_numbers)
    start = ReturnsFeedInput(
        seller_id=EU,
        posted_after=datetime.now(UTC) - timedelta(days=number),  # another period, another report
        ask=(FBA_RETURNS, REIMBURSEMENTS),
        marketplace_ids=("A1PA6795UKMFR9",),
        nudge=False,
    )
    result: ReturnsFeedResult = await desk.shop.client.execute_workflow(
        RETURNS_FEED, start, id=f"test-look-{number}", task_queue=ORDERS_QUEUE, result_type=ReturnsFeedResult
    )
    return result


async def test_a_report_that_amazon_does_not_make_is_told_once_and_one_without_data_is_not(
    desk: AlertShop,
) -> None:
    rules = (
        {"outcome": "FATAL", "reason": "The data is not available.", "report_type": FBA_RETURNS, "times": 1},
        {"outcome": "CANCELLED", "report_type": REIMBURSEMENTS, "times": 1},
    )
    for rule in rules:
        answer = await desk.shop.amazon.post("/_control/reports/rules", json=rule)
        assert answer.status_code == 201, answer.text
    first = await looked(desk)
    assert "not available" in first.reports[FBA_RETURNS].remarks[0]
    assert first.reports[REIMBURSEMENTS].remarks == ()
    [title] = await desk.until_titles("operations", 1)
    assert title == f"Amazon did not make a report about returns (seller {EU})"
    [body] = desk.receiver.bodies("operations")
    assert f"{FBA_RETURNS}: " in body
    assert "The data is not available." in body
    assert REIMBURSEMENTS not in body
    assert f"o2c schedules trigger returns-{EU}" in body
    assert first.until is not None
    assert (second := await looked(desk)).until is not None
    assert not any(told.remarks for told in second.reports.values())
    assert len(desk.receiver.titles("operations")) == 1

"""People are told once of what a look at Amazon did not get: a report that was not made, refunds that could not be
read. Of a report without data they are not told."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import pytest_asyncio
from temporalio.client import WorkflowFailureError

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.fba_contracts import FBA_FEED, FULFILLED_SHIPMENTS, FbaFeedInput, FbaFeedResult
from canonical.return_contracts import RETURNS_FEED, ReturnsFeedInput, ReturnsFeedResult
from canonical.return_reports import FBA_RETURNS, REIMBURSEMENTS
from canonical.settlement_reports import SETTLEMENT_FEED, SETTLEMENT_V1, Claim, FeedInput, FeedResult
from starters.settlements import look
from tests.support.alert_shop import AlertShop, alerting, receiving
from tests.support.holding import workshop
from tests.support.orders import ORDINARY, order
from worker.archiving import open_archive
from worker.settlements import settlement_files

EU, NA = "A2EUSELLER0001", "A2NASELLER0001"
US = "ATVPDKIKX0DER"
_numbers = count(1)


@pytest_asyncio.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AlertShop]:
    with receiving() as here:
        async with workshop(tmp_path_factory.mktemp("returns-told")) as shop, alerting(shop, here) as desk:
            await desk.begin()
            yield desk


@pytest_asyncio.fixture(autouse=True)
async def nobody_told(desk: AlertShop) -> None:
    desk.receiver.received.clear()


async def looked(desk: AlertShop) -> ReturnsFeedResult:
    """One look at refunds and returns, as the schedule makes it."""
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


async def made(desk: AlertShop) -> Counter[str]:
    """Reports that Amazon was asked for, by type."""
    answer = await desk.shop.amazon.get("/_control/reports")
    return Counter(str(each["reportType"]) for each in answer.json()["reports"])


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


async def test_refunds_that_cannot_be_read_are_told_fail_the_look_and_hold_up_no_report(
    desk: AlertShop,
) -> None:
    before = await made(desk)
    fault = {"operation": "listTransactions", "action": "forbidden_no_body", "times": 100}
    (await desk.shop.amazon.post("/_control/faults", json=fault)).raise_for_status()
    try:
        with pytest.raises(WorkflowFailureError):
            await looked(desk)
    finally:
        (await desk.shop.amazon.delete("/_control/faults")).raise_for_status()
    assert await desk.until_titles("operations", 1) == [f"Amazon did not tell its refunds (seller {EU})"]
    [body] = desk.receiver.bodies("operations")
    assert "listTransactions" in body
    assert f"At once: o2c schedules trigger returns-{EU}" in body
    assert await made(desk) - before == Counter((FBA_RETURNS, REIMBURSEMENTS))
    await looked(desk)
    assert len(desk.receiver.titles("operations")) == 1


async def test_a_report_of_shipments_that_amazon_does_not_make_is_told_once_for_each_look(
    desk: AlertShop,
) -> None:
    rules = (
        {
            "outcome": "FATAL",
            "reason": "The data is not available.",
            "report_type": FULFILLED_SHIPMENTS,
            "times": 1,
        },
        {"outcome": "CANCELLED", "report_type": FULFILLED_SHIPMENTS, "times": 1},
    )
    for rule in rules:
        answer = await desk.shop.amazon.post("/_control/reports/rules", json=rule)
        assert answer.status_code == 201, answer.text

    async def shipments() -> FbaFeedResult:
        number = next(_numbers)
        start = FbaFeedInput(
            seller_id=EU, marketplace_ids=("A1PA6795UKMFR9",), look_back=timedelta(days=number)
        )
        result: FbaFeedResult = await desk.shop.client.execute_workflow(
            FBA_FEED,
            start,
            id=f"test-look-{number}",
            task_queue=ORDERS_QUEUE,
            result_type=FbaFeedResult,
        )
        return result

    assert "not available" in (await shipments()).sentence
    title = f"Amazon did not make a report about its shipments (seller {EU})"
    assert await desk.until_titles("operations", 1) == [title]
    [body] = desk.receiver.bodies("operations")
    assert f"{FULFILLED_SHIPMENTS}: " in body
    assert "The data is not available." in body
    assert body.endswith(f"At once: o2c schedules trigger shipments-{EU}")
    await shipments()
    assert len(desk.receiver.titles("operations")) == 1


async def test_settlements_that_amazon_tells_in_the_older_file_alone_are_told(desk: AlertShop) -> None:
    amazon = desk.shop.amazon
    charge = {"marketplace": US, "kind": "subscription", "amount": "-39.99"}
    (await amazon.post("/_control/settlements/charges", json=charge)).raise_for_status()
    terms = {"seller": NA, "marketplace": US, "reports": ["v1", "xml"], "fees": False}
    (await amazon.post("/_control/settlements", json=terms)).raise_for_status()
    result: FeedResult = await desk.shop.client.execute_workflow(
        SETTLEMENT_FEED,
        FeedInput(seller_id=NA),
        id=f"test-look-{next(_numbers)}",
        task_queue=ORDERS_QUEUE,
        result_type=FeedResult,
    )
    assert (result.listed, result.taken, bool(result.advice)) == (0, (), True)
    title = f"Settlements are not taken in (seller {NA})"
    assert await desk.until_titles("operations", 1) == [title]
    [body] = desk.receiver.bodies("operations")
    assert SETTLEMENT_V1 in body


async def test_a_settlement_that_another_seller_has_is_told(desk: AlertShop) -> None:
    shop = desk.shop
    await shop.place(order(ORDINARY, status="SHIPPED"))
    answer = await shop.amazon.post("/_control/settlements", json={"seller": EU, "fees": False})
    [closed] = answer.json()
    files = settlement_files(shop.settings, open_archive(shop.settings.archive))
    other = Claim(seller_id="A2NASELLER0001", report_id="77", at=datetime.now(UTC))
    assert files.claim(closed["settlementId"], other) is None
    [refused] = (await look(shop.client, shop.settings, EU)).failed
    [title] = await desk.until_titles("operations", 1)
    assert title == f"Settlement {closed['settlementId']} is another seller's already (seller {EU})"
    assert desk.receiver.bodies("operations") == [refused.sentence]

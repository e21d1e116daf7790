"""A fee that nobody knows is seen at Amazon's Finances before a settlement brings it: to the last page, told once."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType

from canonical.finance_contracts import READ_FINANCE_PAGE, FinanceLooked, finance_look_id
from starters.finances import ask
from tests.support.alert_shop import AlertShop, alerting, receiving
from tests.support.holding import workshop
from tests.support.orders import ORDINARY, order

EU = "A2EUSELLER0001"
DE = "A1PA6795UKMFR9"
_MORE_THAN_A_PAGE = 23
MOON = {
    "marketplace": DE, "amount": "-4.00", "transaction_type": "other-transaction",
    "amount_type": "other-transaction", "description": "Moon Fee", "told_as": "ServiceFee",
    "described": "FBAMoonBilling", "broken_down": "FBAMoonFee",
}  # fmt: skip
SAID = """
[[settlement.finances]]
transaction_type = "ServiceFee"
breakdown_type = "FBAMoonFee"
category = "fee_other"
"""


@pytest_asyncio.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AlertShop]:
    with receiving() as here:
        async with workshop(tmp_path_factory.mktemp("finances")) as shop, alerting(shop, here) as desk:
            await desk.begin()
            yield desk


async def charged(desk: AlertShop, **charge: str) -> None:
    answer = await desk.shop.amazon.post("/_control/settlements/charges", json=charge)
    assert answer.status_code == 201, answer.text


async def looked(desk: AlertShop) -> FinanceLooked:
    [found] = await ask(desk.shop.client, [EU])
    assert found.unread == 0
    return found


async def pages(desk: AlertShop) -> int:
    """Pages that the last look asked for."""
    history = await desk.shop.client.get_workflow_handle(finance_look_id(EU)).fetch_history()
    return sum(
        event.activity_task_scheduled_event_attributes.activity_type.name == READ_FINANCE_PAGE
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )


async def test_an_unknown_fee_is_found_behind_an_empty_page_and_told_once(desk: AlertShop) -> None:
    shop = desk.shop
    orders = [await shop.place(order(ORDINARY, status="SHIPPED")) for _ in range(_MORE_THAN_A_PAGE)]
    await charged(desk, marketplace=DE, kind="storage", amount="-1.30")
    await charged(desk, **MOON)
    first = await looked(desk)
    [kind] = first.kinds
    assert (str(kind), kind.missing) == ("ServiceFee / FBAMoonFee", "category")
    assert (kind.count, str(kind.amount), kind.currency, kind.marketplace) == (1, "-4.00", "EUR", "Amazon.de")
    assert (first.transactions, first.told) == (len(orders) + 2, 1)
    assert await pages(desk) == 3  # a full one, an empty one, the rest
    [title] = await desk.until_titles("operations", 1)
    assert title == f"Amazon booked a kind of amount that nobody has said how to book (seller {EU})"
    [body] = desk.receiver.bodies("operations")
    assert f"ServiceFee / FBAMoonFee: no category is known; {kind.amount} EUR" in body
    assert kind.example in body
    assert not [one for one in orders if one in body]

    await charged(desk, **{**MOON, "amount": "-5.00"})
    second = await looked(desk)
    assert [(one.count, str(one.amount)) for one in second.kinds] == [(2, "-9.00")]
    assert (second.told, second.since) == (0, second.since.replace(hour=0, minute=0, second=0, microsecond=0))
    assert second.since > first.since
    assert (await looked(desk)).told == 0
    assert len(desk.receiver.titles("operations")) == 1

    said = await shop.o2c("settlement", "unknown", "--seller", EU, "--json")
    assert (said.status, json.loads(said.out)[0]["kinds"][0]["breakdown_type"]) == (3, "FBAMoonFee"), said.err
    await shop.configure(lambda text: text.replace("\n[settlement.posting]", f"{SAID}\n[settlement.posting]"))
    assert (await looked(desk)).kinds == ()
    said = await shop.o2c("settlement", "unknown", "--seller", EU)
    assert (said.status, "0 kinds of amounts" in said.out) == (0, True), said.out

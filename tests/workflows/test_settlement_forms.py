"""Amazon tells a settlement in several reports: it is taken in from V2, posted once, and whoever has only the older
flat file, or XML, is told so."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from canonical.settlement_contracts import SettlementResult
from canonical.settlement_ids import settlement_workflow_id
from canonical.settlement_reports import SETTLEMENT_V1, SETTLEMENT_V2, FeedResult
from simulators import catalogue
from starters.settlements import look
from tests.support.holding import Workshop, workshop
from tests.support.world import PATIENCE
from tests.workflows.test_settlement import EU, balance, ended, fix, held, paid_out, sale

NA = catalogue.SELLERS[1].seller_id
US = "ATVPDKIKX0DER"


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path_factory.mktemp("settlement-forms")) as running:
        yield running


@pytest_asyncio.fixture(autouse=True)
async def ordinary(shop: Workshop) -> None:
    await shop.configure()


async def both_forms(shop: Workshop) -> None:
    """From now on both flat files are looked for."""
    both = f'interface = "AMZGL2"\nreports = ["{SETTLEMENT_V1}", "{SETTLEMENT_V2}"]'
    await shop.configure(lambda text: text.replace('interface = "AMZGL2"', both))


def types_of(fed: FeedResult, subject: str) -> list[bool]:
    return [each.started for each in fed.taken if each.settlement_id == subject]


async def test_a_settlement_told_twice_is_read_from_v2_and_posted_once(shop: Workshop) -> None:
    await both_forms(shop)
    await sale(shop, 12)
    before = await balance(shop, "1815")
    closed = await paid_out(shop, "A1PA6795UKMFR9")
    subject = closed["settlementId"]
    fed = await look(shop.client, shop.settings, EU)
    assert types_of(fed, subject) == [True, False]
    result = await ended(shop, subject)
    assert result.outcome == "booked", result
    assert result.report.origin.report_type == SETTLEMENT_V2
    assert await balance(shop, "1815") - before == Decimal(closed["total"])
    again = await look(shop.client, shop.settings, EU)
    assert (again.taken, again.advice) == ((), "")
    assert await balance(shop, "1815") - before == Decimal(closed["total"])


async def test_v1_does_not_take_the_place_of_a_v2_that_is_held(shop: Workshop) -> None:
    await sale(shop)
    strange = {"marketplace": "A1PA6795UKMFR9", "amount": "-1.00", "transaction_type": "Moon Fee"}
    words = {"amount_type": "Moon", "description": "Full"}
    answer = await shop.amazon.post("/_control/settlements/charges", json={**strange, **words})
    assert answer.status_code == 201, answer.text
    subject = (await paid_out(shop, "A1PA6795UKMFR9"))["settlementId"]
    assert types_of(await look(shop.client, shop.settings, EU), subject) == [True]
    seen = await held(shop, subject, "settlement_unknown")
    assert "Moon Fee" in seen.held_sentence
    await both_forms(shop)
    assert types_of(await look(shop.client, shop.settings, EU), subject) == [False]
    still = await held(shop, subject, "settlement_unknown")
    assert still.report.origin.report_type == SETTLEMENT_V2
    assert [each.origin.report_type for each in still.others] == [SETTLEMENT_V1]
    await fix(shop, subject, "cancel", by="controlling")


async def test_a_seller_who_has_only_v1_is_told_and_booked_when_it_is_named(shop: Workshop) -> None:
    charge = {"marketplace": US, "kind": "subscription", "amount": "-39.99"}
    assert (await shop.amazon.post("/_control/settlements/charges", json=charge)).status_code == 201
    terms = {"seller": NA, "marketplace": US, "reports": ["v1", "xml"], "fees": False}
    answer = await shop.amazon.post("/_control/settlements", json=terms)
    [closed] = answer.json()
    said = await shop.o2c("settlement", "post", "--seller", NA)
    assert said.status == 1
    assert "1 settlement report of the older flat file and none of V2" in " ".join(said.out.split())
    assert f"Name {SETTLEMENT_V1} in" in " ".join(said.out.split())
    await both_forms(shop)
    fed = await look(shop.client, shop.settings, NA)
    assert (types_of(fed, closed["settlementId"]), fed.advice) == ([True], "")
    flow = settlement_workflow_id(NA, closed["settlementId"])
    known = shop.client.get_workflow_handle(flow, result_type=SettlementResult)
    result = await asyncio.wait_for(known.result(), PATIENCE.total_seconds())
    assert result.outcome == "booked", result
    assert result.report.origin.report_type == SETTLEMENT_V1


async def test_xml_handed_in_is_refused_with_a_word(shop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "settlement.xml"
    file.write_text('<?xml version="1.0"?><AmazonEnvelope><MessageType>SettlementReport</MessageType>\n')
    said = await shop.o2c("settlement", "post", str(file), "--seller", EU)
    assert said.status == 2
    assert "The file is XML." in " ".join(said.err.split())
    listed = await shop.o2c("settlement", "list", "--seller", EU)
    assert "report-handed-in" not in listed.out

"""Labels that M3 corrects after Amazon was told: ION's message brings the correction, without the schedule's look."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from temporalio.service import RPCError

from canonical.ids import correction_workflow_id, m3_document_workflow_id
from canonical.package_contracts import PackageCorrectionResult
from starters.ion.serving import ion_app, serving
from tests.support.configuration import ION_PASSWORD, ION_USER
from tests.support.ion import ENTITY, Caller, bod, document_result
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.world import World, eventually

EU = "A2EUSELLER0001"
NEW_NUMBER = "JJD000390007900000077"


@pytest_asyncio.fixture(scope="module")
async def address(world: World) -> AsyncIterator[str]:
    async with serving(ion_app(world.client, world.settings), "127.0.0.1", 0) as url:
        yield url


@pytest_asyncio.fixture
async def by_hand(world: World) -> AsyncIterator[World]:
    """Nobody ships but the test."""
    await world.m3.post("/_control/staff", json={"at_work": False})
    yield world
    await world.m3.post("/_control/staff", json={"at_work": True})


async def brought(world: World, address: str, dlix: str, *, again: bool = False) -> list[str]:
    """ION delivers what M3 published of a delivery since it last did: what became of each message."""
    sending = {
        "url": address,
        "auth": "oauth2",
        "token_url": f"{address}/oauth2/token",
        "user": ION_USER,
        "password": ION_PASSWORD,
        "keys": [dlix],
        "nouns": ["Shipment"],
        "again": again,
    }
    answers = (await world.m3.post("/_control/ion/send", json=sending, timeout=60)).json()
    assert {answer["status"] for answer in answers} <= {202}
    return [answer["answer"]["outcome"] for answer in answers]


async def corrects(world: World, order_id: str, **labels: object) -> None:
    answer = await world.m3.post("/_control/correct", json={"cuor": order_id, **labels})
    assert answer.is_success, answer.text


async def ships(world: World, order_id: str, **what: object) -> str:
    """M3's number of the one delivery that leaves."""
    answer = await world.m3.post("/_control/ship", json={"cuor": order_id, "fwno": "DHL", **what})
    assert answer.is_success, answer.text
    [dlix] = answer.json()["deliveries"]
    return str(dlix)


async def labels(world: World, order_id: str) -> dict[str, tuple[str, str]]:
    """Carrier and tracking number at Amazon, by reference."""
    body = await world.at_amazon(order_id)
    packages: list[dict[str, str]] = body.get("packages", [])  # type: ignore[assignment]
    return {one["packageReferenceId"]: (one["carrier"], one["trackingNumber"]) for one in packages}


async def correction_runs(world: World, order_id: str) -> int:
    query = f'WorkflowId="{correction_workflow_id(EU, order_id)}"'
    return (await world.client.count_workflows(query)).count


async def test_a_shipment_document_corrects_what_amazon_was_told_once(by_hand: World, address: str) -> None:
    world = by_hand
    order_id = await world.place(order((ORDINARY, 2), (ANOTHER, 1), channel="MERCHANT"))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    dlix = await ships(world, order_id, packages=2)
    assert "followed" in await brought(world, address, dlix)
    assert (await world.result(handle)).deliveries == (dlix,)
    before = await labels(world, order_id)
    assert len(before) == 2
    assert (await document_result(world, dlix)).corrected == ()

    await corrects(world, order_id, package=2, etrn=NEW_NUMBER)
    assert await brought(world, address, dlix) == ["followed"]
    found = await document_result(world, dlix)
    assert (found.told, found.corrected) == ((), (order_id,))
    assert order_id in found.sentence
    correction = world.client.get_workflow_handle(
        correction_workflow_id(EU, order_id), result_type=PackageCorrectionResult
    )
    assert (await correction.result()).outcome == "corrected"
    first, second = sorted(before, key=int)
    assert await labels(world, order_id) == {first: before[first], second: ("DHL", NEW_NUMBER)}

    replays = await brought(world, address, dlix, again=True)
    assert set(replays) <= {"duplicate", "older"}
    await corrects(world, order_id, fwno="UPS")
    assert await brought(world, address, dlix) == ["followed"]
    await eventually(
        lambda: labels(world, order_id), lambda seen: {carrier for carrier, _ in seen.values()} == {"UPS"}
    )
    assert {number for _, number in (await labels(world, order_id)).values()} == {
        before[first][1],
        NEW_NUMBER,
    }
    await eventually(lambda: correction_runs(world, order_id), lambda runs: runs == 2)


async def test_a_message_that_changes_no_label_corrects_nothing(by_hand: World, address: str) -> None:
    """While the rest of the order is still to leave."""
    world = by_hand
    order_id = await world.place(order((ORDINARY, 3), channel="MERCHANT"))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    dlix = await ships(world, order_id, lines={"1": "2"}, packages=1)
    await brought(world, address, dlix)
    await world.until(handle, lambda view: len(view.vouchers) == 1 and view.step == "awaiting_shipment")
    before = await labels(world, order_id)

    await corrects(world, order_id, etrn="")  # blanked: not taken back
    assert await brought(world, address, dlix) == ["followed"]
    assert (await document_result(world, dlix)).corrected == ()
    await corrects(world, order_id, etrn=NEW_NUMBER)
    assert await brought(world, address, dlix) == ["followed"]
    assert (await document_result(world, dlix)).corrected == (order_id,)
    [reference] = before
    await eventually(lambda: labels(world, order_id), lambda seen: seen == {reference: ("DHL", NEW_NUMBER)})
    await eventually(lambda: correction_runs(world, order_id), lambda runs: runs == 1)

    await ships(world, order_id, packages=1)
    await world.m3_ships(order_id)
    assert (await world.result(handle)).outcome == "booked"


@pytest.mark.parametrize(
    ("document", "channel"),
    [("Sync.Shipment", "AMAZON"), ("Sync.Invoice", "AMAZON"), ("Sync.Invoice", "MERCHANT")],
)
async def test_other_documents_of_an_order_that_has_ended_cost_nothing(
    world: World, address: str, document: str, channel: str
) -> None:
    own = channel == "MERCHANT"
    order_id = await world.place(order(ORDINARY, channel=channel, status="UNSHIPPED" if own else "SHIPPED"))
    handle = await world.start(order_id)
    if own:
        await world.until(handle, lambda view: view.step == "awaiting_shipment")
        await world.m3_ships(order_id)
    await world.result(handle)
    number = f"9{order_id[4:11]}"
    async with httpx.AsyncClient(base_url=address, auth=(ION_USER, ION_PASSWORD), timeout=30) as client:
        text = bod(document, number, references=(("PurchaseOrder", order_id),))
        answer = await Caller(client).send(text, name=document)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "closed")
    with pytest.raises(RPCError, match="not found"):
        await world.client.get_workflow_handle(m3_document_workflow_id(document, ENTITY, number)).describe()

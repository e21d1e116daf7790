"""M3's documents through ION, on a real Temporal server: hints are followed once, however often and late they come."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.worker import Replayer

from canonical.ids import m3_document_workflow_id
from canonical.order_contracts import OrderResult
from starters.ion.serving import ion_app, serving
from tests.support.configuration import ION_PASSWORD, ION_USER, LOGICAL_ID
from tests.support.ion import ENTITY, Caller, bod, document_result
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.world import World, eventually
from worker.archive_settings import ArchiveSettings
from worker.connection import DATA_CONVERTER, sandbox_runner
from workflows.m3_document import M3Document

Handle = WorkflowHandle[object, OrderResult]


@pytest_asyncio.fixture(scope="module")
async def address(world: World) -> AsyncIterator[str]:
    async with serving(ion_app(world.client, world.settings), "127.0.0.1", 0) as url:
        yield url


@pytest_asyncio.fixture(scope="module")
async def ion(address: str) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(base_url=address, auth=(ION_USER, ION_PASSWORD), timeout=30) as client:
        yield Caller(client)


async def awaiting(world: World, channel: str = "MERCHANT") -> tuple[str, Handle, str]:
    """An order that waits for its goods, and M3's number of it."""
    order_id = await world.place(order(ORDINARY, (ANOTHER, 2), channel=channel))
    handle = await world.start(order_id)
    view = await world.until(handle, lambda view: view.step == "awaiting_shipment")
    return order_id, handle, view.orno


async def ship(world: World, orno: str) -> str:
    """The own warehouse ships everything; M3's number of the delivery."""
    answer = await world.m3.post("/_control/ship", json={"orno": orno})
    shipped = answer.json()["deliveries"] if answer.status_code == 200 else []
    if shipped:
        return str(shipped[-1])
    # The staff was faster.
    row = await world.m3.get("/_control/ion")
    return next(each["key"] for each in reversed(row.json()["published"]) if each["noun"] == "Shipment")


@pytest_asyncio.fixture
async def by_hand(world: World) -> AsyncIterator[None]:
    """Nobody ships but the test."""
    await world.m3.post("/_control/staff", json={"at_work": False})
    yield
    await world.m3.post("/_control/staff", json={"at_work": True})


async def signals(handle: Handle) -> Counter[str]:
    """Signals the order received, by name."""
    history = await handle.fetch_history()
    return Counter(
        event.workflow_execution_signaled_event_attributes.signal_name
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    )


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("named_by", ["CUOR", "ORNO"])
async def test_a_shipment_reaches_its_order_through_m3_and_replays_do_nothing(
    world: World, ion: Caller, named_by: str
) -> None:
    order_id, handle, orno = await awaiting(world)
    references = (("PurchaseOrder", order_id),) if named_by == "CUOR" else (("SalesOrder", orno),)
    if named_by == "ORNO":  # visibility knows the number some moments after the booking
        query = f'M3Order="{orno}"'
        await eventually(lambda: world.client.count_workflows(query), lambda found: found.count == 1)
    dlix = await ship(world, orno)
    text = bod(document_id=dlix, variation=3, references=references)
    answer = await ion.send(text, source=f"m3-{dlix}-3")
    assert (answer.status_code, answer.json()["outcome"]) == (202, "followed")
    assert (await document_result(world, dlix)).told == (order_id,)
    result = await world.result(handle)
    assert (result.outcome, result.deliveries) == ("booked", (dlix,))
    assert (await signals(handle))["goods_left"] == 1
    packages: Any = (await world.at_amazon(order_id))["packages"]
    assert len(packages) == len({each["packageReferenceId"] for each in packages})
    replay = await ion.send(text, source=f"m3-{dlix}-3")
    assert (replay.status_code, replay.json()["outcome"]) == (202, "duplicate")


@pytest.mark.usefixtures("by_hand")
async def test_messages_that_come_again_or_late_or_changed_are_not_followed(
    world: World, ion: Caller
) -> None:
    order_id, handle, _ = await awaiting(world)
    references = (("PurchaseOrder", order_id),)
    dlix = f"7{order_id[4:11]}"  # M3 has no such delivery yet: it is asked, and tells nothing

    async def send(source: str, variation: int, **more: object) -> httpx.Response:
        inside = str(more.get("inside", ""))
        text = bod(document_id=dlix, variation=variation, references=references, inside=inside)
        return await ion.send(text, source=source)

    first = await send("v2", 2)
    assert first.json()["outcome"] == "followed"
    result = await document_result(world, dlix)
    assert (result.followed, result.told, result.memory.highest) == (1, (), 2)
    outcomes = {
        "the same again": await send("v2", 2),
        "an older one": await send("v1", 1),
        "its id, another content": await send("v2", 2, inside="<Other/>"),
    }
    assert [answer.status_code for answer in outcomes.values()] == [202, 202, 409]
    assert [outcomes[what].json().get("outcome") for what in outcomes] == ["duplicate", "older", None]
    runs = f'WorkflowId="{m3_document_workflow_id("Sync.Shipment", ENTITY, dlix)}"'
    await eventually(lambda: world.client.count_workflows(runs), lambda found: found.count == 1)
    later = await send("v3", 3)
    assert later.json()["outcome"] == "followed"
    after = await document_result(world, dlix)
    assert (after.memory.highest, set(after.memory.seen)) == (3, {"v2", "v3"})
    assert (await signals(handle))["goods_left"] == 0
    assert (await world.view(handle)).step == "awaiting_shipment"


@pytest.mark.usefixtures("by_hand")
async def test_what_comes_while_m3_is_asked_is_looked_at_once_more_and_newest_first(
    world: World, ion: Caller
) -> None:
    order_id, handle, _ = await awaiting(world)
    dlix = f"8{order_id[4:11]}"
    fault = {
        "id": "slow-m3",
        "operation": "CMS100MI.Lst_OXHEAD_CUOR",
        "match": {"OACUOR": order_id},
        "action": "hang",
    }
    aimed = await world.m3.post("/_control/faults", json=fault)
    assert aimed.status_code == 201, aimed.text

    async def send(source: str, variation: int) -> str:
        text = bod(document_id=dlix, variation=variation, references=(("PurchaseOrder", order_id),))
        answer = await ion.send(text, source=source)
        assert answer.status_code == 202
        return str(answer.json()["outcome"])

    try:
        assert await send("v2", 2) == "followed"
        await eventually(
            lambda: world.m3.get("/_control/faults"), lambda found: found.json()["faults"][-1]["waiting"] > 0
        )
        for source, variation in (
            ("v2", 2),
            ("v4", 4),
            ("v1", 1),
            ("v5", 5),
            ("v5", 5),
            ("v3", 3),
            ("v4", 4),
        ):
            assert await send(source, variation) == "followed"  # safe with Temporal; its workflow judges
    finally:
        await world.m3.post("/_control/release", json={"id": "slow-m3"})
        await world.m3.delete("/_control/faults")
    result = await document_result(world, dlix)
    assert (result.followed, result.repeated) == (2, 6)
    assert (result.memory.highest, len(result.memory.seen)) == (5, 5)
    assert (await signals(handle))["goods_left"] == 0


@pytest.mark.usefixtures("by_hand")
async def test_a_burst_in_any_order_from_the_pretended_ion_leads_to_one_confirmation(
    world: World, address: str
) -> None:
    """M3's own documents, each several times, shuffled and in parallel; OAuth 2.0; no CUOR in half of them."""
    order_id, handle, orno = await awaiting(world)
    dlix = await ship(world, orno)
    sending = {
        "url": address,
        "auth": "oauth2",
        "token_url": f"{address}/oauth2/token",
        "user": ION_USER,
        "password": ION_PASSWORD,
        "keys": [dlix, orno],
        "duplicates": 4,
        "disorder": True,
    }
    answers = (await world.m3.post("/_control/ion/send", json=sending, timeout=60)).json()
    assert len(answers) >= 10
    assert {answer["status"] for answer in answers} == {202}
    outcomes = Counter((answer["sourceId"].split("-")[1], answer["answer"]["outcome"]) for answer in answers)
    assert {outcome for noun, outcome in outcomes if noun == "SalesOrder"} == {"nothing_to_do"}
    assert outcomes["Shipment", "followed"] >= 1
    result = await world.result(handle)
    assert result.deliveries == (dlix,)
    memory = (await document_result(world, dlix)).memory
    published = [
        each for each in (await world.m3.get("/_control/ion")).json()["published"] if each["key"] == dlix
    ]
    assert memory.highest == max(each["variation"] for each in published)
    at_amazon: Any = await world.at_amazon(order_id)
    assert len(at_amazon["packages"]) == len({each["trackingNumber"] for each in at_amazon["packages"]})
    shipped = sum(item["fulfillment"]["quantityFulfilled"] for item in at_amazon["orderItems"])
    assert shipped == 3


async def test_what_amazon_shipped_is_our_own_echo(world: World, ion: Caller) -> None:
    order_id, _, _ = await awaiting(world, channel="AMAZON")
    answer = await ion.send(bod(references=(("PurchaseOrder", order_id),)))
    assert (answer.status_code, answer.json()["outcome"]) == (202, "nothing_to_do")


async def test_an_invoice_lets_the_order_held_for_it_go_on(world: World, ion: Caller) -> None:
    order_id = await world.place(order(ORDINARY, status="SHIPPED"))
    await world.m3.post("/_control/trouble", json={"kind": "invoice_missing", "cuor": order_id})
    handle = await world.start(order_id)
    await world.until_held(handle, "invoice_missing")
    await world.m3.post("/_control/heal", json={"kind": "invoice_missing", "cuor": order_id})
    text = bod("Sync.Invoice", "900777", references=(("PurchaseOrder", order_id),))
    first, again = await asyncio.gather(
        *(ion.send(text, source="invoice-1", name="Sync.Invoice") for _ in range(2))
    )
    assert {first.status_code, again.status_code} == {202}
    result = await world.result(handle)
    assert result.outcome == "booked"
    [repair] = result.repairs
    assert (repair.fix, repair.by, repair.reason) == ("retry", "ION", "invoice_missing")
    assert repair.why == "M3 sent Sync.Invoice 900777"


async def test_a_request_is_answered_once_under_one_message_id(world: World, ion: Caller) -> None:
    await world.m3.post("/_control/ion/connection", json={"active": True})
    text = bod("Process.SalesOrder", "", variation=None)
    answers = [await ion.send(text, source="process-1", name="Process.SalesOrder") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}

    async def acknowledged() -> list[dict[str, str]]:
        received = (await world.m3.get("/_control/ion")).json()["received"]
        return [each for each in received if each["documentName"] == "Acknowledge.SalesOrder"]

    await document_result(world, "process-1", "Process.SalesOrder")
    [sent] = await acknowledged()
    assert sent["fromLogicalId"] == LOGICAL_ID
    assert 'actionCode="Rejected"' in sent["document"]
    assert (await ion.send(text, source="process-1", name="Process.SalesOrder")).json()[
        "outcome"
    ] == "duplicate"
    assert await acknowledged() == [sent]


async def test_a_message_that_cannot_be_made_safe_is_to_be_sent_again(world: World, ion: Caller) -> None:
    """The archive cannot be written: ION keeps the message."""
    settings = world.settings.model_copy(update={"archive": ArchiveSettings(url="/dev/null/nowhere")})
    async with (
        serving(ion_app(world.client, settings), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, auth=(ION_USER, ION_PASSWORD), timeout=30) as client,
    ):
        answer = await Caller(client).send(bod("Sync.ItemMaster"), name="Sync.ItemMaster")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


async def test_what_has_run_replays(world: World) -> None:
    """The histories of this module's documents, read again by the code as it is."""
    replayer = Replayer(
        workflows=[M3Document], data_converter=DATA_CONVERTER, workflow_runner=sandbox_runner()
    )
    query = 'WorkflowType="M3Document"'
    assert (await world.client.count_workflows(query)).count > 5
    histories = world.client.list_workflows(query).map_histories()
    results = await replayer.replay_workflows(histories)
    assert results.replay_failures == {}

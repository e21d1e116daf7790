"""One SKU mapped once: every order held for it goes on, at this seller and no other."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.order_contracts import OrderResult
from canonical.sku.contracts import MAP_SKU, FindHeldRequest, MapSkuInput, MapSkuResult, sku_workflow_id
from simulators.assortment import ITEM_BY_SKU
from tests.support.orders import ORDINARY, order, sku_with
from tests.support.world import World, eventually
from worker.sku_release import find_held, start_mapping

EU, NA = "A2EUSELLER0001", "A1NASELLER0001"
ITEM: Final = "100000-TEA"
Handle = WorkflowHandle[object, OrderResult]


def new_sku() -> str:
    return f"NEW-{uuid4().hex[:10]}"


async def held(
    world: World, *skus: str, marketplace: str = "DE", seller: str = EU, reason: str = "unmapped_sku"
) -> Handle:
    order_id = await world.place(order(*skus, status="SHIPPED", marketplace=marketplace), seller=seller)
    handle = await world.start(order_id, seller=seller)
    await world.until_held(handle, reason)
    return handle


async def seen(world: World, sku: str, count: int, seller: str = EU) -> None:
    """Temporal lists so many orders as held for the SKU."""

    async def number() -> int:
        return len(await find_held(world.client, FindHeldRequest(seller_id=seller, sku=sku)))

    await eventually(number, lambda found: found == count)


async def mapped(world: World, sku: str, itno: str = ITEM, **more: object) -> MapSkuResult:
    wanted = MapSkuInput.model_validate({"seller_id": EU, "sku": sku, "itno": itno, **more})
    handle = await start_mapping(world.client, wanted)
    return await asyncio.wait_for(handle.result(), 60)


async def result_of(world: World, workflow_id: str) -> MapSkuResult:
    handle: WorkflowHandle[object, MapSkuResult] = world.client.get_workflow_handle(
        workflow_id, result_type=MapSkuResult
    )
    return await asyncio.wait_for(handle.result(), 60)


async def booked(world: World, handles: Sequence[Handle]) -> None:
    for result in await asyncio.gather(*(world.result(handle) for handle in handles)):
        assert result.outcome == "booked"
        assert len((await world.in_m3(result.order_id))["orders"]) == 1


async def test_twenty_orders_of_two_marketplaces_are_released_and_the_other_sellers_is_not(
    world: World,
) -> None:
    sku = new_sku()
    mine = list(
        await asyncio.gather(
            *(held(world, sku, marketplace=place) for place in ("DE", "FR") for _ in range(10))
        )
    )
    other = await held(world, sku, marketplace="US", seller=NA)
    await seen(world, sku, 20)
    result = await mapped(world, sku, by="operations")
    assert (result.outcome, result.released, result.left_count) == ("mapped", 20, 0), result
    assert result.written == ("2 AMZN",)
    assert result.sentence == f"SKU {sku} of seller {EU} is item {ITEM}. 20 held orders were released."
    await booked(world, mine)
    assert (await world.view(other)).held_reason == "unmapped_sku"
    again = await mapped(world, sku, by="operations")
    assert (again.outcome, again.released, again.written, again.known) == ("mapped", 0, (), ("2 AMZN",))
    await other.signal("map_sku", {"sku": sku, "itno": ITEM})
    await booked(world, [other])


async def test_a_signal_to_one_order_releases_the_others(world: World) -> None:
    sku = new_sku()
    handles = [await held(world, sku, marketplace=place) for place in ("DE", "FR", "DE")]
    alone = await held(world, sku)
    await seen(world, sku, 4)
    await alone.execute_update("map_sku", {"sku": sku, "itno": "100255-POT", "alone": True})
    await booked(world, [alone])
    assert [(await world.view(one)).held_reason for one in handles] == ["unmapped_sku"] * 3
    await handles[0].signal("map_sku", {"sku": sku, "itno": ITEM, "by": "anna"})
    await booked(world, handles)
    result = await eventually(
        lambda: result_of(world, sku_workflow_id(EU, sku)), lambda found: found.itno == ITEM
    )
    assert result.released == 2
    view = await world.view(handles[1])
    assert [(fix.fix, fix.by, fix.what) for fix in view.repairs] == [
        ("map_sku", "anna", f"sku={sku} itno={ITEM}")
    ]
    assert handles[0].id.removeprefix(f"order-{EU}-") in view.repairs[0].why


async def test_an_order_with_two_unknown_skus_waits_for_the_other(world: World) -> None:
    one, two = new_sku(), new_sku()
    both, single = await held(world, one, two), await held(world, one)
    await seen(world, one, 2)
    await both.signal("map_sku", {"sku": one, "itno": ITEM})
    await booked(world, [single])
    await seen(world, two, 1)
    await seen(world, one, 0)
    third = await held(world, two, new_sku_of := new_sku())
    await seen(world, two, 2)
    result = await mapped(world, two)
    assert (result.released, result.waiting_count) == (2, 1)
    assert result.waiting == (third.id[-19:],)
    await booked(world, [both])
    await seen(world, new_sku_of, 1)
    await third.signal("map_sku", {"sku": new_sku_of, "itno": ITEM})
    await booked(world, [third])


async def test_what_cannot_be_mapped_is_said_and_nobody_is_released(world: World) -> None:
    sku = new_sku()
    handle = await held(world, sku)
    await seen(world, sku, 1)
    blocked = ITEM_BY_SKU[sku_with("item_blocked")].itno
    for itno, words in (("NO-SUCH-ITEM", "M3 has no item NO-SUCH-ITEM"), (blocked, "cannot be ordered")):
        result = await mapped(world, sku, itno)
        assert (result.outcome, result.released) == ("refused", 0)
        assert words in result.sentence
    strange = await mapped(world, sku, marketplace_ids=["ATVPDKIKX0DER"])
    assert strange.outcome == "refused"
    assert "ATVPDKIKX0DER" in strange.sentence
    assert (await world.view(handle)).held_reason == "unmapped_sku"
    assert (await mapped(world, sku)).released == 1
    await booked(world, [handle])


async def test_a_mapping_by_itself_takes_no_alias_away(world: World) -> None:
    refused = await mapped(world, ORDINARY, "100255-POT", automatic=True)
    assert refused.outcome == "refused"
    assert "is an alias of" in refused.sentence


async def test_an_alias_of_two_items_is_told(world: World) -> None:
    sku, other = new_sku(), f"I{uuid4().hex[:8]}".upper()
    alias = {"popn": sku, "e0pa": "PARTNER2"}
    body = {"items": [{"itno": other, "itds": "A mug of another partner", "aliases": [alias]}]}
    (await world.m3.post("/_control/items", json=body)).raise_for_status()
    assert (await mapped(world, sku, automatic=True)).outcome == "refused"
    for written, known in ((("2 AMZN",), ()), ((), ("2 AMZN",))):
        result = await mapped(world, sku)
        assert (result.outcome, result.written, result.known) == ("mapped", written, known)
        [note] = result.notes
        assert f"is an alias (2 AMZN) of {other} too, for another partner" in note


async def test_another_items_alias_gives_way_to_a_person_also_while_the_first_is_at_work(
    world: World,
) -> None:
    sku = new_sku()
    first = await start_mapping(world.client, MapSkuInput(seller_id=EU, sku=sku, itno=ITEM))
    moved = await mapped(world, sku, "100255-POT")
    assert (moved.itno, moved.outcome) == ("100255-POT", "mapped")
    assert (await first.result()).itno == "100255-POT", "the run that was at work did it"
    refused = await mapped(world, sku, automatic=True)
    assert "it is an alias of 100255-POT by now" in refused.sentence


async def test_any_sku_is_found_and_a_long_one_is_mapped_order_by_order(world: World) -> None:
    end = uuid4().hex[:6]
    odd = (f"A \"B\" 'C' \\ grün % 茶 {end}", f"LONG-{end}-" + "X" * 29)
    handles = [await held(world, sku) for sku in odd]
    for sku in odd:
        await seen(world, sku, 1)
    for sku, result in zip(odd, await asyncio.gather(*(mapped(world, sku) for sku in odd)), strict=True):
        assert (result.outcome, result.released) == ("mapped", 1), result
        assert bool(result.written) == (len(sku) <= 30)
        assert bool(result.notes) == (len(sku) > 30)
    await booked(world, handles)
    assert len({sku_workflow_id(EU, sku) for sku in odd}) == 2


async def test_the_web_uis_form_is_answered_in_a_sentence(world: World) -> None:
    sku = new_sku()
    handle = await held(world, sku)
    await seen(world, sku, 1)
    result: MapSkuResult = await world.client.execute_workflow(
        MAP_SKU,
        {"seller_id": EU, "sku": sku, "itno": ITEM},
        id=f"by-hand-{sku}",
        task_queue=ORDERS_QUEUE,
        result_type=MapSkuResult,
    )
    assert result.released == 1
    await booked(world, [handle])
    for number, bad in enumerate(({"sku": sku}, "nonsense", None)):
        with pytest.raises(WorkflowFailureError) as failed:
            await world.client.execute_workflow(
                MAP_SKU, bad, id=f"bad-{sku}-{number}", task_queue=ORDERS_QUEUE
            )
        assert "MapSku takes one JSON object such as" in str(failed.value.cause)


async def test_a_lost_reply_leaves_one_alias(world: World) -> None:
    sku = new_sku()
    fault = {
        "operation": "MMS025MI.AddAlias",
        "match": {"POPN": sku},
        "when": "after",
        "action": "status_504",
    }
    (await world.m3.post("/_control/faults", json={**fault, "times": 1})).raise_for_status()
    result = await mapped(world, sku)
    assert (result.outcome, result.known, result.notes) == ("mapped", ("2 AMZN",), ())

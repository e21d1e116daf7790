"""SKUs without item: gathered from held orders and listings, ranked, and mapped by themselves where that is allowed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from activities import listings_snapshot
from activities.skus import items_kept
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.sku.item_file import unpacked
from canonical.sku.look_contracts import SKU_LOOK, SkuLooked, SkuLookInput
from canonical.stock.listings import Listing, ListingsHead
from simulators.assortment import ITEMS
from starters import skus
from tests.support.world import World
from tests.workflows.test_sku_mapping import EU, booked, held, new_sku, seen
from worker.archiving import open_archive

GERMANY = "A1PA6795UKMFR9"
EAN, SHARED, WRONG = "4006381333931", "4012345678901", "4006381333932"


async def new_item(world: World, itno: str, name: str, **more: object) -> None:
    body = {"items": [{"itno": itno, "itds": name, **more}]}
    (await world.m3.post("/_control/items", json=body)).raise_for_status()


def ean(number: str, partner: str = "") -> dict[str, object]:
    return {"popn": number, "alwt": 1, "alwq": "EA13", "e0pa": partner}


def listed(world: World, *listings: Listing) -> None:
    """What Amazon lists in Germany, as the look at listings keeps it."""
    head = ListingsHead(
        seller_id=EU, marketplace_id=GERMANY, report_id="R1", taken_at=datetime.now(UTC) + timedelta(days=1)
    )
    listings_snapshot.write(open_archive(world.settings.archive), head, listings)


async def look(world: World, **more: Any) -> SkuLooked:
    looked: SkuLooked = await world.client.execute_workflow(
        SKU_LOOK,
        SkuLookInput(seller_id=EU, **more),
        id=f"look-{uuid4()}",
        task_queue=ORDERS_QUEUE,
        result_type=SkuLooked,
    )
    return looked


async def found(world: World, sku: str) -> skus.ShownSku:
    shown = await skus.suggestions(world.client, open_archive(world.settings.archive), EU, sku, limit=5)
    assert shown is not None
    [one] = shown.skus
    return one


async def test_a_look_ranks_maps_what_is_certain_and_leaves_the_rest_to_people(world: World) -> None:
    sure, twice, wrong, past = (new_sku() for _ in range(4))
    kettle, other = f"K{uuid4().hex[:8]}".upper(), f"L{uuid4().hex[:8]}".upper()
    stock = {"AFE": "50"}
    await new_item(
        world, kettle, "Copper Kettle KX-4711 2.5 l", onhand=stock, aliases=[ean(EAN), ean(SHARED)]
    )
    await new_item(
        world,
        other,
        "Enamel Milk Jug MJ-0815",
        onhand=stock,
        aliases=[ean(SHARED, "P2"), ean(WRONG), {"popn": past, "lvdt": "20200101"}],
    )
    handles = [await held(world, sure), await held(world, sure), await held(world, twice)]
    await seen(world, sure, 2)
    await seen(world, twice, 1)
    listed(
        world,
        Listing(sku=sure, title="Copper kettle KX-4711, 2.5 l", ean=EAN, channel="FBA"),
        Listing(sku=twice, title="Something made of metal", ean=SHARED, channel="FBA"),
        Listing(sku=wrong, title="Milk jug MJ-0815 enamel", ean=WRONG, channel="MFN"),
        Listing(sku=past, title="", channel="MFN"),
        Listing(sku="TEA-GREEN-250", title="Green tea", channel="FBA", itno="100000-TEA", by="alias"),
    )
    looked = await look(world)
    assert looked.mapped == ()
    assert looked.items.items >= len(ITEMS) + 2
    best = await found(world, sure)
    assert best.held_orders == 2
    assert best.effect == "releases 2 held orders"
    assert best.suggestions[0].itno == kettle
    assert "same EAN 4006381333931" in best.suggestions[0].reasons
    assert best.suggestions[0].command == f"o2c sku map {sure} {kettle} --seller {EU}"
    doubtful = await found(world, twice)
    assert {one.itno for one in doubtful.suggestions[:2]} == {kettle, other}
    assert any("2 items have what speaks for one of them" in note for note in doubtful.notes)
    mistyped = await found(world, wrong)
    assert mistyped.suggestions[0].itno == other
    assert any("check digit" in note for note in mistyped.notes)
    assert (await found(world, past)).suggestions[0].reasons[0] == f"SKU {past} has been mapped to it before"
    rows = await skus.open_rows(
        world.client, open_archive(world.settings.archive), {EU: world.settings.sellers[EU]}
    )
    by_sku = {row.sku: row for row in rows}
    assert (by_sku[sure].held_orders, by_sku[wrong].held_orders) == (2, 0)
    assert "TEA-GREEN-250" not in by_sku
    again = await look(world, automatic=True, most_automatic=100)
    mine = [one for one in again.mapped if one.certain.sku in (sure, twice, wrong, past)]
    assert [(one.certain.sku, one.certain.itno, one.released, one.refused) for one in mine] == [
        (sure, kettle, 2, "")
    ]
    await booked(world, handles[:2])
    assert (await world.view(handles[2])).held_reason == "unmapped_sku"
    await handles[2].signal("map_sku", {"sku": twice, "itno": other})
    await booked(world, [handles[2]])


async def test_two_looks_at_once_read_m3s_items_once(world: World) -> None:
    archive = open_archive(world.settings.archive)
    archive.remove("items")
    first, second = await asyncio.gather(look(world), look(world))
    assert {first.items.key, second.items.key} == set(items_kept(archive))
    assert archive.keys("items") == (first.items.key,), "no part is left behind"
    items = list(unpacked(archive.read(first.items.key)))
    assert [one.itno for one in items] == sorted({one.itno for one in items})
    assert {item.itno for item in ITEMS} <= {one.itno for one in items}
    assert any(one.status != "20" for one in items)

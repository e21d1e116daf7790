"""SKUs without item at the command line: listed, suggested, mapped; one command releases all orders held for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from canonical.sku.contracts import MapSkuInput
from tests.support.holding import OrderHandle, Workshop, workshop
from tests.support.orders import order
from tests.support.processes import worker_process
from tests.support.world import eventually
from worker.sku_release import start_mapping
from workflows import search_attributes as sa

EU: Final = "A2EUSELLER0001"
ITEM: Final = "100000-TEA"
MANY: Final = 20


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path_factory.mktemp("sku")) as built:
        yield built


async def held(shop: Workshop, sku: str, count: int) -> list[OrderHandle]:
    """So many orders of two marketplaces, held for this SKU and visible as such."""

    async def one(place: str) -> OrderHandle:
        return await shop.start(await shop.place(order(sku, status="SHIPPED", marketplace=place)))

    handles = list(await asyncio.gather(*(one(("DE", "FR")[number % 2]) for number in range(count))))
    await asyncio.gather(*(shop.until_held(handle, "unmapped_sku") for handle in handles))

    async def seen() -> int:
        return (await shop.client.count_workflows(f'{sa.UNMAPPED_SKUS.name}="{sku}"')).count

    await eventually(seen, lambda number: number == count)
    return handles


async def booked_once(shop: Workshop, handles: list[OrderHandle]) -> None:
    for handle in handles:
        result = await shop.result(handle)
        found = await shop.in_m3(result.order_id)
        assert [entry["orno"] for entry in found["orders"]] == [result.orno]
        assert [repair.fix for repair in result.repairs] == ["map_sku"]


async def test_one_command_releases_twenty_orders(shop: Workshop) -> None:
    sku = "CLI-NEW-MUG"
    handles = await held(shop, sku, MANY)
    early = await shop.o2c("sku", "suggest", sku, "--seller", EU)
    assert early.status == 1
    assert "'o2c sku suggest --now' looks" in early.err
    listed = await shop.o2c("sku", "list", "--json")
    [row] = [one for one in json.loads(listed.out) if one["sku"] == sku]
    assert (row["seller_id"], row["held_orders"], row["title"]) == (EU, MANY, "Unknown thing")
    assert row["marketplaces"] == ["Amazon.de", "Amazon.fr"]
    plain = await shop.o2c("sku", "list", "--seller", EU)
    assert sku in plain.out
    assert "1 SKU without item" in plain.out
    shown = await shop.o2c("sku", "suggest", sku, "--seller", EU, "--now", "--json")
    assert shown.status == 0, shown.err
    [look] = json.loads(shown.out)
    [one] = look["skus"]
    assert one["effect"] == f"releases {MANY} held orders"
    wrong = await shop.o2c("sku", "map", sku, "NO-SUCH-ITEM", "--seller", EU)
    assert wrong.status == 1
    assert "M3 has no item NO-SUCH-ITEM" in wrong.out
    elsewhere = await shop.o2c("sku", "map", sku, ITEM, "--seller", EU, "--marketplace", "Amazon.com")
    assert elsewhere.status == 2
    assert f"Seller {EU} has no marketplace Amazon.com" in elsewhere.err
    done = await shop.o2c("sku", "map", sku, ITEM, "--seller", EU, "--by", "operations", "--why", "new mug")
    assert done.status == 0, done.out + done.err
    assert f"{MANY} held orders were released" in done.out
    assert "Alias written in M3 (MMS025): 2 AMZN" in done.out
    await booked_once(shop, handles)
    result = await shop.result(handles[0])
    assert [(fix.by, fix.why, fix.what) for fix in result.repairs] == [
        ("operations", "new mug", f"sku={sku} itno={ITEM}")
    ]
    again = await shop.o2c("sku", "map", sku, ITEM, "--seller", EU, "--json")
    assert again.status == 0
    assert {key: json.loads(again.out)[key] for key in ("outcome", "released", "known", "written")} == {
        "outcome": "mapped",
        "released": 0,
        "known": ["2 AMZN"],
        "written": [],
    }
    unknown = await shop.o2c("sku", "suggest", "NEVER-SEEN", "--seller", EU)
    assert unknown.status == 1
    assert "was not among those without item" in unknown.err


@pytest.mark.long
async def test_a_worker_killed_in_the_middle_releases_each_order_once(shop: Workshop) -> None:
    sku = "CLI-KILLED"
    handles = await held(shop, sku, 2 * MANY)
    await shop.stop()
    log = shop.config_file.parent / "worker.log"

    async def released() -> int:
        described = await asyncio.gather(*(handle.describe() for handle in handles))
        return sum(not one.typed_search_attributes.get(sa.HELD_REASON) for one in described)

    async with worker_process(shop.config_file, log) as first:
        mapping = await start_mapping(shop.client, MapSkuInput(seller_id=EU, sku=sku, itno=ITEM))
        await eventually(released, lambda number: number >= 5)
        first.kill()
        await first.wait()
    assert 5 <= await released() < len(handles)
    async with worker_process(shop.config_file, log):
        result = await asyncio.wait_for(mapping.result(), 120)
        assert (result.outcome, result.released, result.left_count) == ("mapped", len(handles), 0)
        await booked_once(shop, handles)
    await shop.configure()

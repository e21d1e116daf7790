"""What left the own warehouse, as Amazon is to be told: by package, each under the same reference for ever."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from canonical import activity_contracts as act
from canonical.order import Channel, Order
from tests.activities.m3_bench import BLACK, GREEN, Bench, amazon_order, bench, booking


@pytest_asyncio.fixture(scope="module")
async def m3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with bench(tmp_path_factory.mktemp("m3")) as stage:
        yield stage


async def booked(m3: Bench, order: Order) -> act.SalesOrderResult:
    return await m3.run(m3.m3.create_sales_order, booking(order))


async def test_an_own_warehouses_delivery_is_told_package_by_package(m3: Bench) -> None:
    await m3.post("staff", at_work=False)
    order = amazon_order((GREEN, 3), (BLACK, 1), channel=Channel.MFN)
    sales_order = await booked(m3, order)
    await m3.post("ship", orno=sales_order.orno, lines={"1": "2", "2": "1"}, fwno="UPS", packages=2)
    found = await m3.m3.deliveries_of([order.order_id, "302-9999999-1234567"])
    [delivery] = found[order.order_id]
    first, second = (line.order_item_id for line in order.lines)
    assert delivery.items == {first: 2, second: 1}
    assert len(delivery.packages) == 2
    assert {package.carrier for package in delivery.packages} == {"UPS"}
    assert all(package.tracking_number.startswith("UPS") for package in delivery.packages)
    assert len({package.tracking_number for package in delivery.packages}) == 2
    packed: dict[str, int] = {}
    for package in delivery.packages:
        for item, quantity in package.items.items():
            packed[item] = packed.get(item, 0) + quantity
    assert packed == delivery.items
    references = [package.reference for package in delivery.packages]
    assert all(reference.isdecimal() and int(reference) > 0 for reference in references)
    await m3.post("ship", orno=sales_order.orno, fwno="DHL", packages=1)
    later = (await m3.m3.deliveries_of([order.order_id]))[order.order_id]
    assert [package.reference for package in later[0].packages] == references
    assert {first: 1} in [each.items for each in later]
    assert len({package.reference for each in later for package in each.packages}) == 3


async def test_on_premises_the_delivery_has_the_tracking_number(tmp_path: Path) -> None:
    async with bench(tmp_path, profile="onprem") as m3:
        await m3.post("staff", at_work=False)
        order = amazon_order((GREEN, 2), channel=Channel.MFN)
        sales_order = await booked(m3, order)
        await m3.post("ship", orno=sales_order.orno, fwno="DPD", packages=1)
        [delivery] = (await m3.m3.deliveries_of([order.order_id]))[order.order_id]
        [package] = delivery.packages
        assert package.tracking_number.startswith("DPD")


async def test_what_has_not_left_is_no_news(m3: Bench) -> None:
    order = amazon_order((GREEN, 1))
    await booked(m3, order)
    assert await m3.m3.deliveries_of([order.order_id]) == {}

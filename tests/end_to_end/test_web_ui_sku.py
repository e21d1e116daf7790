"""A SKU mapped in the Web UI alone: by a signal to one held order, and by the form that starts a workflow."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from canonical.held import FixName
from canonical.sku.contracts import sku_workflow_id
from tests.end_to_end.test_sku_cli import EU, ITEM, booked_once, held
from tests.support.holding import Workshop, workshop
from tests.support.web_ui import Screen, browser
from workflows.repairs import DESCRIPTIONS

pytestmark = pytest.mark.long


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path_factory.mktemp("sku-ui")) as built:
        yield built


async def test_a_signal_to_one_order_releases_all(shop: Workshop, tmp_path: Path) -> None:
    sku = "UI-SIGNALLED"
    handles = await held(shop, sku, 14)
    async with browser(tmp_path) as screen:
        await screen.open_list(f'{shop.ui}/namespaces/default/workflows?query=UnmappedSkus="{sku}"')
        await screen.open_from_list(handles[0].id)
        told = json.dumps({"sku": sku, "itno": ITEM, "by": "anna"})
        await screen.send("map_sku", DESCRIPTIONS[FixName.MAP_SKU], told, "map_sku")
        await booked_once(shop, handles)
        await screen.open_list(f"{shop.ui}/namespaces/default/workflows/{sku_workflow_id(EU, sku)}")
        await expect(screen.status).to_have_text("Completed")
        shown = await screen.read()
        await expect(shown.get_by_text("13 held orders were released")).to_be_visible()


async def test_the_form_that_starts_a_workflow_maps_a_sku(shop: Workshop, tmp_path: Path) -> None:
    sku = "UI-STARTED"
    handles = await held(shop, sku, 6)
    async with browser(tmp_path) as screen:
        await _start(screen, shop, sku)
        await booked_once(shop, handles)
        await screen.open_list(f"{shop.ui}/namespaces/default/workflows/{sku_workflow_id(EU, sku)}")
        await expect(screen.status).to_have_text("Completed")
        shown = await screen.read()
        await expect(shown.get_by_text("6 held orders were released")).to_be_visible()


async def _start(screen: Screen, shop: Workshop, sku: str) -> None:
    page = screen.page
    await page.goto(f"{shop.ui}/namespaces/default/workflows")
    await page.get_by_role("link", name="Start Workflow").first.click()
    await page.get_by_label("Workflow ID").fill(sku_workflow_id(EU, sku))
    await page.get_by_label("Task Queue").fill("o2c-orders")
    await page.get_by_label("Workflow Type").fill("MapSku")
    told = {"seller_id": EU, "sku": sku, "itno": ITEM, "by": "anna"}
    editor = page.get_by_role("main").locator(".cm-content").first
    await editor.click()
    await page.keyboard.type(json.dumps(told))
    await page.get_by_text(
        "Encoding"
    ).first.click()  # out of the editor, so that nothing moves under the pointer
    assert json.loads(await editor.inner_text()) == told
    await screen.shoot("start-workflow")
    await page.get_by_role("main").get_by_role("button", name="Start Workflow").click()
    await expect(page.get_by_text("UI-STARTED").first).to_be_visible()

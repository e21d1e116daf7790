"""An operator repairs a held order in Temporal's own Web UI: finds it, reads it, types the signal it asks for."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import FrameLocator, expect

from canonical.held import HeldReason
from canonical.held_reasons import HELD_REASONS
from simulators import assortment
from tests.support.holding import OrderHandle, Workshop, sku_of, workshop
from tests.support.orders import ORDINARY, order
from tests.support.web_ui import Screen, browser

SHOTS = Path("test-output/web-ui-first")
ORDER_ID = "028-4415926-5358979"
SKU = sku_of("unmapped_sku")
MEANT = assortment.ITEM_BY_SKU[SKU].itno


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path_factory.mktemp("web-ui")) as built:
        yield built


@pytest_asyncio.fixture
async def screen() -> AsyncIterator[Screen]:
    async with browser(SHOTS) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def unmapped(shop: Workshop) -> OrderHandle:
    """An order of two lines, one of them of a SKU M3 does not know; other orders are held beside it."""
    for other in ("credit_stop", "total_differs"):
        await shop.start(await shop.place(order(sku_of(other), status="SHIPPED")))
    body = order((ORDINARY, 2), SKU, status="SHIPPED", shipping="4.90", order_id=ORDER_ID)
    handle = await shop.start(await shop.place(body))
    await shop.until_held(handle, HeldReason.UNMAPPED_SKU)
    return handle


async def test_a_held_order_is_found_read_and_repaired_in_the_web_ui(
    shop: Workshop, screen: Screen, unmapped: OrderHandle
) -> None:
    await _found_by_reason(shop, screen, unmapped)
    details = await _read(screen)
    text = await details.locator("body").inner_text()
    asked = re.search(r"map_sku with input (\{.*?\})", " ".join(text.split()))
    assert asked is not None, text
    await _send(screen, "map_sku", asked[1])
    await expect(screen.status).to_have_text("Completed")
    result = await unmapped.result()
    await screen.read_again()
    await expect(details.get_by_text(result.sentence)).to_be_visible()
    await screen.shoot("4-completed")
    assert result.outcome == "booked"
    [booked] = (await shop.in_m3(ORDER_ID))["orders"]
    assert MEANT in [line["itno"] for line in booked["lines"]]  # type: ignore[attr-defined]
    later = await shop.start(await shop.place(order(SKU, status="SHIPPED")))
    assert (await later.result()).repairs == (), "The alias serves later orders."


async def _found_by_reason(shop: Workshop, screen: Screen, unmapped: OrderHandle) -> None:
    query = quote(f'HeldReason="{HeldReason.UNMAPPED_SKU}"')
    await screen.open_list(f"{shop.ui}/namespaces/default/workflows?query={query}")
    await expect(screen.page.get_by_text("1–1 of 1")).to_be_visible()
    await screen.sees(unmapped.id)
    await screen.shoot("1-list")
    await screen.open_from_list(unmapped.id)


async def _read(screen: Screen) -> FrameLocator:
    """Current Details hold all that the order's repair needs."""
    details = await screen.read()
    info = HELD_REASONS[HeldReason.UNMAPPED_SKU]
    await expect(details.get_by_role("heading", name=f"Held: {info.title}")).to_be_visible()
    likely = details.get_by_role("listitem").filter(has_text="likeness")
    assert await likely.count() == 5
    assert MEANT in await likely.first.inner_text()
    await expect(details.get_by_text(info.what_to_do)).to_be_visible()
    for fix in info.fixes:
        await expect(
            details.get_by_role("listitem").filter(has_text=f"o2c fix {ORDER_ID} {fix}")
        ).to_be_visible()
    assert "**" not in await details.locator("body").inner_text(), "Markdown is shown as it is written."
    await screen.shoot("2-details")
    return details


async def _send(screen: Screen, name: str, text: str) -> None:
    """The other way than `Screen.send`: the signal's name is typed, not chosen from the list."""
    page = screen.page
    await page.get_by_role("button", name="More Actions").click()
    await page.get_by_role("menuitem", name="Send a Signal").click()
    await page.get_by_role("button", name="Select a signal").click()
    await page.get_by_role("option", name="Custom Input Signal name").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Signal name").press_sequentially(name)
    await dialog.locator(".cm-content").click()
    await page.keyboard.type(text)
    await screen.shoot("3-signal")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog).to_be_hidden()

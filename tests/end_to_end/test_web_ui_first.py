"""An operator repairs a held order in Temporal's own Web UI: finds it, reads it, types the signal it asks for."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import FrameLocator, Page, async_playwright, expect

from canonical.held import HELD_REASONS, HeldReason
from simulators import catalogue
from tests.support.holding import OrderHandle, Workshop, sku_of, workshop
from tests.support.orders import ORDINARY, order

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)
SHOTS = Path("test-output/web-ui-first")
ORDER_ID = "028-4415926-5358979"
SKU = sku_of("unmapped_sku")
MEANT = catalogue.ITEM_BY_SKU[SKU].itno


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path_factory.mktemp("web-ui")) as built:
        yield built


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A page of headless Chromium, as wide as an operator's screen."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing; install Debian's chromium: apt-get install chromium.")
    SHOTS.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = await browser.new_page(viewport={"width": 1400, "height": 1320})
        page.set_default_timeout(20_000)
        yield page
        await browser.close()


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
    shop: Workshop, page: Page, unmapped: OrderHandle
) -> None:
    await _found_by_reason(shop, page, unmapped)
    details = await _read(page)
    text = await details.locator("body").inner_text()
    asked = re.search(r"map_sku with input (\{.*?\})", " ".join(text.split()))
    assert asked is not None, text
    await _send(page, "map_sku", asked[1])
    await expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    result = await unmapped.result()
    await page.keyboard.press("r")
    await expect(details.get_by_text(result.sentence)).to_be_visible()
    await page.screenshot(path=SHOTS / "4-completed.png")
    assert result.outcome == "booked"
    [booked] = (await shop.in_m3(ORDER_ID))["orders"]
    assert MEANT in [line["itno"] for line in booked["lines"]]  # type: ignore[attr-defined]
    later = await shop.start(await shop.place(order(SKU, status="SHIPPED")))
    assert (await later.result()).repairs == (), "The alias serves later orders."


async def _found_by_reason(shop: Workshop, page: Page, unmapped: OrderHandle) -> None:
    query = quote(f'HeldReason="{HeldReason.UNMAPPED_SKU}"')
    await page.goto(f"{shop.ui}/namespaces/default/workflows?query={query}")
    await expect(page.get_by_text("1–1 of 1")).to_be_visible()
    row = page.get_by_role("link", name=unmapped.id)
    await expect(row.first).to_be_visible()
    await page.screenshot(path=SHOTS / "1-list.png")
    await row.first.click()


async def _read(page: Page) -> FrameLocator:
    """Current Details, rendered: the frame in which the Web UI shows Markdown."""
    await page.get_by_role("tab", name="User Metadata").click()
    details = page.frame_locator("iframe#user-metadata-current-details")
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
    await page.screenshot(path=SHOTS / "2-details.png")
    return details


async def _send(page: Page, name: str, text: str) -> None:
    """More Actions, Send a Signal, a name and an input typed key by key, Submit."""
    await page.get_by_role("button", name="More Actions").click()
    await page.get_by_role("menuitem", name="Send a Signal").click()
    await page.get_by_role("button", name="Select a signal").click()
    await page.get_by_role("option", name="Custom Input Signal name").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Signal name").press_sequentially(name)
    await dialog.locator(".cm-content").click()
    await page.keyboard.type(text)
    await page.screenshot(path=SHOTS / "3-signal.png")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog).to_be_hidden()

"""A controller at the page of a settlement, in headless Chromium."""

import json
from pathlib import Path

from playwright.async_api import Page, ViewportSize, expect

from tests.support.web_ui import Screen

WIDE: ViewportSize = {"width": 1100, "height": 1400}
PAPER: ViewportSize = {"width": 680, "height": 960}
"""A4 without its margins, in CSS pixels."""
NARROW: ViewportSize = {"width": 390, "height": 844}


async def figure(page: Page, name: str) -> str:
    """One of the first figures, as it is copied from the page."""
    found = page.locator("dl.figures > div, dl.sum").filter(has=page.locator("dt", has_text=name)).first
    text = await found.locator(f"dt:has-text({json.dumps(name)}) ~ dd").first.inner_text()
    return text.split("\n")[0]


async def cells(page: Page, section: str, table: int = 0) -> list[list[str]]:
    """The table's rows; of a cell its first line."""
    rows = page.locator(f"section#{section} table").nth(table).locator("tr")
    read: list[list[str]] = await rows.evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim().split('\\n')[0]))"
    )
    return read


async def proofs(page: Page) -> dict[str, str]:
    """The checks as the page shows them, and how each came out."""
    shown: dict[str, str] = await page.locator("#checks tr").evaluate_all(
        "rows => Object.fromEntries(rows.map(row => [row.dataset.check, row.dataset.status]))"
    )
    return shown


async def looked_at(screen: Screen, file: Path, name: str) -> None:
    """Opened as a controller does, photographed; nothing is wrong in the console, nothing is cut off."""
    page, shots, complaints = screen.page, screen.shots, list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.extend(_strange(asked.url)))
    await page.goto(file.as_uri())
    for label, size in (("narrow", NARROW), ("wide", WIDE)):
        await page.set_viewport_size(size)
        width = await page.evaluate("document.documentElement.scrollWidth")
        await page.screenshot(path=shots / f"{name}-{label}.png", full_page=True)
        assert width <= size["width"], f"At {size['width']} px it is {width} px wide."
    await page.emulate_media(color_scheme="dark")
    await page.screenshot(path=shots / f"{name}-dark.png", full_page=True)
    await page.emulate_media(color_scheme="light")
    await page.emulate_media(media="print")
    await page.set_viewport_size(PAPER)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
    await expect(page.locator("#categories th", has_text="account").first).to_be_visible()
    await page.emulate_media(media="screen")
    await page.set_viewport_size(WIDE)
    await page.pdf(path=shots / f"{name}.pdf", prefer_css_page_size=True)
    assert not complaints, complaints
    for link in await page.locator('a[href^="#"]').evaluate_all(
        "links => links.map(each => each.hash.slice(1))"
    ):
        await expect(page.locator(f"section#{link}")).to_have_count(1)


def _strange(url: str) -> list[str]:
    return [] if url.startswith("file:") else [url]

"""An operator at Temporal's Web UI, in headless Chromium: opens a list, opens an order, reads, sends a signal."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import FrameLocator, Locator, Page, async_playwright, expect

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
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Screen:
    """One page of the browser, and the folder for what is photographed of it."""

    page: Page
    shots: Path

    async def open_list(self, link: str) -> None:
        """Follow the link of a list."""
        await self.page.goto(link)

    async def open_from_list(self, workflow_id: str) -> None:
        """Open a workflow by its row."""
        await self.row(workflow_id).click()
        await expect(self.page.get_by_role("heading", name=workflow_id)).to_be_visible()

    async def sees(self, workflow_id: str) -> None:
        """The list has a row of this workflow."""
        await expect(self.row(workflow_id)).to_be_visible()

    def row(self, workflow_id: str) -> Locator:
        """The link in a workflow's row."""
        return self.page.get_by_role("link", name=workflow_id).first

    async def read(self) -> FrameLocator:
        """Current Details, rendered: the frame in which the Web UI shows Markdown."""
        await self.page.get_by_role("tab", name="User Metadata").click()
        return self.details

    @property
    def status(self) -> Locator:
        """How the workflow that is open stands, beside its name."""
        return (
            self.page.get_by_role("main")
            .get_by_text(re.compile("^(Running|Completed|Failed|Canceled)$"))
            .first
        )

    @property
    def details(self) -> FrameLocator:
        """The frame of Current Details, where that tab is open."""
        return self.page.frame_locator("iframe#user-metadata-current-details")

    async def read_again(self) -> None:
        """What the page itself asks for: press R."""
        await self.page.keyboard.press("r")

    async def send(self, name: str, description: str, text: str, shot: str) -> None:
        """More Actions, Send a Signal, the signal from its list, an input typed key by key, Submit."""
        await self.page.get_by_role("button", name="More Actions").click()
        await self.page.get_by_role("menuitem", name="Send a Signal").click()
        await self.page.get_by_role("button", name="Select a signal").click()
        offered = self.page.get_by_role("option").filter(has=self.page.get_by_text(name, exact=True))
        await expect(offered).to_contain_text(description)
        await offered.click()
        dialog = self.page.get_by_role("dialog")
        await dialog.locator(".cm-content").click()
        await self.page.keyboard.type(text)
        # Once it is left, the editor sets the input in lines, and Submit moves away from a pointer aimed at it.
        await dialog.get_by_text("Encoding").click()
        typed = await dialog.locator(".cm-content").inner_text()
        assert json.loads(typed) == json.loads(text), f"The editor made something else of {text}: {typed}"
        await self.shoot(shot)
        await dialog.get_by_role("button", name="Submit").click()
        await expect(dialog).to_be_hidden()

    async def shoot(self, name: str) -> None:
        """Keep what is on the screen."""
        await self.page.screenshot(path=self.shots / f"{name}.png")


@asynccontextmanager
async def browser(shots: Path) -> AsyncIterator[Screen]:
    """A page of headless Chromium with a profile of its own, as large as an operator's screen."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing; install Debian's chromium: apt-get install chromium.")
    shots.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = await chromium.new_page(viewport={"width": 1400, "height": 1400})
        page.set_default_timeout(PATIENCE_MS)
        yield Screen(page, shots)
        await chromium.close()

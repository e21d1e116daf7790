"""An operator repairs an order held for each reason in Temporal's own Web UI: finds it, reads it, types the signal.

How the orders come to be held is told by the same stories as in test_repairs.py. The stories in which every retry
has to be used up are told together, before the others; their orders wait on the held list for their turn.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import expect

import activities.m3.steps.report_goods_issue
from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS, ORDER_REASONS
from canonical.order_contracts import OrderResult, OrderView
from canonical.steps import MARKABLE_STEPS
from starters.repairs import read_argument
from tests.support import (  # noqa: F401 - they register their stories
    held_stories_after,
    held_stories_before,
    held_stories_closed,
)
from tests.support.held_story import STORIES
from tests.support.holding import OrderHandle, Telling, Workshop, sku_of, workshop
from tests.support.orders import order
from tests.support.web_ui import Screen, browser
from tests.support.world import eventually
from workflows.repairs import DESCRIPTIONS

pytestmark = pytest.mark.long

SHOTS = Path("test-output/web-ui")
LIST = Path("test-output/web-ui.md")
SHOWN = ("list", "details", "signal", "closed")
"""What is photographed of every reason."""


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """A service whose M3 does at once what it does at all: waiting inside a call for it changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activities.m3.steps.report_goods_issue, "_PATIENCE", 0.0)
        async with workshop(tmp_path_factory.mktemp("web-ui")) as built:
            yield built


@pytest_asyncio.fixture(scope="module")
async def screen() -> AsyncIterator[Screen]:
    async with browser(SHOTS) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def views(shop: Workshop) -> dict[str, str]:
    """The links that `o2c views` prints, by name."""
    said = await shop.o2c("views", "--json")
    assert said.status == 0, said.err
    return {view["name"]: view["link"] for view in json.loads(said.out)}


class Repaired(NamedTuple):
    """A line of the list of reasons."""

    test: str
    how: str
    repaired: str
    signal: str
    outcome: str


@pytest.fixture(scope="module")
def told() -> dict[HeldReason, Repaired]:
    """What was repaired in the Web UI so far."""
    return {}


@dataclass
class Operator(Telling):
    """A story whose order is found, read and repaired in the Web UI, when it is its turn at the screen."""

    screen: Screen = field(kw_only=True)
    link: str = field(kw_only=True)
    is_held: asyncio.Event = field(default_factory=asyncio.Event)
    turn: asyncio.Event = field(default_factory=asyncio.Event)

    async def held(self, handle: OrderHandle) -> OrderView:
        view = await super().held(handle)
        self.is_held.set()
        await self.turn.wait()
        await _listed(self.shop, handle, self.reason)
        await self.screen.open_list(self.link)
        await self.screen.sees(handle.id)
        await self.screen.shoot(f"{self.reason}-list")
        await self.screen.open_from_list(handle.id)
        await self._read(view)
        return view

    async def _read(self, view: OrderView) -> None:
        """What happened, what to do, and every repair that fits, as the page renders it."""
        details = await self.screen.read()
        info = HELD_REASONS[self.reason]
        await expect(details.get_by_role("heading")).to_contain_text("Held: ")
        assert _as_set(await details.get_by_role("heading").inner_text()) == _as_set(f"Held: {info.title}")
        text = await details.locator("body").inner_text()
        for part in (view.order_id, view.held_sentence, info.what_to_do):
            assert _as_set(part) in _as_set(text)
        assert "**" not in text, "Markdown is shown as it is written."
        listed = details.get_by_role("listitem").filter(has_text=f"o2c fix {view.order_id} ")
        expected = [
            fix for fix in info.fixes if fix is not FixName.MARK_STEP_DONE or view.step in MARKABLE_STEPS
        ]
        assert [(await one.inner_text()).split()[0] for one in await listed.all()] == expected
        await self.screen.shoot(f"{self.reason}-details")

    async def fix(self, *words: str) -> None:
        """Take the input from the page, fill in what only the operator knows, type it into the dialog."""
        name, *values = words
        details = self.screen.details
        line = details.get_by_role("listitem").filter(has_text=f"{name} with input")
        shown = re.search(
            rf"{name} with input (\{{.*\}}) or command", " ".join((await line.inner_text()).split())
        )
        assert shown is not None, f"The page shows no input for {name}."
        fix = read_argument(FixName(name), values, by="operations")
        argument = fix.model_dump(mode="json", exclude_defaults=True)
        assert json.loads(shown[1]).keys() <= argument.keys(), f"{shown[1]} is not what {name} takes."
        text = json.dumps(argument, ensure_ascii=False)
        self.command = f"{name} {text}"
        await self.screen.send(name, DESCRIPTIONS[FixName(name)], text, f"{self.reason}-signal")

    async def closed(self) -> OrderResult:
        result = await super().closed()
        await self.screen.page.reload()
        await expect(self.screen.status).to_have_text("Completed")
        told = self.screen.details.get_by_text(result.sentence)
        await expect(told.first).to_be_visible()  # a repair may say the same among what people did
        [repair] = result.repairs
        repaired = self.screen.details.get_by_role("listitem").filter(
            has_text=f"of {self.reason} by operations"
        )
        await expect(repaired).to_contain_text(f"{repair.fix} {repair.what}".strip())
        await self.screen.shoot(f"{self.reason}-closed")
        return result


def _as_set(text: str) -> str:
    """Words as a browser may set them: with curly quotes, and whatever space."""
    return re.sub(r"[\s'\"‘’“”]+", " ", text)


async def _listed(shop: Workshop, handle: OrderHandle, reason: HeldReason) -> None:
    """Visibility knows the order is held: lists follow an order by a moment."""
    query = f'WorkflowId="{handle.id}" AND HeldReason="{reason}"'
    await eventually(lambda: shop.client.count_workflows(query), lambda found: found.count == 1)


class Begun(NamedTuple):
    """A story under way."""

    operator: Operator
    story: asyncio.Task[None]


@pytest_asyncio.fixture(scope="module")
async def begun(
    request: pytest.FixtureRequest, shop: Workshop, screen: Screen, views: dict[str, str]
) -> AsyncIterator[dict[HeldReason, Begun]]:
    """The slow stories that are wanted: their retries pass at the same time."""
    wanted = [
        reason
        for reason in HeldReason
        if reason in STORIES
        and STORIES[reason].slow
        and any(
            item.name.endswith(f"[{reason}]") for item in request.session.items if item.path == request.path
        )
    ]
    stories = {reason: _begin(reason, shop, screen, views) for reason in wanted}
    yield stories
    for _, story in stories.values():
        story.cancel()


def _begin(reason: HeldReason, shop: Workshop, screen: Screen, views: Mapping[str, str]) -> Begun:
    operator = Operator(shop, reason, screen=screen, link=views[f"held {reason}"])
    return Begun(operator, asyncio.create_task(_tell(operator, shop)))


async def _tell(operator: Operator, shop: Workshop) -> None:
    await STORIES[operator.reason].tell(operator, shop)


@pytest_asyncio.fixture
async def ordinary(shop: Workshop, begun: dict[HeldReason, Begun]) -> AsyncIterator[Workshop]:
    """The shop with its ordinary configuration and nothing in the way of the next order. The slow stories have
    their order held by then: no other story's faults and restarts can touch them."""
    for operator, story in begun.values():
        waiting = asyncio.create_task(operator.is_held.wait())
        await asyncio.wait([story, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    await shop.configure()
    yield shop
    await shop.m3.delete("/_control/faults")
    await shop.amazon.delete("/_control/faults")


async def test_the_printed_links_open_the_list_of_everything_held_and_one_order(
    shop: Workshop, screen: Screen, views: dict[str, str], begun: dict[HeldReason, Begun]
) -> None:
    """Told while the retries of the slow stories pass."""
    reasons = (HeldReason.INVOICE_MISSING, HeldReason.LEDGER_MISMATCH)
    orders = {
        why: await shop.start(await shop.place(order(sku_of(why), status="SHIPPED"))) for why in reasons
    }
    for reason, handle in orders.items():
        await shop.until_held(handle, reason)
        await _listed(shop, handle, reason)
    await screen.open_list(views["held"])
    for handle in orders.values():
        await screen.sees(handle.id)
    await screen.shoot("everything-held")
    for one in json.loads((await shop.o2c("held", "--json")).out):
        if one["workflow_id"] == orders[reasons[0]].id:
            await screen.page.goto(one["link"])
    details = await screen.read()
    await expect(details.get_by_text(f"Held: {HELD_REASONS[reasons[0]].title}")).to_be_visible()
    for reason, handle in orders.items():
        await shop.in_m3_control("heal", kind=reason.value, cuor=handle.id[-19:])
        await handle.signal("retry")
        result = await shop.result(handle)
        assert result.outcome == "booked"
        if handle.id == orders[reasons[0]].id:
            await expect(screen.status).to_have_text("Completed")  # the page follows the order by itself
            await screen.read_again()
            await expect(details.get_by_text(result.sentence)).to_be_visible()


@pytest.mark.parametrize("reason", ORDER_REASONS)
async def test_an_order_held_for_each_reason_is_found_read_and_repaired_in_the_web_ui(
    ordinary: Workshop,
    screen: Screen,
    views: dict[str, str],
    begun: dict[HeldReason, Begun],
    told: dict[HeldReason, Repaired],
    reason: HeldReason,
    request: pytest.FixtureRequest,
) -> None:
    assert reason in STORIES, f"No story tells how an order comes to be held for {reason}."
    operator, story = begun.get(reason) or _begin(reason, ordinary, screen, views)
    operator.turn.set()
    await story
    result = await operator.closed()
    assert result.outcome == STORIES[reason].outcome, result.sentence
    assert [(repair.reason, repair.by) for repair in result.repairs] == [(reason, "operations")]
    how, repaired = STORIES[reason].how, STORIES[reason].repaired
    told[reason] = Repaired(request.node.nodeid, how, repaired, operator.command, result.sentence)


def test_the_list_of_reasons_and_their_tests_is_complete(told: dict[HeldReason, Repaired]) -> None:
    """Written here, after every reason had its turn; a reason that was not repaired is missing from it."""
    heads = (
        "reason",
        "title",
        "how it came about",
        "repaired by",
        "signal",
        "outcome",
        "test",
        "screenshots",
    )
    rows = [heads, ("--",) * len(heads)]
    for reason, one in told.items():
        shots = " ".join(f"[{name}]({SHOTS.name}/{reason}-{name}.png)" for name in SHOWN)
        title = HELD_REASONS[reason].title
        rows.append(
            (
                f"`{reason}`",
                title,
                one.how,
                one.repaired,
                f"`{one.signal}`",
                one.outcome,
                f"`{one.test}`",
                shots,
            )
        )
    text = "\n".join(f"| {' | '.join(cell.replace('|', '¦') for cell in row)} |" for row in rows)
    counted = f"{len(told)} of {len(ORDER_REASONS)} reasons."
    LIST.write_text(f"# Held orders repaired in the Web UI\n\n{counted}\n\n{text}\n", encoding="utf-8")
    assert set(told) == set(ORDER_REASONS), "Run the whole file: the list needs every reason."
    missing = [
        f"{why}-{name}" for why in told for name in SHOWN if not (SHOTS / f"{why}-{name}.png").exists()
    ]
    assert not missing, f"No screenshot: {', '.join(missing)}"

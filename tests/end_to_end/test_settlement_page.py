"""A controller looks at the page of a settlement, in headless Chromium: its figures are those of the JSON, on a wide
screen as on a telephone, and on paper."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from typer.testing import CliRunner

from canonical.settlement.models import CheckStatus
from canonical.settlement.proof import sheet_of_view
from canonical.settlement.proof_models import Sheet, SheetState
from canonical.settlement_contracts import SettlementResult, SettlementView
from canonical.settlement_ids import settlement_workflow_id
from starters.cli import app
from starters.deferred import ask
from starters.settlements import look
from tests.support.holding import Workshop, workshop
from tests.support.orders import ORDINARY, order
from tests.support.settlement_page import cells, figure, looked_at, proofs
from tests.support.settlements import Line, Made, other, sale
from tests.support.web_ui import Screen, browser
from tests.support.world import PATIENCE, eventually

SHOTS = Path("test-output/settlement-page")
EU = "A2EUSELLER0001"
DE = "A1PA6795UKMFR9"


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """Servers of its own: settlements pay whatever was sold."""
    async with workshop(tmp_path_factory.mktemp("settlement-page")) as running:
        await running.configure()
        yield running


@pytest_asyncio.fixture
async def screen() -> AsyncIterator[Screen]:
    async with browser(SHOTS) as opened:
        yield opened


async def sold(shop: Workshop, quantity: int) -> str:
    """An order that is shipped, invoiced and posted."""
    order_id = await shop.place(order((ORDINARY, quantity), status="SHIPPED"))
    result = await shop.result(await shop.start(order_id))
    assert result.outcome == "booked", result.sentence
    return order_id


def alike(shown: str, told: str) -> bool:
    return Decimal(shown) == Decimal(told) and "." in shown


async def test_the_page_of_a_booked_settlement_says_what_the_json_says(
    shop: Workshop, screen: Screen, tmp_path: Path
) -> None:
    held_back = await sold(shop, 2)
    paid = [await sold(shop, quantity) for quantity in (1, 3)]
    answer = await shop.amazon.post(
        f"/_control/orders/{held_back}/aftersale", json={"type": "defer", "reason": "B2B"}
    )
    assert answer.status_code == 201, answer.text
    unsold = await shop.place(order((ORDINARY, 5), status="SHIPPED"))
    charge = {"marketplace": DE, "kind": "inbound", "amount": "-1.69"}
    assert (await shop.amazon.post("/_control/settlements/charges", json=charge)).status_code == 201
    [deferred] = await ask(shop.client, [EU])
    [waiting] = deferred.shares
    assert (waiting.reason, waiting.count, waiting.currency) == ("B2B", 1, "EUR")
    subject = await _accepted(shop, unsold)

    file = tmp_path / "sheet.html"
    said = await shop.o2c("settlement", "show", subject, "--json", "--html", str(file))
    assert said.status == 0, said.err
    sheet: dict[str, Any] = json.loads(said.out)
    assert sheet["declared_total"] == sheet["sum_of_rows"] == sheet["sum_of_vouchers"]
    assert Decimal(sheet["clearing"]["left"]) == Decimal(sheet["declared_total"])
    assert (sheet["orders"]["matched"], sheet["orders"]["no_invoice"]) == (2, 1)
    assert [one["order_id"] for one in sheet["orders"]["listed"]] == [unsold]
    wrong = [proof for proof in sheet["proofs"] if proof["status"] == "differs"]
    assert not wrong, wrong

    await looked_at(screen, file, "booked")
    page = screen.page
    await expect(page.get_by_role("heading", name=subject)).to_be_visible()
    await expect(page.locator(".state")).to_have_text("Booked")
    assert await figure(page, "Deposit") == f"{sheet['declared_total']} EUR"
    assert alike(await figure(page, "Declared by Amazon"), sheet["declared_total"])
    assert alike(await figure(page, "Booked by the vouchers"), sheet["sum_of_vouchers"])
    assert await figure(page, "Clearing after the bank") == "0.00"
    assert await figure(page, "Orders matched") == "2 of 3"
    told = {proof["name"]: proof["status"] for proof in sheet["proofs"]}
    assert await proofs(page) == told
    await _same_tables(page, sheet)
    text = await page.locator("main").inner_text()
    for voucher in (one for each in sheet["vouchers"] for one in each["in_m3"]):
        assert f"Voucher {voucher['vono']} of {voucher['year']}" in text
    assert all(order_id not in text for order_id in paid)


async def _accepted(shop: Workshop, unsold: str) -> str:
    """Settled with an order M3 does not have; a person says that its money goes on account."""
    answer = await shop.amazon.post(
        "/_control/settlements", json={"seller": EU, "marketplace": DE, "reserve": "5.00"}
    )
    assert answer.status_code == 201, answer.text
    [closed] = answer.json()
    subject: str = closed["settlementId"]
    await look(shop.client, shop.settings, EU)
    handle = shop.client.get_workflow_handle(
        settlement_workflow_id(EU, subject), result_type=SettlementResult
    )

    async def state() -> SettlementView:
        view: SettlementView = await handle.query("state", result_type=SettlementView)
        return view

    seen = await eventually(state, lambda now: bool(now.held_reason or now.outcome))
    assert seen.held_reason == "settlement_no_invoice", seen
    held = sheet_of_view(seen)
    assert isinstance(held, Sheet)
    [orders] = [proof for proof in held.proofs if proof.name == "orders"]
    assert (held.state, orders.status) == (SheetState.HELD, CheckStatus.DIFFERS)
    assert held.clearing.after == -held.orders.unposted < 0
    await handle.signal("accept_difference", {"why": "sold before we began", "by": "controlling"})
    result = await asyncio.wait_for(handle.result(), PATIENCE.total_seconds())
    assert result.outcome == "booked", result
    return subject


async def _same_tables(page: Page, sheet: dict[str, Any]) -> None:
    """Categories, voucher lines, clearing and what is held back stand on the page as in the JSON."""
    for number, customer in enumerate((True, False)):
        _, *rows, total = await cells(page, "categories", number)
        wanted = [one for one in sheet["categories"] if one["customer"] is customer]
        assert [row[-1] for row in rows] == [one["amount"] for one in wanted]
        assert [row[-2] for row in rows] == [str(one["count"]) for one in wanted]
        assert Decimal(total[-1]) == sum(Decimal(one["amount"]) for one in wanted)
    for number, voucher in enumerate(sheet["vouchers"]):
        _, *rows, total = await cells(page, "vouchers", number)
        lines = [
            [line[side] if Decimal(line[side]) else "" for side in ("debit", "credit")]
            for line in voucher["lines"]
        ]
        assert [row[-2:] for row in rows] == lines
        assert total[-2:] == [voucher["debit"], voucher["credit"]]
    _, *rows, left, bank, after = await cells(page, "clearing")
    entries = [[one["vono"], one["amount"]] for one in sheet["clearing"]["entries"]]
    assert [row[-2:] for row in rows] == entries
    assert (left[-1], bank[-1]) == (sheet["clearing"]["left"], f"-{sheet['clearing']['deposit']}")
    assert after[-1] == "0.00"
    _, *rows, total = await cells(page, "waiting")
    shares = [
        [one["reason"], one["matures"], str(one["count"]), one["amount"]] for one in sheet["waiting"]["shares"]
    ]  # fmt: skip
    assert rows == shares


async def test_the_page_of_a_preview_lists_what_is_unknown_and_runs_nothing_it_holds(
    screen: Screen, tmp_path: Path
) -> None:
    """A file of a stranger: its words stay words."""
    evil = "<script>document.title='owned'</script>"
    strange = Line("other-transaction", "other-transaction", evil, Decimal("-1.50"))
    made = Made(
        (sale("Principal", "1234567.89"), sale("Commission", "-15.00", kind="ItemFees"), strange, other(
            "Current Reserve Amount", "-1000.00"
        ))
    )  # fmt: skip
    source, file = tmp_path / "settlement.txt", tmp_path / "preview.html"
    source.write_text(made.text(), encoding="utf-8")
    shown = CliRunner().invoke(app, ["settlement", "preview", str(source), "--html", str(file)])
    assert shown.exit_code == 3, shown.output
    await looked_at(screen, file, "preview")
    await expect(screen.page).to_have_title(f"Settlement {made.settlement_id}")
    [_, row] = await cells(screen.page, "unknown")
    assert row[1:] == ["5", "1", "-1.50"]
    assert evil in row[0]
    assert await screen.page.locator("#checks tr[data-check=known]").get_attribute("data-status") == "differs"

"""The whole circle in the simulators: orders, shipments, invoices, refunds, settlements, postings.

Amazon settles four marketplaces in three currencies, unasked, in three rounds; the service's own daily look takes the
reports in. What M3's ledgers hold then is compared with what Amazon paid, order by order, and the proof sheets are read
as a controller reads them: as JSON, and as a page in a browser.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from canonical.settlement_ids import settlement_workflow_id
from tests.support.circle import Circle, circle
from tests.support.circle_books import (
    CLEARING,
    Books,
    balances_are_amazons,
    bank_statement,
    country_of,
    orders_are_paid_once,
)
from tests.support.circle_orders import wishes
from tests.support.settlement_page import cells, figure, looked_at, proofs
from tests.support.web_ui import browser

SHOTS = Path("test-output/settlement-circle")
REPORT = Path("test-output/settlement-circle.md")
Sheet = dict[str, Any]


@pytest_asyncio.fixture
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Circle]:
    async with circle(tmp_path_factory.mktemp("circle")) as found:
        yield found


async def test_twenty_orders_go_round(running: Circle, tmp_path: Path) -> None:
    truth = await goes_round(running, 20)
    largest = max(truth, key=lambda one: int(one["rows"]))
    await shown(running, largest, tmp_path)


@pytest.mark.long
async def test_two_hundred_orders_go_round(running: Circle, tmp_path: Path) -> None:
    truth = await goes_round(running, 200)
    seen = [await shown(running, one, tmp_path) for one in truth]
    running.clock.lap("proof sheets read")
    await read_in_a_browser(seen, tmp_path)
    running.clock.lap("two of them read in a browser")
    assert any(Decimal(sheet["declared_total"]) < 0 for sheet in seen), "No settlement was negative."
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(await told(running, seen), encoding="utf-8")


async def goes_round(running: Circle, number: int) -> list[dict[str, Any]]:
    """Most orders and half of the refunds are settled first, the rest later, what was held back last. The settlements
    as Amazon has them."""
    shop, all_wishes = running.shop, wishes(number)
    early = await running.order(one for one in all_wishes if not one.late)
    await running.give_back(one for one in early if not one.wish.given_back_late)
    await running.charge("DE", "inbound", "-7.31")
    await running.charge("DE", "warehouse_lost", "12.90")
    await running.pay_out(seller="A2EUSELLER0001", currency="EUR", marketplace="A13V1IB3VIYZZH", reserve="0")
    await running.pay_out()
    await settled(running, "first settlements")

    await running.order(one for one in all_wishes if one.late)
    await running.give_back(one for one in running.placed if one.wish.given_back_late)
    await running.pay_out()
    await settled(running, "second settlements")
    waiting = {one.order_id for one in running.placed if one.wish.fate == "deferred"}
    assert Books(await running.ledger()).open_orders == waiting
    assert await running.deferred() == len(waiting)

    await running.mature()
    assert await running.deferred() == 0
    await running.a_fortnight_later()
    truth = await settled(running, "third settlements")
    books = Books(await running.ledger())
    assert books.open_orders == set()
    ids = [one.order_id for one in running.placed]
    assert await orders_are_paid_once(shop, ids, books, truth) > len(ids) - len(all_wishes) // 10

    await nothing_changes(running, truth[0]["settlementId"])
    await bank_statement(shop.mi, truth)
    after = Books(await running.ledger())
    for country, currency in after.places(CLEARING):
        assert after.balance(CLEARING, country, currency) == 0
    return truth


async def settled(running: Circle, what: str) -> list[dict[str, Any]]:
    """The daily look takes every settlement in; each is posted once and left on clearing to the cent."""
    await running.feed()
    truth, books = await running.settlements(), Books(await running.ledger())
    balances_are_amazons(books, truth)
    books.batches_are_posted_once()
    running.clock.lap(f"{what} posted")
    return truth


async def nothing_changes(running: Circle, subject: str) -> None:
    """The look the day after, and a report that Amazon issues anew with its rows in another order."""
    before = await running.ledger()
    again = await running.feed()
    assert [(one.listed, one.taken) for one in again] == [(one.known, ()) for one in again]
    answer = await running.shop.amazon.post(f"/_control/settlements/{subject}/reports", json={"shuffle": 5})
    assert answer.status_code == 201
    taken = [one for each in await running.feed() for one in each.taken]
    assert [(one.settlement_id, one.started) for one in taken] == [(subject, False)]
    assert await running.ledger() == before
    running.clock.lap("looked again, and a report issued anew")


async def shown(running: Circle, truth: dict[str, Any], folder: Path) -> Sheet:
    """The proof sheet: every proof holds, and its figures are Amazon's."""
    subject = truth["settlementId"]
    file = folder / f"{subject}.html"
    said = await running.shop.o2c("settlement", "show", subject, "--json", "--html", str(file))
    assert said.status == 0, said.err
    sheet: Sheet = json.loads(said.out)
    assert {one["name"]: one["status"] for one in sheet["proofs"]} == {
        one["name"]: "ok" for one in sheet["proofs"]
    }, [one for one in sheet["proofs"] if one["status"] != "ok"]
    assert {one["name"] for one in sheet["proofs"]} >= {
        "total", "known", "balanced", "clearing", "posted", "bank", "withheld", "reserve", "period", "waiting"
    }  # fmt: skip
    assert sheet["declared_total"] == sheet["sum_of_rows"] == sheet["sum_of_vouchers"]
    assert Decimal(sheet["declared_total"]) == Decimal(truth["total"])
    assert (sheet["rows"], sheet["state"]) == (truth["rows"], "booked")
    assert (sheet["orders"]["variance"], sheet["orders"]["no_invoice"]) == (0, 0)
    sold = [one for one in truth["orders"].values() if Decimal(one["sold"])]
    back = [one for one in truth["orders"].values() if Decimal(one["refunded"])]
    assert sheet["orders"]["matched"] == len(sold) + len(back)
    assert Decimal(sheet["clearing"]["left"]) == max(Decimal(truth["total"]), Decimal(0))
    assert Decimal(sheet["withheld_net"]) == 0
    assert Decimal(sheet["reserve"]["kept_now"]) == Decimal(truth["reserve"])
    return {**sheet, "country": country_of(truth), "sold": len(sold), "refunded": len(back)}


async def read_in_a_browser(seen: list[Sheet], folder: Path) -> None:
    """The largest settlement and the smallest, which may be negative."""
    by_rows = sorted(seen, key=lambda sheet: (Decimal(sheet["declared_total"]) < 0, sheet["rows"]))
    negative = Decimal(by_rows[-1]["declared_total"]) < 0
    async with browser(SHOTS) as screen:
        for name, sheet in (
            ("largest", by_rows[-2 if negative else -1]),
            ("smallest", by_rows[-1 if negative else 0]),
        ):
            await looked_at(screen, folder / f"{sheet['settlement_id']}.html", name)
            page, orders = screen.page, sheet["orders"]
            await expect(page.get_by_role("heading", name=sheet["settlement_id"])).to_be_visible()
            await expect(page.locator(".state")).to_have_text("Booked")
            assert Decimal(await figure(page, "Declared by Amazon")) == Decimal(sheet["declared_total"])
            assert Decimal(await figure(page, "Booked by the vouchers")) == Decimal(sheet["declared_total"])
            assert Decimal(await figure(page, "Clearing after the bank")) == 0
            if orders["total"]:
                assert await figure(page, "Orders matched") == f"{orders['total']} of {orders['total']}"
            assert await proofs(page) == {one["name"]: one["status"] for one in sheet["proofs"]}
            for place, voucher in enumerate(sheet["vouchers"]):
                *_, total = await cells(page, "vouchers", place)
                assert total[-2:] == [voucher["debit"], voucher["credit"]]


async def told(running: Circle, seen: list[Sheet]) -> str:
    """What was done, for who reads the results."""
    rows = [
        "| settlement | of | orders | refunds | rows | deposit | vouchers in M3 | clearing after the bank | matched | "
        "variance | no invoice | seconds |",
        "|--|--|--|--|--|--|--|--|--|--|--|--|",
    ]
    for sheet in seen:
        orders, clearing = sheet["orders"], sheet["clearing"]
        after = Decimal(clearing["left"]) - Decimal(clearing["deposit"])
        vouchers = sum(len(one["in_m3"]) for one in sheet["vouchers"])
        rows.append(
            f"| {sheet['settlement_id']} | Amazon {sheet['country']} | {sheet['sold']} | {sheet['refunded']} | "
            f"{sheet['rows']} | {sheet['declared_total']} {sheet['currency']} | {vouchers} | "
            f"{after} | {orders['matched']} | {orders['variance']} | "
            f"{orders['no_invoice']} | {await seconds(running, sheet):.1f} |"
        )
    fates = Counter(one.wish.fate for one in running.placed)
    channels = Counter("FBA" if one.wish.by_amazon else "MFN" for one in running.placed)
    back = Counter(one.wish.given_back for one in running.placed if one.wish.given_back)
    books = Books(await running.ledger())
    return "\n".join(
        [
            f"# {len(running.placed)} orders through the whole circle",
            "",
            f"{_counts(channels)}. {_counts(fates)}. Refunded: {_counts(back)}.",
            "",
            *rows,
            "",
            f"Receivables left open: {len(books.open_orders)}. Clearing after the bank, by marketplace and currency: "
            + ", ".join(
                f"{country} {books.balance(CLEARING, country, currency)} {currency}"
                for country, currency in sorted(books.places(CLEARING))
            )
            + ".",
            "",
            "| part | seconds |",
            "|--|--|",
            *(f"| {what} | {took:.0f} |" for what, took in running.clock.laps),
            "",
        ]
    )


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(found.items()))


async def seconds(running: Circle, sheet: Sheet) -> float:
    """From the settlement's start to its end."""
    handle = running.shop.client.get_workflow_handle(
        settlement_workflow_id(sheet["seller_id"], sheet["settlement_id"])
    )
    described = await handle.describe()
    ended: datetime | None = described.close_time
    assert ended is not None
    return (ended - described.start_time).total_seconds()

"""Reports against the pretended Amazon: asked for once, awaited, fetched whole, in whatever wrapping they come."""

import contextlib
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities.amazon.report_documents import DocumentExpired, DocumentIncomplete, download, unpack
from activities.archive import Archive
from activities.reports import DOCUMENT_INCOMPLETE, NOT_FINISHED, ReportActivities
from canonical.import_contracts import (
    IMPORT_REFUSED,
    AwaitReportRequest,
    CreateReportRequest,
    FetchDocumentRequest,
    FetchDocumentResult,
    ReportResult,
    ReportWanted,
)
from canonical.order import Order
from canonical.order_files import Owner, read_orders
from tests.activities.amazon_world import DE, EU, Amazon, amazon, attempt
from tests.support.orders import order

DOWNLOAD = "downloadReportDocument"
ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
ACTIONABLE = "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"


@dataclass
class Desk:
    """Our activities, and the Amazon they ask."""

    world: Amazon
    archive: Archive
    reports: ReportActivities

    async def rule(self, **rule: object) -> None:
        answer = await self.world.http.post(f"{self.world.url}/_control/reports/rules", json=rule)
        assert answer.status_code == 201, answer.text

    async def place(self, **facts: object) -> str:
        body = {"order": order(channel="MERCHANT", **facts), "seller": EU.seller_id}  # type: ignore[arg-type]
        answer = await self.world.http.post(f"{self.world.url}/_control/order", json=body)
        assert answer.status_code == 201, answer.text
        return str(body["order"]["orderId"])  # type: ignore[index]

    async def create(self, wanted: ReportWanted, at: int = 1) -> str:
        request = CreateReportRequest(seller_id=EU.seller_id, wanted=wanted)
        return (await attempt(at).run(self.reports.create_report, request)).report_id

    async def look(self, report_id: str, wanted: ReportWanted | None = None) -> ReportResult:
        request = AwaitReportRequest(seller_id=EU.seller_id, report_id=report_id, wanted=wanted)
        return await attempt(1).run(self.reports.await_report, request)

    async def ended(self, report_type: str = ALL_ORDERS) -> tuple[ReportResult, FetchDocumentRequest]:
        """A report from its request to its end, and what fetches its document."""
        wanted = wanted_now(report_type)
        report_id = await self.create(wanted)
        result = await self.look(report_id, wanted)
        return result, FetchDocumentRequest(
            seller_id=EU.seller_id,
            report_id=report_id,
            report_type=report_type,
            document_id=result.document_id,
            reason=result.status != "DONE",
        )

    async def fetch(self, request: FetchDocumentRequest, at: int = 1) -> FetchDocumentResult:
        return await attempt(at).run(self.reports.fetch_report_document, request)

    def orders(self, fetched: FetchDocumentResult) -> list[Order]:
        content = BytesIO(self.archive.read(fetched.file.key))
        owner = Owner(EU.seller_id, tuple(m.marketplace_id for m in EU.marketplaces), DE.marketplace_id)
        found = [one.found for one in read_orders(content, owner, fetched.file.charset)]
        assert all(isinstance(one, Order) for one in found)
        return [one for one in found if isinstance(one, Order)]

    async def made(self) -> int:
        shown = (await self.world.http.get(f"{self.world.url}/_control/reports")).json()
        return len(shown["reports"])


def wanted_now(report_type: str = ALL_ORDERS) -> ReportWanted:
    now = datetime.now(UTC)
    period = {} if report_type == ACTIONABLE else {"since": now - timedelta(days=2), "until": now}
    return ReportWanted(report_type=report_type, marketplace_ids=(DE.marketplace_id,), **period)


@contextlib.asynccontextmanager
async def open_desk(folder: Path, **settings: object) -> AsyncIterator[Desk]:
    async with amazon(folder / "amazon", quota_factor=1e6, **settings) as world:
        archive = Archive(str(folder / "archive"))
        client = world.client()
        yield Desk(world, archive, ReportActivities({EU.seller_id: client}, archive, world.http))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


async def test_a_report_is_asked_for_awaited_and_fetched(desk: Desk) -> None:
    order_id = await desk.place()
    result, request = await desk.ended()
    assert result.status == "DONE"
    fetched = await desk.fetch(request)
    (read,) = desk.orders(fetched)
    assert read.order_id == order_id
    assert read.ship_to is not None
    assert read.ship_to.city == "Köln"


async def test_a_report_of_buyers_data_takes_a_restricted_token(desk: Desk) -> None:
    order_id = await desk.place()
    _, request = await desk.ended(ACTIONABLE)
    (read,) = desk.orders(await desk.fetch(request))
    assert (read.order_id, read.ship_to and read.ship_to.lines) == (order_id, ("Lindenstraße 12",))
    assert await desk.world.calls("createRestrictedDataToken") == [200]


@pytest.mark.parametrize("packing", ["plain", "gzip", "gzip_said", "gzip_unsaid"])
async def test_the_content_decides_how_it_is_packed(desk: Desk, packing: str) -> None:
    await desk.rule(packing=packing)
    order_id = await desk.place()
    _, request = await desk.ended()
    assert [each.order_id for each in desk.orders(await desk.fetch(request))] == [order_id]


@pytest.mark.parametrize(
    ("charset", "told"),
    [
        ("cp1252", "text/plain; charset=Cp1252"),
        ("cp1252", "text/plain"),
        ("utf-8", "text/plain"),
        ("cp1252", "text/plain; charset=UTF-8"),
        ("cp1252", "text/plain; charset=x-unheard-of"),
    ],
)
async def test_a_western_report_is_read_in_its_charset(desk: Desk, charset: str, told: str) -> None:
    await desk.rule(charset=charset, content_type=told)
    await desk.place()
    _, request = await desk.ended()
    (read,) = desk.orders(await desk.fetch(request))
    assert read.ship_to is not None
    assert read.ship_to.city == "Köln"


@pytest.mark.parametrize("told", ["text/plain; charset=Shift_JIS", "text/plain", "text/plain; charset=UTF-8"])
async def test_a_japanese_report_is_read_in_its_charset(desk: Desk, told: str) -> None:
    await desk.place(address={**JAPANESE})
    _, request = await desk.ended(ACTIONABLE)
    text = desk.archive.read((await desk.fetch(request)).file.key).decode("cp1252", errors="replace")
    header = text.splitlines()[0]
    row = "\t".join(JAPANESE_ROW.get(name, "") for name in header.split("\t"))
    await desk.rule(text=f"{header}\n{row}\n", charset="cp932", content_type=told)
    _, request = await desk.ended(ACTIONABLE)
    (read,) = desk.orders(await desk.fetch(request))
    assert read.ship_to is not None
    assert (read.ship_to.city, read.ship_to.name) == ("渋谷区", "髙橋 花子①")


JAPANESE = {
    "name": "Third Buyer",
    "addressLine1": "1-1",
    "city": "Tokyo",
    "postalCode": "1500002",
    "countryCode": "DE",
}
JAPANESE_ROW = {
    "order-id": "503-8346168-3395065",
    "order-item-id": "12345678901234",
    "purchase-date": "2026-11-20T01:02:03+09:00",
    "payments-date": "2026-11-20T01:02:03+09:00",
    "sku": "TEA-GREEN-250",
    "product-name": "緑茶 250g",
    "quantity-purchased": "1",
    "quantity-shipped": "0",
    "recipient-name": "髙橋 花子①",
    "ship-address-1": "神南1-2-3",
    "ship-city": "渋谷区",
    "ship-country": "JP",
    "ship-postal-code": "150-0041",
}
"""With characters that Shift-JIS has in Microsoft's variant alone."""


async def test_a_document_that_is_cut_off_is_not_kept(desk: Desk) -> None:
    await desk.rule(packing="gzip", truncated=2)
    await desk.place()
    _, request = await desk.ended()
    for _ in range(2):
        with pytest.raises(ApplicationError, match="did not come whole") as raised:
            await desk.fetch(request)
        assert (raised.value.type, raised.value.non_retryable) == (DOCUMENT_INCOMPLETE, False)
        assert desk.archive.keys("reports") == ()
    assert desk.orders(await desk.fetch(request))


async def test_a_document_that_stays_cut_off_is_refused(desk: Desk) -> None:
    await desk.rule(packing="gzip", truncated=100)
    await desk.place()
    _, request = await desk.ended()
    with pytest.raises(ApplicationError, match="ask for the report again") as raised:
        await desk.fetch(request, at=5)
    assert (raised.value.type, raised.value.non_retryable) == (IMPORT_REFUSED, True)
    assert "http" not in str(raised.value)
    assert desk.archive.keys("reports") == ()


async def test_an_expired_address_is_fetched_anew(desk: Desk) -> None:
    await desk.place()
    _, request = await desk.ended()
    await desk.world.fault("token_expiry", DOWNLOAD)
    assert desk.orders(await desk.fetch(request))
    assert await desk.world.calls("getReportDocument") == [200, 200]


async def test_a_report_without_data_is_no_new_data(desk: Desk) -> None:
    result, _ = await desk.ended()
    assert (result.status, result.document_id) == ("CANCELLED", "")
    assert "no new data" in result.sentence


async def test_where_amazon_makes_no_second_report_the_first_is_taken(desk: Desk) -> None:
    await desk.place()
    wanted = wanted_now()
    first = await desk.look(await desk.create(wanted), wanted)
    await desk.rule(outcome="CANCELLED")
    second = await desk.look(await desk.create(wanted), wanted)
    assert (second.status, second.document_id) == ("DONE", first.document_id)
    assert "that one was taken" in second.sentence


async def test_a_report_that_failed_tells_its_reason(desk: Desk) -> None:
    await desk.rule(outcome="FATAL", reason="Date range exceeded.")
    result, request = await desk.ended()
    assert result.status == "FATAL"
    assert (await desk.fetch(request)).excerpt == "Date range exceeded."


async def test_a_report_in_the_making_is_looked_at_again_ever_later(tmp_path: Path) -> None:
    async with open_desk(tmp_path, pace=1, report_latency=3600) as desk:
        await desk.place()
        report_id = await desk.create(wanted_now())
        request = AwaitReportRequest(seller_id=EU.seller_id, report_id=report_id)
        delays = []
        for number in (1, 2, 9):
            with pytest.raises(ApplicationError, match="IN_QUEUE") as raised:
                await attempt(number).run(desk.reports.await_report, request)
            assert (raised.value.type, raised.value.non_retryable) == (NOT_FINISHED, False)
            delays.append(raised.value.next_retry_delay)
        assert delays == [timedelta(seconds=15), timedelta(seconds=30), timedelta(minutes=5)]


async def test_a_report_whose_number_was_lost_is_not_asked_for_twice(desk: Desk) -> None:
    wanted = wanted_now()
    await desk.place()
    await desk.world.fault("drop", "createReport", when="after")
    with pytest.raises(ApplicationError, match="did not answer"):
        await desk.create(wanted)
    report_id = await desk.create(wanted, at=2)
    assert await desk.made() == 1
    assert (await desk.look(report_id, wanted)).status == "DONE"


async def test_what_amazon_refuses_ends_the_import_with_its_words(desk: Desk) -> None:
    wanted = ReportWanted(report_type="GET_NO_SUCH_REPORT", marketplace_ids=(DE.marketplace_id,))
    with pytest.raises(ApplicationError, match="Invalid Report Type") as raised:
        await desk.create(wanted, at=3)
    assert raised.value.type == IMPORT_REFUSED
    with pytest.raises(ApplicationError) as raised:
        await desk.create(wanted, at=1)
    assert not raised.value.non_retryable


async def test_an_address_older_than_five_minutes_is_expired(desk: Desk) -> None:
    await desk.place()
    _, request = await desk.ended()
    document = await desk.world.client().reports.document(request.document_id, ALL_ORDERS)
    await desk.world.http.post(f"{desk.world.url}/_control/advance", json={"seconds": 301})
    with pytest.raises(DocumentExpired):
        await download(desk.world.http, document.url, Path("/dev/null"))


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"rows\n" * 90_000)[:-9], gzip.compress(b"rows")[:-4], b"\x1f\x8b", b"\x1f\x8bnonsense"],
    ids=["without its end", "without its length", "two bytes", "nonsense"],
)
def test_half_a_gzip_file_is_none(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "packed").write_bytes(body)
    with pytest.raises(DocumentIncomplete):
        unpack(tmp_path / "packed", tmp_path / "plain")


@pytest.mark.parametrize("padding", [b"", b"\0" * 600_000])
def test_all_members_of_a_gzip_file_are_read(tmp_path: Path, padding: bytes) -> None:
    first, second = b"a" * 3_000_000, b"b" * 10
    (tmp_path / "packed").write_bytes(gzip.compress(first) + gzip.compress(second) + padding)
    unpack(tmp_path / "packed", tmp_path / "plain")
    assert (tmp_path / "plain").read_bytes() == first + second


async def test_no_failure_tells_the_presigned_address() -> None:
    secret = "http://127.0.0.1:1/d?X-Amz-Signature=secret"
    async with httpx.AsyncClient() as http:
        with pytest.raises(DocumentIncomplete) as raised:
            await download(http, secret, Path("/dev/null"))
    assert "secret" not in repr(raised.value)
    assert raised.value.__cause__ is None

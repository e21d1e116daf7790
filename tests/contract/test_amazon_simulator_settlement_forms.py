"""A settlement in Amazon's three reports: flat file V2, the older flat file (V1), XML. All tell the same money; this
service reads the flat files alike, and refuses XML."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from canonical.settlement.models import Layout, UnreadableSettlement
from canonical.settlement_reports import SETTLEMENT_V1
from simulators import catalogue
from simulators.amazon.record import fulfilled
from tests.contract.amazon_simulator_client import EU, NA, Caller, simulator
from tests.contract.report_client import REPORTS, ReportCaller, charset, error, plain
from tests.contract.test_amazon_simulator_settlements import TYPE, close, reports_of, sell, the_one
from tests.contract.test_return_simulators import happens
from tests.support.settlements import read

XML = "GET_V2_SETTLEMENT_REPORT_DATA_XML"
ALL = f"{TYPE},{SETTLEMENT_V1},{XML}"


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, visibility_delay=0) as caller:
        yield caller


async def file_of(
    caller: Caller, settlement: dict[str, Any], kind: str, seller: catalogue.Seller = EU
) -> bytes:
    found = await reports_of(caller, seller, reportTypes=kind)
    [report] = [each for each in found if each["reportId"] in settlement["reports"]]
    return plain(await ReportCaller(caller, seller).download(report))


async def test_each_form_is_a_report_of_its_own_that_comes_in_its_own_time(caller: Caller) -> None:
    for kind, number in ((SETTLEMENT_V1, 1117), (XML, 1116)):
        refused = await ReportCaller(caller).create(kind)
        assert error(refused)[2] == f"Request for report type {number} is not allowed at this time"
    await sell(caller)
    settlement = await the_one(caller)
    [first] = await reports_of(caller, reportTypes=ALL)
    assert first["reportType"] == TYPE
    early = await ReportCaller(caller).call("GET", f"{REPORTS}/{settlement['reports'][1]}")
    assert early.status_code == 404
    await caller.advance(600)
    xml, old, new = await reports_of(caller, reportTypes=ALL)
    assert [each["reportType"] for each in (new, old, xml)] == [TYPE, SETTLEMENT_V1, XML]
    assert [each["reportId"] for each in (new, old, xml)] == settlement["reports"]
    assert new["createdTime"] < old["createdTime"] < xml["createdTime"]
    assert len({(each["dataStartTime"], each["dataEndTime"]) for each in (new, old, xml)}) == 1
    assert [each["reportId"] for each in await reports_of(caller)] == [new["reportId"]]
    assert [each["reportId"] for each in await reports_of(caller, reportTypes=XML)] == [xml["reportId"]]


async def test_the_columns_of_v1_are_those_of_real_files(caller: Caller, shared: Path) -> None:
    samples = sorted((shared / "spapi/samples/settlement-v1-flat").glob("*.txt"))
    known = {tuple(sample.read_text(encoding="utf-8").splitlines()[0].split("\t")) for sample in samples}
    found = []
    for discount in ("0", "1.00"):
        await sell(caller, ("TEA-GREEN-250", 2), shipping="4.90", discount=discount)
        settlement = await the_one(caller, fees=True)
        await caller.advance(600)
        text = (await file_of(caller, settlement, SETTLEMENT_V1)).decode("cp1252")
        rows = [line.split("\t") for line in text.splitlines()]
        assert {len(row) for row in rows} == {len(rows[0])}
        found.append(tuple(rows[0]))
        named = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        assert [name for name, cell in named[0].items() if cell] == rows[0][:6]
        begun = next(row for row in named if row["quantity-purchased"])
        assert not [name for name, cell in begun.items() if cell and name.endswith("amount")]
        advertised = next(row for row in named if row["transaction-type"] == "ServiceFee")
        assert advertised["item-related-fee-type"] == "Cost of Advertising"
    assert len(set(found)) == 2
    assert set(found) == known


async def test_v1_and_v2_tell_the_same_settlement(caller: Caller) -> None:
    await caller.place(150)
    await caller.advance(600)
    for record in list(caller.world.index.by_id.values())[::3]:
        if any(fulfilled(item) for item in record.items) and record.body.get("proceeds"):
            await happens(caller, record.order_id, type="refund")
    for kind in ("inbound", "warehouse_lost", "micro_deposit"):
        charge = {"marketplace": EU.marketplaces[0].marketplace_id, "kind": kind, "amount": "-3.21"}
        assert (await caller.http.post("/_control/settlements/charges", json=charge)).status_code == 201
    settlements = await close(caller, fees=True, reserve="1.00")
    await caller.advance(600)
    withheld = Decimal(0)
    for settlement in settlements:
        seller = next(each for each in catalogue.ACCOUNTS if each.seller_id == settlement["sellerId"])
        new = read(await file_of(caller, settlement, TYPE, seller))
        old = read(await file_of(caller, settlement, SETTLEMENT_V1, seller))
        assert (new.settlement.header.layout, old.settlement.header.layout) == (Layout.V2, Layout.V1)
        assert old.settlement.header.total == new.settlement.header.total == Decimal(settlement["total"])
        assert old.settlement.unknown == new.settlement.unknown == ()
        assert old.settlement.difference == 0
        assert told(old) == told(new)
        assert paid(old) == paid(new)
        assert old.settlement.withheld.withheld == new.settlement.withheld.withheld
        withheld += old.settlement.withheld.withheld
    assert withheld < 0


def told(summed: Any) -> dict[tuple[str, ...], Decimal]:
    """Amounts by month, marketplace and category."""
    shares = summed.settlement.shares
    return {(share.month, share.marketplace, share.category): share.amount for share in shares}


def paid(summed: Any) -> list[tuple[object, ...]]:
    payments = summed.payments()
    return sorted((one.order_id, one.kind, one.marketplace, one.amount, one.parts) for one in payments)


async def test_the_xml_tells_the_same_money_and_is_refused_by_the_reader(caller: Caller) -> None:
    sold = await sell(caller, ("TEA-GREEN-250", 2), "CUP-STON-4", shipping="4.90", discount="1.00")
    await happens(caller, sold, type="refund", units=1, shipping=False)
    settlement = await the_one(caller, fees=True, reserve="2.00")
    await caller.advance(600)
    [report] = await reports_of(caller, reportTypes=XML)
    response = await ReportCaller(caller).download(report)
    assert (response.headers["content-type"], charset(response)) == ("text/xml; charset=UTF-8", "utf-8")
    content = plain(response)
    root = ET.fromstring(content)
    [found] = root.findall("./Message/SettlementReport")
    assert found.findtext("./SettlementData/AmazonSettlementID") == settlement["settlementId"]
    assert found.findtext("./SettlementData/TotalAmount") == settlement["total"]
    assert sum(Decimal(amount.text or "") for amount in found.iter("Amount")) == Decimal(settlement["total"])
    items = found.findall("./Order/Fulfillment/Item")
    assert len({item.findtext("AmazonOrderItemCode") for item in items}) == 2
    assert len(found.findall("./Refund/Fulfillment/AdjustedItem")) >= 1
    for damaged in (content, b"\xef\xbb\xbf" + content, content.replace(b"\n", b"")):
        with pytest.raises(UnreadableSettlement, match="The file is XML"):
            read(damaged)


async def test_a_run_or_a_request_may_have_other_forms(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6, settlement_forms=("v1",)) as caller:
        for more, wanted in (({}, [SETTLEMENT_V1]), ({"reports": ["xml", "v2"]}, [TYPE, XML])):
            await sell(caller, marketplace="US")
            settlement = await the_one(caller, seller=NA.seller_id, **more)  # type: ignore[arg-type]
            await caller.advance(600)
            found = await reports_of(caller, NA, reportTypes=ALL)
            mine = [each for each in found if each["reportId"] in settlement["reports"]]
            assert sorted(each["reportType"] for each in mine) == sorted(wanted)

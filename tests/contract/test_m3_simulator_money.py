"""Invoices, vouchers and planted troubles of the M3 simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from simulators import assortment, catalogue
from tests.contract.m3_simulator_client import ITEM, M3, OTHER, RefusedError, Row, simulated_m3

CUOR = "302-0000001-0000001"


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as running:
        yield running


def troubled(kind: str) -> assortment.Item:
    return next(item for item in assortment.ITEMS if item.trouble == kind)


async def shipped(m3: M3, *items: assortment.Item, cuor: str = CUOR, **wanted: str) -> str:
    """An order of the own warehouse, shipped; not invoiced yet."""
    orno = await m3.order(cuor, whlo="MAI", ortp="AZM", items=items or (ITEM,), **wanted)
    await m3.control("ship", orno=orno)
    return orno


async def invoice_of(m3: M3, orno: str) -> Row:
    [row] = await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno)
    return {**row, **await m3.one("OIS350MI.GetInvHead", YEA4=row["YEA4"], IVNO=row["IVNO"])}


async def voucher_lines(m3: M3, invoice: Row) -> list[Row]:
    return await m3.call(
        "GLS200MI.LstVoucherLines", DIVI=catalogue.DIVI, YEA4=invoice["YEA4"], VONO=invoice["VONO"]
    )


async def test_a_delivery_is_invoiced_and_posted_by_itself(m3: M3) -> None:
    orno = await shipped(m3)
    [delivery] = await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno)
    assert delivery["ORST"] == "60"
    await m3.advance(2)
    invoice = await invoice_of(m3, orno)
    assert (invoice["IVAV"], invoice["AMT2"], invoice["CUC2"]) == ("12.90", "12.90", "EUR")
    await m3.advance(1)
    invoice = await invoice_of(m3, orno)
    [delivery] = await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno)
    assert (delivery["ORST"], delivery["IVNO"]) == ("80", invoice["IVNO"])
    lines = await voucher_lines(m3, invoice)
    assert sum(Decimal(line["CUAM"]) for line in lines) == 0
    assert sum(Decimal(line["ACAM"]) for line in lines) == 0
    assert [(line["AIT1"], line["CUAM"], line["DBCR"]) for line in lines] == [
        ("1510", "12.90", "D"),
        ("3010", "-10.84", "C"),
        ("2610", "-2.06", "C"),
    ]
    head = await m3.one("GLS200MI.GetVoucherHead", DIVI="AAA", YEA4=invoice["YEA4"], VONO=invoice["VONO"])
    assert (head["CUAD"], head["CUAC"], head["FEID"]) == ("12.90", "12.90", "OI20")
    by_day = await m3.call("GLS200MI.LstVouchersByDt", FRDT=invoice["ACDT"], TODT=invoice["ACDT"])
    assert {row["VONO"] for row in by_day} == {invoice["VONO"]}


async def test_an_invoice_has_no_voucher_until_it_is_posted(m3: M3) -> None:
    orno = await m3.order(whlo="MAI", ortp="AZM")
    await m3.control("ship", orno=orno)
    for _ in range(40):
        await m3.advance(0.05)
        if await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno):
            break
    invoice = await invoice_of(m3, orno)
    assert invoice["VONO"] == "0"
    assert await m3.code("GLS200MI.GetVoucherHead", DIVI="AAA", YEA4=invoice["YEA4"], VONO="1") == "XRE0103"


async def test_foreign_invoices_balance_in_both_currencies(m3: M3) -> None:
    orno = await m3.order(whlo="AFN", ortp="AZN", quantities=(3, 1), CUNO="AMZCA")
    await m3.call("OIS100MI.AddConnCOCharge", ORNO=orno, CRID="AMZSHP", CRAM="4.99")
    await m3.control("ship", orno=orno)
    await m3.advance()
    invoice = await invoice_of(m3, orno)
    assert (invoice["AMT2"], invoice["CUC2"], invoice["AMT1"]) == ("55.19", "CAD", "36.98")
    lines = await voucher_lines(m3, invoice)
    assert sum(Decimal(line["ACAM"]) for line in lines) == 0
    assert {line["CUCD"] for line in lines} == {"CAD"}


async def test_charges_are_on_the_first_invoice_only_and_all_invoices_make_the_order(m3: M3) -> None:
    await m3.control("staff", at_work=False)
    temp = await m3.enter(whlo="MAI", ortp="AZM", quantities=(2, 1))
    await m3.call("OIS100MI.AddBatchHeadChg", ORNO=temp, CRID="AMZSHP", CRAM="4.99")
    await m3.call("OIS100MI.AddBatchLineChg", ORNO=temp, PONR="2", POSX="0", CRID="AMZGFT", CRAM="2.00")
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    orno = (await m3.one("OIS100MI.GetOrderNo", ORNO=temp))["ORNR"]
    await m3.control("ship", orno=orno, lines={"1": 1})
    await m3.advance()
    await m3.control("ship", orno=orno)
    await m3.advance()
    first, second = await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno)
    assert (first["IVAV"], second["IVAV"]) == ("17.89", "26.40")
    rows = await m3.call("OIS350MI.LstInvLine", YEA4=first["YEA4"], IVNO=first["IVNO"])
    assert [(row["IVTP"], row["IVRF"]) for row in rows] == [("31", ITEM.itno), ("50", "AMZSHP")]
    value = await m3.one("OIS100MI.GetOrderValue", ORNO=orno)
    assert value["TOAM"] == value["ITOA"] == "44.29"


async def test_print_invoice_answers_at_once_and_never_invoices_twice(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path, manual_invoice_types=frozenset({"AZM"})) as m3:
        orno = await shipped(m3)
        await m3.advance(3600)
        assert await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno) == []
        for _ in range(2):
            assert await m3.call("OIS350MI.PrtInvoice", ORNO=orno) == []
        assert await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno) == []
        assert (await m3.one("OIS350MI.LstInvHeadByCo", ORNO=orno))["ORST"] == "69"
        await m3.advance()
        await m3.call("OIS350MI.PrtInvoice", ORNO=orno)
        await m3.advance()
        assert len(await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno)) == 1


async def test_print_invoice_beside_the_automatic_level_makes_one_invoice(m3: M3) -> None:
    orno = await shipped(m3)
    await m3.call("OIS350MI.PrtInvoice", ORNO=orno)
    await m3.advance()
    assert len(await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno)) == 1
    assert (await m3.one("OIS100MI.GetLine", ORNO=orno, PONR="1"))["IVQT"] == "1.000000"


async def test_a_delivery_to_be_approved_is_not_invoiced_before(m3: M3) -> None:
    orno = await shipped(m3, troubled("invoice_missing"))
    await m3.call("OIS350MI.PrtInvoice", ORNO=orno)
    await m3.advance(3600)
    [waiting] = await m3.call("OIS155MI.ListDeliveries", FACI="A01")
    assert (waiting["ORNO"], waiting["ORST"]) == (orno, "61")
    assert await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno) == []
    names = ("ORNO", "WHLO", "DLIX", "TEPY")
    delivery = {name: waiting[name] for name in names}
    assert await m3.code("OIS155MI.Approve", **{**delivery, "TEPY": "030"}, APBY="ME") == "XRE0103"
    await m3.call("OIS155MI.Approve", **delivery, APBY="ME")
    await m3.advance()
    assert (await invoice_of(m3, orno))["VONO"] != "0"
    assert await m3.code("OIS155MI.Approve", **delivery, APBY="ME") == "CPF9898"


async def test_gl_batches_are_posted_once_balanced_and_by_fields(m3: M3) -> None:
    head = {"CONO": "100", "KEY1": "SETTLE-1", "INTN": "AMZGL2", "DESC": "Settlement"}
    batch = {"CONO": "100", "KEY1": "SETTLE-1"}
    await m3.call("GLS840MI.AddBatchHead", **head)
    assert await m3.code("GLS840MI.AddBatchHead", **head) == "XRE0104"
    line = {"KEY1": "SETTLE-1", "INRI": "I1", "GRNR": "1", "CUCD": "EUR", "ACDT": "20260105", "VTXT": "Fees"}
    await m3.call("GLS840MI.AddBatchLineFld", **line, LINE="1", AIT1="6500", CUAM="10.00", DBCR="D")
    with pytest.raises(RefusedError, match="does not balance"):
        await m3.call("GLS840MI.CtrlBatch", **batch)
    assert await m3.code("GLS840MI.UpdBatch", **batch) == "CPF9898"
    await m3.call("GLS840MI.AddBatchLineFld", **line, LINE="2", AIT1="1930", CUAM="10.00", DBCR="C")
    assert await m3.code("GLS840MI.AddBatchLineFld", **line, LINE="2", AIT1="1930", CUAM="10.00") == "XRE0104"
    await m3.call("GLS840MI.CtrlBatch", **batch)
    await m3.call("GLS840MI.UpdBatch", **batch)
    assert await m3.call("GLS200MI.LstVouchersByDt", FRDT="20260105", TODT="20260105") == []
    await m3.advance(1)
    posted = await m3.call("GLS200MI.LstVouchersByDt", FRDT="20260105", TODT="20260105")
    assert [(row["AIT1"], row["CUAM"], row["VTXT"]) for row in posted] == [
        ("6500", "10.00", "Fees"),
        ("1930", "-10.00", "Fees"),
    ]
    assert await m3.code("GLS840MI.UpdBatch", **batch) == "CPF9898"
    assert await m3.code("GLS840MI.AddBatchHead", **head) == "XRE0104"


async def test_gl_batches_by_fixed_positions_use_the_comma(m3: M3) -> None:
    batch = {"CONO": "100", "KEY1": "K"}
    await m3.call("GLS840MI.AddBatchHead", **batch, INTN="AMZGL1", DESC="By positions")
    for number, (account, amount) in enumerate((("6500", "-7,25"), ("1930", "7,25")), 1):
        parm = f"I120260106{'G1':<10}{account:<70}EUR{amount:<17}{'Reserve':<40}"
        await m3.call("GLS840MI.AddBatchLine", **batch, LINE=str(number), PARM=parm)
    await m3.call("GLS840MI.CtrlBatch", **batch)
    await m3.call("GLS840MI.UpdBatch", **batch)
    await m3.advance(1)
    posted = await m3.call("GLS200MI.LstVouchersByDt", FRDT="20260106", TODT="20260106")
    assert [row["CUAM"] for row in posted] == ["-7.25", "7.25"]


async def test_an_item_nobody_mapped_can_be_found_by_its_name(m3: M3) -> None:
    item = troubled("unmapped_sku")
    assert await m3.code("MMS025MI.GetItem", ALWT="2", ALWQ="AMZN", POPN=item.sku) == "WPO0403"
    assert (await m3.one("MMS200MI.SearchItem", SQRY=f"{item.itds.split()[0]}*"))["ITNO"] == item.itno
    await m3.control("heal", kind="unmapped_sku")
    assert (await m3.one("MMS025MI.GetItem", ALWT="2", ALWQ="AMZN", POPN=item.sku))["ITNO"] == item.itno


async def test_a_blocked_item_is_sold_again_once_released(m3: M3) -> None:
    item = troubled("item_blocked")
    temp = await m3.enter(quantities=())
    assert await m3.code("OIS100MI.AddBatchLine", ORNO=temp, ITNO=item.itno, ORQT="1") == "XIT0107"
    assert (await m3.one("MMS200MI.Get", ITNO=item.itno))["STAT"] == "80"
    await m3.control("heal", kind="item_blocked")
    await m3.call("OIS100MI.AddBatchLine", ORNO=temp, ITNO=item.itno, ORQT="1")


async def stuck(m3: M3, kind: str, status: str) -> str:
    """A temporary order M3 has rejected with this status; its number."""
    temp = await m3.enter(items=(troubled(kind),))
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    found = await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp)
    assert (found["STAT"], found["ORNR"]) == (status, "")
    assert (await m3.one("OIS100MI.LstErrMsgOrder", ORNO=temp))["TX60"]
    return temp


async def test_a_rejected_order_says_why_and_can_be_confirmed_again(m3: M3) -> None:
    temp = await stuck(m3, "order_rejected", "25")
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    assert (await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp))["STAT"] == "25"
    await m3.control("heal", kind="order_rejected", cuor=CUOR)
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    assert (await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp))["STAT"] == "90"
    assert await m3.call("OIS100MI.LstErrMsgOrder", ORNO=temp) == []


async def test_a_credit_stop_is_released_by_people_alone(m3: M3) -> None:
    temp = await stuck(m3, "credit_stop", "30")
    await m3.control("heal", kind="credit_stop")
    await m3.advance(1)
    assert (await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp))["STAT"] == "90"


async def test_an_interrupted_transfer_succeeds_when_repeated(m3: M3) -> None:
    await m3.control("trouble", cuor=CUOR, kind="interrupted")
    temp = await m3.enter()
    for status in ("55", "90"):
        await m3.call("OIS100MI.Confirm", ORNO=temp)
        await m3.advance(1)
        assert (await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp))["STAT"] == status


async def test_a_surcharge_makes_the_total_differ_until_it_is_dropped(m3: M3) -> None:
    item = troubled("total_differs")
    orno = await m3.order(items=(item,))
    assert (await m3.one("OIS100MI.GetOrderValue", ORNO=orno))["TOAM"] == str(item.price + Decimal("2.50"))
    assert (await m3.one("OIS100MI.LstConnCOCharge", ORNO=orno))["CRID"] == "SURCHG"
    await m3.control("heal", cuor=CUOR)
    assert (await m3.one("OIS100MI.GetOrderValue", ORNO=orno))["TOAM"] == str(item.price)


async def test_a_wrong_voucher_balances_and_still_differs_until_corrected(m3: M3) -> None:
    item = troubled("ledger_mismatch")
    orno = await shipped(m3, item)
    await m3.advance()
    invoice = await invoice_of(m3, orno)
    wrong = await voucher_lines(m3, invoice)
    assert sum(Decimal(line["CUAM"]) for line in wrong) == 0
    assert Decimal(wrong[0]["CUAM"]) == item.price - 1
    await m3.control("heal", kind="ledger_mismatch", cuor=CUOR)
    right = await voucher_lines(m3, invoice)
    assert Decimal(right[0]["CUAM"]) == item.price


async def test_without_stock_nothing_is_allocated_until_goods_come_in(m3: M3) -> None:
    orno = await m3.order(items=(troubled("shipment_not_reportable"),))
    await m3.advance(3600)
    assert await m3.call("MWS411MI.LstDelLnByOrd", RORC="3", RIDN=orno) == []
    assert (await m3.one("OIS100MI.GetHead", ORNO=orno))["ORSL"] == "22"
    await m3.control("heal", kind="shipment_not_reportable")
    await m3.advance(2)
    assert (await m3.one("OIS100MI.GetHead", ORNO=orno))["ORSL"] == "44"


async def test_an_unknown_carrier_is_on_the_delivery(m3: M3) -> None:
    orno = await shipped(m3, troubled("carrier_unknown"))
    [line] = await m3.call("MWS411MI.LstDelLnByOrd", RORC="3", RIDN=orno)
    assert (await m3.one("MWS410MI.GetHead", DLIX=line["DLIX"]))["FWNO"] == "XYZ"
    await m3.control("heal", kind="carrier_unknown", cuor=CUOR)
    assert (await m3.one("MWS410MI.GetHead", DLIX=line["DLIX"]))["FWNO"] == "DHL"


async def test_trouble_can_be_planted_on_one_order_of_ordinary_items(m3: M3) -> None:
    await m3.control("trouble", cuor="A", kind="invoice_missing")
    planted, ordinary = await shipped(m3, cuor="A"), await shipped(m3, OTHER, cuor="B")
    await m3.advance()
    assert await m3.call("OIS350MI.LstAllInvByCO", ORNO=planted) == []
    assert len(await m3.call("OIS350MI.LstAllInvByCO", ORNO=ordinary)) == 1
    await m3.control("heal", cuor="A")
    await m3.advance()
    assert len(await m3.call("OIS350MI.LstAllInvByCO", ORNO=planted)) == 1


async def test_the_page_shows_what_there_is(m3: M3) -> None:
    orno = await shipped(m3)
    await m3.advance()
    page = await m3.http.get(m3.url + "/")
    assert page.headers["content-type"].startswith("text/html")
    for shown in (orno, CUOR, "12.90", "1510"):
        assert shown in page.text
    detail = await m3.http.get(f"{m3.url}/order/{orno}")
    assert ITEM.itds in detail.text
    assert (await m3.http.get(f"{m3.url}/order/none")).status_code == 404


async def test_the_control_room_tells_how_much_there_is(m3: M3) -> None:
    await shipped(m3)
    await m3.advance()
    state = (await m3.http.get(f"{m3.url}/_control/state")).json()
    assert (state["orders"], state["invoices"], state["vouchers"], state["jobs"]) == (1, 1, 1, 0)
    assert state["deliveries_by_status"] == {"80": 1}
    log = (await m3.http.get(f"{m3.url}/_control/log", params={"limit": "1"})).json()
    assert log[0]["operation"] == "OIS100MI.GetOrderNo"
    [line] = (await m3.http.get(f"{m3.url}/_control/orders")).json()
    assert (line["cuor"], line["invoices"], line["vouchers"]) == (CUOR, 1, 1)

"""Orders in the M3 simulator: temporary, transferred in their own time, never unique by CUOR."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulators import assortment
from tests.contract.m3_simulator_client import ITEM, M3, OTHER, RefusedError, simulated_m3

CUOR = "302-0000001-0000001"
ADDRESS = {"ADRT": "1", "CUNM": "A Buyer", "CUA1": "Street 1", "PONO": "10115", "TOWN": "Berlin"}


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as running:
        yield running


async def test_an_order_is_created_after_confirm_has_answered(m3: M3) -> None:
    temp = await m3.enter()
    assert await m3.one("OIS100MI.Confirm", ORNO=temp) == {"ORNO": temp, "STAT": "10"}
    assert await m3.one("OIS100MI.GetOrderNo", ORNO=temp) == {"ORNR": ""}
    await m3.advance(1)
    final = (await m3.one("OIS100MI.GetOrderNo", ORNO=temp))["ORNR"]
    assert final != temp
    by_either = [await m3.one("OIS275MI.GetTmpOrderStat", ORNO=number) for number in (temp, final)]
    assert by_either == [{"ORNO": temp, "ORNR": final, "STAT": "90"}] * 2
    head = await m3.one("OIS100MI.GetHead", ORNO=final)
    assert (head["STAT"], head["ORSL"], head["CUOR"], head["TOAM"]) == ("20", "22", CUOR, "12.90")


async def test_while_m3_transfers_an_order_it_is_locked(m3: M3) -> None:
    temp = await m3.enter()
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    assert await m3.code("OIS100MI.AddBatchLine", ORNO=temp, ITNO=ITEM.itno, ORQT="1") == "XUP0001"
    assert await m3.code("OIS100MI.DelBatchHead", ORNO=temp) == "XUP0001"
    assert await m3.code("OIS100MI.Confirm", ORNO=temp) == "XUP0001"
    await m3.advance(1)
    for operation in ("Confirm", "DelBatchHead"):
        with pytest.raises(RefusedError, match="status 90"):
            await m3.call(f"OIS100MI.{operation}", ORNO=temp)


async def test_a_cuor_may_be_used_again_and_both_orders_live(m3: M3) -> None:
    first, second = await m3.order(), await m3.order()
    assert first != second
    listed = await m3.call("CMS100MI.Lst_OOHEAD_CUOR", OACUOR=CUOR)
    assert [row["OAORNO"] for row in listed] == [first, second]
    assert len(await m3.call("CMS100MI.Lst_OXHEAD_CUOR", OACUOR=CUOR)) == 2
    assert len(await m3.call("OIS100MI.LstHead", CUNO="AMZDE")) == 2


async def test_the_same_call_twice_makes_two_of_everything_but_addresses(m3: M3) -> None:
    temp = await m3.enter()
    await m3.call("OIS100MI.AddBatchAddress", ORNO=temp, CSCD="DE", **ADDRESS)
    assert await m3.code("OIS100MI.AddBatchAddress", ORNO=temp, CSCD="DE", **ADDRESS) == "XRE0104"
    for _ in range(2):
        await m3.call("OIS100MI.AddBatchHeadChg", ORNO=temp, CRID="AMZSHP", CRAM="4.99")
        await m3.call("OIS100MI.AddBatchLine", ORNO=temp, ITNO=OTHER.itno, ORQT="1", CUPO="7")
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    [order] = (await m3.everything(CUOR))["orders"]
    assert len(order["lines"]) == 3
    assert [charge["amount"] for charge in order["charges"]] == ["4.99", "4.99"]


async def test_an_address_with_unknown_codes_is_refused(m3: M3) -> None:
    temp = await m3.enter()
    for codes, field in (({"CSCD": "QQ"}, "CSCD"), ({"CSCD": "DE", "ECAR": "BE"}, "ECAR")):
        with pytest.raises(RefusedError) as refusal:
            await m3.call("OIS100MI.AddBatchAddress", ORNO=temp, **ADDRESS, **codes)
        assert refusal.value.field == field


async def test_lines_take_usable_items_and_their_own_price(m3: M3) -> None:
    temp = await m3.enter(quantities=())
    blocked = assortment.ITEM_BY_SKU["POT-COPPER-1"].itno
    assert await m3.code("OIS100MI.AddBatchLine", ORNO=temp, ITNO=blocked, ORQT="1") == "XIT0107"
    assert await m3.code("OIS100MI.AddBatchLine", ORNO=temp, ITNO=ITEM.itno) == "CPF9898"
    await m3.call("OIS100MI.AddBatchLine", ORNO=temp, ITNO=ITEM.itno, ORQT="1", SAPR="0")
    [line] = await m3.call("OIS100MI.LstBatchLine", ORNO=temp)
    assert line["SAPR"] == str(ITEM.price)
    gift = await m3.enter("R", ortp="AZR", quantities=())
    await m3.call("OIS100MI.AddBatchLine", ORNO=gift, ITNO=ITEM.itno, ORQT="1", SAPR="0")
    [free] = await m3.call("OIS100MI.LstBatchLine", ORNO=gift)
    assert free["SAPR"] == "0"


async def test_an_order_without_lines_stays_temporary_until_it_has_some(m3: M3) -> None:
    temp = await m3.enter(quantities=())
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    assert (await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp))["STAT"] == "20"
    assert (await m3.one("OIS100MI.LstErrMsgOrder", ORNO=temp))["TX60"] == "Order lines are missing"
    await m3.call("OIS100MI.AddBatchLine", ORNO=temp, ITNO=ITEM.itno, ORQT="1")
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    assert (await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp))["STAT"] == "90"


async def test_a_temporary_order_can_be_taken_back_line_by_line(m3: M3) -> None:
    temp = await m3.enter(quantities=(1, 2))
    await m3.call("OIS100MI.DelBatchLine", ORNO=temp, PONR="1")
    assert [row["PONR"] for row in await m3.call("OIS100MI.LstBatchLine", ORNO=temp)] == ["2"]
    await m3.call("OIS100MI.DelBatchHead", ORNO=temp)
    assert await m3.code("OIS275MI.GetBatchHead", ORNO=temp) == "XRE0103"
    assert await m3.code("OIS100MI.LstBatchLine", ORNO=temp) == "XRE0103"


async def test_value_splits_vat_out_of_gross_prices_to_the_cent(m3: M3) -> None:
    temp = await m3.enter(quantities=(3, 2), YREF="x")
    await m3.call("OIS100MI.AddBatchHeadChg", ORNO=temp, CRID="AMZSHP", CRAM="4.99")
    await m3.call("OIS100MI.AddBatchHeadChg", ORNO=temp, CRID="AMZPRM", CRAM="-5.00")
    await m3.call("OIS100MI.Confirm", ORNO=temp)
    await m3.advance(1)
    final = (await m3.one("OIS100MI.GetOrderNo", ORNO=temp))["ORNR"]
    value = await m3.one("OIS100MI.GetOrderValue", ORNO=final)
    assert value["TOAM"] == "61.69"  # 3 x 12.90 + 2 x 11.50 + 4.99 - 5.00
    assert value["NTAM"] == "51.85"  # 38.70 / 1.19 = 32.52, 23.00 / 1.19 = 19.33
    assert value["EXAM"] == "-0.01"  # 4.19 - 4.20
    assert value["VTAM"] == "9.85"
    assert value["ITOA"] == "0.00"


async def test_prices_without_vat_stay_as_they_are(m3: M3) -> None:
    final = await m3.order(ortp="AZN", whlo="AFN", CUNO="AMZUS")
    value = await m3.one("OIS100MI.GetOrderValue", ORNO=final)
    assert (value["NTAM"], value["VTAM"], value["TOAM"], value["CUCD"]) == ("12.90", "0.00", "12.90", "USD")


async def test_deleting_follows_the_state_of_the_lines(m3: M3) -> None:
    untouched = await m3.order("A", quantities=(1, 1))
    await m3.call("OIS100MI.DelLine", ORNO=untouched, PONR="1")
    assert (await m3.one("OIS100MI.GetHead", ORNO=untouched))["STAT"] == "20"
    await m3.call("OIS100MI.DelLine", ORNO=untouched, PONR="2")
    assert (await m3.one("OIS100MI.GetHead", ORNO=untouched))["STAT"] == "90"
    allocated = await m3.order("B")
    await m3.advance(0.6)
    assert (await m3.one("OIS100MI.GetHead", ORNO=allocated))["ORSL"] == "33"
    await m3.call("OIS100MI.DelHead", ORNO=allocated)
    assert await m3.call("MWS411MI.LstDelLnByOrd", RORC="3", RIDN=allocated) == []
    balance = await m3.one("MMS200MI.GetItmWhsBal", WHLO="AFE", ITNO=ITEM.itno)
    assert (balance["ALQT"], balance["STQT"]) == ("0.000000", "1000000.000000")
    picked = await m3.order("C")
    await m3.advance(2)
    assert (await m3.one("OIS100MI.GetHead", ORNO=picked))["ORSL"] == "44"
    for operation, line in (("DelHead", {}), ("DelLine", {"PONR": "1"}), ("CloLine", {"PONR": "1"})):
        with pytest.raises(RefusedError, match="not allowed"):
            await m3.call(f"OIS100MI.{operation}", ORNO=picked, **line)
    assert (await m3.one("OIS100MI.GetHead", ORNO=picked))["STAT"] == "20"


async def test_a_closed_line_is_done_without_delivery(m3: M3) -> None:
    final = await m3.order()
    await m3.call("OIS100MI.CloLine", ORNO=final, PONR="1")
    head = await m3.one("OIS100MI.GetHead", ORNO=final)
    assert (head["STAT"], head["ORSL"], head["ORST"], head["TOAM"]) == ("20", "99", "99", "0.00")


async def test_a_charge_can_be_put_on_a_customer_order_once(m3: M3) -> None:
    final = await m3.order()
    await m3.call("OIS100MI.AddConnCOCharge", ORNO=final, CRID="AMZGFT", CRAM="3.50")
    assert await m3.code("OIS100MI.AddConnCOCharge", ORNO=final, CRID="AMZGFT", CRAM="3.50") == "XRE0104"
    assert await m3.code("OIS100MI.AddConnCOCharge", ORNO=final, CRID="NONE", CRAM="1") == "CPF9898"
    assert (await m3.one("OIS100MI.LstConnCOCharge", ORNO=final))["CRAM"] == "3.50"
    assert (await m3.one("OIS100MI.GetOrderValue", ORNO=final))["TOAM"] == "16.40"


async def test_the_search_index_lags_behind_the_database(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path, search_lag=30) as m3:
        final = await m3.order()
        assert await m3.call("OIS100MI.SearchHead", SQRY=f"CUOR:{CUOR}") == []
        assert len(await m3.call("CMS100MI.Lst_OOHEAD_CUOR", OACUOR=CUOR)) == 1
        await m3.advance(30)
        assert (await m3.one("OIS100MI.SearchHead", SQRY=f"CUOR:{CUOR}"))["ORNO"] == final
        assert await m3.call("OIS100MI.SearchHead", SQRY="CUOR:302-0000001-0000002") == []


async def test_export_answers_one_string_per_row(m3: M3) -> None:
    final = await m3.order()
    query = f"OAORNO,OAORNR,OASTAT from OXHEAD where OACONO = 100 and OACUOR = '{CUOR}'"
    rows = await m3.call("EXPORTMI.Select", QERY=query, SEPC=";", HDRS="1")
    assert [row["REPL"] for row in rows] == ["OAORNO;OAORNR;OASTAT", f"0000004711;{final};90"]
    rows = await m3.call("EXPORTMI.Select", QERY=f"OAORNO from OOHEAD where OACUOR = {CUOR}")
    assert [row["REPL"] for row in rows] == [final]
    assert await m3.code("EXPORTMI.Select", QERY="OAORNO from OCUSMA") == "CPF9898"
    assert await m3.code("EXPORTMI.Select", QERY="OAXXXX from OOHEAD") == "CPF9898"


async def test_orders_are_listed_by_customer_and_status(m3: M3) -> None:
    await m3.order("A")
    final = await m3.order("B")
    await m3.call("OIS100MI.CloLine", ORNO=final, PONR="1")
    everything = [row["CUOR"] for row in await m3.call("OIS175MI.LstHeadByCust", CUNO="AMZDE")]
    done = [row["CUOR"] for row in await m3.call("OIS175MI.LstHeadByCust", CUNO="AMZDE", ORSL="77")]
    assert (everything, done) == (["A", "B"], ["B"])
    assert await m3.call("OIS100MI.LstHead", CUNO="AMZFR") == []


async def test_many_callers_at_once_get_numbers_of_their_own(m3: M3) -> None:
    numbers = await asyncio.gather(*(m3.enter(f"C-{n}") for n in range(40)))
    assert len(set(numbers)) == 40


async def test_work_that_was_answered_survives_the_end_of_the_simulator(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path) as m3:
        done = await m3.order("A", whlo="MAI", ortp="AZM")
        await m3.control("ship", orno=done)
        await m3.advance()
        temp = await m3.enter("B")
        await m3.call("OIS100MI.Confirm", ORNO=temp)
        before = await m3.everything("A")
    async with simulated_m3(tmp_path) as m3:
        assert await m3.everything("A") == before
        await m3.advance(1)
        status = await m3.one("OIS275MI.GetTmpOrderStat", ORNO=temp)
        assert status["STAT"] == "90"
        assert int(status["ORNR"]) == int(done) + 1
        assert len((await m3.everything("B"))["orders"]) == 1

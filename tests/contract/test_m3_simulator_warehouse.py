"""Warehouses of the M3 simulator: allocation, reported picks, back orders, the people who ship."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulators import assortment, catalogue
from tests.contract.m3_simulator_client import ITEM, M3, RefusedError, Row, simulated_m3


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as running:
        yield running


async def planned(m3: M3, orno: str) -> list[Row]:
    return await m3.call("MWS411MI.LstDelLnByOrd", RORC="3", RIDN=orno)


async def test_fba_orders_wait_on_their_picking_list_to_be_reported(m3: M3) -> None:
    orno = await m3.order()
    assert await planned(m3, orno) == []
    await m3.advance(0.6)
    [line] = await planned(m3, orno)
    head = await m3.one("MWS410MI.GetHead", DLIX=line["DLIX"])
    assert (head["PLSX"], head["PIST"], line["TRQT"]) == ("0", "", "1.000000")
    assert await m3.code("MWS420MI.Confirm", DLIX=line["DLIX"], PLSX="1") == "WPL1803"
    await m3.advance(3600)
    head = await m3.one("MWS410MI.GetHead", DLIX=line["DLIX"])
    assert (head["PLSX"], head["PIST"]) == ("1", "40")
    assert (await m3.one("OIS100MI.GetHead", ORNO=orno))["ORSL"] == "44"
    assert await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno) == []


async def test_a_reported_pick_makes_the_delivery_and_takes_the_stock(m3: M3) -> None:
    orno = await m3.order(quantities=(2,))
    await m3.advance(2)
    [line] = await planned(m3, orno)
    await m3.pick(orno, 1, 2, DLIX=line["DLIX"])
    [delivery] = await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno)
    assert (delivery["ORST"], delivery["DLIX"], delivery["IVNO"]) == ("60", line["DLIX"], "0")
    assert (await m3.one("OIS100MI.GetLine", ORNO=orno, PONR="1"))["ORST"] == "66"
    balance = await m3.one("MMS200MI.GetItmWhsBal", WHLO="AFE", ITNO=ITEM.itno)
    assert (balance["STQT"], balance["ALQT"]) == ("999998.000000", "0.000000")
    with pytest.raises(RefusedError, match="already reported"):
        await m3.pick(orno, 1, 1, DLIX=line["DLIX"])


async def test_what_was_not_reported_goes_to_a_new_delivery(m3: M3) -> None:
    orno = await m3.order(quantities=(3,))
    await m3.advance(2)
    await m3.pick(orno, 1, 1)
    assert (await m3.one("OIS100MI.GetLine", ORNO=orno, PONR="1"))["ORST"] == "26"
    balance = await m3.one("MMS200MI.GetItmWhsBal", WHLO="AFE", ITNO=ITEM.itno)
    assert (balance["STQT"], balance["ALQT"]) == ("999999.000000", "0.000000")
    await m3.advance(0.6)
    first, second = await planned(m3, orno)
    assert (first["TRQT"], second["TRQT"]) == ("1.000000", "2.000000")
    assert first["DLIX"] < second["DLIX"]
    await m3.advance(1)
    await m3.pick(orno, 1, 2, DLIX=second["DLIX"])
    await m3.advance()
    assert (await m3.one("OIS100MI.GetLine", ORNO=orno, PONR="1"))["ORST"] == "77"
    assert len(await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno)) == 2


async def test_a_list_reported_in_part_leaves_without_the_rest_after_a_moment(m3: M3) -> None:
    orno = await m3.order(quantities=(1, 1))
    await m3.advance(2)
    await m3.pick(orno, 1, 1)
    [delivery] = await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno)
    assert delivery["ORST"] == "05"
    await m3.advance(1.1)
    [delivery] = await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno)
    assert delivery["ORST"] == "60"
    await m3.advance(0.5)
    assert [row["RIDL"] for row in await planned(m3, orno)] == ["1", "2"]
    assert len({row["DLIX"] for row in await planned(m3, orno)}) == 2


async def test_lines_reported_together_leave_together(m3: M3) -> None:
    orno = await m3.order(quantities=(1, 2))
    await m3.advance(2)
    await m3.pick(orno, 1, 1)
    await m3.pick(orno, 2, 2)
    [delivery] = await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno)
    assert delivery["ORST"] == "60"
    lines = await m3.call(
        "OIS350MI.LstDelLine", CONO="100", ORNO=orno, DLIX=delivery["DLIX"], WHLO="AFE", TEPY="AMZ"
    )
    assert [(row["PONR"], row["QTY1"]) for row in lines] == [("1", "1.000000"), ("2", "2.000000")]


async def test_reports_are_checked(m3: M3) -> None:
    orno = await m3.order()
    await m3.advance(2)
    wrong = {
        "WHLO": "MAI", "CUNO": "AMZGB", "ITNO": assortment.ORDINARY_ITEMS[5].itno, "QTYP": "2", "PLSX": "2",
        "E0PA": "NOBODY", "RIDL": "9", "PRFL": "*NOW", "DLIX": "99999999",
    }  # fmt: skip
    for field, value in wrong.items():
        report = {"DLIX": (await planned(m3, orno))[0]["DLIX"], field: value}
        with pytest.raises(RefusedError):
            await m3.pick(orno, 1, 1, **report)
    assert await m3.call("OIS350MI.LstInvHeadByCo", ORNO=orno) == []
    assert await m3.call("MHS850MI.LstMvxMsg", E0PB=catalogue.PARTNER) == []


async def test_a_message_number_counts_once_per_partner(m3: M3) -> None:
    orno = await m3.order(quantities=(2,))
    await m3.advance(2)
    message = await m3.pick(orno, 1, 1, pmsn="P-1")
    with pytest.raises(RefusedError) as refusal:
        await m3.pick(orno, 1, 1, pmsn="P-1")
    assert refusal.value.code == "WMS3804"
    known = await m3.one("MHS850MI.GetMvxMsg", E0PB=catalogue.PARTNER, PMSN="P-1")
    assert known["MSGN"] == message["MSGN"]
    assert await m3.code("MHS850MI.GetMvxMsg", E0PB=catalogue.PARTNER, PMSN="P-2") == "WMS3703"
    assert (await m3.one("MHS850MI.LstMvxMsg", E0PB=catalogue.PARTNER, PMSN="P-1"))["STAT"] == "90"


async def test_the_autojob_hides_its_errors_in_mhs850(m3: M3) -> None:
    orno = await m3.order()
    await m3.advance(2)
    await m3.pick(orno, 1, 5, pmsn="TOO-MANY", PRFL="*AUT")
    await m3.pick(orno, 1, 1, pmsn="RIGHT", PRFL="*AUT")
    await m3.pick(orno, 1, 1, pmsn="NEVER", PRFL="")
    await m3.advance(2)
    listed = {
        number: (await m3.one("MHS850MI.LstMvxMsg", E0PB=catalogue.PARTNER, PMSN=number))["STAT"]
        for number in ("TOO-MANY", "RIGHT", "NEVER")
    }
    assert listed == {"TOO-MANY": "20", "RIGHT": "90", "NEVER": "10"}


async def test_a_whole_list_can_be_confirmed(m3: M3) -> None:
    orno = await m3.order(quantities=(1, 2))
    await m3.advance(2)
    dlix = (await planned(m3, orno))[0]["DLIX"]
    confirm = {
        "WHLO": "AFE", "E0PA": catalogue.PARTNER, "E065": catalogue.MESSAGE_TYPE, "DLIX": dlix, "PLSX": "1",
        "PRMD": "*EXE", "PMSN": "C-1",
    }  # fmt: skip
    await m3.call("MHS850MI.AddCfmPickList", **confirm)
    assert (await m3.one("OIS100MI.GetHead", ORNO=orno))["ORSL"] == "66"
    picked = await m3.call("MWS420MI.LstPLViaPckLst", RIDI=dlix, PLSX="1")
    assert [row["PAQT"] for row in picked] == ["1.000000", "2.000000"]


async def test_people_ship_own_orders_with_carrier_and_tracking(m3: M3) -> None:
    orno = await m3.order(whlo="MAI", ortp="AZM", quantities=(2,))
    await m3.advance(2)
    dlix = (await planned(m3, orno))[0]["DLIX"]
    assert await m3.code("MWS420MI.Confirm", DLIX=dlix, PLSX="1") == "MW42220"
    await m3.advance(5)
    head = await m3.one("MWS410MI.GetHead", DLIX=dlix)
    assert head["FWNO"] in catalogue.CARRIERS
    assert head["FWNO"] != catalogue.UNKNOWN_CARRIER
    packages = await m3.call("MWS410MI.LstPackages", DLIX=dlix)
    assert packages[0]["ETRN"] == head["ETRN"]
    contents = await m3.call("MWS410MI.LstPackageLine", DLIX=dlix, PDSO="1")
    assert sum(float(row["DLQT"]) for row in contents) == 2
    assert head["DSDT"] == head["TRDT"]


async def test_some_own_orders_leave_in_two_deliveries(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path, split_share=1.0) as m3:
        orno = await m3.order(whlo="MAI", ortp="AZM", quantities=(3,))
        await m3.advance()
        shipped = await planned(m3, orno)
        assert [row["TRQT"] for row in shipped] == ["1.000000", "2.000000"]
        heads = [await m3.one("MWS410MI.GetHead", DLIX=row["DLIX"]) for row in shipped]
        assert heads[0]["ETRN"] != heads[1]["ETRN"]
        assert len(await m3.call("OIS350MI.LstAllInvByCO", ORNO=orno)) == 2


async def test_a_test_can_ship_at_once_what_it_wants_in_as_many_boxes(m3: M3) -> None:
    await m3.control("staff", at_work=False)
    orno = await m3.order(whlo="MAI", ortp="AZM", quantities=(2, 1))
    answer = await m3.control("ship", orno=orno, lines={"1": 2}, packages=2, fwno="DHL")
    [dlix] = answer["deliveries"]
    packages = await m3.call("MWS410MI.LstPackages", DLIX=str(dlix))
    assert len({row["ETRN"] for row in packages}) == 2
    assert (await m3.one("MWS410MI.GetHead", DLIX=str(dlix)))["FWNO"] == "DHL"
    await m3.advance(3600)
    rest = [row for row in await planned(m3, orno) if row["DLIX"] != str(dlix)]
    assert [(row["RIDL"], row["TRQT"]) for row in rest] == [("2", "1.000000")]
    assert (await m3.one("MWS410MI.GetHead", DLIX=rest[0]["DLIX"]))["PIST"] == "40"
    await m3.control("staff", at_work=True)
    await m3.advance(10)
    assert (await m3.one("OIS100MI.GetHead", ORNO=orno))["ORSL"] == "77"


async def test_the_same_seed_ships_the_same_way(tmp_path: Path) -> None:
    seen = []
    for run in ("one", "two"):
        async with simulated_m3(tmp_path / run, seed=11, split_share=0.5) as m3:
            for number in range(6):
                await m3.order(f"C-{number}", whlo="MAI", ortp="AZM", quantities=(4,))
            await m3.advance()
            rows = [
                (row["RIDN"], row["TRQT"], (await m3.one("MWS410MI.GetHead", DLIX=row["DLIX"]))["FWNO"])
                for orno in range(1_010_000_001, 1_010_000_007)
                for row in await planned(m3, str(orno))
            ]
            seen.append(rows)
    assert seen[0] == seen[1]
    assert len(seen[0]) > 6

"""Stock in the M3 simulator: balances that follow orders, the list of changes, corrections by message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from simulators import catalogue
from tests.contract.m3_simulator_client import ITEM, M3, OTHER, Row, simulated_m3

KEY = {"WHLO": "MAI", "ITNO": ITEM.itno}
PARTNER = {"E0PA": catalogue.PARTNER, "E065": catalogue.MESSAGE_TYPE}


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as running:
        yield running


async def figures(m3: M3) -> list[int]:
    row = await m3.one("MMS200MI.GetItmWhsBal", **KEY)
    return [int(float(row[name])) for name in ("STQT", "ALQT", "REQT", "AVAL", "AV01", "AV02")]


async def now(m3: M3) -> str:
    state = (await m3.http.get(f"{m3.url}/_control/state")).json()
    return str(int(state["now"] * 1000) + 1)


async def changed(m3: M3, since: str) -> list[Row]:
    return await m3.call("OIS100MI.LstNewBalances", LMTS=since, maxrecs="0")


async def test_a_balance_follows_an_order_from_entry_to_issue(m3: M3) -> None:
    await m3.control("staff", at_work=False)
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "10"})
    assert await figures(m3) == [10, 0, 0, 10, 10, 10]
    orno = await m3.order(whlo="MAI", ortp="AZM", quantities=(3,))
    assert await figures(m3) == [10, 0, 3, 10, 7, 7]
    await m3.advance(2)
    assert await figures(m3) == [10, 3, 0, 7, 7, 7]
    await m3.control("ship", orno=orno)
    assert await figures(m3) == [7, 0, 0, 7, 7, 7]


async def test_a_deleted_or_stopped_order_gives_back_what_it_had(m3: M3) -> None:
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "10"})
    orno = await m3.order("302-0000001-0000002", whlo="MAI", ortp="AZM", quantities=(4,))
    await m3.control("stop", cuor="302-0000001-0000002")
    await m3.advance(2)
    assert await figures(m3) == [10, 0, 4, 10, 6, 6]
    await m3.call("OIS100MI.DelHead", ORNO=orno)
    assert await figures(m3) == [10, 0, 0, 10, 10, 10]


async def test_more_may_be_wanted_than_there_is_and_stock_may_be_negative(m3: M3) -> None:
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "2"})
    await m3.order(whlo="MAI", ortp="AZM", quantities=(5,))
    await m3.control("staff", at_work=False)
    assert (await figures(m3))[4] == -3
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "-4"})
    row = await m3.one("MMS200MI.GetItmWhsBal", **KEY)
    assert row["STQT"] == "-4.000000"


async def test_what_is_not_there_is_refused_by_name(m3: M3) -> None:
    refused = m3.code
    assert await refused("MMS200MI.GetItmWhsBal", WHLO="XXX", ITNO=ITEM.itno) == "WWH0103"
    assert await refused("MMS200MI.GetItmWhsBal", WHLO="MAI", ITNO="NONE") == "WIT0103"
    await m3.control("items", items=[{"itno": "NEW1", "itds": "New tea", "onhand": {"AFE": "3"}}])
    assert await refused("MMS200MI.GetItmWhsBal", WHLO="MAI", ITNO="NEW1") == "XRE0103"
    assert (await m3.one("MMS200MI.GetItmWhsBal", WHLO="AFE", ITNO="NEW1"))["STQT"] == "3.000000"
    await m3.control("item_status", itno="NEW1", stat="80")
    assert (await m3.one("MMS200MI.Get", ITNO="NEW1"))["STAT"] == "80"


async def test_changes_are_listed_from_a_moment_on(m3: M3) -> None:
    assert len(await changed(m3, "0")) > 100
    assert len(await m3.call("OIS100MI.LstNewBalances")) == 100
    since = await now(m3)
    assert await changed(m3, since) == []
    await m3.advance(1)
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "10", OTHER.itno: "4"})
    listed = await changed(m3, since)
    assert {(row["WHLO"], row["ITNO"]) for row in listed} == {("MAI", ITEM.itno), ("MAI", OTHER.itno)}
    since = await now(m3)
    await m3.advance(1)
    await m3.order(whlo="MAI", ortp="AZM", quantities=(3,))
    [row] = await changed(m3, since)
    assert (row["ITNO"], row["AV01"]) == (ITEM.itno, "7.000000")


async def test_a_correction_is_done_at_once_and_only_once(m3: M3) -> None:
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "10"})
    sent = {**PARTNER, **KEY, "QLQT": "-3", "PMSN": "S1", "RSCD": "LOS", "PRFL": "*EXE"}
    answer = await m3.one("MMS850MI.AddAdjust", **sent)
    assert (await figures(m3))[0] == 7
    assert await m3.code("MMS850MI.AddAdjust", **sent) == "WMS3804"
    assert (await figures(m3))[0] == 7
    known = await m3.one("MMS850MI.GetMvxMsg", E0PB=catalogue.PARTNER, PMSN="S1")
    assert known["MSGN"] == answer["MSNR"]
    assert await m3.code("MHS850MI.GetMvxMsg", E0PB=catalogue.PARTNER, PMSN="S1") == "WMS3703"


async def test_a_refused_correction_leaves_no_trace_if_done_at_once(m3: M3) -> None:
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "1"})
    sent = {**PARTNER, **KEY, "QLQT": "-3", "PMSN": "S2", "PRFL": "*EXE"}
    assert await m3.code("MMS850MI.AddAdjust", **sent) == "CPF9898"
    assert await m3.code("MMS850MI.GetMvxMsg", E0PB=catalogue.PARTNER, PMSN="S2") == "WMS3703"
    assert await m3.code("MMS850MI.AddAdjust", **{**sent, "WHLO": "XXX"}) == "WWH0103"
    assert await m3.code("MMS850MI.AddAdjust", **{**sent, "ITNO": "NONE"}) == "WIT0103"
    assert await m3.code("MMS850MI.AddAdjust", **{**sent, "RSCD": "ZZZ"}) == "CPF9898"
    assert await m3.code("MMS850MI.AddAdjust", **{**sent, "E065": "XXX"}) == "ED01016"


async def test_a_refused_correction_done_later_shows_only_as_a_status(m3: M3) -> None:
    await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "1"})
    sent = {**PARTNER, **KEY, "PRFL": "*AUT"}
    await m3.call("MMS850MI.AddAdjust", **sent, QLQT="-3", PMSN="S3")
    await m3.call("MMS850MI.AddAdjust", **sent, QLQT="3", PMSN="S4")
    assert (await figures(m3))[0] == 1
    await m3.advance(2)
    assert (await figures(m3))[0] == 4
    rows = await m3.call("MMS850MI.LstMvxMsg", E0PB=catalogue.PARTNER)
    assert [row["STAT"] for row in rows] == ["20", "90"]


async def test_balances_and_what_orders_want_survive_a_restart(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path) as m3:
        await m3.control("staff", at_work=False)
        await m3.control("counts", whlo="MAI", onhand={ITEM.itno: "2"})
        await m3.order(whlo="MAI", ortp="AZM", quantities=(5,))
        before = await figures(m3)
    async with simulated_m3(tmp_path) as m3:
        assert await figures(m3) == before
        listed = (await m3.http.get(f"{m3.url}/_control/balances", params={"whlo": "MAI"})).json()
        assert {row["whlo"] for row in listed} == {"MAI"}
        assert next(row for row in listed if row["itno"] == ITEM.itno)["allocatable"] == "-3"

"""The M3 simulator against M3's own metadata: what it accepts, what it answers, what it says about itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulators import catalogue
from simulators.m3 import metadata, programs
from simulators.m3.generate_metadata import SITE_LISTS, facts
from tests.contract.m3_simulator_client import ITEM, M3, simulated_m3

METADATA = Path(metadata.__file__).with_name("metadata.json")


def exported(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "m3" / "mi-transactions.json").read_text())
    return found


def test_every_served_transaction_is_described_and_nothing_else() -> None:
    described = {program: sorted(names) for program, names in json.loads(METADATA.read_text()).items()}
    assert described == {program: sorted(names) for program, names in programs.served().items()}


def test_the_facts_are_those_of_the_export(shared: Path) -> None:
    assert json.loads(METADATA.read_text()) == facts(exported(shared), programs.served())


def test_lengths_types_and_flags_are_read_as_exported(shared: Path) -> None:
    source = exported(shared)
    for program, transactions in metadata.load("cloud").items():
        for name, transaction in transactions.items():
            if program == "CMS100MI" and name in SITE_LISTS:
                continue
            known = source[program]["transactions"][name]
            for direction, fields in (("input", transaction.inputs), ("output", transaction.outputs)):
                wanted = {
                    f["field"]: (f["type"], f["length"], bool(f.get("mandatory")))
                    for f in known[direction]
                    if not f.get("onprem_only")
                }
                assert {f.name: (f.type, f.length, f.mandatory) for f in fields.values()} == wanted


def test_on_premises_lacks_what_only_the_cloud_has() -> None:
    cloud, onprem = metadata.load("cloud"), metadata.load("onprem")
    assert "PrtInvoice" in cloud["OIS350MI"]
    assert "PrtInvoice" not in onprem["OIS350MI"]
    assert "AddBatchLineFld" not in onprem["GLS840MI"]
    assert "ETRN" in cloud["MWS410MI"]["LstPackages"].outputs
    assert "ETRN" not in onprem["MWS410MI"]["LstPackages"].outputs
    assert onprem["MMS200MI"]["Get"].outputs["ITDS"].length == 30
    assert onprem["MMS025MI"]["AddAlias"].inputs["ALWQ"].mandatory
    assert not cloud["MMS025MI"]["AddAlias"].inputs["ALWQ"].mandatory


async def every_read(m3: M3) -> list[tuple[str, dict[str, str]]]:
    """A call of every reading transaction about an order that has gone all the way."""
    orno = await m3.order(whlo="MAI", ortp="AZM", quantities=(2,))
    temp = (await m3.one("OIS275MI.GetTmpOrderStat", ORNO=orno))["ORNO"]
    await m3.call("OIS100MI.AddConnCOCharge", ORNO=orno, CRID="AMZSHP", CRAM="4.99")
    await m3.control("ship", orno=orno)
    await m3.advance()
    row = await m3.one("OIS350MI.LstInvHeadByCo", ORNO=orno)
    dlix, year, ivno = row["DLIX"], row["YEA4"], row["IVNO"]
    vono = (await m3.one("OIS350MI.GetInvHead", YEA4=year, IVNO=ivno))["VONO"]
    day = row["IVDT"]
    delivery = {"ORNO": orno, "WHLO": "MAI", "DLIX": dlix, "TEPY": row["TEPY"]}
    voucher = {"DIVI": catalogue.DIVI, "YEA4": year, "VONO": vono}
    owed = {"CUNO": "AMZDE", "CINO": row["EXIN"], "INYR": year}
    place = await m3.one("ARS200MI.GetUniqueKey", **owed, IVDT=row["IVDT"], TRCD="10")
    journal = {name: place[name] for name in ("YEA4", "JRNO", "JSNO")}
    return [
        ("ARS200MI.GetInvTotInfo", {"PYNO": "AMZDE", **owed}),
        ("ARS200MI.GetInvoice", journal),
        ("ARS200MI.GetUniqueKey", {**owed, "IVDT": row["IVDT"], "TRCD": "10"}),
        ("ARS200MI.LstInvByDivi", {}),
        ("ARS200MI.LstInvoices", {"CUNO": "AMZDE"}),
        ("ARS200MI.LstInvoiceTrans", {"PYNO": "AMZDE", **owed}),
        ("AUTCHKMI.ChkAuthority", {"APGM": "OIS100MI"}),
        ("CMS100MI.Lst_OXHEAD_CUOR", {"OACUOR": "302-0000001-0000001"}),
        ("CMS100MI.Lst_OOHEAD_CUOR", {"OACUOR": "302-0000001-0000001"}),
        ("CRS045MI.LstCountry", {}),
        ("CRS045MI.LstCountryArea", {"CSCD": "US"}),
        ("CRS610MI.GetBasicData", {"CUNO": "AMZDE"}),
        ("CRS610MI.LstByNumber", {}),
        ("EXPORTMI.Select", {"QERY": "OAORNO from OOHEAD where OACUOR = 302-0000001-0000001"}),
        ("GLS200MI.GetVoucherHead", voucher),
        ("GLS200MI.GetVoucherLine", {**voucher, "JRNO": journal["JRNO"], "JSNO": "1"}),
        ("GLS200MI.SearchGenLedger", {"SQRY": "CUCD:EUR"}),
        ("GLS200MI.LstVoucherLines", voucher),
        ("GLS200MI.LstVouchersByDt", {"FRDT": day, "TODT": day}),
        ("MMS025MI.GetItem", {"ALWT": "2", "POPN": ITEM.sku}),
        ("MMS025MI.LstAlias", {"ITNO": ITEM.itno}),
        ("MMS025MI.LstItem", {"POPN": ITEM.sku}),
        ("MMS200MI.Get", {"ITNO": ITEM.itno}),
        ("MMS200MI.GetItmBasic", {"ITNO": ITEM.itno}),
        ("MMS200MI.GetItmWhsBal", {"WHLO": "AFE", "ITNO": ITEM.itno}),
        ("MMS200MI.LstItmByItm", {"ITNO": "1"}),
        ("MMS200MI.SearchItem", {"SQRY": "tea"}),
        ("MNS100MI.GetBasicData", {"CONO": "100", "DIVI": "AAA"}),
        ("MNS100MI.LstDivisions", {"CONO": "100"}),
        ("MRS001MI.LstPrograms", {}),
        ("MRS001MI.LstTransactions", {"MINM": "OIS100MI"}),
        ("MRS001MI.LstFields", {"MINM": "OIS100MI", "TRNM": "AddBatchHead", "TRTP": "I"}),
        ("MWS410MI.GetHead", {"DLIX": dlix}),
        ("MWS410MI.GetAdr", {"DLIX": dlix, "ADRT": "1"}),
        ("MWS410MI.LstPackages", {"DLIX": dlix}),
        ("MWS410MI.LstPackageLine", {"DLIX": dlix, "PDSO": "1"}),
        ("MWS411MI.GetDeliveryLine", {"DLIX": dlix, "RORC": "3", "RIDN": orno, "RIDL": "1", "RIDX": "0"}),
        ("MWS411MI.LstDelLnByOrd", {"RORC": "3", "RIDN": orno}),
        ("MWS411MI.LstDeliveryLine", {"DLIX": dlix}),
        ("MWS420MI.LstPLViaPckLst", {"RIDI": dlix, "PLSX": "1"}),
        ("MWS420MI.LstPickHeader", {"DLIX": dlix}),
        ("MWS420MI.LstPickList", {"WHLO": "MAI"}),
        ("OIS010MI.LstOrderTypes", {}),
        ("OIS100MI.GetBatchHead", {"ORNO": temp}),
        ("OIS100MI.GetHead", {"ORNO": orno}),
        ("OIS100MI.GetLine", {"ORNO": orno, "PONR": "1"}),
        ("OIS100MI.GetOrderNo", {"ORNO": temp}),
        ("OIS100MI.GetOrderValue", {"ORNO": orno}),
        ("OIS100MI.LstBatchHead", {"CUNO": "AMZDE"}),
        ("OIS100MI.LstBatchLine", {"ORNO": temp}),
        ("OIS100MI.LstConnCOCharge", {"ORNO": orno}),
        ("OIS100MI.LstDelLineByCO", {"ORNO": orno, "PONR": "1"}),
        ("OIS100MI.LstHead", {"CUNO": "AMZDE"}),
        ("OIS100MI.LstLine", {"ORNO": orno}),
        ("OIS100MI.LstNewBalances", {"LMTS": "0"}),
        ("OIS100MI.SearchHead", {"SQRY": "CUOR:302-0000001-0000001"}),
        ("OIS175MI.LstHeadByCust", {"CUNO": "AMZDE"}),
        ("OIS275MI.GetBatchHead", {"ORNO": temp}),
        ("OIS275MI.GetTmpOrderStat", {"ORNO": temp}),
        ("OIS275MI.LstBatchLine", {"ORNO": temp}),
        ("OIS350MI.GetDelHead", delivery),
        ("OIS350MI.GetInvHead", {"YEA4": year, "IVNO": ivno}),
        ("OIS350MI.LstAllInvByCO", {"ORNO": orno}),
        ("OIS350MI.LstDelLine", {"CONO": "100", **delivery}),
        ("OIS350MI.LstInvHeadByCo", {"ORNO": orno}),
        ("OIS350MI.LstInvLine", {"YEA4": year, "IVNO": ivno}),
    ]


async def test_every_reply_is_made_of_the_declared_fields(tmp_path: Path, shared: Path) -> None:
    source = exported(shared)
    async with simulated_m3(tmp_path) as m3:
        for operation, params in await every_read(m3):
            program, name = operation.split(".")
            if program == "CMS100MI" and name in SITE_LISTS:
                continue
            declared = {f["field"]: f for f in source[program]["transactions"][name]["output"]}
            records = await m3.call(operation, **params)
            assert records, operation
            for record in records:
                assert list(record) == [f for f in declared if not declared[f].get("onprem_only")], operation
                for field, value in record.items():
                    assert isinstance(value, str)
                    assert len(value) <= declared[field]["length"], (operation, field, value)
                    if declared[field]["type"] == "D":
                        assert value in ("", "0") or (len(value) == 8 and value.isdigit()), (operation, field)


async def test_m3_describes_its_own_programs(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path) as m3:
        listed = {row["MINM"] for row in await m3.call("MRS001MI.LstPrograms")}
        assert {"OIS100MI", "CRS610MI", "MRS001MI"} <= listed
        fields = await m3.call("MRS001MI.LstFields", MINM="OIS100MI", TRNM="AddBatchHead", TRTP="I")
        cuor = next(row for row in fields if row["FLNM"] == "CUOR")
        assert (cuor["LENG"], cuor["TYPE"], cuor["MAND"]) == ("20", "A", "0")
        assert next(row for row in fields if row["FLNM"] == "CUNO")["MAND"] == "1"
        assert await m3.code("MRS001MI.LstTransactions", MINM="OIS002MI") == "XRE0103"


async def test_a_site_without_its_own_lists_and_export_has_none(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path, cuor_list=False, exportmi=False) as m3:
        listed = {row["MINM"] for row in await m3.call("MRS001MI.LstPrograms")}
        assert not listed & {"CMS100MI", "EXPORTMI"}
        assert await m3.code("CMS100MI.Lst_OOHEAD_CUOR", OACUOR="X") == "CPF9898"
        assert await m3.code("EXPORTMI.Select", QERY="OAORNO from OOHEAD") == "CPF9898"

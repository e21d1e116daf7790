"""The ledgers of the M3 simulator: interface batches (GLS840), customer payments (ARS040), what is open (ARS200) and
what was posted (GLS200)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.m3_simulator_client import M3, RefusedError, Row, simulated_m3

CUOR = "302-0000001-0000001"
DAY = "20260105"
BATCH = {"CONO": "100", "KEY1": "S-25624439742-1"}


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as running:
        yield running


async def refused(m3: M3, operation: str, **params: str) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        await m3.call(operation, **params)
    return caught.value.code, caught.value.field, caught.value.text


async def ledger(m3: M3) -> dict[str, Any]:
    found: dict[str, Any] = (await m3.http.get(f"{m3.url}/_control/ledger")).json()
    return found


async def balances(m3: M3) -> dict[str, str]:
    return {f"{row['account']} {row['cucd']}": row["balance"] for row in (await ledger(m3))["accounts"]}


async def invoiced(m3: M3, cuor: str = CUOR, **wanted: Any) -> Row:
    """A shipped and posted order; its invoice as a payment names it."""
    orno = await m3.order(cuor, **{"whlo": "MAI", "ortp": "AZM", **wanted})
    await m3.control("ship", orno=orno)
    await m3.advance()
    row = await m3.one("OIS350MI.LstAllInvByCO", ORNO=orno)
    return {"CINO": row["EXIN"], "INYR": row["YEA4"], "CUNO": row["CUNO"], "PYAM": row["IVAV"]}


async def total(m3: M3, invoice: Row) -> Row:
    named = {name: invoice[name] for name in ("CINO", "INYR", "CUNO")}
    return await m3.one("ARS200MI.GetInvTotInfo", PYNO=invoice["CUNO"], **named)


async def paid(m3: M3, pbid: str, *invoices: Row, **head: str) -> None:
    """A batch of these payments, controlled and updated."""
    await m3.call("ARS040MI.AddBatchHead", PBID=pbid, BOPE="AMZ", **{"BAAN": "AMZDE", "ACDT": DAY, **head})
    for number, invoice in enumerate(invoices, 1):
        await m3.call("ARS040MI.AddBatchLine", PBID=pbid, TRNO=str(number), **invoice)
    await m3.call("ARS040MI.ControlBatch", PBID=pbid)
    await m3.advance(2)


# --- GLS840 ----------------------------------------------------------------------------------------


async def opened(m3: M3, *lines: dict[str, str], key1: str = BATCH["KEY1"]) -> None:
    head = {"CONO": "100", "KEY1": key1, "INTN": "AMZGL2", "DESC": "Settlement 25624439742"}
    await m3.call("GLS840MI.AddBatchHead", **head)
    for number, line in enumerate(lines, 1):
        fields = {"INRI": "I1", "GRNR": "1", "CUCD": "EUR", "ACDT": DAY, "VTXT": "25624439742", **line}
        await m3.call("GLS840MI.AddBatchLineFld", KEY1=key1, LINE=str(number), **fields)


def pair(amount: str = "10.00", **changes: str) -> tuple[dict[str, str], dict[str, str]]:
    debit = {"AIT1": "6510", "AIT2": "DE", "CUAM": amount, "DBCR": "D"}
    credit = {"AIT1": "1815", "AIT2": "DE", "CUAM": amount, "DBCR": "C"}
    return {**debit, **changes}, credit


WRONG_LINES = (
    ({"AIT1": "9999"}, "AIT1", "identity 9999 does not exist"),
    ({"AIT2": "XX"}, "AIT2", "XX does not exist in dimension 2"),
    ({"AIT5": "DE"}, "AIT5", "DE does not exist in dimension 5"),
    ({"AIT1": "1510"}, "AIT1", "kept by a subledger"),
    ({"CUCD": "XXX"}, "CUCD", "currency XXX does not exist"),
    ({"CUAM": "10.005"}, "CUAM", "too many decimals"),
    ({"CUAM": "0"}, "CUAM", "amount must be entered"),
    ({"CUAM": "10.01"}, "GRNR", "does not balance, difference 0.01"),
    ({"ACDT": "20260106"}, "ACDT", "more than one accounting date"),
    ({"GRNR": "2"}, "GRNR", "Voucher 2 does not balance"),
    ({"INRI": "I9"}, "LINE", "information type"),
)


async def test_the_check_of_a_batch_says_what_m3_would_not_post(m3: M3) -> None:
    for number, (change, field, text) in enumerate(WRONG_LINES):
        key = f"K{number}"
        await opened(m3, *pair(**change), key1=key)
        code, named, said = await refused(m3, "GLS840MI.CtrlBatch", CONO="100", KEY1=key)
        assert (code, named) == ("CPF9898", field), change
        assert text in said
        assert await m3.code("GLS840MI.UpdBatch", CONO="100", KEY1=key) == "CPF9898"
    await m3.advance()
    assert (await ledger(m3))["vouchers"] == []


async def test_identities_are_entered_and_periods_closed_by_people(m3: M3) -> None:
    await opened(m3, *pair(AIT1="9999"))
    await m3.control("ledger/identity", identity="9999")
    await m3.control("ledger/close", until="20260131")
    code, field, text = await refused(m3, "GLS840MI.CtrlBatch", **BATCH)
    assert (code, field) == ("CPF9898", "ACDT")
    assert "period 202601 is closed" in text
    await m3.control("ledger/close", until="20251231")
    await m3.call("GLS840MI.CtrlBatch", **BATCH)


async def test_what_turns_wrong_after_the_check_stops_the_update_in_silence(m3: M3) -> None:
    await opened(m3, *pair())
    await m3.call("GLS840MI.CtrlBatch", **BATCH)
    await m3.control("ledger/close", until="20260131")
    await m3.call("GLS840MI.UpdBatch", **BATCH)
    await m3.advance(1)
    assert await m3.call("GLS200MI.LstVouchersByDt", FRDT=DAY, TODT=DAY) == []
    [batch] = (await ledger(m3))["gl_batches"]
    assert (batch["stat"], batch["vouchers"]) == ("85", [])
    assert "closed" in batch["error"]
    await m3.control("ledger/close")
    for transaction in ("CtrlBatch", "UpdBatch"):
        await m3.call(f"GLS840MI.{transaction}", **BATCH)
    await m3.advance(1)
    assert len((await ledger(m3))["vouchers"]) == 1


async def test_one_batch_makes_a_voucher_for_each_group_and_a_key_is_used_up(m3: M3) -> None:
    january, february = pair("7.10"), pair("2.05")
    later = [{**line, "GRNR": "2", "ACDT": "20260201"} for line in february]
    await opened(m3, *january, *later)
    await m3.call("GLS840MI.CtrlBatch", **BATCH)
    await m3.call("GLS840MI.UpdBatch", **BATCH)
    await m3.advance(1)
    listed = await m3.call("GLS200MI.LstVouchersByDt", FRDT="20260101", TODT="20260228")
    assert [(row["ACDT"], row["AIT1"], row["AIT2"], row["CUAM"]) for row in listed] == [
        (DAY, "6510", "DE", "7.10"),
        (DAY, "1815", "DE", "-7.10"),
        ("20260201", "6510", "DE", "2.05"),
        ("20260201", "1815", "DE", "-2.05"),
    ]
    row = listed[1]
    place = {name: row[name] for name in ("DIVI", "YEA4", "VONO", "JRNO", "JSNO")}
    same = await m3.one("GLS200MI.GetVoucherLine", **place)
    assert {name: same[name] for name in same if name in row} == {
        name: row[name] for name in row if name in same
    }
    assert await m3.code("GLS200MI.GetVoucherLine", **{**place, "JSNO": "3"}) == "XRE0103"
    for transaction in ("CtrlBatch", "UpdBatch"):
        assert await m3.code(f"GLS840MI.{transaction}", **BATCH) == "CPF9898"
    with pytest.raises(RefusedError, match="XRE0104"):
        await opened(m3)


async def test_the_search_index_lags_and_names_no_voucher(m3: M3) -> None:
    await opened(m3, *pair())
    await m3.call("GLS840MI.CtrlBatch", **BATCH)
    await m3.call("GLS840MI.UpdBatch", **BATCH)
    await m3.advance(1)
    assert await m3.call("GLS200MI.SearchGenLedger", SQRY="VTXT:25624439742") == []
    await m3.advance(2)
    first, second = await m3.call("GLS200MI.SearchGenLedger", SQRY="VTXT:25624439742")
    assert (first["AIT1"], second["ACAM"], "VONO" in first) == ("6510", "-10.00", False)


async def test_a_decimal_point_does_not_fit_an_interface_with_a_comma(m3: M3) -> None:
    await m3.call("GLS840MI.AddBatchHead", **BATCH, INTN="AMZGL1", DESC="By positions")
    for number, (account, amount) in enumerate((("6510", "7.25"), ("1815", "-7.25")), 1):
        parm = f"I1{DAY}{'G1':<10}{account:<70}EUR{amount:<17}{'Fees':<40}"
        await m3.call("GLS840MI.AddBatchLine", **BATCH, LINE=str(number), PARM=parm)
    code, field, text = await refused(m3, "GLS840MI.CtrlBatch", **BATCH)
    assert (code, field) == ("CPF9898", "CUAM")
    assert "not numeric" in text


async def test_people_delete_a_batch_and_its_key_is_free(m3: M3) -> None:
    await opened(m3, *pair(AIT1="9999"))
    await m3.control("ledger/remove", key1=BATCH["KEY1"])
    await opened(m3, *pair())
    await m3.call("GLS840MI.CtrlBatch", **BATCH)
    await m3.call("GLS840MI.UpdBatch", **BATCH)
    await m3.advance(1)
    answer = await m3.http.post(f"{m3.url}/_control/ledger/remove", json={"key1": BATCH["KEY1"]})
    assert answer.status_code == 422


# --- ARS040 and ARS200 -----------------------------------------------------------------------------


async def test_a_payment_settles_its_invoice_and_debits_the_clearing_account(m3: M3) -> None:
    invoice = await invoiced(m3)
    before = await total(m3, invoice)
    assert (before["CUAM"], before["OCUA"], before["PCUA"], before["RECO"]) == ("12.90", "12.90", "0.00", "0")
    await paid(m3, "1001", {**invoice, "PYAM": "10.00"})
    part = await total(m3, invoice)
    assert (part["OCUA"], part["PCUA"], part["RECO"]) == ("2.90", "10.00", "1")
    await paid(m3, "1002", {**invoice, "PYAM": "2.90"})
    after = await total(m3, invoice)
    assert (after["OCUA"], after["PCUA"], after["RECO"], after["REDE"]) == ("0.00", "12.90", "9", DAY)
    told = await balances(m3)
    assert (told["1510 EUR"], told["1815 EUR"]) == ("0.00", "12.90")
    assert (await ledger(m3))["open_items"] == []
    moves = await m3.call("ARS200MI.LstInvoiceTrans", PYNO=invoice["CUNO"], **{
        name: invoice[name] for name in ("CINO", "INYR", "CUNO")
    })  # fmt: skip
    assert [(move["TRCD"], move["CUAM"]) for move in moves] == [
        ("10", "12.90"),
        ("20", "-10.00"),
        ("20", "-2.90"),
    ]
    head = await m3.one("GLS200MI.GetVoucherHead", DIVI="AAA", YEA4="2026", VONO=moves[1]["VONO"])
    assert (head["FEID"], head["VSER"], head["CUAD"]) == ("AR40", "AR4", "10.00")


async def test_nothing_is_posted_before_the_control_and_the_update(m3: M3) -> None:
    invoice = await invoiced(m3)
    await m3.control("ledger/updates", run=False)
    await m3.call("ARS040MI.AddBatchHead", PBID="7", BOPE="AMZ")
    await m3.call("ARS040MI.AddBatchLine", PBID="7", TRNO="1", **invoice)
    await m3.advance()
    assert (await total(m3, invoice))["RECO"] == "0"
    assert await m3.call("ARS040MI.ControlBatch", PBID="7") == []
    await m3.advance()
    assert (await total(m3, invoice))["RECO"] == "0"
    assert await m3.code("ARS040MI.ControlBatch", PBID="7") == "CPF9898"
    assert await m3.code("ARS040MI.AddBatchLine", PBID="7", TRNO="2", **invoice) == "CPF9898"
    await m3.control("ledger/updates", run=True)
    await m3.advance(1)
    assert (await total(m3, invoice))["RECO"] == "9"


WRONG_PAYMENTS = (
    ({"CINO": "AMZ000999999"}, "XRE0103", "CINO", "does not exist"),
    ({"CINO": "900001"}, "XRE0103", "CINO", "does not exist"),
    ({"INYR": "2020"}, "XRE0103", "CINO", "does not exist"),
    ({"CUNO": "AMZFR"}, "XRE0103", "CINO", "for customer AMZFR"),
    ({"PYNO": "AMZFR"}, "XIM0002", "PYNO", "not the payer"),
    ({"PYAM": "12.91"}, "CPF9898", "PYAM", "exceeds the open amount 12.90"),
    ({"PYAM": "-1.00"}, "CPF9898", "PYAM", "exceeds the open amount"),
    ({"PYAM": "0"}, "CPF9898", "PYAM", "must be entered"),
    ({"PYAM": "1.001"}, "CPF9898", "PYAM", "too many decimals"),
    ({"CUCD": "GBP"}, "CPF9898", "CUCD", "is in EUR, not in GBP"),
    ({"AIT1": "9999"}, "CPF9898", "AIT1", "does not exist"),
)


async def test_the_control_of_payments_says_what_is_wrong_and_nothing_is_paid(m3: M3) -> None:
    right, wrong = await invoiced(m3), await invoiced(m3, "302-0000002-0000002")
    for number, (change, code, field, text) in enumerate(WRONG_PAYMENTS, 1):
        batch = {"PBID": str(number)}
        await m3.call("ARS040MI.AddBatchHead", **batch, BOPE="AMZ", BAAN="AMZDE")
        await m3.call("ARS040MI.AddBatchLine", **batch, TRNO="1", **right)
        await m3.call("ARS040MI.AddBatchLine", **batch, TRNO="2", **{**wrong, **change})
        found = await refused(m3, "ARS040MI.ControlBatch", **batch)
        assert found[:2] == (code, field), change
        assert text in found[2]
    await m3.advance()
    assert [(await total(m3, invoice))["RECO"] for invoice in (right, wrong)] == ["0", "0"]


async def test_batch_heads_and_lines_are_refused_by_themselves(m3: M3) -> None:
    head = {"PBID": "1", "BOPE": "AMZ"}
    assert await m3.code("ARS040MI.AddBatchHead", **{**head, "BOPE": "XXX"}) == "CPF9898"
    assert await m3.code("ARS040MI.AddBatchHead", **head, BAAN="NOBANK") == "CPF9898"
    assert await m3.code("ARS040MI.AddBatchHead", **{**head, "PBID": "12345678901"}) == "CPF9898"
    await m3.call("ARS040MI.AddBatchHead", **head)
    assert await m3.code("ARS040MI.AddBatchHead", **head) == "XRE0104"
    line = {"PBID": "1", "TRNO": "1", "CINO": "X", "INYR": "2026", "CUNO": "AMZDE", "PYAM": "1"}
    assert await m3.code("ARS040MI.AddBatchLine", **{**line, "PBID": "2"}) == "XRE0103"
    assert await m3.code("ARS040MI.AddBatchLine", **{**line, "CUNO": "NOBODY"}) == "WCU0203"
    assert await m3.code("ARS040MI.AddBatchLine", **line, ADAM="1.00") == "CPF9898"
    await m3.call("ARS040MI.AddBatchLine", **line)
    assert await m3.code("ARS040MI.AddBatchLine", **line) == "XRE0104"
    for name in ("TRNO", "CINO", "INYR", "CUNO", "PYAM"):
        given = {key: value for key, value in line.items() if key != name}
        assert (await refused(m3, "ARS040MI.AddBatchLine", **given))[1] == name


async def test_an_invoice_is_paid_once_whatever_the_batch(m3: M3) -> None:
    invoice = await invoiced(m3)
    await paid(m3, "1", invoice)
    await m3.call("ARS040MI.AddBatchHead", PBID="2", BOPE="AMZ", ACDT=DAY)
    await m3.call("ARS040MI.AddBatchLine", PBID="2", TRNO="1", **invoice)
    code, _, text = await refused(m3, "ARS040MI.ControlBatch", PBID="2")
    assert code == "CPF9898"
    assert "already paid" in text


async def test_of_two_controlled_batches_for_one_invoice_the_second_stops_in_silence(m3: M3) -> None:
    invoice = await invoiced(m3)
    for pbid in ("1", "2"):
        await m3.call("ARS040MI.AddBatchHead", PBID=pbid, BOPE="AMZ", ACDT=DAY)
        await m3.call("ARS040MI.AddBatchLine", PBID=pbid, TRNO="1", **invoice)
        await m3.call("ARS040MI.ControlBatch", PBID=pbid)
    await m3.advance(5)
    assert (await total(m3, invoice))["OCUA"] == "0.00"
    assert sorted(batch["stat"] for batch in (await ledger(m3))["payment_batches"]) == ["85", "90"]


async def test_a_credit_is_paid_out_and_nets_with_its_invoice(m3: M3) -> None:
    invoice = await invoiced(m3, quantities=(2,))
    await m3.control("receive", cuor=CUOR, quantity=1)
    await m3.advance()
    open_items = {row["cino"]: row["open"] for row in (await ledger(m3))["open_items"]}
    credit = next(cino for cino in open_items if cino != invoice["CINO"])
    assert open_items == {invoice["CINO"]: "25.80", credit: "-12.90"}
    await paid(m3, "1", invoice, {**invoice, "CINO": credit, "PYAM": "-12.90"})
    assert (await ledger(m3))["open_items"] == []
    assert (await balances(m3))["1815 EUR"] == "12.90"
    listed = await m3.call("ARS200MI.LstInvoices", CUNO="AMZDE")
    assert [(row["CINO"], row["RECO"]) for row in listed] == [(invoice["CINO"], "9"), (credit, "9")]
    assert await m3.call("ARS200MI.LstInvoices", CUNO="AMZDE", AAC0="1") == []
    by_division = await m3.call("ARS200MI.LstInvByDivi", FDIV="AAA", TDIV="AAA", CUNO="AMZDE")
    assert [row["CUAM"] for row in by_division] == ["25.80", "-12.90"]


async def test_the_money_goes_to_the_account_of_the_line_the_bank_or_the_payment_type(m3: M3) -> None:
    invoices = [await invoiced(m3, f"302-0000001-000000{number}") for number in range(3)]
    await paid(m3, "1", {**invoices[0], "AIT1": "1817", "AIT2": "FR"})
    await paid(m3, "2", invoices[1])
    await paid(m3, "3", invoices[2], BAAN="")
    booked = {(row["account"], row["dimensions"]): row["balance"] for row in (await ledger(m3))["accounts"]}
    assert booked["1817", "FR"] == booked["1815", "DE"] == booked["1815", ""] == "12.90"


async def test_foreign_payments_leave_no_cent_of_the_local_currency(m3: M3) -> None:
    invoice = await invoiced(m3, whlo="AFN", ortp="AZN", quantities=(3,), CUNO="AMZCA")
    third = str(round(Decimal(invoice["PYAM"]) / 3, 2))
    rest = str(Decimal(invoice["PYAM"]) - 2 * Decimal(third))
    for number, amount in enumerate((third, third, rest), 1):
        await paid(m3, str(number), {**invoice, "PYAM": amount}, BAAN="AMZCA")
    left = [row for row in (await ledger(m3))["accounts"] if row["account"] == "1510"]
    assert [(row["cucd"], row["balance"], row["local"]) for row in left] == [("CAD", "0.00", "0.00")]
    for voucher in (await ledger(m3))["vouchers"]:
        assert sum(Decimal(line["local"]) for line in voucher["lines"]) == 0


async def test_a_charge_is_taken_off_the_money(m3: M3) -> None:
    invoice = await invoiced(m3)
    await m3.call("ARS040MI.AddBatchHead", PBID="1", BOPE="AMZ", BAAN="AMZDE", ACDT=DAY)
    await m3.call("ARS040MI.AddBatchLine", PBID="1", TRNO="1", **invoice)
    assert await m3.code("ARS040MI.AddBatchCharge", PBID="1", CHAM="1.90", CHRI="XXX") == "CPF9898"
    await m3.call("ARS040MI.AddBatchCharge", PBID="1", CHAM="1.90", CHRI="AMZ")
    await m3.call("ARS040MI.ControlBatch", PBID="1")
    await m3.advance(2)
    told = await balances(m3)
    assert (told["1815 EUR"], told["6500 EUR"], told["1510 EUR"]) == ("11.00", "1.90", "0.00")


async def test_a_lost_reply_leaves_the_work_done_and_the_repetition_says_so(m3: M3) -> None:
    invoice = await invoiced(m3)
    for operation in ("AddBatchHead", "AddBatchLine", "ControlBatch"):
        fault = {"operation": f"ARS040MI.{operation}", "match": {"PBID": "5"}, "when": "after"}
        await m3.control("faults", **fault, action="status_504")
    head, line = {"PBID": "5", "BOPE": "AMZ", "ACDT": DAY}, {"PBID": "5", "TRNO": "1", **invoice}
    for operation, params, code in (
        ("AddBatchHead", head, "XRE0104"),
        ("AddBatchLine", line, "XRE0104"),
        ("ControlBatch", {"PBID": "5"}, "CPF9898"),
    ):
        assert (await m3.get("ARS040MI", operation, **params)).status_code == 504
        assert await m3.code(f"ARS040MI.{operation}", **params) == code
    await m3.advance(2)
    assert (await total(m3, invoice))["RECO"] == "9"


async def test_the_ledger_outlives_the_process(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path) as m3:
        invoice = await invoiced(m3)
        await paid(m3, "1", {**invoice, "PYAM": "2.90"})
    async with simulated_m3(tmp_path) as m3:
        assert (await total(m3, invoice))["OCUA"] == "10.00"
        assert await m3.code("ARS040MI.AddBatchHead", PBID="1", BOPE="AMZ") == "XRE0104"
        place = {name: (await total(m3, invoice))[name] for name in ("YEA4", "JRNO", "JSNO")}
        assert (await m3.one("ARS200MI.GetInvoice", **place))["CINO"] == invoice["CINO"]
        day = (await total(m3, invoice))["IVDT"]
        named = {name: invoice[name] for name in ("CUNO", "CINO", "INYR")}
        assert await m3.one("ARS200MI.GetUniqueKey", **named, IVDT=day, TRCD="10") == {
            "CONO": "100", "DIVI": "AAA", **place,
        }  # fmt: skip

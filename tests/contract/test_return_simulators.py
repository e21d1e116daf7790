"""The pretended Amazon's transactions and report files, and the pretended M3's customer returns, by what Amazon's
model and M3's metadata say of them; and our requests against the same."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from activities.amazon.finances import Finances
from activities.amazon.lwa import Credentials, TokenCache
from activities.amazon.operations import LIST_TRANSACTIONS
from activities.amazon.transport import Transport
from activities.m3.fields import FIELDS
from simulators import catalogue
from simulators.amazon.aftersale.files import FILES
from tests.contract.amazon_simulator_client import EU, Caller, simulator
from tests.contract.m3_simulator_client import ITEM, M3, simulated_m3
from tests.contract.test_amazon_simulator_answers import MODELS, model, strict_definitions
from tests.support.orders import order

FINANCES = "finances_2024-06-19.json"
TRANSACTIONS = "/finances/2024-06-19/transactions"
LONG_AGO = f"{datetime.now(UTC) - timedelta(days=170):%Y-%m-%dT%H:%M:%SZ}"
needs_models = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, visibility_delay=0) as caller:
        yield caller


def assert_fits(tree: object) -> None:
    """The model says of a context that it is all kinds of context at once; it may have the properties of any."""
    definitions = copy.deepcopy(strict_definitions(FINANCES))
    kinds = [name for name in definitions if name.endswith("Context")]
    properties = {
        key: each for name in kinds for key, each in definitions[name].get("properties", {}).items()
    }
    properties["contextType"] = {"type": "string"}
    definitions["Context"] = {"type": "object", "additionalProperties": False, "properties": properties}
    schema = {"$ref": "#/definitions/ListTransactionsResponse", "definitions": definitions}
    errors = [f"{e.json_path}: {e.message}" for e in jsonschema.Draft4Validator(schema).iter_errors(tree)]
    assert not errors, errors[:3]


async def listed(caller: Caller, **params: str) -> list[dict[str, Any]]:
    """Every transaction, page by page, empty pages among them."""
    found: list[dict[str, Any]] = []
    query = {"postedAfter": LONG_AGO, **params}
    token, pages = "", 0
    await caller.advance(1)  # what is posted in this very moment is not listed yet
    while True:
        more = {"nextToken": token} if token else {}
        answer = await caller.http.get(
            TRANSACTIONS, params={**query, **more}, headers=await caller.headers(EU)
        )
        assert answer.status_code == 200, answer.text
        if MODELS.is_dir():
            assert_fits(answer.json())
        payload = answer.json()["payload"]
        found += payload["transactions"]
        pages += 1
        token = payload.get("nextToken", "")
        if not token:
            return found


async def happens(caller: Caller, order_id: str, **event: object) -> None:
    answer = await caller.http.post(f"/_control/orders/{order_id}/aftersale", json=event)
    assert answer.status_code == 201, answer.text


@needs_models
async def test_transactions_fit_amazons_model_and_nodes_repeat_what_is_below_them(caller: Caller) -> None:
    for _ in range(25):
        body = order(("TEA-GREEN-250", 2), status="SHIPPED", shipping="4.90")
        await caller.plant(body)
        await happens(caller, str(body["orderId"]), type="refund", units=1)
    found = await listed(caller)
    assert [each["transactionType"] for each in found].count("Refund") == 25
    assert len(found) == 50

    def check(node: dict[str, Any]) -> None:
        below = node.get("breakdowns") or []
        if below:
            total = sum(each["breakdownAmount"]["currencyAmount"] for each in below)
            assert node["breakdownAmount"]["currencyAmount"] == pytest.approx(total)
        for each in below:
            check(each)

    for each in found:
        for item in each["items"]:
            for top in item["breakdowns"]:
                check(top)
        assert each["totalAmount"]["currencyAmount"] == pytest.approx(
            sum(top["breakdownAmount"]["currencyAmount"] for top in each["breakdowns"])
        )


async def test_a_release_is_a_second_transaction_and_the_first_stays(caller: Caller) -> None:
    body = order("TEA-GREEN-250", status="SHIPPED")
    await caller.plant(body)
    order_id = str(body["orderId"])
    await happens(caller, order_id, type="refund", deferred=True)
    statuses = [
        each["transactionStatus"] for each in await listed(caller) if each["transactionType"] == "Refund"
    ]
    assert statuses == ["DEFERRED"]
    await happens(caller, order_id, type="release", number=1)
    first, second = [each for each in await listed(caller) if each["transactionType"] == "Refund"]
    assert {first["transactionStatus"], second["transactionStatus"]} == {"DEFERRED_RELEASED", "RELEASED"}


async def test_a_page_token_wants_its_own_arguments_and_a_moment_must_be_two_minutes_old(
    tmp_path: Path,
) -> None:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        for _ in range(25):
            await caller.plant(order("TEA-GREEN-250", status="SHIPPED"))
        await caller.advance(300)
        headers = await caller.headers(EU)
        first = await caller.http.get(TRANSACTIONS, params={"postedAfter": LONG_AGO}, headers=headers)
        token = first.json()["payload"]["nextToken"]
        second = await caller.http.get(
            TRANSACTIONS, params={"postedAfter": LONG_AGO, "nextToken": token}, headers=headers
        )
        assert second.json()["payload"]["transactions"] == []
        alone = await caller.http.get(TRANSACTIONS, params={"nextToken": token}, headers=headers)
        assert alone.status_code == 400
        fresh = f"{datetime.now(UTC) + timedelta(seconds=299):%Y-%m-%dT%H:%M:%SZ}"
        early = await caller.http.get(TRANSACTIONS, params={"postedAfter": fresh}, headers=headers)
        assert early.status_code == 400
        wide = {"postedAfter": "2024-01-01T00:00:00Z"}
        empty = await caller.http.get(TRANSACTIONS, params=wide, headers=headers)
        assert empty.json()["payload"]["transactions"] == []


async def test_a_line_that_was_cancelled_is_in_no_transaction(caller: Caller) -> None:
    body = order("TEA-GREEN-250", ("CUP-GOLD-6", 1))
    await caller.plant(body)
    order_id = str(body["orderId"])
    sent, not_sent = (str(item["orderItemId"]) for item in body["orderItems"])  # type: ignore[attr-defined]
    assert (await caller.event(order_id, type="ship", items={sent: 1}, actor="AMAZON")).is_success
    assert (await caller.event(order_id, type="cancel", items={not_sent: 1})).is_success
    [shipment] = await listed(caller)
    [item] = shipment["items"]
    assert item["contexts"][0]["sku"] == "TEA-GREEN-250"
    event = {"type": "refund", "item": not_sent}
    refused = await caller.http.post(f"/_control/orders/{order_id}/aftersale", json=event)
    assert refused.status_code == 422
    assert len(await listed(caller)) == 1


async def test_what_moves_between_two_pages_pushes_no_refund_past_the_reader(caller: Caller) -> None:
    moving = order(("TEA-GREEN-250", 2))
    await caller.plant(moving)
    item = str(moving["orderItems"][0]["orderItemId"])  # type: ignore[index]
    ships = {"type": "ship", "items": {item: 1}, "actor": "AMAZON"}
    assert (await caller.event(str(moving["orderId"]), **ships)).is_success
    await caller.advance(1)
    for _ in range(18):
        await caller.plant(order("TEA-GREEN-250", status="SHIPPED"))
    refunded = order("TEA-GREEN-250", status="SHIPPED")
    await caller.plant(refunded)
    await caller.advance(1)
    await happens(caller, str(refunded["orderId"]), type="refund")
    await caller.advance(1)
    query, found = {"postedAfter": LONG_AGO}, list[str]()
    while True:
        headers = await caller.headers(EU)
        payload = (await caller.http.get(TRANSACTIONS, params=query, headers=headers)).json()["payload"]
        if not found:
            assert len(payload["transactions"]) == 20
            assert (await caller.event(str(moving["orderId"]), **ships)).is_success
        found += [each["transactionType"] for each in payload["transactions"]]
        if "nextToken" not in payload:
            break
        query["nextToken"] = payload["nextToken"]
    assert found.count("Refund") == 1


async def test_pages_to_the_latest_go_on_however_long_the_reading_takes(caller: Caller) -> None:
    for _ in range(25):
        await caller.plant(order("TEA-GREEN-250", status="SHIPPED"))
    credentials = Credentials(catalogue.LWA_CLIENT_ID, catalogue.LWA_CLIENT_SECRET, EU.refresh_token)
    tokens = TokenCache(credentials, caller.http, "http://amazon.invalid/auth/o2/token")
    clock = [datetime.now(UTC)]
    finances = Finances(Transport("http://amazon.invalid", tokens, caller.http), lambda: clock[0])
    after, found, token = clock[0] - timedelta(days=170), 0, ""
    while True:
        page = await finances.transactions(after, None, token=token)
        found, token = found + len(page.transactions), page.next_token
        if not token:
            break
        await caller.advance(600)
        clock[0] += timedelta(seconds=600)
    assert found == 25


@needs_models
def test_our_operation_is_amazons() -> None:
    [(path, methods)] = [
        (path, methods)
        for path, methods in model(FINANCES)["paths"].items()
        if methods.get("get", {}).get("operationId") == LIST_TRANSACTIONS.name
    ]
    assert path == LIST_TRANSACTIONS.path
    assert f"| {LIST_TRANSACTIONS.rate:g} | {LIST_TRANSACTIONS.burst} |" in methods["get"]["description"]


async def test_report_files_have_amazons_columns_and_an_order_of_the_right_channel(caller: Caller) -> None:
    by_amazon, by_merchant = order("TEA-GREEN-250", status="SHIPPED"), order(channel="MERCHANT")
    for body in (by_amazon, by_merchant):
        await caller.plant(body)
        for kind in ("return", "announce", "reimburse"):
            await happens(caller, str(body["orderId"]), type=kind)
    for report_type, (columns, _) in FILES.items():
        answer = await caller.http.get(f"/_control/aftersale/{report_type}", params={"seller": EU.seller_id})
        header, row, *rest = answer.text.rstrip("\n").split("\n")
        assert (tuple(header.split("\t")), rest) == (columns, [])
        wanted = by_merchant if "RETURNS_DATA_BY" in report_type else by_amazon
        assert str(wanted["orderId"]) in row
        assert len(row.split("\t")) == len(columns)


# --- M3 --------------------------------------------------------------------------------------------


def test_our_fields_are_those_of_m3s_metadata(shared: Path) -> None:
    exported = json.loads((shared / "m3" / "mi-transactions.json").read_text())
    for call in ("OIS390MI.AddHead", "OIS390MI.AddLine", "OIS390MI.SelOpenLine", "MHS850MI.AddCOReturn",
                 "OIS350MI.LstInvByCOLine"):  # fmt: skip
        program, name = call.split(".")
        known = {field["field"]: field for field in exported[program]["transactions"][name]["input"]}
        for field in FIELDS[call].values():
            source = known[field.name]
            assert (field.type, field.length, field.mandatory) == (
                source["type"],
                source["length"],
                source["mandatory"],
            ), f"{call} {field.name}"
        mandatory = {name for name, field in known.items() if field["mandatory"]}
        assert mandatory <= set(FIELDS[call])


@pytest.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as m3:
        yield m3


async def delivered(m3: M3, quantity: int = 2) -> str:
    """A shipped and invoiced order; its number."""
    orno = await m3.order(quantities=(quantity,), items=(ITEM,))
    await m3.advance(10)
    await m3.pick(orno, 1, quantity)
    await m3.advance(60)
    return orno


async def head(m3: M3, orno: str, **more: str) -> str:
    given = {"WHLO": "AFE", "CUNO": "AMZDE", "RORN": orno, "YREF": "302-0000001-0000001/1/1", **more}
    return (await m3.one("OIS390MI.AddHead", **given))["REPN"]


async def test_a_customer_return_is_entered_received_credited_and_posted(m3: M3) -> None:
    orno = await delivered(m3)
    repn = await head(m3, orno)
    at = {"WHLO": "AFE", "REPN": repn}
    assert await m3.call("OIS390MI.LstLine", **at) == []
    line = await m3.one("OIS390MI.AddLine", **at, REQ0="2", RORL="1", SAPR="5.00")
    [waiting] = await m3.call("OIS390MI.SelOpenLine", WHLO="AFE", ORNO=orno, PONR="1")
    assert (waiting["REPN"], waiting["REQ1"]) == (repn, "0.000000")
    received = {
        "E0PA": "AMAZON",
        "E065": "WMS",
        "CUNO": "AMZDE",
        "RESP": "AMAZON",
        "QTY": "2",
        "PMSN": "R1L1",
    }
    await m3.call("MHS850MI.AddCOReturn", **at, RELI=line["RELI"], PRFL="*EXE", **received)
    assert await m3.code("MHS850MI.AddCOReturn", **at, RELI="1", PRFL="*EXE", **received) == "WMS3804"
    row = await m3.one("OIS390MI.GetLine", **at, RELI="1")
    assert (row["REQ0"], row["REQ1"], row["REQ7"]) == ("2.000000", "2.000000", "0.000000")
    await m3.advance(60)
    assert (await m3.one("OIS390MI.GetLine", **at, RELI="1"))["REQ7"] == "2.000000"
    assert await m3.call("OIS390MI.SelOpenLine", WHLO="AFE", ORNO=orno) == []
    invoices = await m3.call("OIS350MI.LstInvByCOLine", ORNO=orno, PONR="1")
    [credit] = [each for each in invoices if each["IVAM"].startswith("-")]
    read = await m3.one("OIS350MI.GetInvHead", YEA4=credit["YEA4"], IVNO=credit["IVNO"])
    assert (read["AMT2"], read["VONO"] != "0") == ("-10.00", True)
    sums = await m3.one("GLS200MI.GetVoucherHead", DIVI="AAA", YEA4=credit["YEA4"], VONO=read["VONO"])
    assert sums["DSUM"] == sums["CSUM"]


async def test_m3_takes_back_no_more_than_left_and_knows_no_key_of_ours(m3: M3) -> None:
    orno = await delivered(m3)
    first, second = await head(m3, orno), await head(m3, orno)
    assert first != second
    listed = await m3.call("CMS100MI.Lst_OCHEAD_YREF", OCYREF="302-0000001-0000001/1/1")
    assert [each["OCREPN"] for each in listed] == [first, second]
    at = {"WHLO": "AFE", "RORL": "1"}
    await m3.call("OIS390MI.AddLine", **at, REPN=first, REQ0="1")
    assert await m3.code("OIS390MI.AddLine", **at, REPN=second, REQ0="2") == "CPF9898"
    assert await m3.code("OIS390MI.AddHead", WHLO="AFE", CUNO="AMZFR", RORN=orno) == "XIM0002"
    assert await m3.code("OIS390MI.GetHead", WHLO="AFE", REPN="1") == "XRE0103"


async def test_a_price_of_nothing_is_the_orders_own_unless_its_type_lets_goods_go_free(m3: M3) -> None:
    orno = await delivered(m3)
    paid, free = await head(m3, orno), await head(m3, orno, ORTP="AZR")
    for repn in (paid, free):
        await m3.call("OIS390MI.AddLine", WHLO="AFE", REPN=repn, REQ0="1", RORL="1", SAPR="0")
    prices = [
        float((await m3.one("OIS390MI.GetLine", WHLO="AFE", REPN=repn, RELI="1"))["SAPR"])
        for repn in (paid, free)
    ]
    assert prices == [float(ITEM.price), 0.0]

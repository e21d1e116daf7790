"""Settlements in the Amazon simulator: issued unasked, reported as real files are, the same money as in the Finances
API, exact to the cent."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators import catalogue
from simulators.amazon.record import fulfilled
from tests.contract.amazon_simulator_client import EU, NA, Caller, simulator
from tests.contract.report_client import DE, REPORTS, ReportCaller, charset, error, plain, read
from tests.contract.test_amazon_simulator_answers import assert_valid
from tests.contract.test_amazon_simulator_reports import needs_models
from tests.contract.test_return_simulators import happens, listed
from tests.support.orders import order

TYPE = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
DAY = 86400
Row = dict[str, str]


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, visibility_delay=0) as caller:
        yield caller


async def close(caller: Caller, **terms: object) -> list[dict[str, Any]]:
    """Close settlements now; each with its rows and orders."""
    terms = {"fees": False, "reserve": "0", **terms}
    answer = await caller.http.post("/_control/settlements", json=terms)
    assert answer.status_code == 201, answer.text
    return [await caller.control(f"settlements/{head['settlementId']}") for head in answer.json()]


async def the_one(caller: Caller, **terms: object) -> dict[str, Any]:
    [settlement] = await close(caller, **terms)
    return settlement


async def sell(caller: Caller, *lines: Any, **more: Any) -> str:
    body = order(*lines, status="SHIPPED", **more)
    await caller.plant(body)
    return str(body["orderId"])


async def reports_of(caller: Caller, seller: catalogue.Seller = EU, **params: str) -> list[dict[str, Any]]:
    asking = ReportCaller(caller, seller)
    caller.tokens.clear()  # days may have passed
    answer = await asking.call("GET", REPORTS, params={"reportTypes": TYPE, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["reports"]
    return found


async def rows_of(caller: Caller, report: dict[str, Any], seller: catalogue.Seller = EU) -> list[Row]:
    return read(await ReportCaller(caller, seller).download(report))


def lines(settlement: dict[str, Any], order_id: str = "") -> dict[str, str]:
    """Amounts by their words; of an order, or of none."""
    found = [line for line in settlement["lines"] if line["orderId"] == order_id]
    return {f"{line['amountType']} {line['description']}": line["amount"] for line in found}


def number(text: str) -> Decimal:
    return Decimal(text.strip().replace(",", "."))


async def test_nobody_can_ask_for_a_settlement_report(caller: Caller) -> None:
    refused = await ReportCaller(caller).create(TYPE)
    assert error(refused) == (400, "InvalidInput", "Request for report type 1118 is not allowed at this time")
    assert await reports_of(caller) == []


@needs_models
async def test_settlements_come_by_themselves_every_two_weeks_and_are_listed_for_90_days(
    caller: Caller,
) -> None:
    order_id = await sell(caller)
    await caller.advance(13 * DAY)
    assert await reports_of(caller) == []
    await caller.advance(1 * DAY + 60)
    [report] = await reports_of(caller)
    assert_valid({"reports": [report]}, "GetReportsResponse", "reports_2021-06-30.json")
    assert (report["processingStatus"], report["marketplaceIds"]) == ("DONE", [DE])
    [head] = await caller.control("settlements")
    assert (head["reports"][0], head["end"][:16]) == (report["reportId"], report["dataEndTime"][:16])
    settlement = await caller.control(f"settlements/{head['settlementId']}")
    assert settlement["orders"].keys() == {order_id}
    names = {line["description"] for line in settlement["lines"] if not line["orderId"]}
    expected = {"Storage Fee", "Subscription Fee", "TransactionTotalAmount", "Current Reserve Amount"}
    assert names == expected if Decimal(head["reserve"]) else expected - {"Current Reserve Amount"}
    await caller.advance(14 * DAY)
    assert len(await reports_of(caller)) == (
        2 if Decimal(head["total"]) < 0 or Decimal(head["reserve"]) else 1
    )
    await caller.advance(77 * DAY)
    assert report["reportId"] not in {each["reportId"] for each in await reports_of(caller)}


STYLES = {
    "DE": (r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d UTC", r"-?\d+,\d\d *"),
    "GB": (r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d UTC", r"-?\d+\.\d\d *"),
    "US": (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", r"-?\d+\.\d\d *"),
}


async def test_a_file_looks_like_the_real_ones_and_adds_up(caller: Caller, shared: Path) -> None:
    for country in STYLES:
        await sell(caller, ("TEA-GREEN-250", 2), marketplace=country, shipping="4.90", discount="1.00")
    settlements = await close(caller, fees=True, reserve="3.33")
    assert len(settlements) == len(STYLES)
    sample = next((shared / "spapi/samples/settlement-v2-wire").glob("*.txt"))
    header = sample.read_text(encoding="utf-8").splitlines()[0].split("\t")
    for settlement in settlements:
        [marketplace] = settlement["marketplaceIds"]
        country = catalogue.MARKETPLACE_BY_ID[marketplace].country
        seller = catalogue.seller_of(marketplace)
        [report] = await reports_of(caller, seller, marketplaceIds=marketplace)
        rows = await rows_of(caller, report, seller)
        first, rest = rows[0], rows[1:]
        assert list(first) == header
        assert [name for name, text in first.items() if text] == header[:6]
        assert not any(row[name] for row in rest for name in header[1:6])
        assert {row["settlement-id"] for row in rows} == {settlement["settlementId"]}
        assert sum(number(row["amount"]) for row in rest) == number(first["total-amount"])
        assert number(first["total-amount"]) == Decimal(settlement["total"])
        assert_style(rows, *STYLES[country])
        sales = [row for row in rest if row["transaction-type"] == "Order"]
        assert {row["fulfillment-id"] for row in sales} == {"AFN"}
        assert {row["marketplace-name"] for row in sales} == {
            catalogue.MARKETPLACE_BY_ID[marketplace].sales_channel
        }
        assert {row["quantity-purchased"] for row in sales} == {"2"}


def assert_style(rows: list[Row], moment: str, figure: str) -> None:
    for row in rows[1:]:
        assert re.fullmatch(moment, row["posted-date-time"]), row
        assert row["posted-date"] == row["posted-date-time"].split(" ")[0]
        assert re.fullmatch(figure, row["amount"]), row
    assert re.fullmatch(moment, rows[0]["deposit-date"])
    assert re.fullmatch(figure, rows[0]["total-amount"])


async def test_every_row_s_words_are_known_from_real_files(caller: Caller, shared: Path) -> None:
    with (shared / "spapi/settlement-amounts.csv").open(encoding="utf-8") as file:
        known = {
            (row["transaction_type"], row["amount_type"], row["amount_description"])
            for row in csv.DictReader(file)
        }
    await caller.place(150)
    await caller.advance(600)
    for record in list(caller.world.index.by_id.values())[::3]:
        if any(fulfilled(item) for item in record.items) and record.body.get("proceeds"):
            await happens(caller, record.order_id, type="refund")
    await close(caller, fees=True, reserve="1.00")
    await caller.advance(DAY)
    found = {
        (line["type"], line["amountType"], line["description"])
        for head in await caller.control("settlements")
        for line in (await caller.control(f"settlements/{head['settlementId']}"))["lines"]
    }
    assert found - known == set()
    assert {("Order", "ItemPrice", "Tax"), ("Refund", "ItemFees", "RefundCommission")} <= found
    assert {("Order", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal")} <= found
    assert {("Order", "Promotion", "Principal"), ("Order", "ItemFees", "ShippingHB")} <= found


async def test_settlements_and_finances_tell_the_same_money(caller: Caller) -> None:
    await caller.place(80)
    await caller.advance(600)
    for record in [each for each in caller.world.index.by_id.values() if each.seller_id == EU.seller_id][::4]:
        if any(fulfilled(item) for item in record.items) and record.body.get("proceeds"):
            await happens(caller, record.order_id, type="refund", share="0.5")
            await happens(caller, record.order_id, type="reimburse")
    fee = {"marketplace": DE, "kind": "storage", "amount": "-12.34"}
    assert (await caller.http.post("/_control/settlements/charges", json=fee)).status_code == 201
    before = await listed(caller)
    settlements = [each for each in await close(caller) if each["sellerId"] == EU.seller_id]
    after = await listed(caller)
    sums: Counter[str] = Counter()
    for one, same in zip(before, after, strict=True):
        assert one["transactionId"] == same["transactionId"]
        assert one["totalAmount"] == same["totalAmount"]
        related = {
            each["relatedIdentifierName"]: each["relatedIdentifierValue"]
            for each in same["relatedIdentifiers"]
        }
        earlier = {
            each["relatedIdentifierName"]: each["relatedIdentifierValue"]
            for each in one["relatedIdentifiers"]
        }
        assert related["FINANCIAL_EVENT_GROUP_ID"] == earlier["FINANCIAL_EVENT_GROUP_ID"]
        assert "SETTLEMENT_ID" not in earlier
        sums[related["SETTLEMENT_ID"]] += Decimal(str(same["totalAmount"]["currencyAmount"]))  # type: ignore[assignment]
    assert {each["settlementId"]: Decimal(each["total"]) for each in settlements} == sums
    assert sum(len(each["transactions"]) for each in settlements) == len(after)


async def test_a_refund_gives_the_commission_back_but_for_a_fee(caller: Caller) -> None:
    order_id = await sell(caller, ("TEA-GREEN-250", 2), shipping="4.90")
    sold = await the_one(caller)
    assert lines(sold, order_id) == {
        "ItemPrice Principal": "25.80",
        "ItemPrice Shipping": "4.90",
        "ItemFees Commission": "-3.87",
        "ItemFees ShippingHB": "-0.76",
        "ItemFees FBAPerUnitFulfillmentFee": "-6.08",
    }
    await happens(caller, order_id, type="refund", units=1, shipping=False)
    refunded = await the_one(caller)
    assert lines(refunded, order_id) == {
        "ItemPrice Principal": "-12.90",
        "ItemFees Commission": "1.94",
        "ItemFees RefundCommission": "-0.39",
    }
    [truth] = refunded["orders"].values()
    assert (truth["refunded"], truth["sold"], truth["fees"], truth["total"]) == (
        "-12.90",
        "0",
        "1.55",
        "-11.35",
    )
    [row, *_] = [
        r for r in await rows_of(caller, (await reports_of(caller))[0]) if r["transaction-type"] == "Refund"
    ]
    assert row["adjustment-id"].startswith("amzn1:crow:")
    assert (row["shipment-id"], row["quantity-purchased"], bool(row["merchant-adjustment-item-id"])) == (
        "",
        "",
        True,
    )


async def test_chargebacks_and_claims_have_their_own_name_in_the_settlement_alone(caller: Caller) -> None:
    for reason in ("CHARGEBACK", "A_TO_Z"):
        await happens(caller, await sell(caller), type="refund", reason=reason)
    settlement = await the_one(caller)
    found = Counter(line["type"] for line in settlement["lines"] if line["description"] == "Principal")
    assert found == {"Order": 2, "Chargeback Refund": 1, "A-to-z Guarantee Refund": 1}
    assert {truth["refunded"] for truth in settlement["orders"].values()} == {"-12.90"}
    assert Counter(each["transactionType"] for each in await listed(caller)) == {"Shipment": 2, "Refund": 2}


async def test_parts_of_an_order_add_up_to_what_was_sold(caller: Caller) -> None:
    body = order(("TEA-MINT-50", 3), channel="MERCHANT", shipping="1.00", discount="0.10")
    await caller.plant(body)
    order_id, item = str(body["orderId"]), body["orderItems"][0]["orderItemId"]  # type: ignore[index]
    for _ in range(3):
        answer = await caller.event(order_id, type="ship", items={item: 1})
        assert answer.status_code == 200, answer.text
    settlement = await the_one(caller)
    assert settlement["orders"][order_id]["sold"] == str(3 * Decimal("5.49") + 1 - Decimal("0.10"))
    assert len({line["shipmentId"] for line in settlement["lines"]}) == 3


async def test_deferred_money_is_missing_until_it_is_released(caller: Caller) -> None:
    deferred, plain_sale = await sell(caller), await sell(caller)
    await happens(caller, deferred, type="defer", reason="B2B")
    assert (await the_one(caller))["orders"].keys() == {plain_sale}
    [waiting] = [each for each in await listed(caller) if each["transactionStatus"] == "DEFERRED"]
    assert waiting["contexts"][0]["deferralReason"] == "B2B"
    assert await close(caller) == []
    await happens(caller, deferred, type="mature")
    released = await the_one(caller)
    assert released["orders"].keys() == {deferred}
    statuses = Counter(each["transactionStatus"] for each in await listed(caller))
    assert statuses == {"RELEASED": 2, "DEFERRED_RELEASED": 1}
    answer = await caller.http.post(f"/_control/orders/{plain_sale}/aftersale", json={"type": "defer"})
    assert answer.status_code == 422


async def test_a_negative_settlement_is_charged_to_the_card_or_carried(caller: Caller) -> None:
    def fee(amount: str) -> dict[str, str]:
        return {"marketplace": DE, "kind": "inbound", "amount": amount}

    await caller.http.post("/_control/settlements/charges", json=fee("-321.69"))
    first = await the_one(caller)
    assert first["total"] == "-321.69"
    second = await the_one(caller)
    assert lines(second) == {
        "other-transaction Payable to Amazon": "-321.69",
        "other-transaction Successful charge": "321.69",
    }
    assert (second["total"], second["start"]) == ("0.00", first["end"])
    [report] = [each for each in await reports_of(caller) if each["reportId"] in second["reports"]]
    amounts = {row["amount-description"]: row["amount"] for row in await rows_of(caller, report)}
    assert amounts["Successful charge"] == "321,69    "
    await caller.http.post("/_control/settlements/charges", json=fee("-10.00"))
    await the_one(caller)
    await sell(caller, ("POT-IRON-08", 2))
    carried = await the_one(caller, card=False)
    assert lines(carried) == {"other-transaction Payable to Amazon": "-10.00"}


async def test_a_reserve_comes_back_with_the_next_settlement(caller: Caller) -> None:
    await sell(caller)
    first = await the_one(caller, reserve="4.21")
    assert lines(first) == {"other-transaction Current Reserve Amount": "-4.21"}
    await sell(caller)
    second = await the_one(caller, reserve="5.00")
    assert lines(second) == {
        "other-transaction Previous Reserve Amount Balance": "4.21",
        "other-transaction Current Reserve Amount": "-5.00",
    }
    assert Decimal(second["total"]) == Decimal(first["total"]) + Decimal("4.21") * 2 - 5
    assert lines(await the_one(caller)) == {"other-transaction Previous Reserve Amount Balance": "5.00"}
    assert await close(caller) == []


async def test_a_settlement_can_be_reported_again_in_another_order(caller: Caller) -> None:
    for _ in range(5):
        await sell(caller, "TEA-GREEN-250", "CUP-STON-4")
    settlement = await the_one(caller)
    name = settlement["settlementId"]
    await caller.advance(60)
    answer = await caller.http.post(f"/_control/settlements/{name}/reports", json={"shuffle": 3})
    again, once = await reports_of(caller)
    assert again["reportId"] == answer.json()["reportId"] != once["reportId"]
    assert (again["dataStartTime"], again["dataEndTime"]) == (once["dataStartTime"], once["dataEndTime"])
    one, other = await rows_of(caller, once), await rows_of(caller, again)
    assert one[0] == other[0]
    assert one != other
    assert sorted(map(str, one)) == sorted(map(str, other))


async def test_what_no_map_knows_is_a_row_and_a_transaction(caller: Caller) -> None:
    strange = {
        "marketplace": DE, "amount": "-7.77", "transaction_type": "Grading Fees", "amount_type": "Grading",
        "description": "Regrading of a cup",
    }  # fmt: skip
    await caller.http.post("/_control/settlements/charges", json=strange)
    await caller.http.post("/_control/settlements/charges", json={**strange, "marketplace": "NOWHERE"})
    [told] = await listed(caller)
    assert (told["transactionType"], told["totalAmount"]["currencyAmount"]) == ("Grading Fees", -7.77)
    assert lines(await the_one(caller)) == {"Grading Regrading of a cup": "-7.77"}
    refused = await caller.http.post("/_control/settlements/charges", json={"marketplace": DE, "amount": "1"})
    assert refused.status_code == 422


async def test_reports_of_settlements_are_spoiled_by_rules_like_all_others(caller: Caller) -> None:
    asking = ReportCaller(caller)
    rule = {"report_type": TYPE, "packing": "gzip_unsaid", "charset": "utf-16", "content_type": "text/plain"}
    await asking.rule(**rule)
    await sell(caller, "TEA-GREEN-250")
    await the_one(caller)
    [report] = await reports_of(caller)
    details = (await asking.details(report["reportDocumentId"])).json()
    response = await asking.download(report)
    assert ("compressionAlgorithm" in details, response.content[:2]) == (False, b"\x1f\x8b")
    assert plain(response).decode("utf-16").startswith("settlement-id\t")
    await caller.advance(301)
    assert (await caller.http.get(details["url"])).status_code == 403


async def test_european_files_are_told_as_cp1252(caller: Caller) -> None:
    await sell(caller)
    await the_one(caller)
    response = await ReportCaller(caller).download((await reports_of(caller))[0])
    assert charset(response) == "cp1252"


async def test_all_marketplaces_of_a_currency_can_be_settled_in_one(caller: Caller) -> None:
    for country in ("DE", "FR", "GB"):
        await sell(caller, marketplace=country)
    pounds_and_euros = await close(caller, together=True)
    assert [(each["currency"], len(each["orders"])) for each in pounds_and_euros] == [("EUR", 2), ("GBP", 1)]
    names = {
        row["marketplace-name"]
        for row in await rows_of(caller, (await reports_of(caller, marketplaceIds=DE))[0])
    }
    assert names == {"", "Amazon.de", "Amazon.fr"}
    assert await close(caller) == []


async def test_settlements_outlive_the_process(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        await sell(caller, marketplace="US")
        settlement = await the_one(caller, seller=NA.seller_id, reserve="2.00")
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        assert await caller.control(f"settlements/{settlement['settlementId']}") == settlement
        following = await the_one(caller)
        assert lines(following) == {"other-transaction Previous Reserve Amount Balance": "2.00"}
        assert len(await reports_of(caller, NA)) == 2

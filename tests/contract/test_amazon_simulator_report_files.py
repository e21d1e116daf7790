"""What stands in the reports of the Amazon simulator: the orders, in the columns of Amazon's real files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators import catalogue
from simulators.amazon.record import OrderRecord
from simulators.amazon.reports import columns
from simulators.amazon.reports.actionable import pacific
from tests.contract.amazon_simulator_client import EU, NA, Caller, mfn_order, shipment, simulator
from tests.contract.report_client import (
    ACTIONABLE,
    ALL_ORDERS,
    BY_UPDATE,
    DE,
    FULFILLED,
    GB,
    ReportCaller,
    charset,
    plain,
)

EVERYWHERE = tuple(market.marketplace_id for market in EU.marketplaces)
AMERICA = tuple(market.marketplace_id for market in NA.marketplaces)
JAPAN = "A1VC38T7YXB528"
Rows = list[dict[str, str]]


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, shipments_lag=0) as caller:
        yield caller


@pytest.fixture(scope="session")
def samples(shared: Path) -> Path:
    return shared / "spapi" / "samples"


def money(row: dict[str, str], column: str) -> Decimal:
    return Decimal(row[column] or "0")


def by_order(rows: Rows, column: str) -> dict[str, Rows]:
    orders: dict[str, Rows] = defaultdict(list)
    for row in rows:
        orders[row[column]].append(row)
    return orders


def records(caller: Caller, seller: catalogue.Seller) -> dict[str, OrderRecord]:
    index = caller.world.index.by_id
    return {name: record for name, record in index.items() if record.seller_id == seller.seller_id}


@pytest.mark.parametrize(
    ("path", "expected", "encoding"),
    [
        ("order-reports/all-orders-UK-EU-2025-05-shared.txt", columns.ALL_ORDERS, "utf-8"),
        ("order-reports/unshipped-orders-US-CA-2025-05-shared.txt", columns.ACTIONABLE, "utf-8"),
        ("fulfilled-shipments/JP-2017-06-cp932.txt", (*columns.FULFILLED, columns.POINTS), "cp932"),
    ],
)
def test_columns_are_those_of_real_files(
    samples: Path, path: str, expected: tuple[str, ...], encoding: str
) -> None:
    header = (samples / path).read_text(encoding).splitlines()[0]
    assert tuple(header.split("\t")) == expected
    assert len(expected) == {"all": 91, "uns": 68, "JP-": 49}[path.split("/")[1][:3]]


async def test_all_orders_tells_every_order_line_and_its_money(caller: Caller) -> None:
    await caller.place(300)
    await caller.advance(150)
    for seller, markets in ((EU, EVERYWHERE), (NA, AMERICA)):
        rows = by_order(await ReportCaller(caller, seller).rows(ALL_ORDERS, *markets), "amazon-order-id")
        known = records(caller, seller)
        assert rows.keys() == known.keys()
        kinds: Counter[str] = Counter()
        for order_id, record in known.items():
            lines = rows[order_id]
            assert len(lines) == len(record.items)
            assert all((line["vat-exclusive-item-price"] != "") <= (seller is EU) for line in lines)
            ordered = Counter[str]()
            for item in record.items:
                ordered[item["product"]["sellerSku"]] += item["quantityOrdered"]
            for line in lines:
                ordered[line["sku"]] -= int(line["quantity"])
            assert not any(ordered.values())
            status = {"UNSHIPPED": "Pending", "PARTIALLY_SHIPPED": "Shipping"}.get(
                record.status, record.status.title()
            )
            assert {line["order-status"] for line in lines} == {status}
            kinds[status] += 1
            if "proceeds" in record.body and record.status != "PENDING" and record.priced:
                kinds["with money"] += 1
                assert sum((paid(line) for line in lines), Decimal(0)) == Decimal(
                    record.body["proceeds"]["grandTotal"]["amount"]
                ), order_id
        assert {"Pending", "Shipped", "Cancelled", "with money"} <= kinds.keys()


def paid(line: dict[str, str]) -> Decimal:
    """What the buyer pays for a line: with VAT inside, the tax on the discount comes off as well."""
    prices = money(line, "item-price") + money(line, "shipping-price") + money(line, "gift-wrap-price")
    discount = money(line, "item-promotion-discount")
    if line["vat-exclusive-item-price"]:
        tax = money(line, "item-price") - money(line, "vat-exclusive-item-price")
        return prices - discount + (money(line, "item-tax") - tax if line["item-tax"] else 0)
    return prices - discount + money(line, "item-tax") + sum(money(line, f"{p}-tax") for p in EXTRAS)


EXTRAS = ("shipping", "gift-wrap")


async def test_an_all_orders_row_looks_like_the_real_ones(caller: Caller) -> None:
    order = mfn_order()
    order["orderItems"][0]["proceeds"] = {
        "proceedsTotal": eur("17.99"),
        "breakdowns": [
            {"type": "ITEM", "subtotal": eur("19.99")},
            {"type": "DISCOUNT", "subtotal": eur("-2.00")},
            {
                "type": "TAX",
                "subtotal": eur("3.00"),
                "detailedBreakdowns": [
                    {"subtype": "ITEM", "value": eur("3.33")},
                    {"subtype": "DISCOUNT", "value": eur("-0.33")},
                ],
            },
        ],
    }
    order["orderItems"][0]["product"]["title"] = 'Plaque 3" x\t1.5"'
    order["orderItems"][0]["promotion"] = {"breakdowns": [{"promotionId": "Percentage Off 2025/02/07"}]}
    planted = await caller.plant(order)
    row, _ = await ReportCaller(caller).rows()
    wanted = {
        "amazon-order-id": planted["orderId"],
        "merchant-order-id": "",
        "order-status": "Pending",
        "item-status": "Unshipped",
        "fulfillment-channel": "Merchant",
        "order-channel": "WebsiteOrderChannel",
        "sales-channel": "Amazon.de",
        "product-name": 'Plaque 3" x 1.5"',
        "sku": "TEA-GREEN-250",
        "quantity": "3",
        "currency": "EUR",
        "item-price": "19.99",
        "item-tax": "3.0",
        "item-promotion-discount": "1.67",
        "vat-exclusive-item-price": "16.66",
        "vat-exclusive-shipping-price": "0.00",
        "promotion-ids": "Percentage Off 2025/02/07",
        "shipping-price": "",
        "ship-city": "Köln",
        "is-amazon-invoiced": "true",
        "purchase-date": planted["createdTime"][:19] + "+00:00",
    }
    assert {column: row[column] for column in wanted} == wanted
    assert "order-item-id" not in row


async def test_pending_cancelled_and_multi_channel_orders(caller: Caller) -> None:
    pending = mfn_order("304-0000001-0000001")
    pending["fulfillment"] = {"fulfillmentStatus": "PENDING", "fulfilledBy": "AMAZON"}
    cancelled = mfn_order("304-0000001-0000002")
    other = mfn_order("304-0000001-0000003")
    other["salesChannel"] |= {"channelName": "NON_AMAZON", "marketplaceName": "Non-Amazon"}
    other["orderAliases"] = [{"aliasId": "SHOP-1", "aliasType": "SELLER_ORDER_ID"}]
    other["fulfillment"]["fulfilledBy"] = "AMAZON"
    for item in other["orderItems"]:
        del item["proceeds"]
    for order in (pending, cancelled, other):
        await caller.plant(order)
    await caller.event(cancelled["orderId"], type="cancel")
    rows = by_order(await ReportCaller(caller).rows(), "amazon-order-id")
    first, second, third = (rows[order["orderId"]][0] for order in (pending, cancelled, other))
    assert (first["order-status"], first["item-price"], first["item-tax"]) == ("Pending", "38.7", "")
    assert (first["merchant-order-id"], first["order-channel"]) == (pending["orderId"], "")
    assert (second["order-status"], second["quantity"], second["item-price"]) == ("Cancelled", "0", "")
    assert (third["sales-channel"], third["merchant-order-id"], third["currency"]) == (
        "Non-Amazon",
        "SHOP-1",
        "",
    )


async def test_a_marketplace_nobody_has_heard_of_is_reported_too(caller: Caller) -> None:
    order = mfn_order()
    order["salesChannel"] = {"channelName": "AMAZON", "marketplaceId": "ANEWMARKET"}
    order["fulfillment"] = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"}
    await caller.plant(order, seller=EU.seller_id)
    for report_type in (ALL_ORDERS, FULFILLED):
        rows = await ReportCaller(caller).rows(report_type, "ANEWMARKET")
        assert [row["sales-channel"] for row in rows] == ["", ""]


async def test_windows_are_by_purchase_or_by_last_update(caller: Caller) -> None:
    reports = ReportCaller(caller)
    old = mfn_order("304-0000001-0000001", createdTime=await reports.moment(-3 * 86400))
    new = mfn_order("304-0000001-0000002")
    british = mfn_order("204-0000001-0000003")
    british["salesChannel"] = {
        **british["salesChannel"],
        "marketplaceId": GB,
        "marketplaceName": "Amazon.co.uk",
    }
    for order in (old, new, british):
        await caller.plant(order)

    async def found(report_type: str, *markets: str, **window: Any) -> set[str]:
        return {row["amazon-order-id"] for row in await reports.rows(report_type, *markets, **window)}

    assert await found(ALL_ORDERS, DE) == {new["orderId"]}
    assert await found(BY_UPDATE, DE) == {old["orderId"], new["orderId"]}
    assert await found(ALL_ORDERS, DE, days=4) == {old["orderId"], new["orderId"]}
    assert await found(ALL_ORDERS, DE, GB) == {new["orderId"], british["orderId"]}
    until = {"dataEndTime": await reports.moment(-86400)}
    assert await found(ALL_ORDERS, DE, days=4, **until) == {old["orderId"]}


async def test_actionable_tells_what_is_left_to_ship_and_to_whom(caller: Caller) -> None:
    await caller.place(200)
    await caller.advance(100)
    partly = await caller.plant(
        mfn_order(
            fulfillment={
                "fulfillmentStatus": "UNSHIPPED",
                "fulfilledBy": "MERCHANT",
                "fulfillmentServiceLevel": "EXPEDITED",
                "shipByWindow": {"latestDateTime": "2020-01-01T22:59:59Z"},
            }
        )
    )
    body = shipment({"10000000000001": 2, "10000000000002": 1}, ship_date=partly["createdTime"])
    assert (await caller.confirm(partly["orderId"], body)).status_code == 204
    expected = {
        (record.order_id, item["orderItemId"]): item["fulfillment"]["quantityUnfulfilled"]
        for record in records(caller, EU).values()
        if not record.by_amazon and record.status in ("UNSHIPPED", "PARTIALLY_SHIPPED")
        for item in record.items
        if item["fulfillment"]["quantityUnfulfilled"]
    }
    reports = ReportCaller(caller)
    rows = await reports.rows(ACTIONABLE, *EVERYWHERE, days=30)
    told = {(row["order-id"], row["order-item-id"]): int(row["quantity-to-ship"]) for row in rows}
    assert told == expected
    assert len(told) == len(rows) > 30
    [row] = [row for row in rows if row["order-id"] == partly["orderId"]]
    wanted = {
        "order-item-id": "10000000000001",
        "quantity-purchased": "3",
        "quantity-shipped": "2",
        "quantity-to-ship": "1",
        "recipient-name": "Käthe Schröder",
        "buyer-phone-number": "0171/1234567",
        "ship-address-1": "Am Kirchplatz 1",
        "ship-service-name": "Exp DE D2D Dom",
        "promise-date": "2020-01-01T22:59:59+00:00",
    }
    assert {column: row[column] for column in wanted} == wanted
    assert int(row["days-past-promise"]) > 2000
    purchase, payment = (datetime.fromisoformat(row[f"{kind}-date"]) for kind in ("purchase", "payments"))
    assert purchase == payment
    assert purchase.utcoffset() == timedelta(0)
    assert payment.utcoffset() in (timedelta(hours=-7), timedelta(hours=-8))
    fresh = [row for row in rows if row["order-id"] != partly["orderId"]]
    assert {row["days-past-promise"] for row in fresh} <= {"-1", "-2", "-3"}


@pytest.mark.parametrize(
    ("moment", "pacific_time"),
    [
        ("2026-03-08T09:59:59", "2026-03-08T01:59:59-08:00"),
        ("2026-03-08T10:00:00", "2026-03-08T03:00:00-07:00"),
        ("2026-11-01T08:59:59", "2026-11-01T01:59:59-07:00"),
        ("2026-11-01T09:00:00", "2026-11-01T01:00:00-08:00"),
    ],
)
def test_pacific_time(moment: str, pacific_time: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert pacific(round(at.timestamp() * 1000)) == pacific_time


async def test_fulfilled_shipments_add_up_to_what_has_been_shipped(caller: Caller) -> None:
    await caller.place(300)
    await caller.advance(200)
    for seller, markets in ((EU, EVERYWHERE), (NA, AMERICA)):
        rows = await ReportCaller(caller, seller).rows(FULFILLED, *markets)
        shipped = {
            (record.order_id, item["orderItemId"]): item["fulfillment"]["quantityFulfilled"]
            for record in records(caller, seller).values()
            if record.by_amazon
            for item in record.items
            if item["fulfillment"]["quantityFulfilled"]
        }
        told: Counter[tuple[str, str]] = Counter()
        prices: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in rows:
            key = (row["amazon-order-id"], row["amazon-order-item-id"])
            told[key] += int(row["quantity-shipped"])
            prices[key] += money(row, "item-price")
        assert told == shipped
        assert len({row["shipment-item-id"] for row in rows}) == len(rows)
        for record in records(caller, seller).values():
            for item in record.items:
                key = (record.order_id, item["orderItemId"])
                if record.status == "SHIPPED" and key in told and "proceeds" in item:
                    assert str(prices[key]) == item["proceeds"]["breakdowns"][0]["subtotal"]["amount"]
        shipments = by_order(rows, "amazon-order-id").values()
        assert any(len({row["shipment-id"] for row in lines}) > 1 for lines in shipments)
        assert not any(row["buyer-name"] or row["recipient-name"] or row["ship-address-1"] for row in rows)
        assert columns.POINTS not in rows[0]


async def test_one_line_in_two_shipments_shares_its_money(caller: Caller) -> None:
    order = mfn_order()
    order["fulfillment"]["fulfilledBy"] = "AMAZON"
    order["orderItems"] = order["orderItems"][:1]
    order["orderItems"][0]["proceeds"]["breakdowns"] = [
        {"type": "ITEM", "subtotal": eur("10.00")},
        {"type": "DISCOUNT", "subtotal": eur("-1.00")},
    ]
    order["orderItems"][0]["proceeds"]["proceedsTotal"] = eur("9.00")
    await caller.plant(order)
    for units in (1, 2):
        event = {"type": "ship", "items": {"10000000000001": units}, "actor": "AMAZON"}
        assert (await caller.event(order["orderId"], **event)).status_code == 200
        await caller.advance(10)
    second, first = await ReportCaller(caller).rows(FULFILLED)
    assert first["shipment-id"] != second["shipment-id"]
    assert [(row["quantity-shipped"], row["item-price"]) for row in (first, second)] == [
        ("1", "3.33"),
        ("2", "6.67"),
    ]
    assert [row["item-promotion-discount"] for row in (first, second)] == ["-0.33", "-0.67"]


async def test_shipments_are_reported_after_a_while(tmp_path: Path) -> None:
    async with simulator(tmp_path, report_ration=0) as caller:
        order = mfn_order()
        order["fulfillment"] = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"}
        await caller.plant(order)
        reports = ReportCaller(caller)
        assert (await reports.finished(FULFILLED))["processingStatus"] == "CANCELLED"
        await caller.advance(3600)
        await caller.login()
        assert len(await reports.rows(FULFILLED)) == 2


async def test_japan_has_points_yen_and_shift_jis(caller: Caller) -> None:
    order = mfn_order()
    order["salesChannel"] = {
        "channelName": "AMAZON",
        "marketplaceId": JAPAN,
        "marketplaceName": "Amazon.co.jp",
    }
    order["fulfillment"] = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"}
    order["recipient"]["deliveryAddress"] |= {
        "stateOrRegion": "東京都",
        "city": "渋谷区",
        "countryCode": "JP",
    }
    item = order["orderItems"][0]
    order["orderItems"] = [item]
    item["product"]["title"] = "煎茶 250g（緑）①"
    yen = {"amount": "5980", "currencyCode": "JPY"}
    item["proceeds"] = {"proceedsTotal": yen, "breakdowns": [{"type": "ITEM", "subtotal": yen}]}
    await caller.plant(order)
    reports = ReportCaller(caller, catalogue.FAR_EAST)
    response = await reports.download(await reports.finished(FULFILLED, JAPAN))
    assert charset(response) == "shift_jis"
    header, line, _ = plain(response).decode("cp932").split("\n")
    row = dict(zip(header.split("\t"), line.split("\t"), strict=True))
    assert tuple(row) == (*columns.FULFILLED, columns.POINTS)
    assert (row["product-name"], row["ship-state"]) == ("煎茶 250g（緑）①", "東京都")
    assert (row["item-price"], row["points-granted"]) == ("5980", "0")
    assert row["fulfillment-center-id"] in ("HND3", "FSZ1")


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "EUR"}

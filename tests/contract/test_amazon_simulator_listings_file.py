"""The report of everything a seller lists at the Amazon simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators import assortment, catalogue
from tests.contract.amazon_simulator_client import NA, simulator
from tests.contract.report_client import ReportCaller, charset, plain
from tests.contract.stock_client import DE, FR, GB, SKU, StockCaller

LISTINGS = "GET_MERCHANT_LISTINGS_ALL_DATA"
US = NA.marketplaces[0].marketplace_id
(JP,) = (market.marketplace_id for market in catalogue.FAR_EAST.sold_in)


@pytest.fixture
async def stock(tmp_path: Path) -> AsyncIterator[StockCaller]:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        yield StockCaller(caller)


async def row_of(stock: StockCaller, sku: str, market: str = DE) -> dict[str, str]:
    rows = await ReportCaller(stock.caller).rows(LISTINGS, market)
    (row,) = (row for row in rows if row["seller-sku"] == sku)
    return row


async def test_every_listing_of_the_marketplace_is_a_row_with_amazons_columns(stock: StockCaller) -> None:
    rows = await ReportCaller(stock.caller).rows(LISTINGS, DE)
    assert {row["seller-sku"] for row in rows} == {item.sku for item in assortment.ITEMS}
    assert len(rows[0]) == 29
    assert list(rows[0])[:5] == ["item-name", "item-description", "listing-id", "seller-sku", "price"]
    assert list(rows[0])[-3:] == ["fulfillment-channel", "merchant-shipping-group", "status"]
    row, item = next(row for row in rows if row["seller-sku"] == SKU), assortment.ITEM_BY_SKU[SKU]
    assert (row["item-name"], row["asin1"], row["price"]) == (item.title, item.asin, str(item.price))
    assert (row["product-id-type"], row["product-id"]) == ("4", item.ean)
    assert (row["quantity"], row["fulfillment-channel"], row["status"]) == ("1000000", "DEFAULT", "Active")


async def test_what_amazon_ships_has_no_quantity_and_the_channel_of_its_region(stock: StockCaller) -> None:
    await stock.control(
        "/fba",
        {
            "pools": [
                {"seller": stock.seller.seller_id, "sku": SKU, "marketplace": DE, "fulfillable": 5},
                {"seller": stock.seller.seller_id, "sku": "TEA-BLACK-250", "marketplace": DE},
                {"seller": NA.seller_id, "sku": SKU, "marketplace": US, "fulfillable": 5},
            ]
        },
    )
    row = await row_of(stock, SKU)
    assert (row["quantity"], row["fulfillment-channel"], row["status"]) == ("", "AMAZON_EU", "Active")
    empty = await ReportCaller(stock.caller).rows(LISTINGS, FR)
    assert next(row["status"] for row in empty if row["seller-sku"] == "TEA-BLACK-250") == "Inactive"
    assert (await row_of(stock, SKU, GB))["fulfillment-channel"] == "DEFAULT"
    american = await ReportCaller(stock.caller, NA).rows(LISTINGS, US)
    assert {row["fulfillment-channel"] for row in american if row["seller-sku"] == SKU} == {"AMAZON_NA"}


async def test_nothing_to_sell_is_inactive_and_a_sku_without_a_product_incomplete(stock: StockCaller) -> None:
    seller = stock.seller.seller_id
    await stock.control("/listings", {"listings": [{"seller": seller, "sku": SKU, "quantity": 0}]})
    await stock.control("/manners", {"delay": 0})
    await stock.push(3, sku="NOBODY-KNOWS-1")
    rows = {row["seller-sku"]: row for row in await ReportCaller(stock.caller).rows(LISTINGS, DE)}
    assert (rows[SKU]["quantity"], rows[SKU]["status"]) == ("0", "Inactive")
    unknown = rows["NOBODY-KNOWS-1"]
    assert (unknown["status"], unknown["item-name"], unknown["asin1"]) == ("Incomplete", "", "")


async def test_a_product_listed_by_asin_or_upc_says_so(stock: StockCaller) -> None:
    seller = stock.seller.seller_id
    await stock.control(
        "/listings",
        {
            "listings": [
                {"seller": seller, "sku": "BY-ASIN", "asin": "B0MADEUP01"},
                {"seller": seller, "sku": "BY-UPC", "ean": "036000291452"},
            ]
        },
    )
    rows = {row["seller-sku"]: row for row in await ReportCaller(stock.caller).rows(LISTINGS, DE)}
    assert (rows["BY-ASIN"]["product-id-type"], rows["BY-ASIN"]["product-id"]) == ("1", "B0MADEUP01")
    assert (rows["BY-UPC"]["product-id-type"], rows["BY-UPC"]["product-id"]) == ("3", "036000291452")


async def test_the_date_is_written_as_the_marketplace_does(stock: StockCaller) -> None:
    assert (await row_of(stock, SKU, DE))["open-date"] == "01/01/2024 01:00:00 MET"
    assert (await row_of(stock, SKU, GB))["open-date"] == "01/01/2024 00:00:00 GMT"
    american = await ReportCaller(stock.caller, NA).rows(LISTINGS, US)
    assert {row["open-date"] for row in american} == {"2023-12-31 16:00:00 PST"}


async def test_encodings_are_those_of_amazons_other_flat_files(stock: StockCaller) -> None:
    title = "Grüner Tee – 250 g"
    accounts = ((stock.seller, DE, "cp1252"), (stock.seller, GB, "utf-8"))
    for seller, market, codec in accounts:
        caller = ReportCaller(stock.caller, seller)
        listing = {"seller": seller.seller_id, "sku": SKU, "title": title, "quantity": 1}
        await stock.control("/listings", {"listings": [listing]})
        answer = await caller.download(await caller.finished(LISTINGS, market))
        assert charset(answer) == codec
        assert title in plain(answer).decode(codec)


async def test_the_header_is_japanese_in_japan_and_german_for_a_german_account(stock: StockCaller) -> None:
    far_east = ReportCaller(stock.caller, catalogue.FAR_EAST)
    rows = await far_east.rows(LISTINGS, JP)
    row = next(row for row in rows if row["出品者SKU"] == SKU)
    assert row["数量"] == "1000000"
    assert "seller-sku" not in row
    await stock.control("/manners", {"language": "de"})
    german = await ReportCaller(stock.caller).rows(LISTINGS, DE)
    assert {row["Händler-SKU"] for row in german} == {item.sku for item in assortment.ITEMS}


async def test_asked_again_within_half_an_hour_it_is_cancelled_in_that_marketplace_alone(
    stock: StockCaller,
) -> None:
    reports = ReportCaller(stock.caller)
    assert (await reports.finished(LISTINGS, DE))["processingStatus"] == "DONE"
    assert (await reports.finished(LISTINGS, DE))["processingStatus"] == "CANCELLED"
    assert (await reports.finished(LISTINGS, GB))["processingStatus"] == "DONE"
    await stock.caller.advance(1800)
    assert (await reports.finished(LISTINGS, DE))["processingStatus"] == "DONE"


async def test_a_marketplace_without_listings_is_cancelled(stock: StockCaller) -> None:
    seller = stock.seller.seller_id
    listings = [{"seller": seller, "sku": item.sku, "marketplaces": [GB]} for item in assortment.ITEMS]
    await stock.control("/listings", {"listings": listings})
    assert (await ReportCaller(stock.caller).finished(LISTINGS, DE))["processingStatus"] == "CANCELLED"

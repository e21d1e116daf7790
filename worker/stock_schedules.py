"""What runs by the clock for stock and SKUs: a function for each, listed in `stock_schedules`."""

from datetime import time, timedelta

from canonical.sku.look_contracts import SKU_LOOK, SkuLookInput, sku_look_id
from canonical.stock.fba_contracts import (
    FBA_ADJUSTMENTS,
    FBA_STOCK_LOOK,
    FbaAdjustmentsInput,
    FbaStockInput,
)
from canonical.stock.fba_ids import fba_adjustments_id, fba_stock_id
from canonical.stock.listing_contracts import LISTINGS_LOOK, ListingsLookInput, listings_look_id
from canonical.stock.open_orders import OPEN_ORDERS_LOOK, OpenOrdersInput, open_orders_id
from worker.schedule_shapes import MISSED_DAY, Planned, daily
from worker.settings import Settings
from worker.stock_settings import StockSettings


def stock_schedules(settings: Settings) -> list[Planned]:
    """The schedules of stock and SKUs that the configuration wants; each looks at its own section."""
    return [*_open_orders(settings), *_listings(settings), *_fba_stock(settings), *_skus(settings)]


def _skus(settings: Settings) -> list[Planned]:
    wanted = settings.sku
    if wanted is None or not isinstance(wanted.look_at, time):
        return []
    return [
        Planned(
            id=sku_look_id(seller_id),
            seller_id=seller_id,
            workflow=SKU_LOOK,
            argument=SkuLookInput(
                seller_id=seller_id,
                automatic=wanted.automatic,
                threshold=wanted.threshold,
                most_automatic=wanted.most_automatic,
            ),
            spec=daily(wanted.look_at, settings.schedules.time_zone),
            missed=MISSED_DAY,
            summary=f"SKUs without item, seller {seller_id}",
        )
        for seller_id in settings.sellers
    ]


def _listings(settings: Settings) -> list[Planned]:
    """Where stock is pushed, and where SKUs are suggested only."""
    stock = settings.stock
    if stock is None and settings.sku is not None:
        stock = StockSettings()
    if stock is None or not isinstance(stock.listings_at, time):
        return []
    return [
        Planned(
            id=listings_look_id(seller_id),
            seller_id=seller_id,
            workflow=LISTINGS_LOOK,
            argument=ListingsLookInput(seller_id=seller_id, marketplace_ids=seller.marketplaces),
            spec=daily(stock.listings_at, settings.schedules.time_zone),
            missed=MISSED_DAY,
            summary=f"Listings, seller {seller_id}",
        )
        for seller_id, seller in settings.sellers.items()
    ]


def _open_orders(settings: Settings) -> list[Planned]:
    stock = settings.stock
    if stock is None or not isinstance(stock.open_orders_at, time):
        return []
    return [
        Planned(
            id=open_orders_id(seller_id),
            seller_id=seller_id,
            workflow=OPEN_ORDERS_LOOK,
            argument=OpenOrdersInput(seller_id=seller_id, days=stock.open_orders_days),
            spec=daily(stock.open_orders_at, settings.schedules.time_zone),
            missed=MISSED_DAY,
            summary=f"Open orders, seller {seller_id}",
        )
        for seller_id in settings.sellers
    ]


def _fba_stock(settings: Settings) -> list[Planned]:
    wanted, zone = settings.fba_stock, settings.schedules.time_zone
    if wanted is None:
        return []
    found: list[Planned] = []
    if isinstance(wanted.at, time):
        found += [
            Planned(
                id=fba_adjustments_id(seller_id),
                seller_id=seller_id,
                workflow=FBA_ADJUSTMENTS,
                argument=FbaAdjustmentsInput(
                    seller_id=seller_id,
                    marketplace_ids=seller.marketplaces,
                    look_back=timedelta(days=wanted.look_back_days),
                    begin=wanted.begin,
                ),
                spec=daily(wanted.at, zone),
                missed=MISSED_DAY,
                summary=f"What Amazon did to its stock, seller {seller_id}",
            )
            for seller_id, seller in settings.sellers.items()
        ]
    if isinstance(wanted.compare_at, time):
        found.append(
            Planned(
                id=fba_stock_id(),
                seller_id="",
                workflow=FBA_STOCK_LOOK,
                argument=FbaStockInput(
                    sellers={each: seller.marketplaces for each, seller in settings.sellers.items()},
                    alert_pieces=wanted.alert_pieces,
                    tells=True,
                ),
                spec=daily(wanted.compare_at, zone),
                missed=MISSED_DAY,
                summary="Amazon's stock beside M3's",
            )
        )
    return found

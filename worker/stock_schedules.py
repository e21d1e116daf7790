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
from worker.schedule_shapes import Planned, daily, daily_look
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
        daily_look(
            sku_look_id(seller_id),
            seller_id,
            SKU_LOOK,
            SkuLookInput(
                seller_id=seller_id,
                automatic=wanted.automatic,
                threshold=wanted.threshold,
                most_automatic=wanted.most_automatic,
            ),
            "SKUs without item",
            daily(wanted.look_at, settings.schedules.time_zone),
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
        daily_look(
            listings_look_id(seller_id),
            seller_id,
            LISTINGS_LOOK,
            ListingsLookInput(seller_id=seller_id, marketplace_ids=seller.marketplaces),
            "Listings",
            daily(stock.listings_at, settings.schedules.time_zone),
        )
        for seller_id, seller in settings.sellers.items()
    ]


def _open_orders(settings: Settings) -> list[Planned]:
    stock = settings.stock
    if stock is None or not isinstance(stock.open_orders_at, time):
        return []
    return [
        daily_look(
            open_orders_id(seller_id),
            seller_id,
            OPEN_ORDERS_LOOK,
            OpenOrdersInput(seller_id=seller_id, days=stock.open_orders_days),
            "Open orders",
            daily(stock.open_orders_at, settings.schedules.time_zone),
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
            daily_look(
                fba_adjustments_id(seller_id),
                seller_id,
                FBA_ADJUSTMENTS,
                FbaAdjustmentsInput(
                    seller_id=seller_id,
                    marketplace_ids=seller.marketplaces,
                    look_back=timedelta(days=wanted.look_back_days),
                    begin=wanted.begin,
                ),
                "What Amazon did to its stock",
                daily(wanted.at, zone),
            )
            for seller_id, seller in settings.sellers.items()
        ]
    if isinstance(wanted.compare_at, time):
        found.append(
            daily_look(
                fba_stock_id(),
                "",
                FBA_STOCK_LOOK,
                FbaStockInput(
                    sellers={each: seller.marketplaces for each, seller in settings.sellers.items()},
                    alert_pieces=wanted.alert_pieces,
                    tells=True,
                ),
                "Amazon's stock beside M3's",
                daily(wanted.compare_at, zone),
            )
        )
    return found

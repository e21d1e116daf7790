"""The activities about SKUs and M3's items, for the workers that have their queues."""

from temporalio.client import Client

from activities.archive import Archive
from activities.m3.context import M3Context
from activities.m3.item_reading import ItemReading
from activities.m3.sku_mapping import M3SkuActivities
from activities.skus import SkuActivities
from worker.listings import ListingsAfterMapping
from worker.settings import Settings
from worker.sku_held import OpenSkuActivities
from worker.sku_release import SkuRelease


class SkuHands:
    """Lists of activities, by where they run."""

    def __init__(self, client: Client, settings: Settings, m3: M3Context, archive: Archive) -> None:
        sellers = {seller_id: seller.marketplaces for seller_id, seller in settings.sellers.items()}
        self.telling = [
            *SkuRelease(client).all,
            *OpenSkuActivities(client).all,
            *ListingsAfterMapping(client, settings).all,
        ]
        """What asks Temporal alone."""
        self.in_m3 = [*M3SkuActivities(m3, sellers).all, *ItemReading(m3.client, archive).all]
        self.reading = SkuActivities(archive, sellers, settings.marketplaces).all
        """What uses the archive alone."""

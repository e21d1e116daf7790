"""A seller's SKUs in the stock book: where each is listed, which item it is, and so from which pool it is sold."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from canonical.stock.book_lines import OrderLine
from canonical.stock.models import Offer, OfferName, PoolKey


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Place(_Part):
    """A SKU in one marketplace."""

    channel: Literal["MFN", "FBA"]
    itno: str = ""
    whlo: str = ""


class SkuState(_Part):
    """One SKU of a seller, wherever he lists it."""

    seller: str
    sku: str
    itno: str = ""
    """The item it was last known to be."""
    places: Mapping[str, Place] = {}
    """By marketplace."""
    strangers: tuple[OrderLine, ...] = ()
    """Lines of orders that came before anybody knew the item."""

    @property
    def fba(self) -> bool:
        """Amazon fulfils it in some marketplace: it is left alone in all of them."""
        return any(place.channel == "FBA" for place in self.places.values())

    @property
    def offers(self) -> dict[OfferName, Offer]:
        """The offers whose quantities are ours to send."""
        if self.fba:
            return {}
        return {
            OfferName(self.seller, marketplace, self.sku): Offer(
                seller=self.seller, marketplace_id=marketplace, sku=self.sku, itno=place.itno, whlo=place.whlo
            )
            for marketplace, place in self.places.items()
            if place.itno and place.whlo
        }

    def pool(self, marketplace: str, warehouse: str) -> PoolKey | None:
        """The pool from which it is sold in a marketplace; `warehouse` where it is not listed there."""
        place = self.places.get(marketplace)
        if place is not None and place.itno and place.whlo:
            return PoolKey(place.whlo, place.itno)
        return PoolKey(warehouse, self.itno) if self.itno and warehouse else None

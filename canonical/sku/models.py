"""What is known of a listing at Amazon and of an item in M3, and what is suggested."""

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Listing(_Part):
    """An offer at Amazon whose M3 item is looked for. Whatever is not known is left empty."""

    sku: str = ""
    """SellerSKU, the seller's own."""
    asin: str = ""
    """Of the product at Amazon (Catalog Items 2022-04-01, `asin`)."""
    gtins: tuple[str, ...] = ()
    """EAN and UPC as Amazon has them (Catalog Items, `identifiers`); a wrong one is told and not used."""
    title: str = ""
    """Catalog Items `summaries[].itemName`, or the order item's title."""
    brand: str = ""
    """Catalog Items `summaries[].brand`."""


class Item(_Part):
    """An item of M3's register (MITMAS)."""

    itno: str
    name: str = ""
    """ITDS, 30 characters."""
    description: str = ""
    """FUDS, 60 characters."""
    gtins: tuple[str, ...] = ()
    """EAN and UPC among its aliases (MMS025); a wrong one is told and not used."""
    aliases: tuple[str, ...] = ()
    """Its other aliases (MMS025 POPN): what partners and marketplaces call it."""
    past: tuple[str, ...] = ()
    """SKUs and ASINs that have once been mapped to it and are no alias any more."""


class Suggestion(_Part):
    """An M3 item that may be what a listing sells."""

    itno: str
    name: str
    score: float = Field(ge=0, le=1)
    """How alike they are: orders the items, and is no probability."""
    confidence: float = Field(ge=0, le=1)
    """How sure it is that this is the item, as a share: of a hundred suggestions at 0.9, ninety are right."""
    reasons: tuple[str, ...]
    """In words, the strongest first."""


class Suggestions(_Part):
    """What is suggested for one listing."""

    listing: Listing
    ranked: tuple[Suggestion, ...]
    """The likeliest first; empty where nothing is alike."""
    notes: tuple[str, ...] = ()
    """What a person should know besides, as sentences: a number with a wrong check digit, an alias of two
    items."""

    def certain(self, threshold: float) -> Suggestion | None:
        """The first one, if it is sure enough to be mapped without asking."""
        best = self.ranked[0] if self.ranked else None
        return best if best and best.confidence >= threshold else None

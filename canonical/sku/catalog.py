"""What Amazon's catalogue says of a product, for the suggestions: how it is asked for and what comes back."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

AMAZON_SEARCH_CATALOG_QUEUE: Final = "o2c-amazon-searchCatalogItems"
READ_CATALOG: Final = "read_catalog"
MOST_ASINS: Final = 20
"""Of one searchCatalogItems call (model catalogItems_2022-04-01, `identifiers`)."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class CatalogRequest(_Contract):
    """Products of a marketplace, by ASIN."""

    seller_id: str
    marketplace_id: str
    asins: tuple[str, ...] = Field(min_length=1, max_length=MOST_ASINS)


class CatalogItem(_Contract):
    """One product."""

    asin: str
    title: str = ""
    brand: str = ""
    eans: tuple[str, ...] = ()
    """EAN, UPC, GTIN, JAN and ISBN as Amazon tells them: neither checked nor brought to 14 digits."""


class CatalogResult(_Contract):
    """What Amazon knows of them; an ASIN that it does not know in this marketplace is not among them."""

    items: tuple[CatalogItem, ...]
    refusal: str = ""
    """Amazon's answer as a sentence where it refused the question."""

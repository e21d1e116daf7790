"""How unkind Amazon is to changes of stock: what a test or a demonstration orders."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.amazon.stock.records import Issue


class Refusal(BaseModel):
    """Body of ``POST /_control/stock/refuse``: which changes are refused, by patch and by feed.

    sku, seller: left out, any. share: of the SKUs, always the same ones. times: so many changes, then no more.
    late: the change is accepted and never live, and the complaint stands in getListingsItem.
    """

    model_config = ConfigDict(extra="forbid")

    sku: str | None = None
    seller: str | None = None
    share: float = Field(default=1.0, ge=0, le=1)
    times: int | None = Field(default=None, ge=1)
    late: bool = False
    issue: Issue = Issue(
        code="8541",
        message="The SKU data provided is different from what is already in the catalogue.",
        attributes=["fulfillment_availability"],
    )

    def strikes(self, seller_id: str, sku: str) -> bool:
        """Whether a change of this SKU is refused."""
        if self.sku not in (None, sku) or self.seller not in (None, seller_id):
            return False
        digest = hashlib.blake2b(f"refused {seller_id}/{sku}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 < self.share


class Manners(BaseModel):
    """Body of ``POST /_control/stock/manners``; what is left out stays as it is.

    delay: seconds (times the pace) from an accepted change to its being live. flips: a quantity on the DEFAULT channel
    turns an FBA offer into one the seller ships. shared: a change or sale in one marketplace holds for all in which
    the seller lists the SKU. unordered: each change takes half to one and a half of the delay, so that an older one
    can be live after a newer and stay. language: of the header of listings reports (en, de, ja), whatever the
    marketplace.
    """

    model_config = ConfigDict(extra="forbid")

    delay: float = Field(default=30.0, ge=0)
    flips: bool = True
    shared: bool = False
    unordered: bool = False
    language: Literal["en", "de", "ja"] | None = None


class FeedRule(BaseModel):
    """Body of ``POST /_control/stock/feeds``: how the next `times` feeds end. reason: the text of a FATAL feed's
    document, if it has one."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["FATAL", "CANCELLED"]
    reason: str | None = None
    times: int = Field(default=1, ge=1)

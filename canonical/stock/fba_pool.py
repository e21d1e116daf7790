"""Stock that Amazon keeps for the seller (FBA), counted once although several marketplaces show it."""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.marketplaces import MARKETPLACES

SINGLE_MARKET: Final = frozenset({"DE", "FR", "IT", "ES", "NL", "SE", "PL", "BE", "IE"})
"""Countries whose marketplaces show one pool of a seller's stock. Great Britain has had its own since 2021."""
EUROPEAN_UNION: Final = "EU"
MEMBER_STATES: Final = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
        "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip
"""Countries in which Amazon may keep goods of the pool: it has centres where it has no marketplace."""


class FbaView(BaseModel):
    """What one marketplace shows of a SKU (FBA Inventory, getInventorySummaries with details)."""

    model_config = ConfigDict(frozen=True)

    seller: str
    marketplace_id: str
    sku: str
    fnsku: str = ""
    fulfillable: int = Field(ge=0)
    """fulfillableQuantity."""
    reserved: int = Field(default=0, ge=0)
    """reservedQuantity.totalReservedQuantity: sold, moved between warehouses, or being handled; still the seller's."""
    unfulfillable: int = Field(default=0, ge=0)
    """unfulfillableQuantity.totalUnfulfillableQuantity."""

    @property
    def held(self) -> int:
        """Sellable goods that are there, sold ones that have not left included: what M3's warehouse holds."""
        return self.fulfillable + self.reserved


class FbaPool(BaseModel):
    """One SKU's goods in one area, counted once."""

    model_config = ConfigDict(frozen=True)

    seller: str
    area: str
    """"EU", or the country of a marketplace that has its own stock."""
    sku: str
    fnsku: str
    held: int
    unfulfillable: int
    shown_in: tuple[str, ...]
    """Marketplaces that show it."""
    differing: bool
    """Whether they show different quantities: they were asked at different moments, or some country does not sell the
    pool. The largest holds."""


def area_of(marketplace_id: str, areas: Mapping[str, str] | None = None) -> str:
    """The area whose stock a marketplace shows; `areas` says otherwise for single marketplaces."""
    if areas and marketplace_id in areas:
        return areas[marketplace_id]
    known = MARKETPLACES.get(marketplace_id)
    country = known.country if known else marketplace_id
    return EUROPEAN_UNION if country in SINGLE_MARKET else country


def area_of_country(country: str) -> str:
    """The area whose stock a centre in this country (ISO 3166-1 alpha-2) keeps; empty where none is named."""
    code = country.strip().upper()
    if code in MEMBER_STATES or code == EUROPEAN_UNION:
        return EUROPEAN_UNION
    return "GB" if code == "UK" else code


def pools(views: Iterable[FbaView], areas: Mapping[str, str] | None = None) -> list[FbaPool]:
    """Goods by seller, area and FNSKU (the SKU where Amazon names none). Within an area the views are of one pool and
    the largest counts; nothing is added up but areas."""
    groups: dict[tuple[str, str, str], list[FbaView]] = {}
    for view in views:
        key = (view.seller, area_of(view.marketplace_id, areas), view.fnsku or view.sku)
        groups.setdefault(key, []).append(view)
    found = []
    for (seller, area, _), mine in sorted(groups.items()):
        first = min(mine, key=lambda view: view.sku)
        found.append(
            FbaPool(
                seller=seller,
                area=area,
                sku=first.sku,
                fnsku=first.fnsku,
                held=max(view.held for view in mine),
                unfulfillable=max(view.unfulfillable for view in mine),
                shown_in=tuple(sorted({view.marketplace_id for view in mine})),
                differing=len({(view.held, view.unfulfillable) for view in mine}) > 1,
            )
        )
    return found

"""The words of a look at what Amazon lists for a seller: names, requests, results, ids.

Listings never travel through a workflow's history: they are files in the archive, and the workflow knows keys and
counts. Work in progress lies under ``listings-parts/``, what is kept under ``listings/``.
"""

from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.import_contracts import FileWanted

LISTINGS_LOOK: Final = "ListingsLook"
"""Workflow type: Amazon's report of each marketplace is read, its SKUs become M3's items, the keeper is told."""
MAPPED_ANEW: Final = "mapped_anew"
"""Signal: these SKUs have another item in M3; they are looked up again when the look has ended."""
SPLIT_LISTINGS: Final = "split_listings"
MAP_LISTINGS: Final = "map_listings"
KEEP_LISTINGS: Final = "keep_listings"
LOOK_AFTER_MAPPING: Final = "look_after_mapping"

SKUS_IN_PART: Final = 5_000
"""Listings that one activity looks up in M3 at most."""
MOST_REMARKS: Final = 20
PARTS: Final = "listings-parts"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


def listings_look_id(seller_id: str) -> str:
    """The schedule that reads a seller's listings."""
    return f"o2c-listings-{seller_id}"


def listings_look_workflow_id(seller_id: str) -> str:
    """The one look at a seller's listings that a person, or a mapping, asks for."""
    return f"listings-look-{seller_id}"


def listings_folder(seller_id: str, marketplace_id: str) -> str:
    """Where what was read of a marketplace is kept."""
    return f"listings/{seller_id}/{marketplace_id}"


def listings_key(seller_id: str, marketplace_id: str, taken_at: datetime) -> str:
    """What was read of a marketplace then; a later one sorts behind it."""
    return f"{listings_folder(seller_id, marketplace_id)}/{taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.jsonl.gz"


class ListingsLookInput(_Contract):
    """One look at a seller's listings."""

    seller_id: str
    marketplace_ids: tuple[str, ...]
    ask: bool = True
    """False: Amazon is not asked; what was read last is looked up in M3 again, such as after a mapping."""
    skus: tuple[str, ...] = ()
    """Without asking Amazon: the SKUs that are looked up, all others stay what they are; none means all."""


class ListingsCounts(_Contract):
    """What a marketplace lists."""

    listings: int = 0
    mfn: int = 0
    fba: int = 0
    by_alias: int = 0
    by_rule: int = 0
    without_item: int = 0
    problems: int = 0
    """Listings that cannot be offered for what they are."""


class MarketplaceListings(_Contract):
    """What became of one marketplace."""

    marketplace_id: str
    key: str = ""
    """The listings in the archive; empty where there are none."""
    taken_at: datetime | None = None
    counts: ListingsCounts = ListingsCounts()
    told: bool = False
    """The stock keeper runs and was told."""
    failed: bool = False
    sentence: str = ""
    """Why there are no listings, or what else there is to know."""
    remarks: tuple[str, ...] = ()
    """Sentences about lines or listings that somebody should look at, at most 20."""


class ListingsLookResult(_Contract):
    """A look at all marketplaces of a seller; one that failed does not hold up the others."""

    seller_id: str
    marketplaces: tuple[MarketplaceListings, ...]

    @property
    def complete(self) -> bool:
        """Whether no marketplace failed."""
        return not any(one.failed for one in self.marketplaces)


class SplitListingsRequest(_Contract):
    """Read Amazon's report, or what was kept last, into parts."""

    seller_id: str
    marketplace_id: str
    folder: str
    """Of the parts in the archive."""
    file: FileWanted | None = None
    """Amazon's report; None: the listings kept last."""


class SplitListingsResult(_Contract):
    """Keys of the parts."""

    parts: tuple[str, ...]
    report_id: str = ""
    """Of the listings kept last, as is `taken_at`."""
    taken_at: datetime | None = None
    remarks: tuple[str, ...] = ()


class MapListingsRequest(_Contract):
    """Look the SKUs of one part up in M3."""

    marketplace_id: str
    part: str
    known: tuple[str, ...] = ()
    """Answers that M3 gave for other marketplaces of the same look; those of the same alias category count."""
    skus: tuple[str, ...] = ()
    """The SKUs to look up, all others stay what they are; none means all."""


class MapListingsResult(_Contract):
    """The part with its items, and M3's answers."""

    part: str
    answers: str


class KeepListingsRequest(_Contract):
    """Put the mapped parts together."""

    seller_id: str
    marketplace_id: str
    folder: str
    report_id: str
    taken_at: datetime
    parts: tuple[str, ...]


class KeepListingsResult(_Contract):
    """What is kept now."""

    key: str
    counts: ListingsCounts
    remarks: tuple[str, ...] = ()


class MappedSkus(_Contract):
    """SKUs that have another item in M3 from now on."""

    seller_id: str
    skus: tuple[str, ...]


class LookAsked(_Contract):
    """The look that was asked for; empty where listings are not read at all."""

    workflow_id: str = ""

"""From Amazon's report of listings to a file of SKUs with their items: read, looked up in M3, kept."""

import asyncio
import gzip
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from temporalio import activity

from activities import listings_snapshot as snapshots
from activities.archive import Archive
from activities.errors import bounded
from activities.imports import archived, refused
from activities.m3.context import M3Context
from activities.m3.errors import MIError
from activities.m3.programs import items as program
from canonical.items import itno_of
from canonical.listings_report import read_listings
from canonical.profile import MarketplaceProfile
from canonical.report_text import UnreadableReport
from canonical.stock.listing_contracts import (
    KEEP_LISTINGS,
    MAP_LISTINGS,
    MOST_REMARKS,
    SKUS_IN_PART,
    SPLIT_LISTINGS,
    KeepListingsRequest,
    KeepListingsResult,
    ListingsCounts,
    MapListingsRequest,
    MapListingsResult,
    SplitListingsRequest,
    SplitListingsResult,
)
from canonical.stock.listings import Listing, ListingsHead

_GZIP: Final = b"\x1f\x8b"
_log = structlog.get_logger(__name__)


class ListingsLookActivities:
    """Listings of every configured seller. keep: how long what was read is kept."""

    def __init__(self, archive: Archive, m3: M3Context, keep: timedelta) -> None:
        self._archive, self._m3, self._keep = archive, m3, keep

    @property
    def reading(self) -> Sequence[Callable[..., object]]:
        """What the queue of imports hosts."""
        return (self.split_listings, self.keep_listings)

    @property
    def in_m3(self) -> Sequence[Callable[..., object]]:
        """What asks M3."""
        return (self.map_listings,)

    @activity.defn(name=SPLIT_LISTINGS)
    async def split_listings(self, request: SplitListingsRequest) -> SplitListingsResult:
        """Parts of the report, or of the listings kept last; after a crash the same parts are written again. Fails for
        good where the report cannot be read."""
        async with archived():
            try:
                return await asyncio.to_thread(self._split, request)
            except UnreadableReport as error:
                raise refused(f"Amazon's report of marketplace {request.marketplace_id}: {error}") from None

    @activity.defn(name=MAP_LISTINGS)
    async def map_listings(self, request: MapListingsRequest) -> MapListingsResult:
        """Items of one part: aliases in M3 (MMS025MI.LstItem, in bulk), then the profile's rules. Only reads."""
        profile = self._m3.profiles.get(request.marketplace_id)
        if profile is None:
            raise refused(f"Marketplace {request.marketplace_id} is not in the configuration.")
        async with archived():
            listings = await asyncio.to_thread(lambda: list(snapshots.read_part(self._archive, request.part)))
            known = await asyncio.to_thread(self._known, request.known, profile)
            meant = [one for one in listings if not request.skus or one.sku in request.skus]
            asked = [one.sku for one in meant if one.sku not in known and program.may_be_alias(one.sku)]
            try:
                answers = await program.items_of_aliases(
                    self._m3.client, asked, alwt=profile.alias_type, alwq=profile.alias_qualifier
                )
            except MIError as error:
                raise refused(bounded(f"SKUs could not be looked up: {error.sentence}.")) from error
            stem = request.part.removesuffix(".jsonl.gz")
            result = MapListingsResult(part=f"{stem}-items.jsonl.gz", answers=f"{stem}-answers.json.gz")
            items = {**known, **answers}
            changed = {one.sku: _mapped(one, items.get(one.sku, ()), profile) for one in meant}
            mapped = [changed.get(one.sku, one) for one in listings]
            kept = snapshots.Answers(profile.alias_type, profile.alias_qualifier, answers)
            await asyncio.to_thread(snapshots.write_part, self._archive, result.part, mapped)
            await asyncio.to_thread(snapshots.write_answers, self._archive, result.answers, kept)
            return result

    @activity.defn(name=KEEP_LISTINGS)
    async def keep_listings(self, request: KeepListingsRequest) -> KeepListingsResult:
        """Keep the mapped listings, and delete what is too old."""
        async with archived():
            return await asyncio.to_thread(self._put_together, request)

    def _split(self, request: SplitListingsRequest) -> SplitListingsResult:
        if request.file is not None:
            content = self._archive.read(request.file.key)
            content = gzip.decompress(content) if content[:2] == _GZIP else content
            read = read_listings(content, request.file.charset)
            parts = self._parts(request.folder, read.listings)
            remarks = read.remarks
            more = len(remarks) - MOST_REMARKS
            if more > 0:
                remarks = (*remarks[: MOST_REMARKS - 1], f"And {more + 1} more lines like these.")
            return SplitListingsResult(parts=parts, remarks=remarks)
        key = snapshots.newest(self._archive, request.seller_id, request.marketplace_id)
        if key is None:
            return SplitListingsResult(parts=())
        last = snapshots.read(self._archive, key)
        return SplitListingsResult(
            parts=self._parts(request.folder, last.listings),
            report_id=last.head.report_id,
            taken_at=last.head.taken_at,
        )

    def _parts(self, folder: str, listings: Sequence[Listing]) -> tuple[str, ...]:
        keys = []
        for number, start in enumerate(range(0, len(listings), SKUS_IN_PART), 1):
            keys.append(f"{folder}/{number:05d}.jsonl.gz")
            snapshots.write_part(self._archive, keys[-1], listings[start : start + SKUS_IN_PART])
        return tuple(keys)

    def _known(self, keys: Sequence[str], profile: MarketplaceProfile) -> dict[str, Sequence[str]]:
        known: dict[str, Sequence[str]] = {}
        for key in keys:
            answers = snapshots.read_answers(self._archive, key)
            if (answers.alwt, answers.alwq) == (profile.alias_type, profile.alias_qualifier):
                known |= answers.items
        return known

    def _put_together(self, request: KeepListingsRequest) -> KeepListingsResult:
        listings = [one for key in request.parts for one in snapshots.read_part(self._archive, key)]
        head = ListingsHead(
            seller_id=request.seller_id,
            marketplace_id=request.marketplace_id,
            report_id=request.report_id,
            taken_at=request.taken_at,
        )
        key = snapshots.write(self._archive, head, listings)
        before = datetime.now(UTC) - self._keep
        pruned = snapshots.prune(self._archive, request.seller_id, request.marketplace_id, before)
        if pruned:
            _log.info("listings_pruned", files=pruned)
        told = [sentence for one in listings for sentence in (one.problem, one.note) if sentence]
        return KeepListingsResult(key=key, counts=_counts(listings), remarks=tuple(told[:MOST_REMARKS]))


def _mapped(listing: Listing, items: Sequence[str], profile: MarketplaceProfile) -> Listing:
    alias = items[0] if items else None
    itno = itno_of(listing.sku, alias, profile.item_rules)
    return listing.with_items(items, itno or "", "alias" if alias else "rule")


def _counts(listings: Sequence[Listing]) -> ListingsCounts:
    return ListingsCounts(
        listings=len(listings),
        mfn=sum(one.channel == "MFN" for one in listings),
        fba=sum(one.channel == "FBA" for one in listings),
        by_alias=sum(one.by == "alias" for one in listings),
        by_rule=sum(one.by == "rule" for one in listings),
        without_item=sum(not one.itno for one in listings),
        problems=sum(bool(one.problem) for one in listings),
    )

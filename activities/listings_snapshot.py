"""What was read of a seller's listings, in the archive: gzipped JSON lines, a head and then the listings by SKU.

    listings/<seller>/<marketplace>/<taken>.jsonl.gz     kept; the newest is never deleted
    listings-parts/<seller>/<run>/<marketplace>/         work in progress

Everything here blocks and belongs into a thread. Raises ArchiveError.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from activities.archive import Archive
from canonical.stock.listing_contracts import PARTS, listings_folder, listings_key
from canonical.stock.listings import Listing, ListingsHead

_ENDING: Final = ".jsonl.gz"
_LEFT_BEHIND: Final = timedelta(days=3)
"""Parts that are older are of a look that was ended."""


@dataclass(frozen=True)
class Snapshot:
    """All listings of one marketplace."""

    key: str
    head: ListingsHead
    listings: tuple[Listing, ...]


@dataclass(frozen=True)
class Answers:
    """What M3 said of names in one alias category: the items of each, none where it is no alias."""

    alwt: str
    alwq: str
    items: Mapping[str, Sequence[str]]


def newest(archive: Archive, seller_id: str, marketplace_id: str) -> str | None:
    """Key of the newest listings of a marketplace; None where none were ever read."""
    keys = _kept(archive, seller_id, marketplace_id)
    return keys[-1] if keys else None


def read(archive: Archive, key: str) -> Snapshot:
    """Kept listings; raises NotArchived."""
    lines = gzip.decompress(archive.read(key)).decode().split("\n")
    listings = tuple(Listing.model_validate_json(line) for line in lines[1:] if line)
    return Snapshot(key, ListingsHead.model_validate_json(lines[0]), listings)


def write(archive: Archive, head: ListingsHead, listings: Iterable[Listing]) -> str:
    """Keep listings; their key. Listings taken at the same second are replaced."""
    key = listings_key(head.seller_id, head.marketplace_id, head.taken_at)
    archive.write(key, _packed([head.model_dump_json(), *(one.model_dump_json() for one in listings)]))
    return key


def prune(archive: Archive, seller_id: str, marketplace_id: str, before: datetime) -> int:
    """Delete what was taken before this moment, but never the newest, and parts that were left behind; how many files
    it was."""
    oldest_kept = listings_key(seller_id, marketplace_id, before)
    old = [key for key in _kept(archive, seller_id, marketplace_id)[:-1] if key < oldest_kept]
    for key in old:
        archive.remove(key)
    return len(old) + archive.prune(PARTS, min(before, datetime.now(UTC)) - _LEFT_BEHIND)


def write_part(archive: Archive, key: str, listings: Iterable[Listing]) -> None:
    """A part, without a head."""
    archive.write(key, _packed(one.model_dump_json() for one in listings))


def read_part(archive: Archive, key: str) -> Iterator[Listing]:
    """The listings of a part; raises NotArchived."""
    for line in gzip.decompress(archive.read(key)).decode().split("\n"):
        if line:
            yield Listing.model_validate_json(line)


def write_answers(archive: Archive, key: str, answers: Answers) -> None:
    """What M3 said, for other marketplaces of the same look."""
    tree = {"alwt": answers.alwt, "alwq": answers.alwq, "items": dict(answers.items)}
    archive.write(key, gzip.compress(json.dumps(tree).encode(), mtime=0))


def read_answers(archive: Archive, key: str) -> Answers:
    """What M3 said; raises NotArchived."""
    tree = json.loads(gzip.decompress(archive.read(key)))
    return Answers(tree["alwt"], tree["alwq"], {sku: tuple(items) for sku, items in tree["items"].items()})


def _kept(archive: Archive, seller_id: str, marketplace_id: str) -> list[str]:
    return [key for key in archive.keys(listings_folder(seller_id, marketplace_id)) if key.endswith(_ENDING)]


def _packed(lines: Iterable[str]) -> bytes:
    return gzip.compress("\n".join([*lines, ""]).encode(), mtime=0)

"""Where the stock book stands: parts and an index of them in the archive, each under the hash of its content.

Nothing that is written is ever changed, so that an activity which is run again, also beside itself, writes the same
files. A part that is gone is an empty one and told: listings and balances fill it again.

Everything here blocks and belongs into a thread. Raises ArchiveError.
"""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pydantic import BaseModel, TypeAdapter

from activities.archive import Archive, NotArchived
from canonical.stock.book import PoolState
from canonical.stock.book_parts import BookIndex, Part, PartRef, pool_ref, sku_ref
from canonical.stock.book_skus import SkuState
from canonical.stock.models import Known

BOOK: Final = "stock/book"
NEWS: Final = "stock/news"
FEEDS: Final = "stock/feeds"
_KEPT: Final[Mapping[str, timedelta]] = {
    BOOK: timedelta(days=3),
    NEWS: timedelta(days=3),
    FEEDS: timedelta(days=30),
    "stock/amazon-feeds": timedelta(days=30),
}
"""How long files are kept that nothing refers to."""

M = TypeVar("M", bound=BaseModel)
_KNOWN: Final[TypeAdapter[list[Known]]] = TypeAdapter(list[Known])
_POOLS: Final[TypeAdapter[list[tuple[str, str]]]] = TypeAdapter(list[tuple[str, str]])


class StockShelf:
    """The book's files."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    # --- the book -------------------------------------------------------------------------------

    def index(self, book: str, remarks: list[str] | None = None) -> BookIndex:
        """One state of the book; an empty one where there is none."""
        if not book:
            return BookIndex()
        content = self._content(book, remarks)
        return BookIndex.model_validate_json(gzip.decompress(content)) if content else BookIndex()

    def pools(self, index: BookIndex, number: int, remarks: list[str] | None = None) -> Part[PoolState]:
        """A part of the pools."""
        return Part(PoolState, self._part(index.pools.get(number), remarks))

    def skus(self, index: BookIndex, number: int, remarks: list[str] | None = None) -> Part[SkuState]:
        """A part of the SKUs."""
        return Part(SkuState, self._part(index.skus.get(number), remarks))

    def keep_pools(self, part: Part[PoolState]) -> PartRef:
        """Write a part."""
        return pool_ref(self._keep(BOOK, part.encoded(), packed=True), part)

    def keep_skus(self, part: Part[SkuState]) -> PartRef:
        """Write a part."""
        return sku_ref(self._keep(BOOK, part.encoded(), packed=True), part)

    def keep_index(self, index: BookIndex) -> str:
        """Write the index; its key is the book's."""
        return self._keep(BOOK, index.model_dump_json().encode())

    def _part(self, ref: PartRef | None, remarks: list[str] | None) -> bytes:
        return b"" if ref is None else self._content(ref.file, remarks)

    def _content(self, key: str, remarks: list[str] | None) -> bytes:
        try:
            return self.archive.read(key)
        except NotArchived:
            if remarks is not None:
                remarks.append(
                    f"A part of the stock book is gone from the archive ({key}). Read the listings again, and ask for "
                    "every balance: 'o2c inventory drift --now', 'o2c inventory push --full'."
                )
            return b""

    # --- what goes from activity to activity ----------------------------------------------------

    def keep_news(self, news: BaseModel) -> str:
        """Write what M3 said."""
        return self._keep(NEWS, news.model_dump_json().encode())

    def news(self, key: str, kind: type[M]) -> M:
        """What was written; raises NotArchived."""
        return kind.model_validate_json(gzip.decompress(self.archive.read(key)))

    def keep_balances(self, balances: Iterable[Known]) -> str:
        """Write balances."""
        return self._keep(NEWS, _KNOWN.dump_json(list(balances)))

    def balances(self, key: str) -> list[Known]:
        """Balances that were written; raises NotArchived."""
        return _KNOWN.validate_json(gzip.decompress(self.archive.read(key)))

    def keep_keys(self, keys: Iterable[tuple[str, str]]) -> str:
        """Write which pools are meant."""
        return self._keep(NEWS, _POOLS.dump_json(list(keys)))

    def keys(self, key: str) -> list[tuple[str, str]]:
        """Pools that were written; raises NotArchived."""
        return _POOLS.validate_json(gzip.decompress(self.archive.read(key)))

    # --- clearing up ----------------------------------------------------------------------------

    def prune(self, book: str, now: datetime) -> int:
        """Delete what is old and not of this book; what is of it is written anew first, so that it is not old."""
        if book:
            for key in (*self.index(book).files, book):
                content = self._content(key, None)
                if content:
                    self.archive.write(key, content)
        return sum(self.archive.prune(prefix, now - kept) for prefix, kept in _KEPT.items())

    def _keep(self, prefix: str, content: bytes, *, packed: bool = False) -> str:
        packed_content = content if packed else gzip.compress(content, mtime=0)
        key = f"{prefix}/{hashlib.sha256(packed_content).hexdigest()[:40]}.json.gz"
        # Also where it is there: an old file that is needed again must not be pruned.
        self.archive.write(key, packed_content)
        return key

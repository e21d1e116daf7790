"""What became of each feed's submission, written beside its content in the archive, so that none is handed in twice.

`<key>.begun` stands before createFeed is called and goes when Amazon has surely not taken the feed. `<key>.sent` names
Amazon's feeds. Whoever finds the first without the second asks Amazon; of Amazon's feeds those are this one's that no
other key has (`stock/feeds/at-amazon/<seller>/<feed>`).
"""

import asyncio
import json
from typing import Final

from activities.archive import Archive, NotArchived
from canonical.stock.sending import FeedContent, FeedRefusal, pack_refusals

_OF_AMAZON: Final = "stock/feeds/at-amazon"
"""Among the feeds, to be pruned with them."""


class SentFeeds:
    """Feeds of every seller. Methods raise `ArchiveError`."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def content(self, key: str) -> FeedContent:
        """The feed itself; raises NotArchived, ValueError."""
        return await asyncio.to_thread(FeedContent.unpacked, await self._archive.fetch(key))

    async def sent(self, key: str) -> tuple[str, ...]:
        """Amazon's feeds of this key; none where it is not known to be handed in."""
        try:
            return tuple(json.loads(await self._archive.fetch(f"{key}.sent")))
        except NotArchived:
            return ()

    async def begun(self, key: str) -> bool:
        """Whether Amazon may have the feed without anybody knowing."""
        try:
            await self._archive.fetch(f"{key}.begun")
        except NotArchived:
            return False
        return True

    async def begin(self, key: str) -> None:
        """Amazon is about to be asked to take the feed."""
        await self._archive.keep(f"{key}.begun", b"")

    async def give_up(self, key: str) -> None:
        """Amazon has surely not taken it."""
        await asyncio.to_thread(self._archive.remove, f"{key}.begun")

    async def note(self, key: str, seller_id: str, feed_ids: tuple[str, ...]) -> None:
        """Amazon has these feeds of this key."""
        for feed_id in feed_ids:
            await self._archive.keep(f"{_OF_AMAZON}/{seller_id}/{feed_id}", key.encode())
        await self._archive.keep(f"{key}.sent", json.dumps(feed_ids).encode())

    async def is_another_s(self, key: str, seller_id: str, feed_id: str) -> bool:
        """Whether that feed of Amazon's is known to be another key's."""
        try:
            return await self._archive.fetch(f"{_OF_AMAZON}/{seller_id}/{feed_id}") != key.encode()
        except NotArchived:
            return False

    async def keep_refusals(self, key: str, feed_id: str, refusals: tuple[FeedRefusal, ...]) -> str:
        """Write what Amazon refused; where it is, or nothing where it refused nothing."""
        if not refusals:
            return ""
        place = f"{key}.{feed_id}.refusals.jsonl"
        await self._archive.keep(place, await asyncio.to_thread(pack_refusals, refusals))
        return place

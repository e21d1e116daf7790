"""All items of M3 with their aliases, read part by part into the archive."""

from collections.abc import Callable

from temporalio import activity

from activities.archive import Archive, ArchiveError
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.m3.client import M3Client
from activities.m3.errors import MIError
from activities.m3.programs.items import all_items
from activities.m3.settlements import ARCHIVE_AWAY
from canonical.sku import look_contracts as act
from canonical.sku.item_file import packed


class ItemReading:
    """See the module."""

    def __init__(self, client: M3Client, archive: Archive) -> None:
        self._client = client
        self._archive = archive

    @property
    def all(self) -> list[Callable[..., object]]:
        return [self.read_items]

    @activity.defn(name=act.READ_ITEMS)
    async def read_items(self, request: act.ReadItemsRequest) -> act.ItemsRead:
        """The next items; again it writes the same part anew."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                try:
                    found = await all_items(self._client, request.after, act.ITEMS_CHUNK)
                    if found:
                        await self._archive.keep(request.key, packed(found))
                except MIError as error:
                    raise RetryLater(f"{error.sentence}.", kind="m3_refused") from error
                except ArchiveError as error:
                    raise RetryLater(str(error), kind=ARCHIVE_AWAY) from error
        return act.ItemsRead(last=found[-1].itno if found else "", items=len(found))

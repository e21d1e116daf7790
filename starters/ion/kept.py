"""Where documents are kept that this service does not know: the archive, once each."""

import asyncio
from typing import Final, Protocol

from worker.archiving import Archive

FOLDER: Final = "ion"
"""Of the archive."""


class Keeper(Protocol):
    """Keeps documents by name, once."""

    async def keep(self, name: str, content: bytes) -> bool:
        """Keep `content` under `name`; False where it is there already. Raises ArchiveError."""


class IonArchive:
    """ION's part of the archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def keep(self, name: str, content: bytes) -> bool:
        return await asyncio.to_thread(self._keep, f"{FOLDER}/{name}.xml", content)

    def _keep(self, key: str, content: bytes) -> bool:
        if self._archive.size(key) is not None:
            return False
        self._archive.write(key, content)
        return True

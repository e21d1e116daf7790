"""Where documents are kept that this service does not know: a folder, or any store fsspec reaches."""

import asyncio
from typing import Final, Protocol

import fsspec
from fsspec.core import url_to_fs

_SUFFIX: Final = ".xml"


class Archive(Protocol):
    """Keeps documents by name, once."""

    async def keep(self, name: str, content: bytes) -> bool:
        """Keep `content` under `name`; False where it is there already. Raises OSError."""


class FolderArchive:
    """An archive under one address: a path of this machine, ``s3://bucket/folder`` ..."""

    def __init__(self, address: str) -> None:
        found: tuple[fsspec.AbstractFileSystem, str] = url_to_fs(address)
        self._files, self._root = found

    async def keep(self, name: str, content: bytes) -> bool:
        return await asyncio.to_thread(self._keep, f"{self._root}/{name}{_SUFFIX}", content)

    def _keep(self, path: str, content: bytes) -> bool:
        if self._files.exists(path):
            return False
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        with self._files.open(f"{path}.part", "wb") as file:
            file.write(content)
        self._files.mv(f"{path}.part", path)  # a process that ends half way leaves no half document
        return True

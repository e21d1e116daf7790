"""The archive: raw reports, imported files, chunks and results, in a folder or a bucket (fsspec).

It is no database: everything in it is a whole file under a key of ours, written once and read as a whole. A
file is there completely or not at all, also after a crash. Imported files and reports may hold buyers'
addresses, so a folder that is made here is readable by its owner alone.
"""

import asyncio
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeVar, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

T = TypeVar("T")
BLOCK: Final = 1024 * 1024
"""Bytes copied at a time."""
_OWNER_ALONE: Final = 0o700
_UNFINISHED: Final = ".unfinished-"


class ArchiveError(Exception):
    """The archive cannot do it; the text says what and where, without credentials or content."""


class NotArchived(ArchiveError):  # noqa: N818 - said as it is
    """There is nothing under this key."""


class Archive:
    """Files under keys such as ``imports/3f2a/chunks/00001.jsonl``, below one folder or bucket.

    `url` is a path or what fsspec knows (``s3://bucket/prefix``), `options` what that file system takes.
    Methods block and belong into a thread; `keep` and `fetch` are for the event loop. They raise `ArchiveError`.
    """

    def __init__(self, url: str, options: Mapping[str, object] | None = None) -> None:
        # Listings are not cached: another process may have written meanwhile.
        arguments = {"use_listings_cache": False, **(options or {})}
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **arguments)
        except (ImportError, ValueError, TypeError) as error:
            raise ArchiveError(f"The archive {_named(url)} cannot be used: {error}.") from None
        self._root = str(root).rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)
        self.where = self._root if self._local else str(self._fs.unstrip_protocol(self._root))
        """Where it is, for a person."""

    async def keep(self, key: str, content: bytes) -> None:
        """`write` without blocking the event loop."""
        await asyncio.to_thread(self.write, key, content)

    async def fetch(self, key: str) -> bytes:
        """`read` without blocking the event loop."""
        return await asyncio.to_thread(self.read, key)

    def write(self, key: str, content: bytes) -> None:
        """Put `content` under `key`, in place of what was there."""
        with self._saying("written", key):
            self._put(key, lambda stream: stream.write(content))

    def upload(self, file: Path, key: str) -> None:
        """Put a file's content under `key`, block by block."""
        with file.open("rb") as source, self._saying("written", key):
            self._put(key, lambda stream: shutil.copyfileobj(source, stream, BLOCK))

    def read(self, key: str) -> bytes:
        """All that is under `key`; raises NotArchived."""
        with self._saying("read", key):
            return bytes(self._fs.cat_file(self._path(key)))

    def download(self, key: str, file: Path) -> None:
        """Copy what is under `key` into a file, block by block; raises NotArchived."""
        with self._saying("read", key), self._fs.open(self._path(key), "rb") as source, file.open("wb") as to:
            shutil.copyfileobj(source, to, BLOCK)

    def size(self, key: str) -> int | None:
        """Bytes under `key`; None where there is nothing."""
        with self._saying("read", key):
            try:
                return int(self._fs.size(self._path(key)))
            except FileNotFoundError:
                return None

    def keys(self, prefix: str) -> Sequence[str]:
        """All keys below `prefix`, in order."""
        with self._saying("listed", prefix):
            return tuple(sorted(self._listed(prefix)))

    def remove(self, prefix: str) -> None:
        """Delete everything below `prefix`; nothing there is no error."""
        with self._saying("deleted", prefix), suppress(FileNotFoundError):
            self._fs.rm(self._path(prefix), recursive=True)

    def prune(self, prefix: str, before: datetime) -> int:
        """Delete what is below `prefix` and was last written before this moment; how many files it was."""
        with self._saying("deleted", prefix):
            old = [key for key, written in self._listed(prefix).items() if written < before]
            for key in old:
                with suppress(FileNotFoundError):  # another process prunes too
                    self._fs.rm_file(self._path(key))
            return len(old)

    def _listed(self, prefix: str) -> dict[str, datetime]:
        found = self._fs.find(self._path(prefix), detail=True)
        cut = len(self._root) + 1
        return {
            str(path)[cut:]: _written(facts) for path, facts in found.items() if _UNFINISHED not in str(path)
        }

    def _put(self, key: str, fill: Callable[[BinaryIO], object]) -> None:
        path = self._path(key)
        if not self._local:  # an object store shows an object when it is complete
            with self._fs.open(path, "wb") as stream:
                fill(cast("BinaryIO", stream))
            return
        _make_folders(Path(self._root), Path(path).parent)
        unfinished = Path(f"{path}{_UNFINISHED}{uuid.uuid4().hex}")
        try:
            with unfinished.open("wb") as stream:
                fill(stream)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def _path(self, key: str) -> str:
        parts = PurePosixPath(key).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise ValueError(f"{key!r} is no key of the archive")
        return f"{self._root}/{key}"

    @contextmanager
    def _saying(self, done: str, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise NotArchived(f"The archive {self.where} has no {key}.") from None
        except (ValueError, ArchiveError):
            raise
        except Exception as error:  # each store has errors of its own, and some repeat the request
            said = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
            raise ArchiveError(f"{key} could not be {done} in the archive {self.where}: {said}.") from None


def _make_folders(root: Path, folder: Path) -> None:
    if not root.exists():
        root.mkdir(parents=True, exist_ok=True, mode=_OWNER_ALONE)
    folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ALONE)


def _written(facts: Mapping[str, object]) -> datetime:
    """When a file was last written, as its store says; now where it does not, so that it stays."""
    moment = facts.get("mtime", facts.get("LastModified", facts.get("created")))
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(moment, int | float):
        return datetime.fromtimestamp(moment, UTC)
    return datetime.now(UTC)


def _named(url: str) -> str:
    """A URL without what may be a password in it."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"

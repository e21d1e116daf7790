"""The simulator's memory: everything hot in dictionaries, every change in sqlite before the reply leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

R = TypeVar("R", bound=BaseModel)


class Table(Generic[R]):
    """Records of one kind by their key, in the order of their creation.

    Records are changed in place; whoever changes one says so with `put`.
    """

    def __init__(self, name: str, model: type[R]) -> None:
        self.name = name
        self._model = model
        self._rows: dict[str, R] = {}
        self._dirty: dict[str, None] = {}  # in the order of the changes: numbers rows as they came
        self._indexes: list[tuple[Callable[[R], str], dict[str, list[str]]]] = []
        self._watchers: list[Callable[[str, R], None]] = []

    def index(self, key_of: Callable[[R], str]) -> dict[str, list[str]]:
        """A look-up that follows this table: value -> keys of the records. The value must never change."""
        found: dict[str, list[str]] = {}
        for key, row in self._rows.items():
            found.setdefault(key_of(row), []).append(key)
        self._indexes.append((key_of, found))
        return found

    def watch(self, told: Callable[[str, R], None]) -> None:
        """Have a function told of every record that is kept from now on."""
        self._watchers.append(told)

    def get(self, key: str) -> R | None:
        """The record under this key, if any."""
        return self._rows.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def keys(self) -> list[str]:
        """The keys, in the order of creation."""
        return list(self._rows)

    def put(self, key: str, row: R) -> None:
        """Keep a new or changed record."""
        if key not in self._rows:
            for key_of, found in self._indexes:
                found.setdefault(key_of(row), []).append(key)
        self._rows[key] = row
        self._dirty[key] = None
        for told in self._watchers:
            told(key, row)

    def drop(self, key: str) -> None:
        """Forget a record. KeyError if there is none."""
        row = self._rows.pop(key)
        for key_of, found in self._indexes:
            found[key_of(row)].remove(key)
        self._dirty[key] = None

    def load(self, key: str, body: str) -> None:
        """Take in a record as it was stored."""
        self._rows[key] = self._model.model_validate_json(body)

    def changes(self) -> Iterator[tuple[str, str | None]]:
        """What has changed since the last call: key and stored form, None for a forgotten record."""
        for key in self._dirty:
            row = self._rows.get(key)
            yield key, None if row is None else row.model_dump_json()
        self._dirty.clear()


class Store:
    """A set of tables in one sqlite file. A kill of the process loses nothing that was committed."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS record"
            " (number INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,"
            " UNIQUE (name, key))"
        )
        self._tables: list[tuple[str, Table[BaseModel]]] = []

    def table(self, name: str, model: type[R]) -> Table[R]:
        """The table of this name with what was stored in it before."""
        table = Table(name, model)
        rows = self._connection.execute(
            "SELECT key, body FROM record WHERE name = ? ORDER BY number", (name,)
        )
        for key, body in rows:
            table.load(key, body)
        self._tables.append((name, table))  # type: ignore[arg-type]  # only its stored form is used here
        return table

    def commit(self) -> None:
        """Write every change since the last commit, all or nothing."""
        kept: list[tuple[str, str, str]] = []
        dropped: list[tuple[str, str]] = []
        for name, table in self._tables:
            for key, body in table.changes():
                if body is None:
                    dropped.append((name, key))
                else:
                    kept.append((name, key, body))
        if not kept and not dropped:
            return
        self._connection.execute("BEGIN")
        self._connection.executemany("DELETE FROM record WHERE name = ? AND key = ?", dropped)
        self._connection.executemany(
            "INSERT INTO record (name, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (name, key) DO UPDATE SET body = excluded.body",
            kept,
        )
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Write what is left and close the file."""
        self.commit()
        self._connection.close()

"""The stock book as files: parts of JSON lines, gzipped, and an index of the parts.

A part holds the pools, or the SKUs, whose key has its number. Each stands on a line of its own behind a few numbers
(`Marks`), so that who looks for one reads one, and who counts reads none. The same content is the same file.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Final, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from canonical.stock.book import PoolState
from canonical.stock.book_skus import SkuState
from canonical.stock.keeper_contracts import SHOWN_AT_MOST, RefusedOffer, Totals

PARTS: Final = 64
_LEVEL: Final = 4
"""Of gzip: twice as fast as the default, a tenth larger."""

Key = tuple[str, str]
"""WHLO and ITNO of a pool; seller and SKU."""
S = TypeVar("S", bound=BaseModel)


def part_of(key: Key) -> int:
    """The number of the part that has this key; the same for ever."""
    return int.from_bytes(blake2b(json.dumps(key).encode(), digest_size=4).digest(), "big") % PARTS


class Marks(NamedTuple):
    """What is known of a line without reading it. For SKUs only `strangers` and `without_item` count."""

    to_plan: int = 0
    unread: int = 0
    offers: int = 0
    on_their_way: int = 0
    waiting: int = 0
    refused: int = 0
    noted: int = 0
    orders: int = 0
    not_in_m3: int = 0
    strangers: int = 0
    without_item: int = 0
    oldest: int = 0
    """When the oldest patch on its way was sent, in seconds since 1970; 0 where there is none."""


def marks_of_pool(pool: PoolState, *, to_plan: bool, waiting: int = 0) -> Marks:
    """`waiting`: pushes that are due and not sent."""
    flights = [each.flight for each in pool.offers if each.flight is not None]
    patched = [int(each.sent_at.timestamp()) for each in flights if "#" not in each.reference]
    return Marks(
        to_plan=int(to_plan),
        unread=int(pool.known is None),
        offers=len(pool.offers),
        on_their_way=len(flights),
        waiting=waiting,
        refused=sum(each.refusal is not None for each in pool.offers),
        noted=len(pool.notes),
        orders=len(pool.lines),
        not_in_m3=sum(each.awaits_m3 for each in pool.lines),
        oldest=min(patched, default=0),
    )


def marks_of_sku(sku: SkuState) -> Marks:
    """Of a SKU."""
    lacks = not sku.fba and any(not place.itno for place in sku.places.values())
    return Marks(strangers=len(sku.strangers), without_item=int(lacks))


class Part(Generic[S]):
    """One part in memory. What is not asked for stays as it was written."""

    def __init__(self, kind: type[S], content: bytes = b"") -> None:
        self._kind = kind
        self._marks: dict[Key, Marks] = {}
        self._bodies: dict[Key, bytes] = {}
        self.changed = False
        for line in gzip.decompress(content).splitlines() if content else ():
            key, marks, body = line.split(b"\t", 2)
            first, second = json.loads(key)
            self._marks[first, second] = Marks(*map(int, marks.split(b",")))
            self._bodies[first, second] = body

    def __len__(self) -> int:
        return len(self._marks)

    def __contains__(self, key: object) -> bool:
        return key in self._marks

    def __iter__(self) -> Iterator[Key]:
        return iter(self._marks)

    def marked(self, wanted: Callable[[Marks], object]) -> list[Key]:
        """The keys whose marks are so."""
        return [key for key, marks in self._marks.items() if wanted(marks)]

    def marks(self, key: Key) -> Marks:
        """Of a key that is there."""
        return self._marks[key]

    def get(self, key: Key) -> S | None:
        """What stands under a key."""
        body = self._bodies.get(key)
        return None if body is None else self._kind.model_validate_json(body)

    def put(self, key: Key, state: S, marks: Marks) -> None:
        """Write it down."""
        body = state.model_dump_json(exclude_defaults=True).encode()
        if self._bodies.get(key) != body or self._marks.get(key) != marks:
            self._bodies[key], self._marks[key], self.changed = body, marks, True

    def remove(self, key: Key) -> None:
        """Forget it."""
        if self._bodies.pop(key, None) is not None:
            del self._marks[key]
            self.changed = True

    def encoded(self) -> bytes:
        """The file."""
        lines = (
            b"\t".join((json.dumps(key).encode(), ",".join(map(str, self._marks[key])).encode(), body))
            for key, body in sorted(self._bodies.items())
        )
        return gzip.compress(b"\n".join(lines), compresslevel=_LEVEL, mtime=0)

    def states(self, keys: list[Key]) -> Iterator[S]:
        """What stands under keys that are there."""
        for key in keys:
            state = self.get(key)
            if state is not None:
                yield state

    def sums(self) -> Marks:
        """All marks added up; of `oldest` the least."""
        if not self._marks:
            return Marks()
        columns = list(zip(*self._marks.values(), strict=True))
        oldest = min((moment for moment in columns[-1] if moment), default=0)
        return Marks._make((*(sum(column) for column in columns[:-1]), oldest))


class PartRef(BaseModel):
    """A part that is written."""

    model_config = ConfigDict(frozen=True)

    file: str
    size: int
    """Pools, or SKUs, in it."""
    sums: Marks
    refusals: tuple[RefusedOffer, ...] = ()
    notes: tuple[str, ...] = ()
    """Each the first few."""


class BookIndex(BaseModel):
    """All parts of one state of the book. Its own file is the book's key."""

    model_config = ConfigDict(frozen=True)

    pools: Mapping[int, PartRef] = {}
    skus: Mapping[int, PartRef] = {}
    rules: str = ""
    """Digest of the rules by which it was planned last."""

    @property
    def files(self) -> set[str]:
        """Everything it refers to."""
        return {ref.file for ref in (*self.pools.values(), *self.skus.values())}

    @property
    def totals(self) -> Totals:
        """What it holds."""
        refs = [*self.pools.values(), *self.skus.values()]
        total = Marks(*map(sum, zip(*(ref.sums for ref in refs), strict=True))) if refs else Marks()
        return Totals(
            skus=sum(ref.size for ref in self.skus.values()),
            pools=sum(ref.size for ref in self.pools.values()),
            refusals=tuple(each for ref in refs for each in ref.refusals)[:SHOWN_AT_MOST],
            notes=tuple(each for ref in refs for each in ref.notes)[:SHOWN_AT_MOST],
            **{name: value for name, value in total._asdict().items() if name in Totals.model_fields},
        )

    @property
    def to_plan(self) -> bool:
        """Whether news have come in that no planning has seen."""
        return any(ref.sums.to_plan for ref in self.pools.values())


def pool_ref(file: str, part: Part[PoolState]) -> PartRef:
    """A part of pools that is written to this file."""
    refused = [
        RefusedOffer.of(state, state.refusal)
        for pool in part.states(part.marked(lambda marks: marks.refused)[:SHOWN_AT_MOST])
        for state in pool.offers
        if state.refusal is not None
    ]
    notes = [
        note.sentence
        for pool in part.states(part.marked(lambda marks: marks.noted)[:SHOWN_AT_MOST])
        for note in pool.notes
    ]
    return PartRef(
        file=file,
        size=len(part),
        sums=part.sums(),
        refusals=tuple(refused[:SHOWN_AT_MOST]),
        notes=tuple(notes[:SHOWN_AT_MOST]),
    )


def sku_ref(file: str, part: Part[SkuState]) -> PartRef:
    """A part of SKUs that is written to this file."""
    return PartRef(file=file, size=len(part), sums=part.sums())

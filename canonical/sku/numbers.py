"""Numbers that name an item exactly: its own, its aliases, its EAN or UPC, and SKUs that once were its alias."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from canonical.sku.gtin import NotAGtin, gtin_or_none, read_gtin, shown_gtin
from canonical.sku.models import Item, Listing
from canonical.sku.text import has_digit, runs_of, squeezed, words_of


class Sameness(IntEnum):
    """What says that a listing is an item; each outdoes those below it, and all of them any likeness of names."""

    PAST = 1
    NUMBER = 2
    GTIN = 3
    ALIAS = 4


@dataclass(frozen=True)
class Proof:
    """One number in common."""

    item: int
    """Its place in the index."""
    sameness: Sameness
    reason: str
    shared_by: int
    """How many items have the number; where it is more than one, it proves none of them."""


_PART: Final = 5
"""Characters from which an item number inside a SKU is looked at."""


class Numbers:
    """The numbers of all items, and what is wrong with them."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._by: dict[Sameness, dict[str, list[int]]] = {sameness: {} for sameness in Sameness}
        self._gtins: list[frozenset[str]] = []
        notes: list[str] = []
        for place, item in enumerate(items):
            self._add(Sameness.NUMBER, squeezed(item.itno), place)
            for alias in item.aliases:
                self._add(Sameness.ALIAS, squeezed(alias), place)
            for alias in item.past:
                self._add(Sameness.PAST, squeezed(alias), place)
            for gtin, wrong in _read(item.gtins):
                if wrong:
                    notes.append(f"EAN {gtin} of item {item.itno} {wrong} and is not used.")
            self._gtins.append(frozenset(filter(None, map(gtin_or_none, item.gtins))))
            for gtin in sorted(self._gtins[-1]):
                self._add(Sameness.GTIN, gtin, place)
        self.notes = (*notes, *self._twice(Sameness.ALIAS, "Alias"), *self._twice(Sameness.GTIN, "EAN"))
        """Wrong EANs, and aliases and EANs that several items have, as sentences."""

    def proofs(self, listing: Listing) -> Iterator[Proof]:
        """Every item that has a number of the listing's."""
        own = [("SKU", listing.sku), ("ASIN", listing.asin)]
        for name, number in own:
            key = squeezed(number)
            yield from self._found(Sameness.ALIAS, key, f"{name} {number} is an alias of it")
            yield from self._found(Sameness.PAST, key, f"{name} {number} has been mapped to it before")
        yield from self._found(
            Sameness.NUMBER, squeezed(listing.sku), f"SKU {listing.sku} is its item number"
        )
        for gtin in sorted(set(filter(None, map(gtin_or_none, listing.gtins)))):
            yield from self._found(Sameness.GTIN, gtin, f"same EAN {shown_gtin(gtin)}")

    def parts(self, sku: str) -> dict[int, float]:
        """Items whose number or alias is a part of the SKU, with how little that is chance, 0 to 1."""
        words = words_of(sku)
        whole = squeezed(sku)
        keys = {run.key for run in runs_of(words) if len(run.key) >= _PART and has_digit(run.key)} - {whole}
        found: dict[int, float] = {}
        for key in sorted(keys):
            alphabet = 1
            for character in key:
                alphabet *= 10 if character.isdigit() else 26
            chance = len(self._items) * len(keys) / alphabet
            for sameness in (Sameness.NUMBER, Sameness.ALIAS):
                for place in self._by[sameness].get(key, ()):
                    found[place] = max(found.get(place, 0.0), 1 - chance)
        return found

    def others(self, listing: Listing, place: int) -> bool:
        """Whether listing and item both have EANs, and none in common."""
        own = frozenset(filter(None, map(gtin_or_none, listing.gtins)))
        return bool(own and self._gtins[place] and not own & self._gtins[place])

    def notes_on(self, listing: Listing, proofs: Sequence[Proof]) -> tuple[str, ...]:
        """What a person should know of the listing's numbers."""
        told = [f"EAN {gtin} {why} and is not used." for gtin, why in _read(listing.gtins) if why]
        for reason in dict.fromkeys(proof.reason for proof in proofs if proof.shared_by > 1):
            places = sorted({proof.item for proof in proofs if proof.reason == reason})
            told.append(
                f"{len(places)} items have what speaks for one of them ({reason}): {self._named(places)}."
            )
        if len({proof.item for proof in proofs if proof.shared_by == 1}) > 1:
            told.append("Its numbers speak for different items, so a person decides.")
        return tuple(told)

    def _add(self, sameness: Sameness, key: str, place: int) -> None:
        if key:
            places = self._by[sameness].setdefault(key, [])
            if place not in places:
                places.append(place)

    def _found(self, sameness: Sameness, key: str, reason: str) -> Iterator[Proof]:
        places = self._by[sameness].get(key, ())
        for place in places:
            yield Proof(place, sameness, reason, len(places))

    def _twice(self, sameness: Sameness, name: str) -> Iterator[str]:
        for key, places in sorted(self._by[sameness].items()):
            if len(places) > 1:
                shown = shown_gtin(key) if sameness is Sameness.GTIN else self._as_written(key, places[0])
                yield f"{name} {shown} belongs to {len(places)} items: {self._named(places)}."

    def _as_written(self, key: str, place: int) -> str:
        return next((alias for alias in self._items[place].aliases if squeezed(alias) == key), key)

    def _named(self, places: Sequence[int]) -> str:
        return ", ".join(self._items[place].itno for place in places)


def _read(gtins: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each with what is wrong with it, empty where nothing is."""
    for gtin in gtins:
        try:
            read_gtin(gtin)
        except NotAGtin as error:
            yield gtin, str(error)
        else:
            yield gtin, ""

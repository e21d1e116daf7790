"""M3's items, to be asked which of them a listing is."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import Final

import numpy as np

from canonical.sku.evidence import Name, compare
from canonical.sku.grams import GramIndex
from canonical.sku.likeness import Alike, leading_model
from canonical.sku.models import Item, Listing, Suggestions
from canonical.sku.numbers import Numbers, Proof
from canonical.sku.ranking import Candidate, Looked, ranked, rivals_of
from canonical.sku.text import Word, words_of

SHOWN: Final = 5
"""How many items are suggested."""
_LOOKED_AT: Final = 40
"""Items most alike by letters, which are then compared word by word."""


class ItemIndex:
    """A catalogue of items. The order in which they are given changes nothing.

    Raises ValueError where an item number is there twice.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = sorted(items, key=lambda item: item.itno)
        for one, other in pairwise(self._items):
            if one.itno == other.itno:
                raise ValueError(f"Item {one.itno} is there twice.")
        texts = [_item_words(item) for item in self._items]
        self._frequencies = Counter(word for text in texts for word in {one.text for one in text})
        self._letters = GramIndex(map(_pieces, texts))
        self._numbers = Numbers(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong with the items' own numbers, as sentences: wrong EANs, aliases of several items."""
        return self._numbers.notes

    def suggest(self, listing: Listing, count: int = SHOWN) -> Suggestions:
        """The items it may be, by itself; at most `count`, the likeliest first."""
        return ranked(self.look(listing), {}, count)

    def suggest_all(self, listings: Sequence[Listing], count: int = SHOWN) -> list[Suggestions]:
        """The same for many listings that compete: an item that another of them fits better counts less.

        Give all listings of a seller, also those whose item is known: each takes its item away from the others.
        Listings with the same title do not compete, since one item may be sold under several SKUs.
        """
        looked = [self.look(listing) for listing in listings]
        return [ranked(one, rivals, count) for one, rivals in zip(looked, rivals_of(looked), strict=True)]

    def look(self, listing: Listing) -> Looked:
        """The items that come into question, each compared with it; not yet ranked."""
        proofs = list(self._numbers.proofs(listing))
        looked = Looked(listing, self._numbers.notes_on(listing, proofs))
        words = _listing_words(listing)
        letters = self._letters.likenesses(_pieces(words))
        parts = self._numbers.parts(listing.sku)
        places = {*_highest(letters, _LOOKED_AT), *parts, *(proof.item for proof in proofs)}
        by_item: dict[int, list[Proof]] = {}
        for proof in proofs:
            by_item.setdefault(proof.item, []).append(proof)
        wanted, in_sku = self._name(words), self._name(words_of(listing.sku))
        names = {place: self._name(_item_words(self._items[place])) for place in sorted(places)}
        shared = Counter(run for name in names.values() for run in name.runs)
        lead = leading_model({model: self._information(shared[model]) for model in wanted.models})
        lead_of_sku = leading_model({model: self._information(shared[model]) for model in in_sku.models})
        for place, name in names.items():
            in_number = parts.get(place, 0.0)
            by_sku = float(lead_of_sku in name.numbers and lead_of_sku in name.together)
            alike = Alike(
                letters=float(letters[place]),
                evidence=compare(wanted, name),
                lead=lead,
                in_sku=max(in_number, by_sku),
                other_gtin=self._numbers.others(listing, place),
            )
            item = self._items[place]
            looked.candidates.append(
                Candidate(place, item, alike, tuple(by_item.get(place, ())), in_number > by_sku)
            )
        return looked

    def _name(self, words: tuple[Word, ...]) -> Name:
        return Name(words, lambda word: self._information(self._frequencies[word]))

    def _information(self, frequency: int) -> float:
        """Of what so many items have; the most where none has it."""
        return math.log((len(self) + 1) / (frequency + 0.5))


def _item_words(item: Item) -> tuple[Word, ...]:
    """Name and description; what the description only repeats is left out."""
    words = words_of(item.name)
    if not item.description:
        return words
    known = {word.text for word in words}
    after = words[-1].piece + 1 if words else 0
    more = (
        Word(word.text, after + word.piece) for word in words_of(item.description) if word.text not in known
    )
    return (*words, *more)


def _listing_words(listing: Listing) -> tuple[Word, ...]:
    """The title, after the brand where it lacks it; the SKU where there is no title."""
    words = words_of(listing.title)
    if not words:
        return words_of(listing.sku)
    brand = words_of(listing.brand)
    if {word.text for word in brand} <= {word.text for word in words}:
        return words
    after = brand[-1].piece + 1
    return (*brand, *(Word(word.text, after + word.piece) for word in words))


def _pieces(words: Iterable[Word]) -> list[str]:
    """Words without the hyphens and the like that are between them."""
    return [
        "".join(word.text for word in together) for _, together in groupby(words, lambda word: word.piece)
    ]


def _highest(values: "np.ndarray[tuple[int], np.dtype[np.float32]]", count: int) -> list[int]:
    """The places of the highest values above 0; of equal ones the first."""
    found = np.flatnonzero(values > 0)
    if len(found) > count:
        limit = np.partition(values, -count)[-count]
        found = found[values[found] >= limit]
    order = np.argsort(-values[found], kind="stable")
    return [int(place) for place in found[order][:count]]

"""What two names have in common, word by word, weighed by how much each word tells.

A word that few items have tells more than one that many have: its information is the logarithm of how rare it is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rapidfuzz.distance import Indel, JaroWinkler

from canonical.sku.text import Run, Word, amounts_of, has_digit, may_be_model, runs_of

VARIANT: Final = 0.5
"""What another variant of the same model counts: half of the model itself."""
SISTER: Final = -0.25
"""What another model with a number like it counts."""
_MISSPELT: Final = 0.9
"""Jaro-Winkler likeness from which two words are one misspelt (the threshold SoftTFIDF was published with)."""
_LIKE_IT: Final = 0.6
"""Likeness of two model numbers from which they are sisters rather than numbers of different kinds."""
_COMPOUND: Final = 5
"""Characters from which a word in one name and the same written apart in the other are no chance."""
_SHORTENED: Final = 3
_VOWELS: Final = frozenset("aeiou")


class Name:
    """A product's name, taken apart once."""

    def __init__(self, words: tuple[Word, ...], information: Callable[[str], float]) -> None:
        self.words = words
        self.information = [information(word.text) for word in words]
        self.total = sum(self.information)

    @cached_property
    def runs(self) -> dict[str, list[Run]]:
        found: dict[str, list[Run]] = {}
        for run in runs_of(self.words):
            found.setdefault(run.key, []).append(run)
        return found

    @cached_property
    def together(self) -> dict[str, bool]:
        """The runs it has without a blank; whether they are of more than one word."""
        return {
            key: any(run.words > 1 for run in runs if run.together)
            for key, runs in self.runs.items()
            if any(run.together for run in runs)
        }

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Runs that may be a model number, if the other name has them in one."""
        return frozenset(filter(may_be_model, self.runs))

    @cached_property
    def models(self) -> frozenset[str]:
        """What may be a model number and is written as one."""
        return self.numbers & self.together.keys()

    @cached_property
    def amounts(self) -> dict[str, set[str]]:
        return amounts_of(self.words)


@dataclass(frozen=True)
class Evidence:
    """What a listing's name and an item's have in common."""

    of_listing: float
    """Share of the information in the listing's name that the item's has too, 0 to 1."""
    of_item: float
    """Share of the information in the item's name that the listing's has too, 0 to 1."""
    shared: int
    """How many of the listing's words the item's name has, if only nearly."""
    words: int
    """How many words the listing's name has."""
    known: Mapping[str, float]
    """Model numbers of the listing, and what each counts: 1 in both names, up to a half where only the variant
    differs, below 0 where the item has a sister model's."""
    first: float
    """How surely the item's name has the listing's first word, at Amazon the brand."""
    same_amounts: tuple[str, ...]
    """Amounts in both names: `40 in`."""
    other_amounts: tuple[str, ...]
    """Amounts of the listing's of which the item's name has another: `40 in` where it is 46."""


def compare(listing: Name, item: Name) -> Evidence:
    """Word by word: the same word, the same written together or apart, a model number with another variant, a word
    misspelt or shortened."""
    there, here = _Found(listing), _Found(item)
    known: dict[str, float] = {}
    for key in listing.runs.keys() & item.runs.keys():
        if _single(listing, key) and _single(item, key):
            there.mark(key, 1.0)
            here.mark(key, 1.0)
        if key not in listing.together and key not in item.together:
            continue
        is_number = key in listing.numbers
        if is_number or len(key) >= _COMPOUND:
            there.mark(key, 1.0)
            here.mark(key, 1.0)
            if is_number or listing.together.get(key) or item.together.get(key):
                known[key] = 1.0
    for number in listing.models - known.keys():
        known[number] = _nearly(number, listing, item, there, here)
    _near_words(there, here)
    same = sorted(listing.amounts.keys() & item.amounts.keys())
    return Evidence(
        of_listing=there.share,
        of_item=here.share,
        shared=sum(one > 0 for one in there.surely),
        words=len(listing.words),
        known=known,
        first=there.surely[0] if there.surely else 0.0,
        same_amounts=_amounts(listing, (one for one in same if listing.amounts[one] & item.amounts[one])),
        other_amounts=_amounts(
            listing, (one for one in same if not listing.amounts[one] & item.amounts[one])
        ),
    )


def variant_share(one: str, other: str) -> float:
    """How much of two model numbers is the same from the start, 0 to 1: `NNC994SS` and `NNC994S` are variants of one
    model. 0 where they part before its number or within it, as `KX1033` and `KX1034` do."""
    same = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        same += 1
    if not may_be_model(one[:same]):
        return 0.0
    if one[same - 1].isdigit() and any(
        rest.isdigit() for rest in (one[same : same + 1], other[same : same + 1])
    ):
        return 0.0
    return same / max(len(one), len(other))


def nearness(one: str, other: str) -> float:
    """How surely two words are the same, 0 to 1: one misspelt counts by its likeness, one shortened (`blck`, `bla` for
    `black`) by its share of the letters."""
    short, long = sorted((one, other), key=len)
    if long.startswith(short) or short == long[0] + "".join(one for one in long[1:] if one not in _VOWELS):
        return len(short) / len(long)
    alike = JaroWinkler.similarity(one, other) if len(short) > _SHORTENED else 0.0
    return alike if alike >= _MISSPELT else 0.0


class _Found:
    """For each word of a name how surely the other name has it, 0 to 1."""

    def __init__(self, name: Name) -> None:
        self.name = name
        self.surely = [0.0] * len(name.words)

    @property
    def share(self) -> float:
        total = self.name.total
        return sum(map(float.__mul__, self.name.information, self.surely)) / total if total else 0.0

    def mark(self, key: str, surely: float) -> None:
        for run in self.name.runs[key]:
            for place in range(run.start, run.start + run.words):
                self.surely[place] = max(self.surely[place], surely)

    def unsure(self) -> Iterable[tuple[int, str]]:
        """The words without a digit that are not yet found for sure."""
        for place, word in enumerate(self.name.words):
            if self.surely[place] < 1 and len(word.text) >= _SHORTENED and not has_digit(word.text):
                yield place, word.text


def _single(name: Name, key: str) -> bool:
    return any(run.words == 1 for run in name.runs[key])


def _nearly(number: str, listing: Name, item: Name, there: _Found, here: _Found) -> float:
    """What a model number counts that the item's name does not have."""
    variant = sister = 0.0
    for other in item.numbers:
        if other[0] != number[0] or other in listing.numbers:
            continue
        written = other in item.together
        if not written and not number.startswith(other):
            continue
        share = variant_share(number, other)
        if share:
            variant = max(variant, share)
            there.mark(number, share)
            here.mark(other, share)
        elif written:
            sister = max(sister, Indel.normalized_similarity(number, other))
    if variant:
        return VARIANT * variant
    return SISTER if sister >= _LIKE_IT else 0.0


def _near_words(there: _Found, here: _Found) -> None:
    by_letter: dict[str, list[tuple[int, str]]] = {}
    for place, word in here.unsure():
        by_letter.setdefault(word[0], []).append((place, word))
    for place, word in there.unsure():
        for other_place, other in by_letter.get(word[0], ()):
            near = nearness(word, other)
            there.surely[place] = max(there.surely[place], near)
            here.surely[other_place] = max(here.surely[other_place], near)


def _amounts(name: Name, words: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{number} {word}" for word in words for number in sorted(name.amounts[word]))

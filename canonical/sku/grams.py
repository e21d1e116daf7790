"""Texts that look alike: TF-IDF over the character n-grams of their words, by cosine.

The grams of a word depend on the word alone. So a hundred thousand texts keep only which words they are made of, and
their few ten thousand different words which grams: the likeness to every text is then two sums over short arrays,
and exactly what a matrix of texts by grams would give.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHORTEST: Final = 2
LONGEST: Final = 5
_BATCH: Final = 5000
"""Texts whose grams are counted at a time."""

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]


def grams_of(word: str) -> list[str]:
    """Every run of two to five characters of the word; its ends count as blanks."""
    padded = f" {word} "
    return [
        padded[start : start + length]
        for length in range(SHORTEST, LONGEST + 1)
        for start in range(len(padded) - length + 1)
    ]


class Lists:
    """Many short lists of numbers in two arrays; none of them is empty."""

    def __init__(self, lists: Iterable[Sequence[int]]) -> None:
        starts = [0]
        numbers: list[int] = []
        for one in lists:
            numbers += one
            starts.append(len(numbers))
        self.numbers = np.array(numbers, np.int32)
        self.starts = np.array(starts, np.int64)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def sums(self, values: Floats) -> Floats:
        """For each list the sum of the values its numbers stand for."""
        found: Floats = np.add.reduceat(values[self.numbers], self.starts[:-1])
        return found

    def joined(self, chosen: Whole) -> tuple[Whole, Whole]:
        """The numbers of these lists one after the other, and for each the place of its list among them."""
        lengths = self.starts[chosen + 1] - self.starts[chosen]
        places = np.repeat(np.arange(len(chosen)), lengths)
        within = np.arange(len(places)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return self.numbers[self.starts[chosen][places] + within].astype(np.int64), places


class GramIndex:
    """Texts, each as its words, to be asked which of them look like another."""

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        words: dict[str, int] = {"": 0}
        self._texts = Lists([words.setdefault(word, len(words)) for word in text] or [0] for text in texts)
        self._grams: dict[str, int] = {"": 0}
        known = self._grams
        self._words = Lists(
            [known.setdefault(gram, len(known)) for gram in grams_of(word)] if word else [0] for word in words
        )
        self._rarities = self._rarity(np.zeros(len(known)))
        if len(self._texts):
            self._rarities = self._rarity(sum(self._frequencies(), np.zeros(len(known))))
        self._lengths = self._measured()

    def __len__(self) -> int:
        return len(self._texts)

    def likenesses(self, words: Iterable[str]) -> Floats:
        """The cosine of these words to every text, 0 to 1, in the order of the texts."""
        if not len(self):
            return np.zeros(0, np.float32)
        wanted = np.zeros(len(self._grams), np.float32)
        unknown = 0.0
        never_seen = float(self._rarity(np.zeros(1))[0])
        for gram, times in Counter(gram for word in words for gram in grams_of(word)).items():
            number = self._grams.get(gram)
            if number is None:
                unknown += (times * never_seen) ** 2
            else:
                wanted[number] = times * self._rarities[number]
        length = float(np.sqrt(np.dot(wanted, wanted) + unknown)) or 1.0
        by_word = self._words.sums(wanted * self._rarities)
        return np.minimum(self._texts.sums(by_word) / (self._lengths * length), 1.0)

    def _rarity(self, frequencies: NDArray[np.float64]) -> Floats:
        """IDF, smoothed as if one more text had every gram."""
        return (np.log((1 + len(self)) / (1 + frequencies)) + 1).astype(np.float32)

    def _counted(self) -> Iterator[tuple[Whole, Whole, Whole]]:
        """Batch by batch: which text has which gram how often."""
        size = len(self._grams)
        for first in range(0, len(self), _BATCH):
            chosen = np.arange(first, min(first + _BATCH, len(self)))
            words, texts_of_words = self._texts.joined(chosen)
            grams, words_of_grams = self._words.joined(words)
            keys, counts = np.unique(texts_of_words[words_of_grams] * size + grams, return_counts=True)
            yield first + keys // size, keys % size, counts

    def _frequencies(self) -> Iterator[NDArray[np.float64]]:
        for _, grams, _ in self._counted():
            yield np.bincount(grams, minlength=len(self._grams)).astype(np.float64)

    def _measured(self) -> Floats:
        """The length of every text's vector."""
        squares = np.zeros(len(self))
        for texts, grams, counts in self._counted():
            squares += np.bincount(texts, (counts * self._rarities[grams]) ** 2.0, minlength=len(self))
        return np.maximum(np.sqrt(squares), 1e-6).astype(np.float32)

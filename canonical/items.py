"""Which M3 item a SellerSKU is: alias first, then the configured rules, else a person, with likely items to
choose.

Aliases live in M3 (MMS025MI, ALWT/ALWQ of the profile), so a mapping repaired once serves every later order.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import fuzz

from canonical.held import ItemCandidate
from canonical.profile import ItemRule

CANDIDATES: Final = 5
"""How many likely items an operator is shown."""

_TITLE_WEIGHT: Final = 0.7
_NO_WORD: Final = re.compile(r"[^0-9a-z]+")


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

    Score, 0 to 100: seven tenths likeness of Amazon's title and M3's name (mean of the ratios over sorted
    tokens and over token sets, so that word order and extra words count little), three tenths likeness of
    the SKU and the item number or name. Without a title the SKU decides alone. An item number that is the
    SKU but for punctuation scores 100. Equal scores are ordered by item number, so that the list is the same
    each time.
    """
    plain_sku, words, plain_title = _plain(sku), _words(sku), _words(title)
    scored = (
        ItemCandidate(itno=itno, name=name, score=_score(plain_sku, words, plain_title, itno, name))
        for itno, name in items
    )
    return tuple(sorted(scored, key=lambda candidate: (-candidate.score, candidate.itno))[:CANDIDATES])


def _score(plain_sku: str, sku_words: str, title: str, itno: str, name: str) -> int:
    plain_itno, plain_name = _plain(itno), _words(name)
    if plain_sku and plain_sku == plain_itno:
        return 100
    by_sku = max(fuzz.ratio(plain_sku, plain_itno), fuzz.token_sort_ratio(sku_words, plain_name))
    if not title:
        return round(by_sku)
    by_title = (fuzz.token_sort_ratio(title, plain_name) + fuzz.token_set_ratio(title, plain_name)) / 2
    return round(_TITLE_WEIGHT * by_title + (1 - _TITLE_WEIGHT) * by_sku)


def _words(text: str) -> str:
    return _NO_WORD.sub(" ", text.lower()).strip()


def _plain(text: str) -> str:
    return _NO_WORD.sub("", text.lower())

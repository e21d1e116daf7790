"""Which M3 item a SellerSKU is: alias first, then the configured rules, else a person, with likely items to
choose.

Aliases live in M3 (MMS025MI, ALWT/ALWQ of the profile), so a mapping repaired once serves every later order.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from canonical.held import ItemCandidate
from canonical.profile import ItemRule
from canonical.sku.models import Item, Listing

CANDIDATES: Final = 5
"""How many likely items an operator is shown."""


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


def rank_candidates(listing: Listing, items: Sequence[Item]) -> tuple[ItemCandidate, ...]:
    """The M3 items most likely meant by an unmapped SKU, at most five, best first, each with its reasons: ranked as
    `o2c sku suggest` ranks them (docs/sku.md), among the items that are given. The score, 0 to 100, says how alike
    they are. Whatever the order of the items, the answer is the same. It takes a moment: call it in a thread."""
    from canonical.sku.index import ItemIndex  # noqa: PLC0415 - numpy is only loaded where somebody is held

    if not items:
        return ()
    ranked = ItemIndex(items).suggest(listing, CANDIDATES).ranked
    return tuple(
        ItemCandidate(itno=one.itno, name=one.name, score=round(100 * one.score), reasons=one.reasons)
        for one in ranked
    )

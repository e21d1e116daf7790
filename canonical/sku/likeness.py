"""How alike a listing's name and an item's are, as one number and as a share of certainty.

Three views count the same: letters (character n-grams, which forgive spelling), words (by their information), and
the model number. Four hints count a quarter each: the brand, an amount that is the same, one that is another, a
sister model. The weights are round numbers, set by this rule and not fitted. How sure a score is was fitted once, on
other shops' listings than those it is measured on: see docs/sku.md.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from canonical.sku.evidence import Evidence

HINT: Final = 0.25
BEST: Final = 3.0 + 2 * HINT
"""All three views whole, the brand and an amount the same."""

AUTOMATIC: Final = 0.985
"""Confidence from which an item may be mapped without asking, where that is switched on: there, of the pairs the
confidence was fitted to, 99.5 % and more are right."""

_BY_NOTHING: Final = -4.1
_BY_LIKENESS: Final = 2.0
_BY_LEAD: Final = 0.8


@dataclass(frozen=True)
class Alike:
    """A listing's name beside one item's."""

    letters: float
    """Cosine of their character n-grams, 0 to 1."""
    evidence: Evidence
    lead: str
    """The listing's leading model number; empty where it has none."""
    in_sku: float = 0.0
    """How much the SKU says for this item, 0 to 1: it has the item's number in it, or the model number."""
    other_gtin: bool = False
    """Both have EANs, and none in common."""

    @property
    def model(self) -> float:
        """What the leading model number counts, -0.25 to 1."""
        return max(self.evidence.known.get(self.lead, 0.0), self.in_sku) if self.lead or self.in_sku else 0.0

    @property
    def value(self) -> float:
        """Up to `BEST`; below 0 where nothing speaks for it."""
        found = self.evidence
        views = self.letters + max(found.of_listing, found.of_item) + self.model
        hints = found.first + bool(found.same_amounts) - bool(found.other_amounts)
        return views + HINT * hints - self.other_gtin


def leading_model(models: Mapping[str, float]) -> str:
    """The listing's model number that tells most: the longest and rarest; `models` has the rarity of each."""
    return max(models, key=lambda model: (models[model] * len(model), model), default="")


def confidence(value: float, lead: float) -> float:
    """How sure it is that an item of this value is the right one, if it is ahead of the next by `lead`, 0 to 1.

    Fitted by tests/bench/sku_fit.py on the Walmart-Amazon pairs (Magellan data repository), where for three listings of
    eight the item was taken out of the catalogue, so that no suggestion is right.
    """
    return 1 / (1 + math.exp(-(_BY_NOTHING + _BY_LIKENESS * value + _BY_LEAD * lead)))

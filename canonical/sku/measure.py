"""How good suggestions are, on listings whose item is known."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from canonical.sku.models import Suggestions

DEPTHS: Final = (1, 3, 5)
"""Among how many suggestions the right item is looked for."""


@dataclass
class Measured:
    """Counts of one run; shares are of what was asked."""

    threshold: float
    """Confidence from which a listing counts as mapped without asking."""
    listings: int = 0
    with_item: int = 0
    """Listings that have an item in the catalogue."""
    found: dict[int, int] = field(default_factory=lambda: dict.fromkeys(DEPTHS, 0))
    """Of those, how many have one among the first 1, 3, 5."""
    mapped: int = 0
    rightly: int = 0

    def take(self, suggestions: Suggestions, right: Collection[str]) -> int | None:
        """Count one listing whose right items are these (none: it has no item); the place of the first right
        suggestion, from 1."""
        self.listings += 1
        ranked = [one.itno for one in suggestions.ranked]
        place = next((place for place, itno in enumerate(ranked, 1) if itno in right), None)
        if right:
            self.with_item += 1
            for depth in DEPTHS:
                self.found[depth] += place is not None and place <= depth
        if suggestions.certain(self.threshold):
            self.mapped += 1
            self.rightly += place == 1
        return place

    def recall(self, depth: int) -> float | None:
        """Share of the listings with an item for which one is among the first `depth`."""
        return self.found[depth] / self.with_item if self.with_item else None

    @property
    def precision(self) -> float | None:
        """Share of the mapped listings that are mapped rightly; None where none is mapped."""
        return self.rightly / self.mapped if self.mapped else None

    @property
    def share_mapped(self) -> float:
        """Share of all listings that are mapped, also of those that have no item."""
        return self.mapped / self.listings if self.listings else 0.0

"""From what speaks for each item to a list with scores, confidence and reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from canonical.sku.likeness import BEST, Alike, confidence
from canonical.sku.models import Item, Listing, Suggestion, Suggestions
from canonical.sku.numbers import Proof, Sameness

_NAMES: Final = 0.9
"""The highest score of names alone."""
_LEAST: Final = 0.0001
"""Below that nothing is alike."""
_FLOORS: Final = {
    Sameness.PAST: 0.91,
    Sameness.NUMBER: 0.93,
    Sameness.GTIN: 0.95,
    Sameness.ALIAS: 0.97,
}
"""The lowest score of an item with that number; its name adds up to 0.02, so that a number outdoes any name."""
_SURE: Final = {
    Sameness.PAST: 0.6,
    Sameness.NUMBER: 0.95,
    Sameness.GTIN: 0.99,
    Sameness.ALIAS: 0.999,
}
"""How sure a number is by itself. Not measured: an EAN is given anew now and then, an item number may be like a SKU by
chance, and what is an alias no more was taken away for a reason."""
_DOUBTED: Final = 0.5
"""What is left of a number's certainty where the name is surely another item's, or another EAN is known."""


@dataclass(frozen=True)
class Candidate:
    """An item that comes into question for a listing."""

    place: int
    item: Item
    alike: Alike
    proofs: tuple[Proof, ...]
    number_in_sku: bool
    """The SKU has the item's number in it."""

    @property
    def proof(self) -> Proof | None:
        """The strongest."""
        return max(self.proofs, key=lambda proof: proof.sameness, default=None)


@dataclass
class Looked:
    """A listing and the items that come into question."""

    listing: Listing
    notes: tuple[str, ...]
    candidates: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """An item in the list for a listing."""

    candidate: Candidate
    value: float
    """Of the names, less what another listing fits better."""
    yielded: bool
    """Another listing fits it better."""

    @property
    def score(self) -> float:
        likeness = min(1.0, max(0.0, self.value / BEST))
        proof = self.candidate.proof
        return _FLOORS[proof.sameness] + 0.02 * likeness if proof else _NAMES * likeness


def rivals_of(looked: Sequence[Looked]) -> list[dict[int, float]]:
    """For each listing, for each of its items (by place), the value that the best of the other listings has."""
    best: dict[int, list[tuple[float, int]]] = {}
    for number, one in enumerate(looked):
        for candidate in one.candidates:
            two = best.setdefault(candidate.place, [])
            two.append((candidate.alike.value, number))
            two.sort(reverse=True)
            del two[2:]
    found: list[dict[int, float]] = []
    for number, one in enumerate(looked):
        others = {
            candidate.place: [value for value, other in best[candidate.place] if other != number]
            for candidate in one.candidates
        }
        found.append({place: values[0] for place, values in others.items() if values})
    return found


def standings(looked: Looked, rivals: Mapping[int, float]) -> list[Standing]:
    """The items of one listing, the likeliest first; equal ones by item number. `rivals`: see `rivals_of`."""
    found = []
    for one in looked.candidates:
        behind = max(0.0, rivals.get(one.place, 0.0) - one.alike.value)
        found.append(Standing(one, one.alike.value - behind, behind > 0))
    return sorted(found, key=lambda one: (-one.score, -one.value, one.candidate.item.itno))


def ranked(looked: Looked, rivals: Mapping[int, float], count: int) -> Suggestions:
    """The list for one listing, at most `count`; `rivals` is empty where it stands for itself."""
    found = standings(looked, rivals)
    by_name = sorted((one.value for one in found), reverse=True)
    suggested = tuple(
        Suggestion(
            itno=one.candidate.item.itno,
            name=one.candidate.item.name,
            score=round(one.score, 4),
            confidence=round(_confidence(one, found, by_name), 4),
            reasons=_reasons(looked.listing, one),
        )
        for one in found[:count]
        if one.score >= _LEAST
    )
    return Suggestions(listing=looked.listing, ranked=suggested, notes=looked.notes)


def _confidence(one: Standing, all_of_them: list[Standing], by_name: list[float]) -> float:
    best, second = [*by_name, 0.0, 0.0][:2]
    sure = confidence(one.value, one.value - (second if one.value == best else best))
    proven = [each for each in all_of_them if each.candidate.proof]
    proof = one.candidate.proof
    if not proof:
        doubted = bool(proven) or one.candidate.alike.other_gtin
        return sure * _DOUBTED if doubted else sure
    number = _SURE[proof.sameness] / max(proof.shared_by, len(proven))
    if _names_say_another(one, all_of_them):
        return number * _DOUBTED
    return 1 - (1 - number) * (1 - sure) if len(proven) == 1 else number


def _names_say_another(one: Standing, all_of_them: list[Standing]) -> bool:
    """Whether another item would be sure enough by its name, were there no numbers."""
    return any(
        confidence(each.value, each.value - one.value) >= _DOUBTED
        for each in all_of_them
        if each.value > one.value
    )


def _reasons(listing: Listing, one: Standing) -> tuple[str, ...]:
    candidate, alike, found = one.candidate, one.candidate.alike, one.candidate.alike.evidence
    reasons = [proof.reason for proof in sorted(candidate.proofs, key=lambda proof: -proof.sameness)]
    if candidate.number_in_sku:
        reasons.append(f"SKU {listing.sku} has its number in it")
    models = sorted(
        (model for model, counts in found.known.items() if counts == 1), key=lambda one: (-len(one), one)
    )
    if alike.lead in models:
        models = [alike.lead]
    if models:
        reasons.append(f"model number {models[0].upper()} is in both names")
    elif 0 < found.known.get(alike.lead, 0.0) < 1:
        reasons.append(f"another variant of model number {alike.lead.upper()}")
    if found.shared:
        reasons.append(f"{found.shared} of {found.words} words of the title")
    reasons += [f"{amount} in both names" for amount in found.same_amounts]
    reasons += [f"but not {amount}" for amount in found.other_amounts]
    if found.known.get(alike.lead, 0.0) < 0:
        reasons.append(f"but another model than {alike.lead.upper()}")
    if alike.other_gtin:
        reasons.append("but its EAN is another")
    if one.yielded:
        reasons.append("but another listing fits it better")
    return tuple(reasons) or ("some letters are the same",)

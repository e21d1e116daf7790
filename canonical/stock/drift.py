"""What Amazon shows against what it should show."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from canonical.stock.models import OfferName
from canonical.stock.pushes import OfferState


class DriftKind(StrEnum):
    """How an offer differs, the worst first."""

    MORE = "more"
    """Amazon shows more than it should: it may sell what is not there."""
    REFUSED = "refused"
    """Amazon did not take the quantity; a person has to see to the listing."""
    NO_OFFER = "no_offer"
    """Amazon has no such offer, or shows no quantity for it."""
    UNKNOWN = "unknown"
    """Amazon offers an MFN quantity of a SKU for which nothing is known here: no mapping, no warehouse."""
    LESS = "less"
    """Amazon shows less than it should: sales are lost, nothing worse."""


class Drift(BaseModel):
    """One offer that differs."""

    model_config = ConfigDict(frozen=True)

    name: OfferName
    kind: DriftKind
    shows: int | None
    should: int | None
    on_its_way: bool = False
    """A quantity has been sent and not been confirmed yet: it may be right in a moment."""
    reason: str = ""
    """Amazon's issue, where it refused."""


_ORDER = {kind: place for place, kind in enumerate(DriftKind)}


def drift(states: Iterable[OfferState], shows: Mapping[OfferName, int | None]) -> list[Drift]:
    """The offers that differ, the worst first and of one kind the largest difference first.

    `shows`: every MFN quantity that Amazon shows (Listings Items, fulfillmentAvailability DEFAULT), None where it has
    none. States without a wanted quantity and those of FBA offers are not judged.
    """
    found: list[Drift] = []
    known: set[OfferName] = set()
    for state in states:
        known.add(state.name)
        if state.wanted is None or state.offer.channel == "FBA":
            continue
        seen = shows.get(state.name)
        kind = _kind(state, seen)
        if kind is not None:
            found.append(
                Drift(
                    name=state.name,
                    kind=kind,
                    shows=seen,
                    should=state.wanted,
                    on_its_way=state.flight is not None,
                    reason=f"{state.refusal.code} {state.refusal.message}" if state.refusal else "",
                )
            )
    found += [
        Drift(name=name, kind=DriftKind.UNKNOWN, shows=quantity, should=None)
        for name, quantity in shows.items()
        if quantity and name not in known
    ]
    return sorted(found, key=lambda each: (_ORDER[each.kind], -_difference(each), each.name))


def _kind(state: OfferState, seen: int | None) -> DriftKind | None:
    should = state.wanted or 0
    if seen is not None and seen > should:
        return DriftKind.MORE
    if state.refusal is not None:
        return DriftKind.REFUSED
    if seen is None:
        return DriftKind.NO_OFFER
    return DriftKind.LESS if seen < should else None


def _difference(each: Drift) -> int:
    return abs((each.shows or 0) - (each.should or 0))

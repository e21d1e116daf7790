"""Corrections of packages: what is told again, and what is not."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from canonical.order import Package
from canonical.packages import corrected, told_since

AT = datetime(2026, 11, 1, tzinfo=UTC)
words = st.sampled_from(["", "DHL", "UPS", "1Z1", "1Z2"])
packages = st.dictionaries(st.sampled_from(["101", "102", "103"]), st.tuples(words, words)).map(
    lambda found: tuple(
        Package(reference=key, carrier=carrier, tracking_number=tracking, shipped_at=AT, items={"11": 1})
        for key, (carrier, tracking) in found.items()
    )
)


@given(packages, packages)
def test_a_correction_that_was_told_is_none(told: tuple[Package, ...], now: tuple[Package, ...]) -> None:
    again = corrected(told, now)
    assert corrected(told_since(told, again), now) == ()


@given(packages, packages)
def test_only_known_references_are_corrected_and_nothing_is_blanked(
    told: tuple[Package, ...], now: tuple[Package, ...]
) -> None:
    before = {package.reference: package for package in told}
    for package in corrected(told, now):
        known = before[package.reference]
        assert package != known
        assert package.items == known.items
        assert package.shipped_at == known.shipped_at
        assert bool(known.tracking_number) <= bool(package.tracking_number)
        assert bool(known.carrier) <= bool(package.carrier)


def test_a_tracking_number_with_blanks_around_is_the_same() -> None:
    one = Package(reference="101", carrier="DHL", tracking_number="1Z1", shipped_at=AT, items={"11": 1})
    assert corrected([one], [one.model_copy(update={"tracking_number": " 1Z1 "})]) == ()

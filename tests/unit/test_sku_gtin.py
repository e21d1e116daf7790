"""EAN and UPC: one form, and never one with a wrong check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.sku.gtin import NotAGtin, check_digit, gtin_or_none, read_gtin, shown_gtin


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("4006381333931", "04006381333931"),
        ("036000291452", "00036000291452"),
        ("0036000291452", "00036000291452"),
        ("4-006381-333931 ", "04006381333931"),
        ("10036000291459", "10036000291459"),
        ("96385074", "00000096385074"),
    ],
)
def test_one_number_has_one_form(text: str, full: str) -> None:
    assert read_gtin(text) == full


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4006381333932", "has the check digit 2 where it must be 1"),
        ("400638133393", "has the check digit 3 where it must be"),
        ("0000000000000", "is nothing but zeros"),
        ("2012345678903", "is of the numbers every company may give for itself"),
        ("40063813339", "is not 8, 12, 13 or 14 digits"),
        ("400638133393X", "is not 8, 12, 13 or 14 digits"),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", "is not 8, 12, 13 or 14 digits"),
        ("", "is not 8, 12, 13 or 14 digits"),
    ],
)
def test_why_a_number_is_none(text: str, why: str) -> None:
    with pytest.raises(NotAGtin, match=why):
        read_gtin(text)


@given(st.integers(min_value=10**11, max_value=19 * 10**10 + 10**11), st.integers(0, 12), st.integers(1, 9))
def test_a_single_wrong_digit_is_never_taken(digits: int, place: int, off: int) -> None:
    right = str(digits) + check_digit(str(digits))
    wrong = right[:place] + str((int(right[place]) + off) % 10) + right[place + 1 :]
    assert gtin_or_none(wrong) is None


def test_it_is_shown_as_printed() -> None:
    assert shown_gtin(read_gtin("036000291452")) == "0036000291452"
    assert shown_gtin(read_gtin("10036000291459")) == "10036000291459"

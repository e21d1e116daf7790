"""Trade item numbers: EAN, UPC and their longer form, GTIN (GS1 General Specifications, sections 1 and 7.9)."""

import re
from typing import Final

_LENGTHS: Final = (8, 12, 13, 14)
_SEPARATORS: Final = re.compile(r"[\s\-]+")
_DIGITS: Final = re.compile(r"[0-9]+")


class NotAGtin(ValueError):  # noqa: N818 - said as the end of a sentence
    """The text is no trade item number; the message says why, as the end of a sentence."""


def read_gtin(text: str) -> str:
    """The number in its one form, 14 digits with zeros in front, so that UPC 036000291452 and EAN
    0036000291452 are the same.

    Raises NotAGtin: not 8, 12, 13 or 14 digits (spaces and hyphens aside), a check digit that is wrong, or a
    number that stands for no single product. The last are zeros only, and those GS1 leaves to each company or
    shop for its own use (EAN 02, 04 and 20 to 29, coupons 05 and 98 to 99): the same one means another product
    elsewhere.
    """
    digits = _SEPARATORS.sub("", text.strip())
    if not _DIGITS.fullmatch(digits) or len(digits) not in _LENGTHS:
        raise NotAGtin("is not 8, 12, 13 or 14 digits")
    expected = check_digit(digits[:-1])
    if digits[-1] != expected:
        raise NotAGtin(f"has the check digit {digits[-1]} where it must be {expected}")
    full = digits.zfill(14)
    if not int(full):
        raise NotAGtin("is nothing but zeros")
    if _is_local(full):
        raise NotAGtin("is of the numbers every company may give for itself")
    return full


def gtin_or_none(text: str) -> str | None:
    """The number in its one form; None where the text is none."""
    try:
        return read_gtin(text)
    except NotAGtin:
        return None


def shown_gtin(gtin: str) -> str:
    """The number as it is printed: 13 digits, or 14 where it stands for a case of goods."""
    return gtin[1:] if gtin.startswith("0") else gtin


def check_digit(digits: str) -> str:
    """The check digit that follows these: weights 3 and 1 from the right, up to the next ten."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _is_local(gtin: str) -> bool:
    """Whether the number is for use within one company, by its prefix. Only an EAN-8 begins with six zeros."""
    if gtin.startswith("000000"):
        return gtin[6] in "02"
    return gtin[1] == "2" or gtin[1:3] in {"02", "04", "05", "98", "99"}

"""State, province and region texts as Amazon has them, turned into M3's codes (ECAR, two characters)."""

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

import pycountry

ECAR_LENGTH: Final = 2

_MILITARY: Final = {"armedforcesamericas": "AA", "armedforceseurope": "AE", "armedforcespacific": "AP"}
"""US military mail: addresses Amazon delivers to, which ISO 3166-2 does not list."""


def plain(text: str) -> str:
    """The text without case, accents, blanks and punctuation, for comparison only."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def state_code(text: str, country: str, own_codes: Mapping[str, str]) -> str | None:
    """The code of a state: by the profile's own codes, else ISO 3166-2 by code or full name.

    Case and accents do not matter. The code may be longer than ECAR holds (Australia's NSW, Mexico's ROO).
    None where no state is called so.
    """
    own = {plain(name): code for name, code in own_codes.items()}
    return own.get(plain(text)) or _iso_codes(country).get(plain(text))


@cache
def _iso_codes(country: str) -> dict[str, str]:
    """Code by plain name and plain code. Numeric codes are a level above the postal one (Italy's regions):
    left out.

    Sorted, because pycountry keeps subdivisions in a set: where a name exists twice, the choice is the same
    each time.
    """
    codes: dict[str, str] = {}
    subdivisions = pycountry.subdivisions.get(country_code=country) or ()  # type: ignore[no-untyped-call]
    for subdivision in sorted(subdivisions, key=lambda each: str(each.code)):
        code = str(subdivision.code).partition("-")[2]
        if code.isdecimal():
            continue
        for name in (code, str(subdivision.code), *str(subdivision.name).split("/")):
            codes.setdefault(plain(name), code)
    if country == "US":
        for name, code in _MILITARY.items():
            codes.setdefault(name, code)
            codes.setdefault(plain(code), code)
    return codes

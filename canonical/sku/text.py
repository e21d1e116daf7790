"""The words of a product's name, in one spelling.

Shops and item registers write the same thing in many ways: `PS-LX350H`, `PSLX350H`, `PS LX350H`; `40"`, `40in`,
`40-inch`. Words come out in small Latin letters, an amount apart from its unit, and a unit under one name.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from anyascii import anyascii

_MARKS: Final = re.compile("[™®©℠]")
_INCHES: Final = re.compile(r"(?<=\d)\s*(?:\"|''|”|″)")
_APOSTROPHES: Final = re.compile(r"(?<=[a-z])'(?=[a-z])")
_WORD: Final = re.compile(r"\d+(?:\.\d+)+|[a-z0-9]+")
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)([a-z]+)")
_DIGIT: Final = re.compile(r"\d")
_LETTER: Final = re.compile(r"[a-z]")

_SPELLINGS: Final = {
    "in": "inch inches zoll",
    "ft": "foot feet",
    "mm": "millimeter millimeters millimetre millimetres",
    "cm": "centimeter centimeters centimetre centimetres",
    "m": "meter meters metre metres",
    "oz": "ounce ounces",
    "lb": "lbs pound pounds",
    "g": "gr gram grams gramm",
    "kg": "kilo kilos kilogram kilograms kilogramm",
    "ml": "milliliter milliliters millilitre millilitres",
    "l": "liter liters litre litres ltr",
    "w": "watt watts",
    "v": "volt volts",
    "a": "amp amps ampere",
    "mah": "",
    "hz": "hertz",
    "mhz": "megahertz",
    "ghz": "gigahertz",
    "kb": "kilobyte kilobytes",
    "mb": "megabyte megabytes",
    "gb": "gigabyte gigabytes",
    "tb": "terabyte terabytes",
    "mp": "megapixel megapixels",
    "pk": "pack packs pc pcs piece pieces stk count ct",
}
_UNITS: Final = {word: unit for unit, words in _SPELLINGS.items() for word in (unit, *words.split())}
"""Units by every spelling, with the one they get here. Only a word after an amount is taken for a unit."""

_NEIGHBOURS: Final = 3
"""Words that may be one word or model number written apart."""
_LONGEST_RUN: Final = 5
"""Words of one model number with hyphens or the like."""


class Word(NamedTuple):
    """A word of a name."""

    text: str
    piece: int
    """Words that are not parted by a blank have the same number: `ps` and `lx350h` of `PS-LX350H`."""


class Run(NamedTuple):
    """A word, or neighbouring ones, written together."""

    key: str
    start: int
    """Its first word."""
    words: int
    """How many words it is made of."""
    together: bool
    """Whether the name has them without a blank between them."""


def plain(text: str) -> str:
    """Small Latin letters, digits and punctuation: accents, other scripts and typographic signs are put into
    them, signs of trade marks are left out."""
    folded = unicodedata.normalize("NFKC", _MARKS.sub(" ", text))
    return _APOSTROPHES.sub("", _INCHES.sub(" in ", anyascii(folded).lower()))


def words_of(text: str) -> tuple[Word, ...]:
    """The words in their order; none where the text has no letter and no digit."""
    words: list[Word] = []
    piece = 0
    for together in plain(text).split():
        piece += 1
        after_letters = False
        for word in _WORD.findall(together):
            amount = None if after_letters else _AMOUNT.fullmatch(word)
            if amount and amount[2] in _UNITS:
                words += (Word(amount[1], piece + 1), Word(_UNITS[amount[2]], piece + 2))
                piece += 3
            elif words and not after_letters and words[-1].text[0].isdigit():
                words.append(Word(_UNITS.get(word, word), piece))
            else:
                words.append(Word(word, piece))
            after_letters = _LETTER.search(word) is not None
    return tuple(words)


def has_digit(word: str) -> bool:
    return _DIGIT.search(word) is not None


def may_be_model(key: str) -> bool:
    """Whether a run may be a model number: it has a digit, and four characters, or three with a letter."""
    return has_digit(key) and len(key) >= (3 if _LETTER.search(key) else 4)


def runs_of(words: tuple[Word, ...]) -> Iterator[Run]:
    """Every word, every two or three neighbours as if they were one, and longer ones that are written as one."""
    for start, first in enumerate(words):
        key = ""
        for count, word in enumerate(words[start : start + _LONGEST_RUN], 1):
            together = word.piece == first.piece
            if count > _NEIGHBOURS and not together:
                break
            key += word.text.replace(".", "")
            yield Run(key, start, count, together)


def amounts_of(words: tuple[Word, ...]) -> dict[str, set[str]]:
    """The numbers in a name by the word that follows them: of what it has how much or how many."""
    found: dict[str, set[str]] = {}
    for number, word in pairwise(words):
        if word.text.isalpha() and number.text.replace(".", "", 1).isdecimal():
            whole = number.text.rstrip("0").rstrip(".") if "." in number.text else number.text
            found.setdefault(word.text, set()).add(whole)
    return found


def squeezed(code: str) -> str:
    """A number or SKU without its punctuation: `100-tea.a` and `100TEA-A` are the same."""
    return "".join(_WORD.findall(plain(code))).replace(".", "")

"""One spelling for what shops and item registers write in many ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.sku.evidence import nearness, variant_share
from canonical.sku.text import amounts_of, plain, runs_of, squeezed, words_of


def _words(text: str) -> list[str]:
    return [word.text for word in words_of(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Sony PS-LX350H", ["sony", "ps", "lx350h"]),
        ('TV 40"', ["tv", "40", "in"]),
        ("TV 40-inch", ["tv", "40", "in"]),
        ("TV 40in", ["tv", "40", "in"]),
        ("0.5 Liter", ["0.5", "l"]),
        ("Müller’s Café™", ["mullers", "cafe"]),
        ("CLI-8PC", ["cli", "8pc"]),
        ("Чай", ["chay"]),
        ("--- !!", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert _words(text) == words


def test_a_model_number_written_apart_is_the_same_run() -> None:
    written = ("KDL40V4100", "KDL-40V4100", "KDL 40V4100")
    assert all("kdl40v4100" in {run.key for run in runs_of(words_of(text))} for text in written)
    apart = {run.key: run.together for run in runs_of(words_of(written[2]))}
    assert not apart["kdl40v4100"]


def test_amounts_by_what_they_are_of() -> None:
    assert amounts_of(words_of("5 Disc CD Changer 40in 2.0 cu")) == {"disc": {"5"}, "in": {"40"}, "cu": {"2"}}


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("nnc994ss", "nnc994s", 7 / 8),
        ("dc50w", "dc50b", 4 / 5),
        ("kx1033", "kx1034", 0),
        ("u5140", "u5140900", 0),
        ("sony", "sonic", 0),
    ],
)
def test_variants_of_a_model(one: str, other: str, share: float) -> None:
    assert variant_share(one, other) == variant_share(other, one) == share


@pytest.mark.parametrize(
    ("one", "other", "near"), [("black", "bla", 0.6), ("kettle", "kttl", 4 / 6), ("tea", "tin", 0)]
)
def test_shortened_words(one: str, other: str, near: float) -> None:
    assert nearness(one, other) == nearness(other, one) == pytest.approx(near)


def test_a_misspelt_word_is_nearly_the_same() -> None:
    assert nearness("frigidaire", "frigidarie") > 0.9


@given(st.text(max_size=60))
def test_any_text_has_plain_words(text: str) -> None:
    words = _words(text)
    assert all(word and word == word.lower() and word.isascii() for word in words)
    assert squeezed(text).isalnum() or not squeezed(text)
    assert plain(plain(text)) == plain(text)

"""Suggestions for SKUs: how often the right item comes first, and what a large catalogue costs.

On real listings of two shops (Abt-Buy, where it is beside the checkout) five ways rank the same items by the listing's
name, in one run: the suggestions for all listings together, for each by itself, TF-IDF over character n-grams, TF-IDF
over words, and RapidFuzz's token_set_ratio. The half of the listings that had no part in choosing anything is told
apart, and so is a catalogue that lacks half of its items. Made-up products show the cost: a catalogue of `count` items
is built and asked in a process of its own.
"""

import asyncio
import hashlib
import json
import random
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer

from canonical.sku.index import ItemIndex
from canonical.sku.likeness import AUTOMATIC
from canonical.sku.measure import DEPTHS, Measured
from canonical.sku.models import Item, Listing, Suggestions
from canonical.sku.ranking import ranked, rivals_of
from starters.sku_files import read_named, read_pairs

SHARED: Final = Path(__file__).resolve().parents[2].parent / "shared" / "sku-matching"
_TOGETHER: Final = "suggestions, all listings together"
_ALONE: Final = "suggestions, each listing by itself"


@dataclass(frozen=True)
class Pairs:
    """Listings and items of two shops, and which are the same."""

    listings: Mapping[str, str]
    items: Mapping[str, str]
    right: Mapping[str, Collection[str]]


async def run(_: Path, count: int) -> dict[str, object]:
    """Both parts, one after the other."""
    pairs = abt_buy()
    result: dict[str, object] = {}
    if pairs is None:
        result["abt_buy"] = (
            f"absent: there is no folder {SHARED}, so nothing is said of how good the suggestions are"
        )
    else:
        result |= _quality(pairs)
    return result | {"made_up_catalogue": await _large(count)}


def abt_buy() -> Pairs | None:
    """The benchmark as it is published, by name only; None where it is not there."""
    if not SHARED.is_dir():
        return None
    listings, items = dict(read_named(SHARED / "abt.csv")), dict(read_named(SHARED / "buy.csv"))
    return Pairs(listings, items, read_pairs(SHARED / "abt_buy_perfect_mapping.csv", listings, items))


def held_back(key: str) -> bool:
    """Whether a listing is in the half nobody looked at while the suggestions were built, by its id's hash."""
    return hashlib.sha256(key.encode()).digest()[0] % 2 == 1


def _quality(pairs: Pairs) -> dict[str, object]:
    suggested, took = _suggested(pairs, pairs.items)
    lacking, _ = _suggested(pairs, _half(pairs.items))
    ways = {**suggested, **dict(_others(pairs))}
    return {
        "listings": len(pairs.listings),
        "items": len(pairs.items),
        "ms_per_listing": round(1000 * took / len(pairs.listings), 1),
        "ways": [{"way": way, **_recalls(found, pairs)} for way, found in ways.items()],
        "mapped without asking": [
            {"way": way, "catalogue": catalogue, **_mapped(found, pairs)}
            for catalogue, all_found in (("whole", suggested), ("half of it", lacking))
            for way, found in all_found.items()
        ],
    }


def _suggested(pairs: Pairs, items: Mapping[str, str]) -> tuple[dict[str, list[Suggestions]], float]:
    """Both ways of suggesting, and the seconds it took."""
    index = ItemIndex(Item(itno=itno, name=name) for itno, name in items.items())
    began = time.perf_counter()
    looked = [index.look(Listing(title=name)) for name in pairs.listings.values()]
    together = [
        ranked(one, rivals, max(DEPTHS)) for one, rivals in zip(looked, rivals_of(looked), strict=True)
    ]
    took = time.perf_counter() - began
    return {_TOGETHER: together, _ALONE: [ranked(one, {}, max(DEPTHS)) for one in looked]}, took


def _half(items: Mapping[str, str]) -> dict[str, str]:
    kept = set(random.Random(7).sample(sorted(items), len(items) // 2))
    return {itno: name for itno, name in items.items() if itno in kept}


def _recalls(found: Sequence[Suggestions] | Sequence[Sequence[str]], pairs: Pairs) -> dict[str, object]:
    told: dict[str, object] = {}
    for part, chosen in (("all", None), ("held back", True), ("looked at", False)):
        places = [
            next((place for place, itno in enumerate(_itnos(one), 1) if itno in right), None)
            for key, one in zip(pairs.listings, found, strict=True)
            if (right := pairs.right.get(key)) and (chosen is None or held_back(key) is chosen)
        ]
        for depth in DEPTHS:
            hits = sum(place is not None and place <= depth for place in places)
            told[f"recall@{depth}, {part}"] = round(hits / len(places), 4)
    return told


def _itnos(found: Suggestions | Sequence[str]) -> Sequence[str]:
    return [one.itno for one in found.ranked] if isinstance(found, Suggestions) else found


def _mapped(found: Sequence[Suggestions], pairs: Pairs) -> dict[str, object]:
    told: dict[str, object] = {}
    for part, chosen in (("all", None), ("held back", True)):
        measured = Measured(AUTOMATIC)
        for key, one in zip(pairs.listings, found, strict=True):
            if chosen is None or held_back(key) is chosen:
                measured.take(one, pairs.right.get(key, ()))
        told[f"precision, {part}"] = None if measured.precision is None else round(measured.precision, 4)
        told[f"share mapped, {part}"] = round(measured.share_mapped, 4)
        told[f"wrong, {part}"] = measured.mapped - measured.rightly
    return told


def _others(pairs: Pairs) -> Iterator[tuple[str, list[list[str]]]]:
    """The rankings of other ways, as item ids."""
    listings, items, itnos = list(pairs.listings.values()), list(pairs.items.values()), list(pairs.items)

    def best(values: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> list[list[str]]:
        order = np.argsort(-values, axis=1, kind="stable")[:, : max(DEPTHS)]
        return [[itnos[place] for place in row] for row in order]

    for name, vectorizer in (
        ("TF-IDF, character n-grams 2-5", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))),
        ("TF-IDF, words", TfidfVectorizer()),
    ):
        known = vectorizer.fit_transform(items)
        yield name, best((vectorizer.transform(listings) @ known.T).toarray())
    lower = [[name.lower() for name in names] for names in (listings, items)]
    yield "RapidFuzz token_set_ratio", best(process.cdist(*lower, scorer=fuzz.token_set_ratio))


async def _large(count: int) -> dict[str, object]:
    command = (sys.executable, "-m", "tests.bench.sku_index", str(count))
    process_ = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process_.communicate()
    if process_.returncode:
        raise RuntimeError(f"The large catalogue ended with {process_.returncode}.")
    told: dict[str, object] = json.loads(out)
    return told

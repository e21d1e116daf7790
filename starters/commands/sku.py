"""`o2c sku`: which M3 item a SellerSKU may be."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from canonical.sku.likeness import AUTOMATIC
from canonical.sku.measure import DEPTHS, Measured
from canonical.sku.models import Item, Listing, Suggestions
from starters.console import say, say_json
from starters.options import AsJson
from starters.sku_files import read_named, read_pairs

app = typer.Typer(
    name="sku",
    help="Which M3 item a SellerSKU may be.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
_DETAILS = ("query_id", "name", "item_id", "item_name", "score", "confidence", "right_at", "reasons")


@app.command(epilog="\b\nExample:\n  o2c sku evaluate listings.csv items.csv pairs.csv --json")
def evaluate(
    queries: Annotated[Path, typer.Argument(metavar="QUERIES", help="Listings: CSV with id, name.")],
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="Items: CSV with id, name.")],
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS", help="Which item each listing is: CSV with query_id, item_id.")
    ],
    *,
    threshold: Annotated[
        float,
        typer.Option("--threshold", min=0, max=1, help="Confidence from which one is mapped without asking."),
    ] = AUTOMATIC,
    alone: Annotated[
        bool, typer.Option("--alone", help="Every listing by itself; else they compete for the items.")
    ] = False,
    details: Annotated[
        Path | None,
        typer.Option(
            "--details", metavar="FILE", help="Write the first suggestion for every listing as CSV."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the suggestions on a catalogue of your own, by names alone; nothing leaves this machine. Exit 2 if
    a file cannot be read. No configuration is needed."""
    from canonical.sku.index import ItemIndex  # noqa: PLC0415 - numpy is only loaded here

    listings, items = read_named(queries), read_named(catalogue)
    right = read_pairs(pairs, listings, items)
    index = ItemIndex(Item(itno=itno, name=name) for itno, name in items.items())
    asked = [Listing(title=name) for name in listings.values()]
    suggested = [index.suggest(one) for one in asked] if alone else index.suggest_all(asked)
    measured = Measured(threshold)
    rows = [
        _row(key, found, measured.take(found, right.get(key, ())))
        for key, found in zip(listings, suggested, strict=True)
    ]
    if details is not None:
        _write(details, rows)
    if as_json:
        say_json(_result(measured))
    else:
        _say(measured, len(items))


def _row(key: str, found: Suggestions, place: int | None) -> tuple[object, ...]:
    if not found.ranked:
        return (key, found.listing.title, "", "", "", "", "", "")
    best = found.ranked[0]
    told = (best.itno, best.name, best.score, best.confidence, place or "", "; ".join(best.reasons))
    return (key, found.listing.title, *told)


def _result(measured: Measured) -> dict[str, object]:
    return {
        "recall": {str(depth): _rounded(measured.recall(depth)) for depth in DEPTHS},
        "precision_at_threshold": _rounded(measured.precision),
        "share_mapped": _rounded(measured.share_mapped),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _say(measured: Measured, items: int) -> None:
    say(f"{measured.listings} listings, {measured.with_item} of them with an item among {items}.")
    for depth in DEPTHS:
        where = "is the first suggestion" if depth == 1 else f"is among the first {depth}"
        say(f"{_percent(measured.recall(depth))}: the right item {where}.")
    if not measured.mapped:
        say(f"At confidence {measured.threshold:g} or more: none.")
        return
    say(
        f"{_percent(measured.share_mapped)}: at confidence {measured.threshold:g} or more, so mapped without "
        f"asking, where that is switched on. {_percent(measured.precision)} of them are right, "
        f"{measured.mapped - measured.rightly} of {measured.mapped} wrong."
    )


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _write(file: Path, rows: list[tuple[object, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_DETAILS)
        writer.writerows(rows)

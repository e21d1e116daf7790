"""A catalogue of made-up items, built and asked: `python -m tests.bench.sku_index 100000`."""

import json
import statistics
import sys
import time

from canonical.sku.index import ItemIndex
from tests.bench.settlement_readers import peak_mb
from tests.bench.sku_made import item_of, listing_of, made_products

_ASKED = 300


def main() -> None:
    count = int(sys.argv[1])
    products = made_products(count)
    items = [item_of(product) for product in products]
    before, began = peak_mb(), time.perf_counter()
    index = ItemIndex(items)
    built = time.perf_counter() - began
    after = peak_mb()
    took = []
    for product in products[:: max(1, count // _ASKED)]:
        listing = listing_of(product)
        began = time.perf_counter()
        index.suggest(listing)
        took.append((time.perf_counter() - began) * 1000)
    told = {
        "items": count,
        "build_seconds": round(built, 1),
        "query_ms_median": round(statistics.median(took), 1),
        "query_ms_95_percent": round(statistics.quantiles(took, n=20)[-1], 1),
        "peak_mb": round(peak_mb()),
        "peak_mb_with_the_items_only": round(before),
        "peak_mb_built": round(after),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

"""How sure a likeness is: fits the numbers of `canonical/sku/likeness.py` to pairs that are known.

`python -m tests.bench.sku_fit QUERIES CATALOGUE PAIRS`, the files as `o2c sku evaluate` takes them. They are asked with
the whole catalogue once, and three times with half of the paired items taken out by chance, so that for three listings
of eight no suggestion is right. Only listings that have a pair count: of the others nobody knows. What was given to
it: see docs/sku.md.
"""

import random
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from canonical.sku.index import ItemIndex
from canonical.sku.models import Item, Listing
from canonical.sku.ranking import rivals_of, standings
from starters.sku_files import read_named, read_pairs

_THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99)


def main() -> None:
    queries, catalogue = (read_named(Path(file)) for file in sys.argv[1:3])
    pairs = read_pairs(Path(sys.argv[3]), queries, catalogue)
    paired = sorted({item for items in pairs.values() for item in items})
    rows: list[tuple[float, float]] = []
    right: list[bool] = []
    for seed in range(4):
        gone = set(random.Random(seed).sample(paired, len(paired) // 2 if seed else 0))
        index = ItemIndex(Item(itno=itno, name=name) for itno, name in catalogue.items() if itno not in gone)
        looked = [index.look(Listing(title=name)) for name in queries.values()]
        for query, one, rivals in zip(queries, looked, rivals_of(looked), strict=True):
            found = standings(one, rivals)
            if query in pairs and len(found) > 1:
                rows.append((found[0].value, found[0].value - found[1].value))
                right.append(found[0].candidate.item.itno in pairs[query])
    given, wanted = np.array(rows), np.array(right)
    model = LogisticRegression(C=1e3).fit(given, wanted)
    print("by nothing, likeness, lead:", model.intercept_.round(2), model.coef_.round(2))
    sure = model.predict_proba(given)[:, 1]
    for threshold in _THRESHOLDS:
        taken = sure >= threshold
        print(threshold, f"{taken.mean():.3f} mapped", f"{wanted[taken].mean():.4f} right")


if __name__ == "__main__":
    main()

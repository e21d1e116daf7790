"""Amazon's stock beside what M3 keeps for it, item by item. It is only told: nothing is corrected from a difference.

M3's warehouse holds what Amazon holds as sellable and sold (fulfillable and reserved). Two things may make them differ
for a while: corrections that are not in M3 yet, and orders that Amazon has sent and M3 has not issued yet. M3 does not
say which of its orders Amazon has sent, so up to all that its orders want may be gone already.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from canonical.stock.fba_pool import FbaPool
from canonical.stock.models import Balance, Known, NoBalance, PoolKey


class FbaDifference(BaseModel):
    """One item in one of M3's warehouses that stand for Amazon's."""

    model_config = ConfigDict(frozen=True)

    whlo: str
    itno: str
    skus: tuple[str, ...]
    """Seller and SKU, ``SELLER/SKU``."""
    amazon: int
    """Pieces that Amazon holds, each area's pool once."""
    m3: Decimal
    """On-hand balance approved (STQT); 0 where M3 has no balance."""
    under_way: int = 0
    """Sum of corrections that are not in M3 yet."""
    in_orders: Decimal = Decimal(0)
    """What M3's orders want (ALQT and REQT): Amazon may have sent it already."""
    sentence: str = ""
    """Why M3 has no balance."""

    @property
    def difference(self) -> Decimal:
        """Amazon's less M3's."""
        return self.amazon - self.m3

    @property
    def beyond(self) -> Decimal:
        """What neither corrections nor orders under way explain; below zero where M3 has more than Amazon."""
        rest = self.difference - self.under_way
        return rest if rest >= 0 else min(Decimal(0), rest + max(self.in_orders, Decimal(0)))


def fba_differences(
    pools: Iterable[tuple[FbaPool, PoolKey]],
    balances: Mapping[PoolKey, Known],
    under_way: Mapping[PoolKey, int],
) -> list[FbaDifference]:
    """Every item, what is beyond explanation first, the largest first. `pools`: each with its item and warehouse."""
    held: dict[PoolKey, int] = {}
    skus: dict[PoolKey, list[str]] = {}
    for pool, key in pools:
        held[key] = held.get(key, 0) + pool.held
        skus.setdefault(key, []).append(f"{pool.seller}/{pool.sku}")
    found = [
        _difference(key, pieces, skus[key], balances.get(key), under_way.get(key, 0))
        for key, pieces in held.items()
    ]
    return sorted(found, key=lambda one: (-abs(one.beyond), -abs(one.difference), one.whlo, one.itno))


def _difference(
    key: PoolKey, pieces: int, skus: list[str], known: Known | None, under_way: int
) -> FbaDifference:
    balance = known if isinstance(known, Balance) else None
    return FbaDifference(
        whlo=key.whlo,
        itno=key.itno,
        skus=tuple(sorted(set(skus))),
        amazon=pieces,
        m3=balance.on_hand if balance else Decimal(0),
        under_way=under_way,
        in_orders=balance.allocated + balance.reserved if balance else Decimal(0),
        sentence="" if balance else _why(key, known),
    )


def _why(key: PoolKey, known: Known | None) -> str:
    if not isinstance(known, NoBalance):
        return f"M3 told no balance of item {key.itno} in warehouse {key.whlo}."
    return known.sentence.removesuffix(" Nothing of it is offered.")

"""How much of the free stock is offered where: configured per item and marketplace, the most particular rule first."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from canonical.stock.models import Offer, PoolKey


class Sharing(StrEnum):
    """What several offers of one pool may promise together."""

    SHARED = "shared"
    """Each offer may promise the whole pool: what sellers do at Amazon's European marketplaces. No offer promises more
    than there is, but all together do, and two buyers in two marketplaces may buy the last piece."""
    SPLIT = "split"
    """The pool is divided: all offers together never promise more than there is."""


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfferRule(_Rule):
    """What is offered of an item in a marketplace; empty `itno` or `marketplace_id` means any."""

    itno: str = ""
    """M3's item number."""
    marketplace_id: str = ""
    """Amazon's id of the marketplace."""
    ratio: Decimal = Field(default=Decimal(1), ge=0, le=1)
    """Share of the pool that may be offered. In a split pool also the weight of the offer's part."""
    minimum: int = Field(default=0, ge=0)
    """With fewer pieces than this nothing is offered at all."""
    maximum: int | None = Field(default=None, ge=0)
    """Never more than this is shown. It keeps the true stock from competitors, and changes above it cost no push."""


class PoolRule(_Rule):
    """What is kept back of a pool and how its offers share it; empty `itno` or `whlo` means any."""

    itno: str = ""
    """M3's item number."""
    whlo: str = ""
    """M3's warehouse."""
    safety_stock: int = Field(default=0, ge=0)
    """Pieces that are never offered: they cover what Amazon sells between a reading and the push that follows."""
    sharing: Sharing = Sharing.SHARED
    """What the offers of a pool may promise together."""


class StockRules(_Rule):
    """All rules. A rule for the item goes before one for the marketplace or warehouse, both before one for any."""

    offers: tuple[OfferRule, ...] = ()
    """What is offered where."""
    pools: tuple[PoolRule, ...] = ()
    """What is kept back, and how offers share."""

    @model_validator(mode="after")
    def _each_once(self) -> "StockRules":
        for kind, keys in (
            ("offers", [(rule.itno, rule.marketplace_id) for rule in self.offers]),
            ("pools", [(rule.itno, rule.whlo) for rule in self.pools]),
        ):
            if len(set(keys)) < len(keys):
                raise ValueError(f"Two stock rules under {kind} are for the same item and place.")
        return self

    def for_offer(self, offer: Offer) -> OfferRule:
        """The rule that holds for an offer."""
        fitting = (
            rule
            for rule in self.offers
            if rule.itno in ("", offer.itno) and rule.marketplace_id in ("", offer.marketplace_id)
        )
        return max(
            fitting, key=lambda rule: (bool(rule.itno), bool(rule.marketplace_id)), default=OfferRule()
        )

    def for_pool(self, key: PoolKey) -> PoolRule:
        """The rule that holds for a pool."""
        fitting = (rule for rule in self.pools if rule.itno in ("", key.itno) and rule.whlo in ("", key.whlo))
        return max(fitting, key=lambda rule: (bool(rule.itno), bool(rule.whlo)), default=PoolRule())


def split(pieces: int, weights: Sequence[Decimal]) -> list[int]:
    """Divide whole pieces by weight; together they are all the pieces, what is left over goes to the largest
    remainders, of equal ones the first. Nothing where all weights are 0."""
    whole = sum(weights, Decimal(0))
    if pieces <= 0 or whole <= 0:
        return [0] * len(weights)
    parts = [pieces * weight / whole for weight in weights]
    given = [int(part) for part in parts]
    order = sorted(range(len(parts)), key=lambda place: (given[place] - parts[place], place))
    for place in order[: pieces - sum(given)]:
        given[place] += 1
    return given

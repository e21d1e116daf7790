"""The orders of the whole circle: who ordered what where, and what happens to it. The same number is the same order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from simulators import assortment, catalogue
from simulators.amazon.prices import LinePrice, add_up, proceeds
from simulators.amazon.wire import JsonObject
from tests.support.orders import order

Fate = Literal["shipped", "parted", "cancelled", "deferred"]
"""parted: Amazon sends it in two shipments. cancelled: nothing was shipped yet. deferred: its money is held back."""
GivenBack = Literal["", "whole", "piece", "share", "line"]
"""Of the price: all, one piece of several, four fifths of one piece, one line of two."""
EU, NA = "A2EUSELLER0001", "A2NASELLER0001"
MARKETS = {market.country: market for seller in catalogue.SELLERS for market in seller.marketplaces}
_GOODS = (
    "TEA-GREEN-250", "CUP-STON-4", "TEA-BLACK-250", "COF-ESP-1000", "TEA-MATCHA-30", "POT-GLASS-1L", "INF-BALL-2",
)  # fmt: skip
_COUNTRIES = ("DE", "DE", "GB", "DE", "US", "FR", "DE", "GB", "DE", "US")
_SALES_TAX = (Decimal("6.5"), Decimal("8.875"))
_COLLECTED = {
    "taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}]
}
_KINDS: tuple[GivenBack, ...] = ("whole", "piece", "share", "line")


@dataclass(frozen=True)
class Wish:
    """One order of so many."""

    number: int
    of: int

    @property
    def country(self) -> str:
        return _COUNTRIES[self.number % 10]

    @property
    def seller(self) -> str:
        return NA if self.country == "US" else EU

    @property
    def by_amazon(self) -> bool:
        return (self.number // 10 + self.number) % 5 >= 2

    @property
    def fate(self) -> Fate:
        if self.number % 17 == 6:
            return "cancelled"
        if self.number % 50 == 13:
            return "deferred"
        return "parted" if self.by_amazon and self.number % 9 == 4 else "shipped"

    @property
    def given_back(self) -> GivenBack:
        """Every tenth."""
        if self.number % 10 != self.number // 10 % 10:
            return ""
        return _KINDS[(self.number // 10 + self.number // 100) % 4]

    @property
    def late(self) -> bool:
        """Ordered when the first settlements are out."""
        return self.number * 5 >= self.of * 4 and self.country != "FR"

    @property
    def given_back_late(self) -> bool:
        """Refunded when the first settlements are out."""
        return self.number * 2 >= self.of or self.country == "FR"

    @property
    def lines(self) -> tuple[tuple[str, int], ...]:
        """SKU and pieces."""
        number = self.number
        pieces = 2 if number % 4 == 1 or self.fate == "parted" or self.given_back == "piece" else 1
        first = (_GOODS[number % 7], 3 if number % 7 == 3 else pieces)
        more = number % 3 == 0 or self.given_back == "line"
        return (first, (_GOODS[(number + 3) % 7], 1 + number % 2)) if more else (first,)

    def body(self) -> JsonObject:
        """As Amazon has it before anything is shipped: prices with shipping, gift wrap, discounts, and tax."""
        market = MARKETS[self.country]
        channel = "AMAZON" if self.by_amazon else "MERCHANT"
        body: JsonObject = order(*self.lines, channel=channel, marketplace=self.country)
        for place, (item, (sku, pieces)) in enumerate(zip(body["orderItems"], self.lines, strict=True)):
            self._price(item, assortment.ITEM_BY_SKU[sku].price * pieces, market, first=place == 0)
        add_up(body)
        return body

    def _price(self, item: JsonObject, goods: Decimal, market: catalogue.Marketplace, *, first: bool) -> None:
        number = self.number
        price = LinePrice(
            item=goods,
            shipping=Decimal("4.90") if number % 4 == 0 else Decimal(0),
            gift_wrap=Decimal("3.50") if first and number % 12 == 5 else Decimal(0),
            discount=Decimal("-1.35") if first and number % 6 == 2 else Decimal(0),
        )
        included = market.vat_percent > 0
        percent = market.vat_percent if included else _SALES_TAX[number % 2]
        if included and number % 5 == 3:
            percent = Decimal(0)  # not every seller is told the tax
        item["proceeds"] = proceeds(price, market.currency, percent, included=included)
        if price.discount:
            item["promotion"] = {"breakdowns": [{"promotionId": f"Offer {number:06d}"}]}
        if not included:
            item["tax"] = _COLLECTED


@dataclass(frozen=True)
class Placed:
    """An order at Amazon, with its items."""

    wish: Wish
    order_id: str
    items: tuple[Mapping[str, object], ...]

    @property
    def refunds(self) -> Iterator[tuple[str, str, int, int, Decimal]]:
        """What is given back: item, SKU, position in the order, pieces, share of their price."""
        back = self.wish.given_back
        if not back:
            return
        for place, (item, (sku, pieces)) in enumerate(zip(self.items, self.wish.lines, strict=True), 1):
            if (back == "line" and place == 1) or (back in ("piece", "share") and place > 1):
                continue
            share = Decimal("0.8") if back == "share" else Decimal(1)
            yield str(item["orderItemId"]), sku, place, 1 if back in ("piece", "share") else pieces, share


def wishes(number: int) -> list[Wish]:
    """So many orders."""
    return [Wish(each, number) for each in range(number)]

"""From news to pools: which pool each piece of news is about, and what the pool makes of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from canonical.stock.book import PoolState
from canonical.stock.book_lines import OrderLine, latest, line_of
from canonical.stock.book_parts import PARTS, Part, marks_of_sku, part_of
from canonical.stock.book_skus import Place, SkuState
from canonical.stock.keeper_contracts import Answer, FeedAnswer, RetryOffers
from canonical.stock.listings import Listing
from canonical.stock.models import Known, Offer, OfferName, PoolKey
from canonical.stock.news import ListingsRead, QuantityMoved, SoldLines
from canonical.stock.sending import FeedContent, FeedRefusal

STRANGERS_OF_A_SKU: Final = 200
STRANGERS_OF_A_PART: Final = 2_000
"""Most lines that are kept of SKUs nobody knows: of one, and of all in one part."""
STRANGE_FOR: Final = timedelta(days=45)
"""After that a line of a SKU nobody knows is forgotten."""
_FEW: Final = 20
"""Of so few listings all may be gone at once."""
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class PoolNews:
    """What one pool is told."""

    gone: dict[OfferName, PoolKey | None] = field(default_factory=dict)
    """Offers that sell from it no more, and from which they do."""
    listed: list[tuple[Offer, int | None, datetime]] = field(default_factory=list)
    lines: list[OrderLine] = field(default_factory=list)
    entered: dict[str, datetime] = field(default_factory=dict)
    balances: list[Known] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    fed: list[tuple[OfferName, str, datetime]] = field(default_factory=list)
    """Taken by a feed: the offer, its reference, when."""
    moved: list[QuantityMoved] = field(default_factory=list)
    again: list[RetryOffers] = field(default_factory=list)


def after(
    key: PoolKey, before: PoolState | None, news: PoolNews
) -> tuple[PoolState | None, list[tuple[PoolKey, OrderLine]]]:
    """The pool afterwards, None where nothing is left of it; and lines that belong to other pools now."""
    pool = before or PoolState(whlo=key.whlo, itno=key.itno)
    moving: list[tuple[PoolKey, OrderLine]] = []
    for name, now in news.gone.items():
        pool, lines = pool.without(name, moving=now is not None)
        moving += [(now, line) for line in lines if now is not None]
    if news.lines:
        pool = pool.sold(news.lines)
    for offer, quantity, at in news.listed:
        pool = pool.listed(offer, quantity, at)
    if news.entered:
        pool = pool.entered(news.entered)
    for known in news.balances:
        pool = pool.read(known)
    for answer in news.answers:
        pool = pool.answered(answer)
    for name, reference, at in news.fed:
        pool = pool.confirmed(name, reference, at)
    for told in news.moved:
        pool = pool.moved(told)
    for wanted in news.again:
        pool = pool.again(state.name for state in pool.offers if _meant(wanted, state.name))
    pool = pool.settled()
    return (pool if pool.offers or pool.lines else None), moving


def _meant(wanted: RetryOffers, name: OfferName) -> bool:
    return (
        wanted.seller in ("", name.seller)
        and wanted.marketplace in ("", name.marketplace_id)
        and wanted.sku in ("", name.sku)
    )


class Routing:
    """Finds the pools. `skus`: the part with a number, read when it is first needed. `warehouses`: from which one a
    marketplace is served, as the configuration says."""

    def __init__(self, skus: Callable[[int], Part[SkuState]], warehouses: Mapping[str, str]) -> None:
        self._read = skus
        self._warehouses = warehouses
        self.skus: dict[int, Part[SkuState]] = {}
        self.pools: dict[PoolKey, PoolNews] = {}
        self.remarks: list[str] = []

    def pool(self, key: PoolKey) -> PoolNews:
        """What is to be told to a pool."""
        return self.pools.setdefault(key, PoolNews())

    def _part(self, number: int) -> Part[SkuState]:
        if number not in self.skus:
            self.skus[number] = self._read(number)
        return self.skus[number]

    def _sku(self, seller: str, sku: str) -> SkuState | None:
        return self._part(part_of((seller, sku))).get((seller, sku))

    def _keep(self, state: SkuState) -> None:
        key = (state.seller, state.sku)
        part = self._part(part_of(key))
        if state.places or state.strangers or state.itno:
            part.put(key, state, marks_of_sku(state))
        else:
            part.remove(key)

    # --- listings -------------------------------------------------------------------------------

    def listed(self, read: ListingsRead, rows: Iterable[Listing]) -> None:
        """All that Amazon lists in a marketplace. What it lists no more is dropped, unless that is most of it."""
        by_part: dict[int, dict[str, Listing]] = {}
        for row in rows:
            by_part.setdefault(part_of((read.seller_id, row.sku)), {})[row.sku] = row
        known = self._listed_before(read)
        listed = sum(map(len, by_part.values()))
        gone = {
            number: [sku for sku in skus if sku not in by_part.get(number, {})]
            for number, skus in known.items()
        }
        all_gone, all_known = sum(map(len, gone.values())), sum(map(len, known.values()))
        if all_known > _FEW and all_gone > all_known / 2:
            self.remarks.append(
                f"Amazon lists {listed} SKUs of seller {read.seller_id} in {read.marketplace_id}, where {all_known} "
                f"were known and {all_gone} of them are missing. No offer was dropped for it: the report may be cut."
            )
            gone = {}
        for number in range(PARTS):
            for row in by_part.get(number, {}).values():
                self._relist(read, row.sku, row)
            for sku in gone.get(number, ()):
                self._relist(read, sku, None)

    def _listed_before(self, read: ListingsRead) -> dict[int, list[str]]:
        known: dict[int, list[str]] = {}
        for number in range(PARTS):
            part = self._part(number)
            keys = [key for key in part if key[0] == read.seller_id]
            known[number] = [each.sku for each in part.states(keys) if read.marketplace_id in each.places]
        return known

    def _relist(self, read: ListingsRead, sku: str, row: Listing | None) -> None:
        """One SKU in one marketplace as it is listed now; None where it is not."""
        before = self._sku(read.seller_id, sku) or SkuState(seller=read.seller_id, sku=sku)
        places = {name: place for name, place in before.places.items() if name != read.marketplace_id}
        if row is not None:
            whlo = self._warehouses.get(read.marketplace_id, "") if row.product else ""
            places[read.marketplace_id] = Place(channel=row.channel, itno=row.itno, whlo=whlo)
        itno = row.itno if row is not None and row.itno else before.itno
        now = before.model_copy(update={"places": dict(sorted(places.items())), "itno": itno})
        seen = {read.marketplace_id: (row.quantity, read.taken_at)} if row is not None else {}
        self._change(before, now, seen)

    def _change(
        self, before: SkuState, now: SkuState, seen: Mapping[str, tuple[int | None, datetime]]
    ) -> None:
        """Tell the pools how a SKU's offers have changed, and of its lines that had none."""
        offers, were = now.offers, before.offers
        for name, offer in were.items():
            if name not in offers or offers[name].key != offer.key:
                still = now.pool(name.marketplace_id, offer.whlo)
                self.pool(offer.key).gone[name] = still if still != offer.key else None
        for name, offer in offers.items():
            if name.marketplace_id in seen:
                self.pool(offer.key).listed.append((offer, *seen[name.marketplace_id]))
            elif were.get(name) != offer:
                self.pool(offer.key).listed.append((offer, None, _LONG_AGO))
        strange = []
        for line in now.strangers:
            key = now.pool(line.marketplace_id, self._warehouses.get(line.marketplace_id, ""))
            if key is None:
                strange.append(line)
            else:
                self.pool(key).lines.append(line)
        self._keep(now.model_copy(update={"strangers": tuple(strange)}))

    # --- other news -----------------------------------------------------------------------------

    def sold(self, told: SoldLines, at: datetime) -> None:
        """Lines of Amazon's orders; those of unknown SKUs wait for their offer."""
        for each in told.lines:
            line = line_of(told.seller_id, each)
            sku = self._sku(told.seller_id, each.sku) or SkuState(seller=told.seller_id, sku=each.sku)
            key = sku.pool(each.marketplace_id, self._warehouses.get(each.marketplace_id, ""))
            if key is not None:
                self.pool(key).lines.append(line)
            else:
                self._stranger(sku, line, at)

    def _stranger(self, sku: SkuState, line: OrderLine, at: datetime) -> None:
        known = {each.id: each for each in sku.strangers if each.updated_at > at - STRANGE_FOR}
        part = self._part(part_of((sku.seller, sku.sku)))
        full = len(known) >= STRANGERS_OF_A_SKU or part.sums().strangers >= STRANGERS_OF_A_PART
        if full and line.id not in known:
            self.remarks.append(
                f"Order {line.order_id} sells SKU {sku.sku}, which nobody knows. So many orders wait for such SKUs "
                "that this one is not kept: read the listings, and map the SKU."
            )
            return
        known[line.id] = latest(known.get(line.id), line)
        self._keep(sku.model_copy(update={"strangers": tuple(known.values())}))

    def by_amazon(self, seller: str, marketplace: str, sku: str) -> None:
        """Amazon fulfils this SKU there: none of its offers is touched any more."""
        before = self._sku(seller, sku)
        if before is not None:
            place = before.places.get(marketplace, Place(channel="FBA"))
            places = {**before.places, marketplace: place.model_copy(update={"channel": "FBA"})}
            self._change(before, before.model_copy(update={"places": places}), {})

    def moved(self, told: QuantityMoved) -> None:
        """Amazon shows another quantity; each pool that it may be of is told once."""
        sku = self._sku(told.seller_id, told.sku)
        offers = sku.offers if sku is not None else {}
        meant = [
            offer.key for name, offer in offers.items() if told.marketplace_id in ("", name.marketplace_id)
        ]
        for key in dict.fromkeys(meant):
            self.pool(key).moved.append(told)

    def fed(
        self, content: FeedContent, answer: FeedAnswer, refusals: Mapping[int, FeedRefusal] | None
    ) -> None:
        """A feed has ended. `refusals`: the messages that were refused; None where nobody will tell."""
        for message in content.messages:
            name = OfferName(content.seller_id, content.marketplace_id, message.sku)
            key = self._offered(name)
            if key is None:
                continue
            reference = f"{answer.key}#{message.message_id}"
            refusal = (refusals or {}).get(message.message_id)
            if refusals is not None and refusal is None:
                self.pool(key).fed.append((name, reference, answer.at))
                continue
            said = Answer(
                seller=name.seller,
                marketplace=name.marketplace_id,
                sku=name.sku,
                whlo=key.whlo,
                itno=key.itno,
                reference=reference,
                kind="lost" if refusal is None else "refused",
                at=answer.at,
                code=refusal.code if refusal else "",
                message=refusal.message if refusal else "",
            )
            self.pool(key).answers.append(said)

    def _offered(self, name: OfferName) -> PoolKey | None:
        sku = self._sku(name.seller, name.sku)
        offer = sku.offers.get(name) if sku is not None else None
        return offer.key if offer is not None else None

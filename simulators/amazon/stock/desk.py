"""The stock desk: what each listing shows, and the changes on their way to be live.

Facts: ACCEPTED means queued (model listingsItems_2021-08-01); a change of a SKU that is not listed is accepted
without a word (amzn/selling-partner-api-docs issue 3748, amzn/selling-partner-api-models issue 4402); the attributes
show what was sent, fulfillmentAvailability what is for sale (amzn/selling-partner-api-models issue 5327). Inferred:
that the quantity is kept apart for each marketplace (the attribute names one, the notification none; see
`Manners.shared`), that a quantity on DEFAULT turns an FBA offer (general knowledge among sellers), and how long a
change takes.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable

from simulators import assortment, catalogue
from simulators.amazon.settings import Settings
from simulators.amazon.stock.records import CHANNELS, MFN, Change, Issue, Listing, Offer, Wanted
from simulators.amazon.stock.rules import Manners, Refusal
from simulators.amazon.stock.shelf import StockShelf
from simulators.amazon.store import Store

LISTED_MS = 1_704_067_200_000
"""When everything in the assortment was listed: the first of January 2024."""
UNLISTED = Issue(
    code="90220",
    message="'item_name' is required but not supplied.",
    attributes=["item_name"],
    categories=["MISSING_ATTRIBUTE"],
)

Heard = Callable[[Listing, int, int], None]


class StockDesk:
    """All listings of one simulator run. `settle` before looking at one: a change may be live by now."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.shelf = StockShelf(store.db)
        self.manners = Manners(delay=settings.listing_delay)
        self.refusals: list[Refusal] = []
        self.listeners: list[Heard] = []
        """Told of every listing whose quantity for sale has changed: which, the quantity, when."""
        self.counts = {"live": 0, "refused": 0, "turned": 0, "withheld": 0}
        self.oversold: list[dict[str, object]] = []
        """Pieces sold while the listing showed fewer."""
        self._pace, self._seed = settings.pace, settings.seed
        self._listings = {(one.seller_id, one.sku): one for one in _assorted()}
        self._listings |= {(one.seller_id, one.sku): one for one in self.shelf.listings()}
        self._numbers_of: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
        self._index(self._listings.values())
        self._agenda: list[tuple[int, int]] = []
        self._changes = {one.number: one for one in self.shelf.changes()}
        for change in self._changes.values():
            heapq.heappush(self._agenda, (change.due_ms, change.number))
        self._numbers = max(self._changes, default=0)

    def find(self, seller_id: str, sku: str) -> Listing | None:
        """A listing of this seller."""
        return self._listings.get((seller_id, sku))

    def with_number(self, kind: str, number: str) -> list[Listing]:
        """Everybody's listings of the product with this number: ASIN, EAN, UPC, GTIN (14 digits)."""
        wanted = ("ASIN", number) if kind == "ASIN" else ("GTIN", number.zfill(14))
        found = [self._listings[key] for key in self._numbers_of.get(wanted, ())]
        return [one for one in found if wanted in _numbers(one)]

    def of(self, seller_id: str | None = None) -> list[Listing]:
        """A seller's listings, or everybody's, by SKU."""
        found = (one for one in self._listings.values() if seller_id in (None, one.seller_id))
        return sorted(found, key=lambda one: (one.seller_id, one.sku))

    def put(self, listings: Iterable[Listing]) -> None:
        """Have these listings exactly so; nobody is told."""
        kept = list(listings)
        with self.shelf.together():
            self.shelf.keep_listings(kept)
        self._listings |= {(one.seller_id, one.sku): one for one in kept}
        self._index(kept)

    def refused(self, seller_id: str, sku: str) -> Refusal | None:
        """The order by which a change of this SKU is refused, if any; uses it up."""
        for number, rule in enumerate(self.refusals):
            if rule.strikes(seller_id, sku):
                if rule.times == 1:
                    del self.refusals[number]
                elif rule.times is not None:
                    self.refusals[number] = rule.model_copy(update={"times": rule.times - 1})
                self.counts["refused"] += 1
                return rule
        return None

    def accept(
        self, given: Iterable[tuple[str, str, list[str], list[Wanted]]], now_ms: int, source: str
    ) -> None:
        """Queue accepted changes: of whom, of which SKU, the marketplaces of the request, and what it wants."""
        queued: list[Change] = []
        for seller_id, sku, marketplaces, values in given:
            for wanted in values:
                self._numbers += 1
                meant = [wanted.marketplace] if wanted.marketplace else marketplaces
                due_ms = now_ms + self._delay_ms(self._numbers)
                queued.append(
                    Change(
                        number=self._numbers,
                        seller_id=seller_id,
                        sku=sku,
                        marketplaces=meant,
                        wanted=wanted,
                        due_ms=due_ms,
                        source=source,
                    )
                )
        with self.shelf.together():
            self.shelf.keep_changes(queued)
        for change in queued:
            self._changes[change.number] = change
            heapq.heappush(self._agenda, (change.due_ms, change.number))

    def withhold(self, seller_id: str, sku: str, marketplaces: list[str], issue: Issue, now_ms: int) -> None:
        """A change that was accepted and is never live: its complaint stands on the listing from now on."""
        listing = self._known_or_new(seller_id, sku, marketplaces, now_ms)
        listing.issues = [*(one for one in listing.issues if one.code != issue.code), issue]
        self.counts["withheld"] += 1
        with self.shelf.together():
            self.shelf.keep_listings([listing])

    def settle(self, now_ms: int) -> None:
        """Let every change be live that is due."""
        due: list[Change] = []
        while self._agenda and self._agenda[0][0] <= now_ms:
            due.append(self._changes.pop(heapq.heappop(self._agenda)[1]))
        if not due:
            return
        touched: dict[tuple[str, str], Listing] = {}
        told: list[tuple[Listing, int, int]] = []
        for change in due:
            listing = self._known_or_new(change.seller_id, change.sku, change.marketplaces, change.due_ms)
            touched[listing.seller_id, listing.sku] = listing
            told += self._live(listing, change)
        with self.shelf.together():
            self.shelf.drop_changes(due)
            self.shelf.keep_listings(touched.values())
        self._tell(told)

    def sold(self, listing: Listing, marketplace_id: str, units: int, order_id: str, at_ms: int) -> None:
        """Take pieces out of what a listing shows, never below none; with `units` below zero, put them back."""
        offer = listing.offers.get(marketplace_id)
        if offer is None or offer.channel != MFN:
            return
        shown = offer.quantity or 0
        if units > shown:
            short = {"sellerId": listing.seller_id, "sku": listing.sku, "marketplaceId": marketplace_id}
            self.oversold.append({"orderId": order_id, **short, "units": units - shown})
        self._tell(self._set(listing, [marketplace_id], max(0, shown - units), at_ms))

    def keep(self, listings: Iterable[Listing]) -> None:
        """Write listings down that have sold."""
        self.shelf.keep_listings(listings)

    def under_way(self, seller_id: str | None = None) -> list[Change]:
        """Accepted changes that are not live yet, oldest first."""
        return [one for _, one in sorted(self._changes.items()) if seller_id in (None, one.seller_id)]

    def _index(self, listings: Iterable[Listing]) -> None:
        for one in listings:
            for number in _numbers(one):
                self._numbers_of.setdefault(number, {})[one.seller_id, one.sku] = None

    def _live(self, listing: Listing, change: Change) -> list[tuple[Listing, int, int]]:
        wanted, told = change.wanted, []
        for name in self._meant(listing, change.marketplaces):
            if name not in catalogue.MARKETPLACE_BY_ID:
                continue
            offer = listing.offers.setdefault(name, Offer(quantity=0))
            if offer.channel != MFN and name not in change.marketplaces:
                continue  # one pool of the seller's own pieces is no reason to turn an FBA offer elsewhere
            if wanted.channel != MFN:
                listing.offers[name] = Offer(channel=wanted.channel)
                continue
            if offer.channel != MFN:
                if not self.manners.flips:
                    continue
                offer.channel, offer.quantity = MFN, 0
                self.counts["turned"] += 1
            offer.lead_days = wanted.lead_days or offer.lead_days
            quantity = 0 if wanted.remove else wanted.quantity
            if quantity is None:
                continue
            offer.submitted = quantity
            told += self._set(listing, [name], quantity, change.due_ms)
        listing.updated_ms = change.due_ms
        self.counts["live"] += 1
        return told

    def _set(
        self, listing: Listing, names: list[str], quantity: int, at_ms: int
    ) -> list[tuple[Listing, int, int]]:
        """Show another quantity; who must be told."""
        changed = False
        for name in self._meant(listing, names):
            offer = listing.offers[name]
            if offer.channel == MFN and offer.quantity != quantity:
                offer.quantity, changed = quantity, True
        listing.updated_ms = max(listing.updated_ms, at_ms)
        return [(listing, quantity, at_ms)] if changed and listing.complete else []

    def _meant(self, listing: Listing, names: list[str]) -> list[str]:
        return sorted({*names, *listing.offers}) if self.manners.shared else names

    def _known_or_new(self, seller_id: str, sku: str, marketplaces: list[str], at_ms: int) -> Listing:
        """The listing; a SKU that nobody has listed becomes one that nobody can buy."""
        listing = self._listings.get((seller_id, sku))
        if listing is None:
            listing = self._listings[seller_id, sku] = Listing(
                seller_id=seller_id,
                sku=sku,
                created_ms=at_ms,
                updated_ms=at_ms,
                offers={name: Offer(quantity=0) for name in marketplaces},
                complete=False,
                issues=[UNLISTED],
            )
        return listing

    def _delay_ms(self, number: int) -> int:
        share = 1.0
        if self.manners.unordered:
            digest = hashlib.blake2b(f"{self._seed} change {number}".encode(), digest_size=8).digest()
            share = 0.5 + int.from_bytes(digest, "big") / 2**64
        return round(self.manners.delay * self._pace * share * 1000)

    def _tell(self, told: list[tuple[Listing, int, int]]) -> None:
        for listener in self.listeners:
            for news in told:
                listener(*news)


def _numbers(listing: Listing) -> list[tuple[str, str]]:
    """The product's numbers, with their kind."""
    ean = [("GTIN", listing.ean.zfill(14))] if listing.ean else []
    return [("ASIN", listing.asin), *ean] if listing.asin else ean


def fba_channel(seller_id: str) -> str:
    """The channel code of FBA in this seller's region."""
    region = next((one.region for one in catalogue.ACCOUNTS if one.seller_id == seller_id), "eu")
    return CHANNELS[region]


def _assorted() -> list[Listing]:
    """Everything in the assortment, shipped by the seller in every marketplace in which he sells."""
    return [
        Listing(
            seller_id=account.seller_id,
            sku=item.sku,
            asin=item.asin,
            fnsku=item.fnsku,
            ean=item.ean,
            title=item.title,
            price=str(item.price),
            created_ms=LISTED_MS,
            updated_ms=LISTED_MS,
            offers={
                market.marketplace_id: Offer(quantity=item.stock, submitted=item.stock)
                for market in account.sold_in
            },
        )
        for account in catalogue.ACCOUNTS
        for item in assortment.ITEMS
    ]

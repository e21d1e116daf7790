"""What a first start needs of Amazon: a token, the marketplaces, the role for orders, and for stock that is pushed."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from activities.amazon.client import FACTS_DATA, AmazonClient, Period
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.listings import LISTINGS_ROLE
from activities.checks import Check
from canonical.stock.feed_text import FEED_TYPE
from canonical.stock.sending import ListingRequest

_LOOK_BACK = timedelta(days=1)
_NO_SKU = "o2c-doctor"
"""That Amazon does not know it is an answer, and takes the role."""


async def check_amazon(clients: Mapping[str, AmazonClient], *, stock: bool = False) -> list[Check]:
    """Look at every seller: one token, one getMarketplaceParticipations and one searchOrders call each; where stock is
    pushed, one getListingsItem and one getFeeds call more. That quantities may be written shows only when they are."""
    checks: list[Check] = []
    for seller_id, client in clients.items():
        token = await _token(seller_id, client)
        checks.append(token)
        if token.ok:
            checks += [await _marketplaces(seller_id, client), await _orders(seller_id, client)]
        if token.ok and stock:
            checks.append(await _listings(seller_id, client))
            checks.append(await _feeds(seller_id, client))
    return checks


async def _token(seller_id: str, client: AmazonClient) -> Check:
    name = f"Amazon token {seller_id}"
    try:
        await client.tokens.token()
    except AmazonError as error:
        todo = (
            "Check client id and secret, and authorise the application again in Seller Central for a new "
            "refresh token."
            if error.failure is Failure.NOT_AUTHORISED
            else "Check that this machine reaches Login with Amazon, and try again."
        )
        return Check(name, ok=False, sentence=f"{error.sentence} {todo}")
    return Check(name, ok=True, sentence="Login with Amazon gave an access token.")


async def _marketplaces(seller_id: str, client: AmazonClient) -> Check:
    name = f"Amazon marketplaces {seller_id}"
    try:
        present = await client.marketplaces()
    except AmazonError as error:
        return _failed(name, error, "Selling Partner Insights")
    missing = [marketplace for marketplace in client.marketplace_ids if marketplace not in present]
    if missing:
        return Check(
            name,
            ok=False,
            sentence=f"The seller does not take part in {_listed(missing)}; Amazon names "
            f"{_listed(sorted(present))}. Correct the marketplaces in the configuration, or the region "
            "of the refresh token.",
        )
    return Check(name, ok=True, sentence=f"The seller takes part in {_listed(client.marketplace_ids)}.")


async def _orders(seller_id: str, client: AmazonClient) -> Check:
    name = f"Amazon orders {seller_id}"
    try:
        # Without the recipient: that the role is there shows without reading anybody's address.
        await client.search_orders(Period(client.now() - _LOOK_BACK), included_data=FACTS_DATA, page_size=1)
    except AmazonError as error:
        return _failed(name, error, "Inventory and Order Tracking")
    return Check(name, ok=True, sentence="searchOrders answers.")


async def _listings(seller_id: str, client: AmazonClient) -> Check:
    name = f"Amazon listings {seller_id}"
    marketplace = next(iter(client.marketplace_ids), "")
    wanted = ListingRequest(seller_id=seller_id, marketplace_id=marketplace, sku=_NO_SKU)
    try:
        await client.listings.shown(wanted, client.now())
    except AmazonError as error:
        if error.failure is not Failure.NOT_FOUND:
            return _failed(name, error, LISTINGS_ROLE)
    return Check(name, ok=True, sentence="getListingsItem answers.")


async def _feeds(seller_id: str, client: AmazonClient) -> Check:
    name = f"Amazon feeds {seller_id}"
    try:
        await client.feeds.recent(FEED_TYPE, client.now() - _LOOK_BACK)
    except AmazonError as error:
        return _failed(name, error, LISTINGS_ROLE)
    return Check(name, ok=True, sentence="getFeeds answers.")


def _failed(name: str, error: AmazonError, role: str) -> Check:
    todo = {
        Failure.NOT_AUTHORISED: f"Give the application the role {role} and authorise it again; check too "
        "that the region is the refresh token's.",
        Failure.QUOTA: "Amazon's quota is used up at the moment; try again in a few minutes.",
    }.get(error.failure, "Try again; if it stays, give Amazon's support the request id.")
    return Check(name, ok=False, sentence=f"{error.sentence} {todo}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"

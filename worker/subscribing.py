"""Subscribing every seller to the notifications that this service listens to; may be repeated."""

import httpx
from pydantic import BaseModel

from activities.amazon.failures import AmazonError
from activities.amazon.lwa import NOTIFICATIONS_SCOPE, TOKEN_URL, TokenCache
from activities.amazon.notifications import NameTaken, NotificationsClient, Subscribed
from activities.amazon.operations import ENDPOINTS
from activities.amazon.transport import Transport
from canonical.notifications import FOR_STOCK, PAYLOAD_VERSIONS
from worker.outside import credentials_of
from worker.settings import ConfigurationError, SellerSettings, Settings


class SubscribedType(BaseModel):
    """One notification type of one seller."""

    seller_id: str
    type: str
    state: Subscribed
    subscription_id: str = ""
    sentence: str = ""


async def subscribe(
    settings: Settings, sellers: tuple[str, ...], arn: str, *, move: bool = False
) -> list[SubscribedType]:
    """Create what is missing: the destination for the queue `arn`, a subscription for each seller and type.

    move: take subscriptions that go to another destination over. Raises ConfigurationError where the destination
    cannot be had; what Amazon refuses of one type is said with it.
    """
    async with httpx.AsyncClient() as http:
        done: list[SubscribedType] = []
        for seller_id in sellers:
            client = _client(settings.sellers[seller_id], http)
            destination_id = await _destination(client, settings.notifications.destination, arn)
            done += [
                await _ensure(client, seller_id, kind, destination_id, move=move)
                for kind in _wanted(settings)
            ]
        return done


async def show(settings: Settings, sellers: tuple[str, ...], arn: str) -> list[SubscribedType]:
    """How each subscription stands; nothing is changed."""
    async with httpx.AsyncClient() as http:
        return [
            await _look(_client(settings.sellers[seller_id], http), seller_id, kind, arn)
            for seller_id in sellers
            for kind in _wanted(settings)
        ]


async def remove(settings: Settings, sellers: tuple[str, ...], arn: str) -> list[SubscribedType]:
    """End the subscriptions that go to the queue `arn`; others, and the destination, stay."""
    done, wanted = [], _wanted(settings)
    async with httpx.AsyncClient() as http:
        for seller_id in sellers:
            client = _client(settings.sellers[seller_id], http)
            for kind in settings.notifications.types:
                found = await _look(client, seller_id, kind, arn)
                if found.state is Subscribed.MISSING and kind not in wanted:
                    continue
                if found.state is Subscribed.PRESENT:
                    try:
                        await client.delete_subscription(kind, found.subscription_id)
                    except AmazonError as error:
                        found = _refused(seller_id, kind, error)
                    else:
                        found = found.model_copy(update={"state": Subscribed.REMOVED})
                done.append(found)
    return done


def _wanted(settings: Settings) -> list[str]:
    """The configured types, without those that nobody would read."""
    stock = settings.stock is not None
    return [kind for kind in settings.notifications.types if stock or kind not in FOR_STOCK]


async def _destination(client: NotificationsClient, name: str, arn: str) -> str:
    try:
        found, _ = await client.ensure_destination(name, arn)
    except NameTaken as taken:
        raise ConfigurationError(str(taken)) from None
    except AmazonError as error:
        raise ConfigurationError(
            f"Amazon did not take the queue {arn} as a destination: {error.sentence} The queue's policy has to let "
            "Amazon's account 437568002678 send (SQS:SendMessage, SQS:GetQueueAttributes)."
        ) from None
    return found.id


async def _ensure(
    client: NotificationsClient, seller_id: str, kind: str, destination_id: str, *, move: bool
) -> SubscribedType:
    try:
        found, state = await client.ensure_subscription(
            kind, PAYLOAD_VERSIONS[kind], destination_id, move=move
        )
    except AmazonError as error:
        return _refused(seller_id, kind, error)
    sentence = (
        f"It goes to Amazon's destination {found.destination_id}; --move takes it over."
        if state is Subscribed.ELSEWHERE
        else ""
    )
    return SubscribedType(
        seller_id=seller_id, type=kind, state=state, subscription_id=found.id, sentence=sentence
    )


async def _look(client: NotificationsClient, seller_id: str, kind: str, arn: str) -> SubscribedType:
    try:
        destination = await client.destination(arn)
        found = await client.subscription(kind, PAYLOAD_VERSIONS[kind])
    except AmazonError as error:
        return _refused(seller_id, kind, error)
    if found is None:
        return SubscribedType(seller_id=seller_id, type=kind, state=Subscribed.MISSING)
    here = destination is not None and found.destination_id == destination.id
    return SubscribedType(
        seller_id=seller_id,
        type=kind,
        state=Subscribed.PRESENT if here else Subscribed.ELSEWHERE,
        subscription_id=found.id,
        sentence="" if here else f"It goes to Amazon's destination {found.destination_id}.",
    )


def _refused(seller_id: str, kind: str, error: AmazonError) -> SubscribedType:
    return SubscribedType(seller_id=seller_id, type=kind, state=Subscribed.REFUSED, sentence=error.sentence)


def _client(seller: SellerSettings, http: httpx.AsyncClient) -> NotificationsClient:
    credentials = credentials_of(seller)
    tokens = str(seller.token_endpoint) if seller.token_endpoint else TOKEN_URL
    endpoint = str(seller.endpoint).rstrip("/") if seller.endpoint else ENDPOINTS[seller.region]
    return NotificationsClient(
        Transport(endpoint, TokenCache(credentials, http, tokens), http, seller.quota_factor),
        Transport(
            endpoint,
            TokenCache(credentials, http, tokens, scope=NOTIFICATIONS_SCOPE),
            http,
            seller.quota_factor,
        ),
    )

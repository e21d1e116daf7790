"""Subscribing where Amazon answers in the ways that no simulator of one seller shows."""

import json
from collections.abc import Callable

import httpx
import pytest

from activities.amazon.failures import AmazonError
from activities.amazon.lwa import NOTIFICATIONS_SCOPE, Credentials, TokenCache
from activities.amazon.notifications import NameTaken, NotificationsClient, Subscribed
from activities.amazon.transport import Transport

ARN = "arn:aws:sqs:eu-west-1:123456789012:orders"
CONFLICT = {"errors": [{"code": "InvalidInput", "message": "already exists"}]}
Answer = Callable[[httpx.Request], httpx.Response]


class Amazon:
    """Answers by operation, and remembers what it was asked with which token."""

    def __init__(self, **answers: list[httpx.Response]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str]] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            form = dict(httpx.QueryParams(request.content.decode()))
            token = form.get("scope") or form["refresh_token"]
            assert ("scope" in form) == (form["grant_type"] == "client_credentials")
            return httpx.Response(200, json={"access_token": token, "expires_in": 3600})
        kind = "destinations" if "destinations" in request.url.path else "subscriptions"
        name = f"{request.method.lower()}_{kind}"
        self.asked.append((name, request.headers["x-amz-access-token"]))
        return self.answers[name].pop(0)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def client(self) -> NotificationsClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        who = Credentials("client", "secret", "the-sellers")
        url = "https://amazon.test/token"
        return NotificationsClient(
            Transport("https://amazon.test", TokenCache(who, http, url), http),
            Transport("https://amazon.test", TokenCache(who, http, url, scope=NOTIFICATIONS_SCOPE), http),
            self.sleep,
        )


def destinations(*arns: str) -> httpx.Response:
    payload = [
        {"destinationId": f"d-{arn[-6:]}", "name": "n", "resource": {"sqs": {"arn": arn}}} for arn in arns
    ]
    return httpx.Response(200, json={"payload": payload})


def subscription(destination: str) -> httpx.Response:
    told = {"subscriptionId": "s-1", "payloadVersion": "1.0", "destinationId": destination}
    return httpx.Response(200, json={"payload": told})


MISSING = httpx.Response(404, json={"errors": [{"code": "NotFound", "message": "no"}]})


async def test_destinations_are_asked_for_without_a_seller_and_subscriptions_with_his_token() -> None:
    amazon = Amazon(
        get_destinations=[destinations(ARN)],
        get_subscriptions=[MISSING],
        post_subscriptions=[subscription("d-orders")],
        delete_subscriptions=[httpx.Response(200, json={})],
    )
    client = amazon.client()
    found, created = await client.ensure_destination("name", ARN)
    made, state = await client.ensure_subscription("ORDER_CHANGE", "1.0", found.id)
    await client.delete_subscription("ORDER_CHANGE", made.id)
    assert (found.id, created, state) == ("d-orders", False, Subscribed.CREATED)
    assert amazon.asked == [
        ("get_destinations", NOTIFICATIONS_SCOPE),
        ("get_subscriptions", "the-sellers"),
        ("post_subscriptions", "the-sellers"),
        ("delete_subscriptions", NOTIFICATIONS_SCOPE),
    ]


async def test_a_destination_created_by_somebody_else_meanwhile_is_ours_too() -> None:
    amazon = Amazon(
        get_destinations=[destinations(), destinations("arn:aws:sqs:eu-west-1:1:other", ARN)],
        post_destinations=[httpx.Response(409, json=CONFLICT)],
    )
    assert (await amazon.client().ensure_destination("name", ARN))[0].id == "d-orders"


async def test_a_name_that_another_queue_has_is_said_with_the_key_to_change() -> None:
    amazon = Amazon(
        get_destinations=[destinations(), destinations("arn:aws:sqs:eu-west-1:1:other")],
        post_destinations=[httpx.Response(409, json=CONFLICT)],
    )
    with pytest.raises(NameTaken, match=r"notifications\.destination"):
        await amazon.client().ensure_destination("name", ARN)


@pytest.mark.parametrize(
    ("destination", "state"), [("d-orders", Subscribed.PRESENT), ("d-2", Subscribed.ELSEWHERE)]
)
async def test_a_subscription_that_exists_by_now_is_no_error(destination: str, state: Subscribed) -> None:
    amazon = Amazon(
        get_subscriptions=[MISSING, subscription(destination)],
        post_subscriptions=[httpx.Response(409, json=CONFLICT)],
    )
    assert (await amazon.client().ensure_subscription("ORDER_CHANGE", "1.0", "d-orders"))[1] is state


async def test_a_subscription_that_is_gone_by_now_is_no_error() -> None:
    amazon = Amazon(delete_subscriptions=[MISSING])
    await amazon.client().delete_subscription("ORDER_CHANGE", "s-1")
    assert amazon.asked == [("delete_subscriptions", NOTIFICATIONS_SCOPE)]


async def test_a_quota_is_waited_for_and_a_refusal_is_not() -> None:
    slow = httpx.Response(429, json={"errors": [{"code": "QuotaExceeded", "message": "slower"}]})
    no = httpx.Response(400, json=json.loads('{"errors": [{"code": "InvalidInput", "message": "no"}]}'))
    amazon = Amazon(get_destinations=[slow, slow, destinations(ARN)], get_subscriptions=[no])
    client = amazon.client()
    assert await client.destination(ARN) is not None
    assert amazon.pauses == [1.0, 1.0]
    with pytest.raises(AmazonError):
        await client.subscription("ORDER_CHANGE", "1.0")

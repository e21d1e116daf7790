"""Amazon's own client library (amzn-sp-api), unmodified, subscribing at the simulator."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from spapi import ApiException, SPAPIClient, SPAPIConfig
from spapi.api.notifications_v1.notifications_api import NotificationsApi

from simulators import catalogue, serving
from simulators.amazon.app import build_app
from simulators.amazon.settings import Settings
from tests.contract.test_amazon_simulator_notifications import ARN, FILTER, SCOPE


def api(url: str, **grant: str) -> NotificationsApi:
    config = SPAPIConfig(
        client_id=catalogue.LWA_CLIENT_ID,
        client_secret=catalogue.LWA_CLIENT_SECRET,
        region="EU",
        **grant,
    )
    return NotificationsApi(
        SPAPIClient(config, oauth_endpoint=f"{url}/auth/o2/token", endpoint=url).api_client
    )


async def test_subscribe_look_and_leave(tmp_path: Path) -> None:
    async with serving.serve(build_app(Settings(data=tmp_path, quota_factor=1000))) as url:
        await asyncio.to_thread(_subscribe_look_and_leave, url)


def _subscribe_look_and_leave(url: str) -> None:
    ours: Any = api(url, grant_type="client_credentials", scope=SCOPE)
    sellers: Any = api(url, refresh_token=catalogue.SELLERS[0].refresh_token)
    made = ours.create_destination({"name": "orders", "resourceSpecification": {"sqs": {"arn": ARN}}}).payload
    assert made.resource.sqs.arn == ARN
    body = {
        "payloadVersion": "1.0",
        "destinationId": made.destination_id,
        "processingDirective": FILTER,
    }
    subscribed = sellers.create_subscription("ORDER_CHANGE", body).payload
    with pytest.raises(ApiException) as refused:
        sellers.create_subscription("ORDER_CHANGE", body)
    assert refused.value.status == 409
    found = sellers.get_subscription("ORDER_CHANGE").payload
    assert (found.subscription_id, found.payload_version) == (subscribed.subscription_id, "1.0")
    several = sellers.get_subscriptions(["ORDER_CHANGE"]).payload
    assert [s.subscription_id for s in several.subscriptions] == [subscribed.subscription_id]
    by_id = ours.get_subscription_by_id(subscribed.subscription_id, "ORDER_CHANGE").payload
    assert by_id.destination_id == made.destination_id
    with pytest.raises(ApiException) as refused:
        ours.delete_destination(made.destination_id)
    assert refused.value.status == 403
    ours.delete_subscription_by_id(subscribed.subscription_id, "ORDER_CHANGE")
    ours.delete_destination(made.destination_id)
    assert ours.get_destinations().payload == []
    with pytest.raises(ApiException) as refused:
        sellers.get_subscription("ORDER_CHANGE")
    assert refused.value.status == 404

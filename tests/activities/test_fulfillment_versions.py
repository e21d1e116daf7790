"""Both versions of Fulfillment Outbound: what Amazon did before its answer was lost is not done again."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.amazon.client import AmazonClient
from activities.amazon.fulfillment_activities import FulfillmentActivities
from canonical import mcf_contracts as mcf
from tests.contract.test_fulfillment_outbound import SELLER, Wire, ports, request, wire

__all__ = ["wire"]  # the fixture

NUMBER = "0000000042-30000007"
VERSIONS = {
    "2020-07-01": ("createFulfillmentOrder", "cancelFulfillmentOrder"),
    "2026-07-04": ("createOrder", "cancelOrder"),
}


def _activities(wire: Wire, version: str) -> FulfillmentActivities:
    tokens = wire.transport()._tokens
    client = AmazonClient(
        seller_id=SELLER.seller_id, endpoint="http://amazon.invalid", tokens=tokens, http=wire.http
    )
    client.fulfillment = ports(wire)[version]
    return FulfillmentActivities({SELLER.seller_id: client})


async def _lose(wire: Wire, operation: str) -> None:
    fault = {"operation": operation, "when": "after", "action": "status_504"}
    (await wire.http.post("/_control/faults", json=fault)).raise_for_status()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_lost_answer_makes_and_cancels_nothing_twice(wire: Wire, version: str) -> None:
    creating, cancelling = VERSIONS[version]
    activities, env = _activities(wire, version), ActivityEnvironment()
    asked = mcf.CreateFulfillmentOrderRequest(seller_id=SELLER.seller_id, request=request(NUMBER))
    await _lose(wire, creating)
    with pytest.raises(ApplicationError, match=r"did not answer|504"):
        await env.run(activities.create_fulfillment_order, asked)
    made = await env.run(activities.create_fulfillment_order, asked)
    assert made.already_known
    orders = (await wire.http.get("/_control/fulfillment")).json()
    assert [one["order_id"] for one in orders] == [NUMBER]

    ref = mcf.FulfillmentOrderRef(seller_id=SELLER.seller_id, order_id=NUMBER)
    await _lose(wire, cancelling)
    with pytest.raises(ApplicationError, match=r"did not answer|504"):
        await env.run(activities.cancel_fulfillment_order, ref)
    await env.run(activities.cancel_fulfillment_order, ref)  # whatever Amazon says to the second asking
    look = await env.run(activities.look_at_fulfillment_order, ref)
    assert look.snapshot is not None
    assert (look.snapshot.settled, look.snapshot.shipped) == (True, {})

"""What Amazon holds back of the sellers' money: asked for now, or as it was told last."""

from collections.abc import Sequence

from temporalio.client import Client

from canonical.deferred_contracts import DEFERRED_LOOK, DeferredInput, deferred_look_id
from canonical.settlement.deferred import Deferred
from starters.looks import last_results
from starters.passes import begin, finish


async def ask(client: Client, sellers: Sequence[str]) -> list[Deferred]:
    """Ask Amazon now, one seller behind the other: they share no quota, but a person waits for all of them."""
    summary = "What Amazon holds back"
    begun = [
        await begin(client, DEFERRED_LOOK, DeferredInput(seller_id=seller), deferred_look_id(seller), summary)
        for seller in sellers
    ]
    return [await finish(client, one, Deferred) for one in begun]


async def known(client: Client, seller_id: str) -> Deferred | None:
    """As the last look told it, by the clock or by hand; None where nobody looked or Temporal has forgotten it."""
    told = await last_results(client, DEFERRED_LOOK, deferred_look_id(seller_id), Deferred)
    looks = [one for one in told if one.seller_id == seller_id]
    return max(looks, key=lambda one: one.as_of, default=None)

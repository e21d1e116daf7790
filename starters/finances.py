"""Kinds of amounts that nobody has said how to book: Amazon's transactions looked through now."""

from collections.abc import Sequence

from temporalio.client import Client

from canonical.finance_contracts import FINANCE_LOOK, FinanceInput, FinanceLooked, finance_look_id
from canonical.settlement.finance_reading import Sighting
from starters.looks import last_results
from starters.passes import begin, finish


async def ask(client: Client, sellers: Sequence[str]) -> list[FinanceLooked]:
    """Look now, at all sellers at once; what is new is told to people too, as by the daily look."""
    begun = [
        await begin(
            client,
            FINANCE_LOOK,
            FinanceInput(seller_id=seller),
            finance_look_id(seller),
            "New kinds of amounts",
        )
        for seller in sellers
    ]
    return [await finish(client, one, FinanceLooked) for one in begun]


async def known(client: Client, seller_id: str) -> tuple[Sighting, ...]:
    """What was lacking when the last look ended."""
    told = await last_results(client, FINANCE_LOOK, finance_look_id(seller_id), FinanceLooked)
    looks = [one for one in told if one.seller_id == seller_id]
    last = max(looks, key=lambda one: one.until, default=None)
    return last.kinds if last is not None else ()

"""Orders put into the pretended Amazon, and what it says of the requests it got."""

import asyncio
from collections.abc import Mapping

import httpx

from tests.support.orders import ANOTHER, ORDINARY, order

SELLER = "A2EUSELLER0001"
_AT_ONCE = 25


async def plant(amazon: httpx.AsyncClient, count: int) -> dict[str, list[str]]:
    """`count` FBA orders of two items, placed an hour ago in Germany; the item ids of each.

    They stay unshipped: what is measured is how they are taken in, not what becomes of them.
    """
    planted: dict[str, list[str]] = {}
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one() -> None:
        body = order(ORDINARY, ANOTHER)
        items = body["orderItems"]
        assert isinstance(items, list)
        planted[str(body["orderId"])] = [str(item["orderItemId"]) for item in items]
        async with gate:
            answer = await amazon.post(
                "/_control/order", json={"order": body, "seller": SELLER, "keep_times": True}
            )
        answer.raise_for_status()

    await asyncio.gather(*(one() for _ in range(count)))
    return planted


async def requests_of(amazon: httpx.AsyncClient) -> dict[str, int]:
    """How often each operation was answered with which status since the simulator started."""
    answer = await amazon.get("/_control/requests")
    answer.raise_for_status()
    counts: dict[str, int] = answer.json()
    return counts


def refused(counts: Mapping[str, int]) -> int:
    """Answers 429 among them."""
    return sum(count for name, count in counts.items() if name.endswith(" 429"))


def asked(counts: Mapping[str, int], operation: str) -> int:
    """Requests that `operation` answered with an order or a page of orders."""
    return counts.get(f"{operation} 200", 0)

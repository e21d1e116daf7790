"""What Amazon keeps for the seller (FBA Inventory v1, getInventorySummaries). Every method raises `AmazonError`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import ValidationError

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import GET_INVENTORY_SUMMARIES
from activities.amazon.transport import Transport
from canonical.stock.fba_pool import FbaView

PASSES: Final = 3
"""How often a marketplace is begun within one call."""
_THROTTLED: Final = 5
"""429s after which a pass is given up: the token will not outlive more."""
_REMARKS: Final = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Shown:
    """All that one marketplace shows."""

    views: tuple[FbaView, ...]
    remarks: tuple[str, ...] = ()
    """Of entries that cannot be read."""
    passes: int = 1


class Inventory:
    """FBA stock of one selling partner.

    A marketplace has a page for every fifty SKUs, and the token for the next page lives thirty seconds: no queue could
    be waited for in between. So all pages are read in a row, and the calls behind the first, which the queue let out,
    are paced here by the operation's own rate; readers of one partner take turns.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._sleep = sleep
        self._clock = clock
        self._turn = asyncio.Lock()
        self._next = 0.0

    async def summaries(self, seller_id: str, marketplace_id: str) -> Shown:
        """Every SKU of a marketplace (2 calls/s, burst 2). A token that Amazon takes no longer begins it again, since
        pages of two passes are of two moments; after a few passes the refusal is raised."""
        async with self._turn:
            for attempt in range(1, PASSES + 1):
                try:
                    return await self._pass(seller_id, marketplace_id, attempt)
                except _Stale as stale:
                    if attempt == PASSES:
                        raise stale.error from None
                    _log.info("fba_stock_begun_again", marketplace_id=marketplace_id, after=stale.pages)
            raise AssertionError("unreachable")

    async def _pass(self, seller_id: str, marketplace_id: str, attempt: int) -> Shown:
        views: list[FbaView] = []
        remarks: list[str] = []
        token, pages = "", 0
        while True:
            try:
                answer = await self._page(marketplace_id, token)
            except AmazonError as error:
                if token and error.failure is Failure.REFUSED:
                    raise _Stale(error, pages) from None
                raise
            pages += 1
            for entry in _entries(answer):
                view = _view(entry, seller_id, marketplace_id)
                if view is not None:
                    views.append(view)
                elif len(remarks) < _REMARKS:
                    named = str(entry.get("sellerSku") or "without a SKU")
                    remarks.append(f"Amazon's stock of {named} in {marketplace_id} cannot be read.")
            token = _next_token(answer)
            if not token:
                return Shown(tuple(views), tuple(remarks), attempt)

    async def _page(self, marketplace_id: str, token: str) -> dict[str, object]:
        query = {
            "details": "true",
            "granularityType": "Marketplace",
            "granularityId": marketplace_id,
            "marketplaceIds": marketplace_id,
            **({"nextToken": token} if token else {}),
        }
        throttled = 0
        while True:
            await self._paced()
            try:
                return await self._transport.call(GET_INVENTORY_SUMMARIES, query=query)
            except AmazonError as error:
                throttled += 1
                if error.failure is not Failure.QUOTA or throttled == _THROTTLED:
                    raise

    async def _paced(self) -> None:
        wait = self._next - self._clock()
        if wait > 0:
            await self._sleep(wait)
        self._next = self._clock() + self._transport.interval(GET_INVENTORY_SUMMARIES).total_seconds()


class _Stale(Exception):  # noqa: N818 - a reason to begin again
    """Amazon did not take a token; `pages` were read before."""

    def __init__(self, error: AmazonError, pages: int) -> None:
        super().__init__(error.sentence)
        self.error = error
        self.pages = pages


def _entries(answer: Mapping[str, object]) -> list[Mapping[str, object]]:
    payload = answer.get("payload")
    found = payload.get("inventorySummaries") if isinstance(payload, dict) else None
    if not isinstance(found, list):
        raise AmazonError(
            Failure.UNAVAILABLE,
            GET_INVENTORY_SUMMARIES.name,
            status=200,
            message="the answer has no usable 'payload'",
        )
    return [entry if isinstance(entry, dict) else {} for entry in found]


def _next_token(answer: Mapping[str, object]) -> str:
    pagination = answer.get("pagination")
    return str(pagination.get("nextToken") or "") if isinstance(pagination, dict) else ""


def _view(entry: Mapping[str, object], seller_id: str, marketplace_id: str) -> FbaView | None:
    """The entry's figures; a detail that Amazon leaves out is none (all are optional in its model)."""
    details = _object(entry, "inventoryDetails")
    sku = entry.get("sellerSku")
    if not isinstance(sku, str) or not sku or "inventoryDetails" not in entry:
        return None
    try:
        return FbaView.model_validate(
            {
                "seller": seller_id,
                "marketplace_id": marketplace_id,
                "sku": sku,
                "fnsku": entry.get("fnSku") or "",
                "fulfillable": details.get("fulfillableQuantity") or 0,
                "reserved": _object(details, "reservedQuantity").get("totalReservedQuantity") or 0,
                "unfulfillable": _object(details, "unfulfillableQuantity").get("totalUnfulfillableQuantity")
                or 0,
            }
        )
    except ValidationError:
        return None


def _object(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}

"""What the inventory commands ask the stock keeper, and what they tell it."""

import asyncio
import getpass
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from canonical.ids import stock_workflow_id
from canonical.stock import keeper_contracts as act
from canonical.stock.drift import Drift, drift
from canonical.stock.keeper_state import RETRY_OFFER, STATE, StockView
from canonical.stock.news import LOOK, LookNow
from starters.console import Refused
from worker.archiving import ArchiveError
from worker.listings import look_at_listings
from worker.settings import Settings
from worker.stock_reading import StockReading

_NONE = "No stock keeper runs. It is started by a worker whose configuration has a section [stock]; see docs/stock.md."
_SILENT = (
    "The stock keeper does not answer, and sends nothing: no worker takes its tasks, or they fail. The history of "
    "o2c-stock in the Web UI shows which; of failing tasks the worker's code is the cause, and the runbook says what "
    "to do (an order is stuck)."
)
_NO_ANSWER = (RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)
_ANSWERS_IN = timedelta(seconds=15)
_LOOKS, _LOOK_EVERY = 240, 0.5
"""Looks, and seconds between them, within which the keeper has taken in listings that were read."""


async def keeper_state(client: Client) -> StockView:
    """The keeper as it stands; raises Refused where none runs, or none answers."""
    handle = client.get_workflow_handle(stock_workflow_id())
    try:
        view: StockView = await handle.query(STATE, result_type=StockView, rpc_timeout=_ANSWERS_IN)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Refused(_NONE) from None
        if error.status in _NO_ANSWER:
            raise Refused(_SILENT) from None
        raise
    except WorkflowQueryFailedError as error:
        raise Refused(f"The stock keeper cannot answer: {error}") from None
    return view


async def ask(
    client: Client, settings: Settings, skus: Sequence[tuple[str, str]], *, full: bool, again: bool
) -> int:
    """Tell the keeper to look now, and with `again` to send what was refused; how many pools are meant by name."""
    view = await keeper_state(client)
    pools = _pools(settings, view, skus)
    handle = client.get_workflow_handle(stock_workflow_id())
    if again:
        for seller, sku in skus or [("", "")]:
            await handle.signal(RETRY_OFFER, act.RetryOffers(seller=seller, sku=sku, by=_who()))
    await handle.signal(LOOK, LookNow(full=full, pools=pools))
    return len(pools)


def _pools(
    settings: Settings, view: StockView, skus: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    try:
        reading = StockReading(settings, view)
        found: dict[tuple[str, str], None] = {}
        for seller, sku in skus:
            known = reading.sku(seller, sku)
            if known is None:
                raise Refused(f"Seller {seller} lists no SKU {sku}, as far as the stock keeper knows.", 2)
            if known.fba:
                raise Refused(f"Amazon fulfils SKU {sku} of seller {seller}: its quantity is never sent.", 2)
            if not known.offers:
                raise Refused(f"No item in M3 has the SKU {sku}: 'o2c sku suggest {sku}'.", 2)
            found |= dict.fromkeys((offer.whlo, offer.itno) for offer in known.offers.values())
    except ArchiveError as error:
        raise Refused(str(error)) from None
    return tuple(found)


async def listings_now(client: Client, settings: Settings) -> None:
    """Have every seller's listings read, and wait until the keeper has them; raises Refused where that fails."""
    await keeper_state(client)
    for seller_id in settings.sellers:
        workflow_id = await look_at_listings(client, settings, seller_id)
        try:
            await client.get_workflow_handle(workflow_id).result()
        except WorkflowFailureError as error:
            raise Refused(
                f"The listings of seller {seller_id} could not be read: {error.cause}. See {workflow_id}."
            ) from None
    for _ in range(_LOOKS):
        if not (await keeper_state(client)).busy:
            return
        await asyncio.sleep(_LOOK_EVERY)


class Drifts:
    """What Amazon shows against what it should."""

    def __init__(self, settings: Settings, view: StockView) -> None:
        try:
            reading = StockReading(settings, view)
            states = {state.name: state for state in reading.offers()}
            shown = reading.shown(states)
        except ArchiveError as error:
            raise Refused(str(error)) from None
        listed = {(read.seller_id, read.marketplace_id) for read in view.listings}
        judged = [s for s in states.values() if (s.offer.seller, s.offer.marketplace_id) in listed]
        self.found: list[Drift] = drift(judged, shown.quantities)
        self.offers = len(judged)
        self.newer = shown.newer
        self.taken_at: datetime | None = min((read.taken_at for read in view.listings), default=None)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"

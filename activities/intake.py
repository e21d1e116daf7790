"""From a look at Amazon or M3 to the workflows it concerns: every order found is started or told before the
activity returns, so that a crash repeats a page and never skips one.

What starts workflows and what reads visibility lies above this room; it is handed in (the Protocols below).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from temporalio import activity

from activities.amazon.client import AmazonClient, OrderPage, Period
from activities.amazon.outcomes import asking_amazon
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.open_orders import OpenOrdersActivities, TellSold
from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.held import HeldReason, held
from canonical.ids import is_amazon_order_id
from canonical.order import Delivery
from canonical.order_contracts import GoodsLeft, OrderToCashInput
from canonical.starting import StartKind, StartOutcome
from canonical.stock.news import SoldLine, SoldLines
from canonical.stock.order_news import sold_in_order
from canonical.sweep_contracts import (
    SWEEP_AMAZON_PAGE,
    SWEEP_M3_DELIVERIES,
    SweepAmazonPageRequest,
    SweepAmazonPageResult,
    SweepM3Request,
    SweepM3Result,
)

AT_ONCE: Final = 25
"""Orders started or signalled at the same time."""
MOST_REMARKS: Final = 50
INCOMPLETE: Final = "intake_incomplete"
"""ApplicationError type: some orders of a page could not be handed over; the page is repeated."""
REMEMBERED: Final = 20_000

_log = structlog.get_logger(__name__)


class StartOrSignal(Protocol):
    """Start the order's workflow, or tell the running one what Amazon says now (signal-with-start).

    priority: Temporal's priority key, 1 (first) to 5. Raises where Temporal could not be asked.
    """

    async def __call__(self, order: OrderToCashInput, *, priority: int) -> StartOutcome: ...


@dataclass(frozen=True)
class WaitingOrder:
    """An MFN order whose workflow waits for goods to leave."""

    seller_id: str
    order_id: str
    workflow_id: str


class ListWaitingOrders(Protocol):
    """Running MFN orders in step awaiting_shipment, at most `limit` (Temporal visibility)."""

    async def __call__(self, limit: int) -> Sequence[WaitingOrder]: ...


class ReadDeliveries(Protocol):
    """M3 deliveries whose goods have left, by Amazon order id, for many orders at once."""

    async def __call__(self, order_ids: Sequence[str], /) -> Mapping[str, tuple[Delivery, ...]]: ...


class SignalGoodsLeft(Protocol):
    """Send `goods_left`; False where the workflow has ended meanwhile."""

    async def __call__(self, order: WaitingOrder, goods: GoodsLeft) -> bool: ...


class IntakeActivities:
    """The sweeps. clients: by seller id. tell_sold: None where stock is not configured."""

    def __init__(
        self,
        clients: Mapping[str, AmazonClient],
        *,
        start_or_signal: StartOrSignal,
        list_waiting: ListWaitingOrders,
        read_deliveries: ReadDeliveries,
        signal_goods_left: SignalGoodsLeft,
        tell_sold: TellSold | None = None,
    ) -> None:
        self._clients = clients
        self._start_or_signal = start_or_signal
        self._list_waiting = list_waiting
        self._read_deliveries = read_deliveries
        self._signal_goods_left = signal_goods_left
        self._tell_sold = tell_sold
        self._open_orders = OpenOrdersActivities(clients, tell_sold)
        self._told: OrderedDict[str, frozenset[str]] = OrderedDict()

    @property
    def searching(self) -> Sequence[Callable[..., object]]:
        """What asks searchOrders."""
        return [self.sweep_amazon_page, self._open_orders.read_open_orders]

    @activity.defn(name=SWEEP_AMAZON_PAGE)
    async def sweep_amazon_page(self, request: SweepAmazonPageRequest) -> SweepAmazonPageResult:
        """One searchOrders page; every order on it is started or signalled when this returns, and the stock keeper
        has been told of the lines that the seller ships himself.

        An order that cannot be read blocks no other: it is started by its id alone, so that its workflow
        reads it again and is held where a person can see it. Pending orders are started too and wait in their
        workflow. Multi-channel orders are skipped: they are no marketplace sales.
        """
        async with asking_amazon(f"Orders of seller {request.seller_id}"):
            page = await self._client(request.seller_id).search_orders(_period(request), token=request.token)
            return await self._hand_over(request, page)

    @activity.defn(name=SWEEP_M3_DELIVERIES)
    async def sweep_m3_deliveries(self, request: SweepM3Request) -> SweepM3Result:
        """Tell waiting MFN orders that their goods have left M3's warehouse.

        An order is told once per delivery and process; after a restart it may be told again, which changes
        nothing.
        """
        with failures_as_temporal_knows_them():
            async with heartbeating():
                return await self._tell_waiting(request.limit)

    async def _tell_waiting(self, limit: int) -> SweepM3Result:
        waiting = await self._list_waiting(limit)
        if not waiting:
            return SweepM3Result()
        found = await self._read_deliveries([order.order_id for order in waiting])
        news = [(order, found[order.order_id]) for order in waiting if self._is_news(order, found)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def tell(order: WaitingOrder, deliveries: tuple[Delivery, ...]) -> bool:
            async with gate:
                told = await self._signal_goods_left(order, GoodsLeft(deliveries=deliveries))
            self._remember(order, deliveries)
            return told

        results = await asyncio.gather(*(tell(*each) for each in news), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result  # after all the others were told
        return SweepM3Result(looked_at=len(waiting), signalled=sum(result is True for result in results))

    async def _hand_over(self, request: SweepAmazonPageRequest, page: OrderPage) -> SweepAmazonPageResult:
        tally = _Tally()
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(order: OrderToCashInput) -> None:
            async with gate:
                try:
                    tally.count(await self._start_or_signal(order, priority=request.priority))
                except Exception as error:  # one order must not take the rest of the page with it
                    tally.failed(order.order_id, error)

        inputs = [_as_input(payload, request.seller_id, tally) for payload in page.orders]
        await asyncio.gather(
            self._tell_stock(request.seller_id, inputs, tally), *(one(order) for order in inputs if order)
        )
        if tally.failures:
            raise RetryLater(
                f"{len(tally.failures)} of {len(page.orders)} orders of seller {request.seller_id} could not "
                f"be handed to their workflows and the page is read again; the first: {tally.failures[0]}",
                kind=INCOMPLETE,
            )
        if tally.untold:
            raise RetryLater(
                f"The stock keeper could not be told of the orders of seller {request.seller_id} "
                f"({tally.untold}) and the page is read again.",
                kind=INCOMPLETE,
            )
        return tally.result(page)

    async def _tell_stock(
        self, seller_id: str, inputs: Sequence[OrderToCashInput | None], tally: "_Tally"
    ) -> None:
        """One signal a page; an order that is started by its id alone tells nothing before it can be read."""
        if self._tell_sold is None:
            return
        lines: list[SoldLine] = []
        for each in inputs:
            if each is not None and each.order is not None:
                news = sold_in_order(each.order)
                lines += news.lines
                tally.remarks += news.remarks
        try:
            await self._tell_sold(SoldLines(seller_id=seller_id, lines=tuple(lines)))
        except Exception as error:  # the orders of the page are handed over all the same
            tally.untold = type(error).__name__
            _log.warning("stock_not_told", seller=seller_id, error=tally.untold)

    def _is_news(self, order: WaitingOrder, found: Mapping[str, tuple[Delivery, ...]]) -> bool:
        seen = frozenset(delivery.dlix for delivery in found.get(order.order_id, ()))
        return not seen <= self._told.get(order.workflow_id, frozenset())

    def _remember(self, order: WaitingOrder, deliveries: tuple[Delivery, ...]) -> None:
        self._told[order.workflow_id] = frozenset(delivery.dlix for delivery in deliveries)
        self._told.move_to_end(order.workflow_id)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def _client(self, seller_id: str) -> AmazonClient:
        client = self._clients.get(seller_id)
        if client is None:
            raise held(HeldReason.NOT_CONFIGURED, f"Seller {seller_id} is not in the configuration.")
        return client


class _Tally:
    """What became of the orders of one page."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(StartKind, 0)
        self.remarks: list[str] = []
        self.failures: list[str] = []
        self.untold = ""
        """Type of the error for which the stock keeper could not be told."""

    def count(self, outcome: StartOutcome) -> None:
        self.counts[outcome.kind] += 1
        if outcome.remark:
            self.remarks.append(outcome.remark)

    def failed(self, order_id: str, error: Exception) -> None:
        # The type alone: the text of a foreign error may repeat the order's content.
        self.failures.append(f"order {order_id}, {type(error).__name__}")
        _log.warning("order_not_handed_over", order_id=order_id, error=type(error).__name__)

    def result(self, page: OrderPage) -> SweepAmazonPageResult:
        return SweepAmazonPageResult(
            orders=len(page.orders),
            started=self.counts[StartKind.STARTED],
            signalled=self.counts[StartKind.SIGNALLED],
            late=self.counts[StartKind.LATE],
            after_close=self.counts[StartKind.AFTER_CLOSE],
            skipped=self.counts[StartKind.SKIPPED],
            remarks=tuple(self.remarks[:MOST_REMARKS]),
            next_token=page.next_token,
            horizon=page.horizon,
        )


def _as_input(payload: Mapping[str, object], seller_id: str, tally: _Tally) -> OrderToCashInput | None:
    """What starts the order's workflow; None where there is nothing to start, which is counted."""
    try:
        order = read_order(payload, seller_id)
    except UnreadableOrder as error:
        return _by_its_id(payload, seller_id, tally, str(error))
    except Exception as error:  # an error of our own reader must not take the rest of the page with it
        return _by_its_id(payload, seller_id, tally, f"An order cannot be read: {type(error).__name__}.")
    if order.is_multi_channel:
        tally.counts[StartKind.SKIPPED] += 1
        return None
    return OrderToCashInput(seller_id=seller_id, order_id=order.order_id, order=order)


def _by_its_id(
    payload: Mapping[str, object], seller_id: str, tally: _Tally, why: str
) -> OrderToCashInput | None:
    """Start the order without its facts: its workflow reads it again and is held where people look."""
    order_id = payload.get("orderId")
    if isinstance(order_id, str) and is_amazon_order_id(order_id):
        tally.remarks.append(why)
        return OrderToCashInput(seller_id=seller_id, order_id=order_id)
    tally.remarks.append(f"{why} It has no order id and could not be started.")
    tally.counts[StartKind.SKIPPED] += 1
    return None


def _period(request: SweepAmazonPageRequest) -> Period:
    """The period asked for. ValueError unless exactly one of updated_after and created_after is given."""
    if request.created_after is not None and request.updated_after is None:
        return Period(request.created_after, request.created_before, by_creation=True)
    if request.updated_after is not None and request.created_after is None:
        return Period(request.updated_after, request.updated_before)
    raise ValueError("A page of orders needs exactly one of updated_after and created_after.")

"""What a message about an M3 document leads to: a look in M3, news for the orders, an answer through ION.

Like the sweep, it asks M3 what is so and tells orders only that; what a message says is never taken over.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, Protocol

import structlog
from temporalio import activity

from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.intake import ReadDeliveries, WaitingOrder
from activities.m3.errors import MIError
from activities.m3.ion import InactiveConnectionPoint, IonMessages
from canonical.acknowledge_bod import rejection
from canonical.held import HeldReason, held
from canonical.ids import order_workflow_id
from canonical.m3_document_contracts import (
    ACKNOWLEDGE_BOD,
    FOLLOW_M3_DOCUMENT,
    ION_INACTIVE,
    AcknowledgeBod,
    FollowedM3Document,
    FollowM3Document,
    Hint,
    OrderHint,
)
from canonical.order import Delivery
from canonical.order_contracts import GoodsLeft

_INACTIVE_WAIT: Final = timedelta(minutes=15)
_log = structlog.get_logger(__name__)


class CorrectPackages(Protocol):
    """Compares an order's deliveries with what Amazon was told (`corrections.CorrectionActivities.corrected`)."""

    async def __call__(self, order: WaitingOrder, deliveries: Sequence[Delivery], /) -> bool: ...


class OrderWorkflows(Protocol):
    """The order workflows, handed in from the room above."""

    async def tell_goods_left(self, order: OrderHint, goods: GoodsLeft) -> bool:
        """Send `goods_left`; False where the workflow has ended meanwhile."""

    async def retry_if_held(self, order: OrderHint, reason: HeldReason, why: str) -> bool:
        """Send `retry` to an order held for `reason`; False where it is not, or no longer."""


class DocumentActivities:
    """`ion` is None where this installation sends nothing through ION."""

    def __init__(
        self,
        *,
        read_deliveries: ReadDeliveries,
        correct: CorrectPackages,
        orders: OrderWorkflows,
        ion: IonMessages | None,
    ) -> None:
        self._read_deliveries = read_deliveries
        self._correct = correct
        self._orders = orders
        self._ion = ion

    @property
    def all(self) -> list[Callable[..., Awaitable[object]]]:
        return [self.follow_m3_document, self.acknowledge_bod]

    @activity.defn(name=FOLLOW_M3_DOCUMENT)
    async def follow_m3_document(self, request: FollowM3Document) -> FollowedM3Document:
        """Tell the orders of a document what M3 says of them. Repeated, it tells them nothing new."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                try:
                    if request.hint is Hint.GOODS_LEFT:
                        return await self._goods_left(request)
                    return await self._invoiced(request)
                except MIError as error:
                    raise error.as_hold(HeldReason.M3_REFUSED, _named(request)) from None

    @activity.defn(name=ACKNOWLEDGE_BOD)
    async def acknowledge_bod(self, request: AcknowledgeBod) -> None:
        """Send an Acknowledge BOD under the same message id in every attempt: its receivers drop the second."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                await self._acknowledge(request)

    async def _goods_left(self, request: FollowM3Document) -> FollowedM3Document:
        found = await self._read_deliveries([order.order_id for order in request.orders])
        told, corrected = [], []
        for order in request.orders:
            deliveries = found.get(order.order_id, ())
            if not deliveries:
                continue
            if await self._orders.tell_goods_left(order, GoodsLeft(deliveries=deliveries)):
                told.append(order.order_id)
            if await self._correct(_shipped(order), deliveries):
                corrected.append(order.order_id)
        return FollowedM3Document(told=tuple(told), corrected=tuple(corrected))

    async def _invoiced(self, request: FollowM3Document) -> FollowedM3Document:
        why = f"M3 sent {_named(request)}"
        told = [
            order.order_id
            for order in request.orders
            if await self._orders.retry_if_held(order, HeldReason.INVOICE_MISSING, why)
        ]
        return FollowedM3Document(told=tuple(told))

    async def _acknowledge(self, request: AcknowledgeBod) -> None:
        if self._ion is None:
            raise held(
                HeldReason.NOT_CONFIGURED,
                "A Process BOD cannot be answered: the configuration has no [ion] with a logical_id.",
            )
        wanted = request.acknowledgement
        document = rejection(wanted, sender=self._ion.logical_id)
        try:
            await self._ion.send(f"Acknowledge.{wanted.noun}", document, message_id=wanted.message_id)
        except InactiveConnectionPoint as error:
            raise RetryLater(str(error), kind=ION_INACTIVE, delay=_INACTIVE_WAIT) from None
        except MIError as error:
            raise error.as_hold(HeldReason.M3_REFUSED, f"The answer to Process.{wanted.noun}") from None
        _log.info("bod_acknowledged", noun=wanted.noun, message_id=wanted.message_id)


def _shipped(order: OrderHint) -> WaitingOrder:
    return WaitingOrder(
        seller_id=order.seller_id,
        order_id=order.order_id,
        workflow_id=order_workflow_id(order.seller_id, order.order_id),
    )


def _named(request: FollowM3Document) -> str:
    return f"{request.name} {request.document_id}"

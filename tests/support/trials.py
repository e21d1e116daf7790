"""What the write matrix is made of: a write, what befalls it, and the one subject on which it is tried."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.m3.client import M3Client
from canonical import ids
from simulators import catalogue
from tests.support.orders import ORDINARY, order
from tests.support.world import World

EUROPE, AMERICA = (seller.seller_id for seller in catalogue.SELLERS)

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """What befalls a write: `when` and `action` as in `simulators.faults.FaultOrder`."""

    name: str
    when: str
    action: str

    @property
    def is_crash(self) -> bool:
        """Whether the worker is killed while it waits for the answer."""
        return self.action == "hang"


CASES = (
    Case("reply lost: HTTP 504", "after", "status_504"),
    Case("reply lost: connection cut", "after", "drop"),
    Case("crash just before", "before", "hang"),
    Case("crash just after", "after", "hang"),
)


class Subject(StrEnum):
    """Whose write it is."""

    ORDER = "order"
    RETURN = "return"
    """The case of what came back of an order that is closed."""
    CORRECTION = "correction"
    """Of packages of an order that is closed."""
    MCF = "mcf"
    """A delivery of another channel, which Amazon fulfils."""


@dataclass
class Trial:
    """One write, one case, one subject of its own."""

    write: "Write"
    case: Case
    number: int = field(default_factory=lambda: next(_numbers))
    body: dict[str, Any] = field(init=False)
    """What Amazon has sold; nothing where another channel has."""
    delivery: tuple[str, str] = ("", "")
    """ORNO and DLIX of what Amazon is to fulfil for another channel."""
    troubles: list[str] = field(default_factory=list)
    """What went wrong on the way, in the test's own words."""

    def __post_init__(self) -> None:
        self.body = self.write.order(self)

    @property
    def id(self) -> str:
        """Name of the fault and of the test."""
        return f"{self.write.name}, {self.case.name}"

    @property
    def of_amazon(self) -> bool:
        """Whether Amazon sold it."""
        return self.write.subject is not Subject.MCF

    @property
    def order_id(self) -> str:
        """Amazon's order, or the other channel's: M3's CUOR."""
        return str(self.body["orderId"]) if self.of_amazon else f"MATRIX-{self.number:05d}"

    @property
    def item_ids(self) -> list[str]:
        return [str(item["orderItemId"]) for item in self.body["orderItems"]]

    @property
    def fulfillment_order_id(self) -> str:
        return ids.fulfillment_order_id(*self.delivery)

    @property
    def comes_second(self) -> bool:
        """Whether it ends or meets its fault only when the goods have left: a sweep must tell of them, Amazon must
        ship, or the order has to be closed first."""
        if self.write.subject in (Subject.CORRECTION, Subject.MCF):
            return True
        by_merchant = self.body["fulfillment"]["fulfilledBy"] == "MERCHANT"
        return by_merchant and (self.write.at_amazon or not self.case.is_crash)

    @property
    def sku(self) -> str:
        """A SKU that no other order has."""
        return f"MATRIX-{self.number:03d}"

    @property
    def buyer(self) -> str:
        return f"Buyer Number {self.number:03d}"

    def handle(self, world: World) -> WorkflowHandle[Any, Any]:
        """The workflow that makes the write."""
        seller = self.write.seller
        match self.write.subject:
            case Subject.ORDER:
                workflow_id = ids.order_workflow_id(seller, self.order_id)
            case Subject.RETURN:
                sku = str(self.body["orderItems"][0]["product"]["sellerSku"])
                workflow_id = ids.return_case_workflow_id(seller, self.order_id, sku)
            case Subject.CORRECTION:
                workflow_id = ids.correction_workflow_id(seller, self.order_id)
            case Subject.MCF:
                workflow_id = ids.mcf_workflow_id(*self.delivery)
        return world.client.get_workflow_handle(workflow_id)

    async def has_ended(self, world: World) -> bool:
        """Whether that workflow has run to its end."""
        try:
            return (await self.handle(world).describe()).close_time is not None
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False


async def nothing(trial: Trial, world: World, m3: M3Client) -> None:
    """Most make their write without help."""


Step = Callable[[Trial, World, M3Client], Awaitable[None]]


@dataclass(frozen=True)
class Write:
    """A write: `aim` tells the fault which call of all is this order's."""

    operation: str
    order: Callable[[Trial], dict[str, Any]]
    aim: Callable[[Trial], Mapping[str, str]]
    about: str = ""
    subject: Subject = Subject.ORDER
    seller: str = EUROPE
    skip: int = 0
    """So many such calls come before the one that is meant."""
    before: Step = nothing
    """What must be so before the order starts."""
    after: Step = nothing
    """What has to happen once it has started."""
    later: Step = nothing
    """What has to happen when all the others have ended or met their faults."""
    finish: Step | None = None
    """What has to happen when the write is done, for the order to end."""
    outcome: str = "booked"
    """How the workflow that makes the write ends."""
    may_split: bool = False
    per_buyer: bool = False
    alias: bool = False

    @property
    def name(self) -> str:
        return f"{self.operation} ({self.about})" if self.about else self.operation

    @property
    def at_amazon(self) -> bool:
        return "." not in self.operation

    @property
    def cancelled(self) -> bool:
        return self.outcome == "cancelled"


def cuor(trial: Trial) -> Mapping[str, str]:
    """By the order's number in M3."""
    return {"CUOR": trial.order_id}


def shipped(
    *lines: tuple[str, int] | str, marketplace: str = "DE", shipping: str = "0"
) -> Callable[[Trial], dict[str, Any]]:
    """Orders that Amazon has shipped."""
    return lambda _: order(*lines, status="SHIPPED", marketplace=marketplace, shipping=shipping)


def merchants(_: Trial) -> dict[str, Any]:
    """An order of the own warehouse."""
    return order(ORDINARY, channel="MERCHANT")


async def m3_control(world: World, path: str, **body: object) -> None:
    """Something happens in M3."""
    (await world.m3.post(f"/_control/{path}", json=body)).raise_for_status()

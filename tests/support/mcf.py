"""M3 orders of other channels, whose goods lie at Amazon, and Amazon's fulfilment orders for them."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import WorkflowHandle

from activities.m3.client import M3Client
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.fulfillment_notices import read_fulfillment_notice
from canonical.ids import mcf_workflow_id
from canonical.mcf_contracts import McfResult, McfView
from canonical.sweep_contracts import SWEEP, SweepInput, SweepResult
from simulators import assortment, catalogue
from tests.support.world import World, eventually
from worker.mcf import tell_fulfillment_changed
from worker.outside import outside

SELLER = "A2EUSELLER0001"
WAREHOUSE = "AFE"
"""M3 keeps Amazon's European stock in one warehouse, for Amazon's own orders as well."""
BUYER = {
    "CUNM": "Teehaus Nordlicht",
    "CUA1": "Hafenstraße 7",
    "PONO": "20457",
    "TOWN": "Hamburg",
    "CSCD": "DE",
}
TEA, MUGS = assortment.ITEM_BY_SKU["TEA-WHITE-80"], assortment.ITEM_BY_SKU["CUP-STON-4"]
"""Items to which no other test gives a second alias: which of two Amazon is to ship would be a person's choice."""
McfHandle = WorkflowHandle[object, McfResult]
_numbers = itertools.count(1)


@dataclass
class McfShop:
    """The service between both simulators, as MCF needs it."""

    world: World
    m3: M3Client

    async def order(
        self,
        *lines: tuple[assortment.Item, int],
        address: dict[str, str] | None = None,
        cuor: str | None = None,
        **head: str,
    ) -> tuple[str, str]:
        """A customer of another channel orders in M3, which allocates and releases; answers ORNO and DLIX."""
        cuor = cuor or f"PO-{next(_numbers):05d}"
        fields = {"CUNO": "AMZDE", "ORTP": "AZF", "CUOR": cuor, "WHLO": WAREHOUSE, "FACI": catalogue.FACI}
        [made] = await self.m3.execute("OIS100MI", "AddBatchHead", {**fields, "CUCD": "EUR", **head})
        temp = made["ORNO"]
        where = {"ORNO": temp, "ADRT": "1", **(BUYER if address is None else address)}
        await self.m3.execute("OIS100MI", "AddBatchAddress", where)
        for item, quantity in lines or ((TEA, 2),):
            line = {"ORNO": temp, "ITNO": item.itno, "ORQT": str(quantity), "WHLO": WAREHOUSE, "SAPR": "10"}
            await self.m3.execute("OIS100MI", "AddBatchLine", line)
        await self.m3.execute("OIS100MI", "Confirm", {"ORNO": temp})

        async def listed() -> dict[str, list[dict[str, object]]]:
            return await self.world.in_m3(cuor)

        found = await eventually(
            listed,
            lambda seen: any(one["plsx"] for one in seen["deliveries"]),
            every_seconds=self.world.look_every,
        )
        [delivery] = found["deliveries"]
        return str(delivery["orno"]), str(delivery["dlix"])

    async def sweep(self) -> SweepResult:
        """The discovery, run by the worker."""
        number = next(_numbers)
        result: SweepResult = await self.world.client.execute_workflow(
            SWEEP,
            SweepInput(seller_ids=(SELLER,), amazon=False, m3=False, mcf=True),
            id=f"test-mcf-sweep-{number}-{id(self)}",
            task_queue=ORDERS_QUEUE,
            result_type=SweepResult,
        )
        return result

    def handle(self, orno: str, dlix: str) -> McfHandle:
        return self.world.client.get_workflow_handle(mcf_workflow_id(orno, dlix), result_type=McfResult)

    async def begun(self, *lines: tuple[assortment.Item, int], **more: object) -> tuple[McfHandle, str]:
        """An order, found by the sweep; answers its workflow and the id of its fulfilment order."""
        orno, dlix = await self.order(*lines, **more)  # type: ignore[arg-type]
        await self.sweep()
        return self.handle(orno, dlix), f"{orno}-{dlix}"

    async def view(self, handle: McfHandle) -> McfView:
        return await handle.query("state", result_type=McfView)

    async def until_step(self, handle: McfHandle, step: str) -> McfView:
        return await eventually(
            lambda: self.view(handle),
            lambda seen: seen.step == step and not seen.held_reason,
            every_seconds=self.world.look_every,
        )

    async def until_held(self, handle: McfHandle, reason: str) -> McfView:
        return await eventually(lambda: self.view(handle), lambda seen: seen.held_reason == reason)

    async def at_amazon(self, order_id: str) -> dict[str, object]:
        answer = await self.world.amazon.get(f"/_control/fulfillment/{order_id}")
        assert answer.status_code == 200, answer.text
        order: dict[str, object] = answer.json()
        return order

    async def every(self) -> list[dict[str, object]]:
        """All fulfilment orders Amazon has."""
        orders: list[dict[str, object]] = (await self.world.amazon.get("/_control/fulfillment")).json()
        return orders

    async def happens(self, order_id: str, *events: str | dict[str, object]) -> dict[str, object]:
        """Events at Amazon, one after the other, without a notification."""
        for event in events:
            body = {"type": event} if isinstance(event, str) else event
            answer = await self.world.amazon.post(f"/_control/fulfillment/{order_id}/events", json=body)
            assert answer.status_code == 200, answer.text
        return await self.at_amazon(order_id)

    async def notified(self, order_id: str) -> bool:
        """Amazon's notification of how the order stands now, taken as the listener takes it."""
        order = await self.at_amazon(order_id)
        shipments: list[dict[str, object]] = order["shipments"]  # type: ignore[assignment]
        last = shipments[-1] if shipments else {}
        notice = {
            "SellerId": order["seller_id"],
            "EventType": "Order",
            "StatusUpdatedDateTime": "2026-11-20T08:00:00Z",
            "SellerFulfillmentOrderId": order_id,
            "FulfillmentOrderStatus": str(order["status"]).upper(),
            "FulfillmentShipment": {
                "FulfillmentShipmentStatus": last.get("status", ""),
                "AmazonShipmentId": last.get("shipment_id", ""),
            },
        }
        read = read_fulfillment_notice({"FulfillmentOrderStatusNotification": notice}, "n-1")
        assert read is not None
        return await tell_fulfillment_changed(self.world.client, read[1])

    async def switch(self, **how: bool) -> None:
        await self.world.amazon.post("/_control/fulfillment/switch", json=how)


@asynccontextmanager
async def mcf_shop(world: World) -> AsyncIterator[McfShop]:
    """Amazon's fulfilment orders go only where the test says."""
    async with outside(world.settings) as systems:
        shop = McfShop(world, systems.m3)
        await shop.switch(automatic=False, asynchronous=False)
        yield shop

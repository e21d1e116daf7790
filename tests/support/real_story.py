"""The story of the real orders: how they come in, what happens to them at Amazon and in M3, who repairs them."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pycountry

from canonical.fixes import AcceptDifference, CorrectAddress, MapSku, Retry
from canonical.order import Address
from canonical.order_contracts import OrderResult, OrderView
from simulators import assortment, catalogue
from tests.support.real_input import ALL_ORDERS_FILE, UNSHIPPED_FILE, Json, RealOrder, real_orders, report
from tests.support.real_world import RealWorld
from tests.support.world import eventually

SINCE = "2024-12-01T00:00Z"
SANDBOX_ENDS = "2025-04-01T00:00Z"
REPORTS_END = datetime(2025, 6, 1, tzinfo=UTC)

UNKNOWN_TO_M3 = ("OD045004_1", "M0634S - CAT - BLACK", "ECHO-DOT-4-JP-CHARCOAL")
"""SKUs that nobody has entered in M3: one of six orders, one with blanks in it, one of two on its order."""
LEFT_HELD = "702-6899790-8341042"
"""Nobody finds out to which province of Canada this one goes."""
REAL_STATES = {"US": "WA", "CA": "ON", "IT": "MI"}


@dataclass
class Story:
    """What became of one order."""

    real: RealOrder
    holds: dict[str, str] = field(default_factory=dict)
    """Sentence by held reason."""
    truths: list[str] = field(default_factory=list)
    """What was found where the reason is true."""
    repairs: list[str] = field(default_factory=list)
    view: OrderView | None = None
    result: OrderResult | None = None
    status_at_end: str = ""
    in_m3: Json = field(default_factory=dict)

    @property
    def end(self) -> OrderView:
        assert self.view is not None, f"order {self.real.order_id} was never started"
        return self.view

    @property
    def at_rest(self) -> bool:
        return self.end.step == "closed" or bool(self.end.held_reason)


@dataclass
class Run:
    """Everything that happened, for the tests to look at."""

    stories: dict[str, Story]
    imports: dict[str, Json] = field(default_factory=dict)
    again: Json = field(default_factory=dict)
    last_sweep: Json = field(default_factory=dict)
    audit: Json = field(default_factory=dict)


async def happen(world: RealWorld, shared: Path) -> Run:
    """Everything, in the order of a seller's day."""
    orders = real_orders(shared)
    happened = Run({order.order_id: Story(order) for order in orders})
    await _prepare(world, orders)
    await _import(world, shared, happened)
    await _life_goes_on(world, happened)
    await _look_and_repair(world, happened)
    await _import_again_and_audit(world, shared, happened)
    return happened


async def _prepare(world: RealWorld, orders: list[RealOrder]) -> None:
    """Amazon has the orders; M3's staff has entered most of the SKUs, each as another item."""
    for order in orders:
        await world.plant(order)
    skus = dict.fromkeys(sku for order in orders for sku in order.skus if sku not in UNKNOWN_TO_M3)
    for sku, item in zip(skus, assortment.ORDINARY_ITEMS, strict=False):
        await world.alias(sku, item.itno)
    assert len(skus) <= len(assortment.ORDINARY_ITEMS)


async def _import(world: RealWorld, shared: Path, happened: Run) -> None:
    eu, na, _ = (account.seller_id for account in catalogue.ACCOUNTS)
    for name, seller in ((ALL_ORDERS_FILE, eu), (UNSHIPPED_FILE, na)):
        happened.imports[name] = await world.o2c("import", str(report(shared, name)), "--seller", seller)
    for account in catalogue.ACCOUNTS:
        happened.imports[account.name] = await world.o2c(
            "import", "--since", SINCE, "--until", SANDBOX_ENDS, "--seller", account.seller_id
        )
    await _look(world, happened)


async def _life_goes_on(world: RealWorld, happened: Run) -> None:
    """Payments come in, Amazon ships its part, the own warehouse ships the rest; sweeps bring the news."""
    for story in happened.stories.values():
        if story.real.status == "PENDING":
            handle = world.handle(story.real.order_id, story.real.seller)
            await world.until(handle, lambda view: view.step == "awaiting_release")
            await world.event(story.real.order_id, "release")
            if not story.real.own:
                await world.event(story.real.order_id, "ship", actor="AMAZON")
    await world.o2c("sweep", "--since", f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    await _until_at_rest(world, happened)


async def _until_at_rest(world: RealWorld, happened: Run) -> None:
    """M3's deliveries are swept until every order is closed or held."""

    async def look() -> list[str]:
        await world.sweep(amazon=False)
        await _look(world, happened)
        return [f"{one.real.order_id} {one.end.step}" for one in happened.stories.values() if not one.at_rest]

    await eventually(look, lambda under_way: not under_way)


async def _look(world: RealWorld, happened: Run) -> None:
    await asyncio.gather(*(_looked_at(world, story) for story in happened.stories.values()))


async def _looked_at(world: RealWorld, story: Story) -> OrderView:
    story.view = await world.view(world.handle(story.real.order_id, story.real.seller))
    return story.view


# --- held: true, and repaired -------------------------------------------------------------------


async def _look_and_repair(world: RealWorld, happened: Run) -> None:
    held = [story for story in happened.stories.values() if story.end.held_reason]
    for story in held:
        await _note_hold(world, story)
    for story in held:
        if story.real.order_id != LEFT_HELD:
            await _repair(world, story)
    await _until_at_rest(world, happened)


async def _note_hold(world: RealWorld, story: Story) -> None:
    await _looked_at(world, story)
    story.holds[story.end.held_reason] = story.end.held_sentence
    story.truths.append(await _truth(world, story))


async def _truth(world: RealWorld, story: Story) -> str:
    """The reason looked up where it is true, by other means than the service's; fails where it is not."""
    real, reason = story.real, story.end.held_reason
    if reason == "unmapped_sku":
        missing = [sku for sku in real.skus if not await world.mi.call("MMS025MI.LstItem", POPN=sku)]
        assert missing, "M3 has an alias for every SKU"
        assert all(sku in story.end.held_sentence for sku in missing)
        return f"MMS025 has no alias {', '.join(missing)}"
    if reason == "address_does_not_fit":
        address = real.payload["recipient"]["deliveryAddress"]
        country, state = address["countryCode"], address["stateOrRegion"]
        subdivisions = pycountry.subdivisions.get(country_code=country)  # type: ignore[no-untyped-call]
        known = {text for one in subdivisions for text in (one.name, one.code)}
        assert known
        assert state not in known, f"{state} is a state of {country}"
        return (
            f"the report has {state.split('-')[0]}-… in place of the state, none of {country} in ISO 3166-2"
        )
    if reason == "total_differs":
        [order] = (await world.in_m3(real.order_id))["orders"]
        total, tax = Decimal(real.payload["proceeds"]["grandTotal"]["amount"]), tax_of(real)
        assert tax
        assert Decimal(str(order["total"])) == total - tax
        return f"Amazon: {total} with {tax} tax; M3's order type adds none: {order['total']}"
    raise AssertionError(f"{real.order_id} is held without a reason we know of: {story.end.held_sentence}")


def tax_of(real: RealOrder) -> Decimal:
    rows = [row for item in real.payload["orderItems"] for row in item["proceeds"]["breakdowns"]]
    return sum((Decimal(row["subtotal"]["amount"]) for row in rows if row["type"] == "TAX"), Decimal(0))


async def _repair(world: RealWorld, story: Story) -> None:
    """What an operator would send; a SKU is mapped once, and the other orders are tried again."""
    handle = world.handle(story.real.order_id, story.real.seller)
    fix: CorrectAddress | MapSku | Retry | AcceptDifference
    match story.end.held_reason:
        case "unmapped_sku":
            [sku] = [sku for sku in story.real.skus if sku in UNKNOWN_TO_M3]
            itno = assortment.ORDINARY_ITEMS[-1 - UNKNOWN_TO_M3.index(sku)].itno
            known = await world.mi.call("MMS025MI.LstItem", POPN=sku)
            name, fix = ("retry", Retry()) if known else ("map_sku", MapSku(sku=sku, itno=itno, alone=True))
        case "address_does_not_fit":
            name, fix = "correct_address", CorrectAddress(address=_with_a_real_state(story.real))
        case _:
            name, fix = "accept_difference", AcceptDifference(why="Tax is reported by the tax service.")
    await handle.execute_update(name, fix)
    story.repairs.append(name)
    if name == "map_sku":
        await world.until(handle, lambda view: not view.held_reason and bool(view.orno))


def _with_a_real_state(real: RealOrder) -> Address:
    address = real.payload["recipient"]["deliveryAddress"]
    return Address(
        name=address["name"],
        lines=(address["addressLine1"],),
        city=address["city"],
        state=REAL_STATES[address["countryCode"]],
        postal_code=address["postalCode"],
        country=address["countryCode"],
    )


# --- the end ------------------------------------------------------------------------------------


async def _import_again_and_audit(world: RealWorld, shared: Path, happened: Run) -> None:
    """The same file once more and the same news once more change nothing; then both sides are compared."""
    seller = catalogue.ACCOUNTS[0].seller_id
    happened.again = await world.o2c("import", str(report(shared, ALL_ORDERS_FILE)), "--seller", seller)
    happened.last_sweep = await world.o2c("sweep", "--since", SINCE)
    await _look(world, happened)
    for order_id, story in happened.stories.items():
        at_amazon = await world.at_amazon(order_id)
        story.status_at_end = str(at_amazon["fulfillment"]["fulfillmentStatus"])  # type: ignore[index]
        story.in_m3 = await world.in_m3(order_id)
        if story.end.step == "closed":
            story.result = await world.handle(order_id, story.real.seller).result()
    happened.audit = await world.o2c(
        "audit", "--since", SINCE, "--until", f"{REPORTS_END:%Y-%m-%dT%H:%MZ}", statuses=(0, 1)
    )

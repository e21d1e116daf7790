"""What Amazon and M3 hold beyond an order in the end: what came back of it, corrected packages, what Amazon fulfilled
for another channel; and whether it is exactly one of everything."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from activities.m3.client import Call, M3Client
from canonical.ids import customer_return_message_number, mcf_message_number
from simulators import catalogue
from tests.support.matrix import Seen, complaints, look
from tests.support.mcf import McfShop
from tests.support.trials import Subject, Trial, Write
from tests.support.world import World

_LINES = 2
"""Of a delivery that Amazon fulfils."""


async def look_at(world: World, m3: M3Client, trial: Trial) -> Seen:
    """Everything about a trial's subject."""
    write = trial.write
    if write.subject is Subject.MCF:
        return await _fulfilled_for_another(world, m3, trial)
    seen = await look(world, m3, trial.order_id, write.seller, trial.buyer if write.per_buyer else "")
    if write.subject is Subject.ORDER:
        return seen
    outcome = await _outcome(world, trial)
    if write.subject is Subject.RETURN:
        return replace(seen, ended=outcome, receipts=await _receipts(m3, seen))
    return replace(seen, ended=outcome)


async def _outcome(world: World, trial: Trial) -> str:
    if not await trial.has_ended(world):
        return "under way"
    return str((await trial.handle(world).result())["outcome"])


async def _receipts(m3: M3Client, seen: Seen) -> int:
    """Messages with which M3 was told that goods came back."""
    lines = [
        (str(found["repn"]), str(line["reli"])) for found in seen.m3["returns"] for line in found["lines"]
    ]
    return await _messages(m3, [customer_return_message_number(*line) for line in lines])


async def _messages(m3: M3Client, numbers: Sequence[str]) -> int:
    calls: list[Call] = [("GetMvxMsg", {"E0PB": catalogue.PARTNER, "PMSN": number}) for number in numbers]
    if not calls:
        return 0
    return sum(answer.error is None for answer in await m3.execute_bulk("MHS850MI", calls))


async def _fulfilled_for_another(world: World, m3: M3Client, trial: Trial) -> Seen:
    _, dlix = trial.delivery
    everything = await world.in_m3(trial.order_id)
    at_amazon = [
        order
        for order in await McfShop(world, m3).every()
        if str(order["order_id"]).startswith(trial.fulfillment_order_id)
    ]
    parcels = [
        parcel
        for order in at_amazon
        for shipment in order["shipments"]  # type: ignore[attr-defined]
        for parcel in shipment["packages"]
    ]
    told = [mcf_message_number(dlix, position) for position in range(_LINES + 1)]
    outcome = await _outcome(world, trial)
    return Seen(
        order_id=trial.order_id,
        result=None,
        outcome=outcome,
        ended=outcome,
        m3={name: found for name, found in everything.items() if isinstance(found, list)},
        amazon={"orders": at_amazon, "packages": parcels, "fulfillment": {"fulfilledBy": "AMAZON"}},
        buyers=None,
        reports=await _messages(m3, told),
    )


def wrong_of(write: Write, seen: Seen) -> list[str]:
    """Everything that is lost, doubled or different in one cell of the table."""
    match write.subject:
        case Subject.ORDER:
            return complaints(seen, cancelled=write.cancelled, may_split=write.may_split)
        case Subject.RETURN:
            return [*_ended(write, seen), *_returned(seen)]
        case Subject.CORRECTION:
            return [*_ended(write, seen), *complaints(seen)]
        case Subject.MCF:
            return [*_ended(write, seen), *_fulfilled(write, seen)]


def _ended(write: Write, seen: Seen) -> list[str]:
    if seen.ended == write.outcome:
        return []
    return [f"the workflow of the {write.subject} says {seen.ended}, not {write.outcome}"]


def _returned(seen: Seen) -> list[str]:
    """One return with one line, taken in once and credited once, for what Amazon refunded: all."""
    sales, credit = _apart(seen)
    wrong = complaints(sales)
    lines = [line for found in seen.m3["returns"] for line in found["lines"]]
    if len(seen.m3["returns"]) != 1 or len(lines) != 1:
        return [*wrong, f"{len(seen.m3['returns'])} customer returns with {len(lines)} lines"]
    sold = sum(int(item["quantityOrdered"]) for item in seen.amazon["orderItems"])
    for what in ("advised", "returned", "credited"):
        if Decimal(lines[0][what]) != sold:
            wrong.append(f"{what} {lines[0][what]} of {sold}")
    if seen.receipts != 1:
        wrong.append(f"{seen.receipts} receipts")
    for kind in ("invoices", "vouchers"):
        if len(credit.m3[kind]) != 1:
            wrong.append(f"{len(credit.m3[kind])} {kind} of credits")
    paid, credited = (sum(Decimal(one["gross"]) for one in each.m3["invoices"]) for each in (sales, credit))
    return wrong if paid == -credited else [*wrong, f"credited {credited} of {paid}"]


def _apart(seen: Seen) -> tuple[Seen, Seen]:
    """The same with the invoices of deliveries alone, and with credits alone."""

    def only(invoices: list[dict[str, object]]) -> Seen:
        mine = {one["vono"] for one in invoices}
        vouchers = [one for one in seen.m3["vouchers"] if one["vono"] in mine]
        return replace(seen, m3={**seen.m3, "invoices": invoices, "vouchers": vouchers})

    invoices = [dict(one) for one in seen.m3["invoices"]]
    return only([one for one in invoices if one["dlix"]]), only([one for one in invoices if not one["dlix"]])


def _fulfilled(write: Write, seen: Seen) -> list[str]:
    """One fulfilment order; M3 has let go once what Amazon shipped, with Amazon's parcels."""
    at_amazon = seen.amazon["orders"]
    wrong = [f"{seen.customers} customers"] if seen.customers != 1 else []
    if len(at_amazon) != 1 or len(seen.live) != 1 or seen.leftover:
        return [*wrong, f"{len(at_amazon)} fulfilment orders for {len(seen.live)} live customer orders"]
    left = [delivery for delivery in seen.m3["deliveries"] if delivery["orst"]]
    if write.outcome == "not_shipped":
        if (at_amazon[0]["status"], len(left), seen.reports) != ("Cancelled", 0, 0):
            wrong.append(
                f"Amazon has {at_amazon[0]['status']}, {len(left)} deliveries left, {seen.reports} reports"
            )
        return wrong
    in_one = 1 if write.outcome == "shipped" else _LINES
    if len(left) != 1 or seen.reports != in_one:
        return [*wrong, f"{len(left)} deliveries left by {seen.reports} goods reports, not {in_one}"]
    by_amazon: dict[int, int] = {}
    for shipment in at_amazon[0]["shipments"]:
        for item, quantity in shipment["items"].items():
            line = int(item.partition("-")[0])
            by_amazon[line] = by_amazon.get(line, 0) + quantity
    let_go = {line["ponr"]: int(Decimal(line["quantity"])) for line in left[0]["lines"]}
    if let_go != by_amazon:
        wrong.append(f"M3 let go {let_go}, Amazon shipped {by_amazon}")
    known = sorted(box["etrn"] for box in left[0]["packages"])
    sent = sorted(parcel["tracking"] for parcel in seen.packages)
    if known != sent:
        wrong.append(f"Amazon sent packages {sent}, M3 knows {known}")
    return wrong + [
        f"{len(seen.m3[kind])} {kind}" for kind in ("invoices", "vouchers") if len(seen.m3[kind]) != 1
    ]

"""`o2c order`: the whole trail of one order."""

from itertools import groupby
from typing import Annotated, Final

import typer
from temporalio.client import Client

from canonical.held import FixName
from canonical.order_contracts import OrderResult, OrderView, Repair
from starters.console import counted, say, say_json, table
from starters.history import TrailEntry
from starters.lookup import check_order_id, find_order
from starters.options import AsJson, Config, Seller
from starters.session import run_connected, sellers_of, settings_of
from starters.times import shown, shown_span
from starters.trail import OrderTrail, read_trail
from starters.waiting import title_of, wait_for_end

_REPAIRS: Final = frozenset(FixName)


def order(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID", help="Amazon order id (3-7-7).")],
    seller: Seller = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the order is closed or held.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show one order's trail. Where it stands, what happened to it, what it cost in Temporal actions."""
    checked = check_order_id(order_id)

    settings = settings_of(config)
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> OrderTrail:
        if wait:
            found = await find_order(client, sellers, checked)
            await wait_for_end(client, found.seller_id, checked)
        return await read_trail(client, settings.web_ui, sellers, checked)

    trail = run_connected(settings, work)
    if as_json:
        say_json(trail)
    else:
        _say(trail)


def _say(trail: OrderTrail) -> None:
    say(f"Order {trail.order_id} of seller {trail.seller_id}: {_standing(trail)}", "bold")
    say(trail.link, "dim")
    if trail.held_reason:
        say(
            f"Held since {shown(trail.held_since)}: {title_of(trail.held_reason)} ({trail.held_reason}).",
            "red",
        )
        if trail.view and trail.view.held_sentence:
            say(trail.view.held_sentence)
        say(f"Repair: {trail.repair}", "cyan")
    if trail.no_view:
        say(trail.no_view)
    for line in _facts(trail.view, trail.result):
        say(line)
    say("")
    table(("at", "what", "took", "tries", "outcome"), _rows(trail.trail))
    for entry in trail.trail:
        if entry.sentence:
            say(f"{shown(entry.at)} {entry.name}: {entry.sentence}{_codes(entry)}")
    for pending in trail.pending:
        again = f", next at {shown(pending.next_attempt)}" if pending.next_attempt else ""
        say(f"Under way: {pending.name}, attempt {pending.attempt}{again}. {pending.sentence}".rstrip())
    told = trail.view or trail.result
    for one in told.cancellations if told else ():
        say(f"Cancelled {shown(one.at)} by {one.by}, {one.settled}: {one.sentence}")
    _say_repairs(told.repairs if told else ())
    parts = ", ".join(f"{number} {kind}" for kind, number in trail.actions.items())
    say(f"{counted(sum(trail.actions.values()), 'Temporal action')}: {parts}.")


def _standing(trail: OrderTrail) -> str:
    if trail.result:
        return f"closed since {shown(trail.closed)}, {trail.result.outcome}. {trail.result.sentence}"
    if trail.closed:
        return f"its workflow is {trail.status} since {shown(trail.closed)}."
    return f"under way since {shown(trail.started)}, step {trail.step}."


def _facts(view: OrderView | None, result: OrderResult | None) -> list[str]:
    """M3's numbers, from the order's own answer or from its result."""
    if view is not None:
        facts = [
            ("M3 order", view.orno),
            ("M3 customer", view.cuno),
            ("total in M3", str(view.total or "")),
            ("deliveries", ", ".join(f"{one.dlix} ({one.whlo})" for one in view.deliveries)),
            ("packages confirmed", ", ".join(view.confirmed_packages)),
            ("invoices", ", ".join(f"{one.ivno}/{one.year} {one.amount}" for one in view.invoices)),
            ("vouchers", ", ".join(f"{one.vono}/{one.year} {one.debit}" for one in view.vouchers)),
            *(("remark", remark) for remark in view.remarks),
        ]
    elif result is not None:
        facts = [
            ("M3 order", result.orno),
            ("M3 customer", result.cuno),
            ("total in M3", str(result.total or "")),
            ("deliveries", ", ".join(result.deliveries)),
            ("invoices", ", ".join(result.invoices)),
            ("vouchers", ", ".join(result.vouchers)),
        ]
    else:
        facts = []
    return [f"{name}: {value}" for name, value in facts if value]


def _rows(trail: list[TrailEntry]) -> list[list[str]]:
    """One row per entry; the same signal time after time is one row."""
    rows: list[list[str]] = []
    for _, group in groupby(trail, key=lambda entry: (entry.name, entry.kind == "signal" or id(entry))):
        entries = list(group)
        first = entries[0]
        took = shown_span(first.finished - first.at) if first.finished else ""
        tries = str(first.attempts) if first.attempts else ""
        times = f", {len(entries)} times" if len(entries) > 1 else ""
        sender = f" from {first.sender}" if first.sender and first.name in _REPAIRS else ""
        rows.append(
            [shown(first.at), f"{first.kind} {first.name}{times}", took, tries, first.outcome + sender]
        )
    return rows


def _codes(entry: TrailEntry) -> str:
    """What the other side called the trouble, for its support."""
    named = (("code", entry.code), ("request", entry.request_id))
    said = ", ".join(f"{name} {value}" for name, value in named if value)
    return f" ({said})" if said else ""


def _say_repairs(repairs: tuple[Repair, ...]) -> None:
    for repair in repairs:
        by = f" by {repair.by}" if repair.by else ""
        why = f" ({repair.why})" if repair.why else ""
        of = f" of {repair.reason}" if repair.reason else ""
        what = f" {repair.what}" if repair.what else ""
        say(f"Repair {shown(repair.at)}: {repair.fix}{what}{of}{by}{why}.")

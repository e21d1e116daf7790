"""What the demonstration tells at its end."""

from collections import Counter
from collections.abc import Sequence

from temporalio.client import Client

from canonical.audit_contracts import AuditReport
from canonical.held import HeldReason
from canonical.held_reasons import HELD_REASONS
from canonical.order_contracts import ORDER_TO_CASH
from starters.commands.audit import say_report
from starters.console import counted, say, table
from starters.demo.counts import Counts
from starters.demo.verdict import Verdict
from starters.held_orders import HeldOrder

_NAMED = 10


def say_counts(counts: Counts, seconds: float) -> None:
    """The figures of the last look."""
    say(
        f"{counted(counts.placed, 'Amazon order')} in {seconds:.0f} s, of which {counts.sales} are sales: "
        f"{counts.closed} closed, {counts.held} held. M3 has {counted(counts.booked, 'customer order')}, "
        f"{counted(counts.delivered, 'delivery', 'deliveries')} that left, "
        f"{counted(counts.invoices, 'invoice')}, {counted(counts.vouchers, 'voucher')}.",
        "bold",
    )


def say_held(held: Sequence[HeldOrder]) -> None:
    """Held orders by reason, with one command that repairs each kind."""
    if not held:
        say("No order is held.")
        return
    say("Held, by reason, with the command that repairs one of them:", "bold")
    for reason, number in Counter(order.reason for order in held).most_common():
        one = next(order for order in held if order.reason == reason)
        say(f"  {number} x {one.title} ({reason})")
        say(f"      {one.command}", "cyan")
        if reason in HELD_REASONS:
            say(f"      {HELD_REASONS[HeldReason(reason)].what_to_do}", "dim")


def say_verdict(verdict: Verdict) -> None:
    """Planted troubles beside held orders."""
    rows = [
        ("held as planted", verdict.expected),
        ("planted, cancelled at Amazon", len(verdict.cancelled)),
        ("planted, came when it troubled nobody", len(verdict.in_time)),
        ("held and not planted", len(verdict.unplanned)),
        ("planted and not held", len(verdict.missed)),
    ]
    table(("planted troubles", ""), [(name, str(number)) for name, number in rows])
    for sentence in (*verdict.unplanned, *verdict.missed)[:_NAMED]:
        say(sentence, "red")


async def say_unfinished(client: Client, counts: Counts) -> None:
    """Orders that are neither closed nor held, when all stands still."""
    query = f'WorkflowType="{ORDER_TO_CASH}" AND ExecutionStatus="Running" AND HeldReason IS NULL'
    unfinished = [one.id async for one in client.list_workflows(query, limit=_NAMED)]
    missing = counts.sales - counts.received
    say("Nothing moves any more, and not every order has ended:", "red")
    for workflow_id in unfinished:
        say(f"  {workflow_id} is neither closed nor held; look with o2c order {workflow_id[-19:]}")
    if missing:
        say(f"  {counted(missing, 'Amazon order')} without a workflow.")
    if counts.events_to_come:
        say(f"  Amazon still plans {counted(counts.events_to_come, 'event')}.")


def say_audit(report: AuditReport) -> None:
    """The audit as `o2c audit` prints it."""
    say("The audit compares every Amazon order with M3:", "bold")
    say_report(report)

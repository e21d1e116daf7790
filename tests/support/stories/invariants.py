"""What must be true of every order, however its life went: nothing lost, nothing twice, the money equal."""

from collections import Counter
from decimal import Decimal

from canonical.held_reasons import HELD_REASONS
from tests.support.stories.ending import Left, number


def complaints(left: Left) -> list[str]:
    """Everything that is lost, doubled or untrue; empty where the order is as it must be."""
    wrong = [*_once(left), *_pieces(left), *_money(left)]
    if left.result is None:
        if not left.view.held_reason:
            wrong.append(f"neither closed nor held, but at step {left.view.step} ({left.pending})")
        elif left.view.held_reason not in HELD_REASONS:
            wrong.append(f"held for the unknown reason {left.view.held_reason}")
        return wrong
    if left.result.outcome == "booked":
        wrong += _booked(left)
    elif left.live and not any(fix.what.startswith("step=cancelling") for fix in left.result.repairs):
        wrong.append(f"closed as {left.result.outcome}, but M3 has order {left.live[0]['orno']}")
    return wrong


def _once(left: Left) -> list[str]:
    """No step twice."""
    wrong = [f"M3 has {len(left.live)} live orders"] if len(left.live) > 1 else []
    for batch in left.m3["temporary"]:
        if batch["stat"] != "90":
            wrong.append(f"temporary order {batch['orno']} is left over at status {batch['stat']}")
    invoiced = Counter(str(invoice["dlix"]) for invoice in left.invoices)
    wrong += [f"delivery {dlix} has {count} invoices" for dlix, count in invoiced.items() if count > 1]
    posted = Counter(str(voucher["ivno"]) for voucher in left.m3["vouchers"])
    wrong += [f"invoice {ivno} has {count} vouchers" for ivno, count in posted.items() if count > 1]
    told = Counter((package["trackingNumber"], str(package["packageItems"])) for package in left.packages)
    wrong += [f"Amazon has package {key[0]} {count} times" for key, count in told.items() if count > 1]
    known = Counter(left.view.invoices)
    wrong += [f"invoice {invoice.ivno} is kept twice here" for invoice, count in known.items() if count > 1]
    return wrong


def _pieces(left: Left) -> list[str]:
    """What left M3 is what M3 invoiced; never more than was ordered there."""
    wrong = []
    for order in left.live:
        for line in order["lines"]:
            gone = number(line["delivered"]) + number(line["invoiced"])
            if gone > number(line["orqt"]):
                wrong.append(f"line {line['ponr']}: {gone} left of {line['orqt']} ordered")
        rows = [row for invoice in left.invoices for row in invoice["rows"] if row["ivtp"] == "31"]
        invoiced = sum(number(row["quantity"]) for row in rows)
        counted = sum(number(line["invoiced"]) for line in order["lines"])
        if invoiced != counted:
            wrong.append(f"{invoiced} pieces on invoices, {counted} invoiced on the order")
    for item in left.amazon["orderItems"]:
        gone = item.get("fulfillment", {}).get("quantityFulfilled", 0)
        packed = sum(
            entry["quantity"]
            for package in left.packages
            for entry in package["packageItems"]
            if entry["orderItemId"] == item["orderItemId"]
        )
        if left.by_merchant and left.packages and packed != gone:
            wrong.append(f"item {item['orderItemId']}: {packed} pieces in packages, {gone} shipped at Amazon")
    return wrong


def _money(left: Left) -> list[str]:
    """Every voucher balances, and every invoice's customer owes in the ledger what the invoice says."""
    wrong = []
    for voucher in left.m3["vouchers"]:
        rest = sum((Decimal(str(line["amount"])) for line in voucher["lines"]), Decimal(0))
        if rest:
            wrong.append(f"voucher {voucher['vono']} is out of balance by {rest}")
    return wrong


def _booked(left: Left) -> list[str]:
    """A closed sale: what Amazon shipped is what M3 delivered and invoiced, at Amazon's price."""
    wrong: list[str] = []
    if len(left.live) != 1:
        return [f"closed as booked with {len(left.live)} live M3 orders"]
    [order] = left.live
    by_item = {str(line["fields"].get("CUOR", "")): line for line in order["lines"]}
    sent_anyway = _sent_anyway(left)
    for item in left.amazon["orderItems"] if not sent_anyway else ():
        gone = int(item.get("fulfillment", {}).get("quantityFulfilled", 0))
        line = by_item.get(str(item["orderItemId"]))
        invoiced = number(line["invoiced"]) if line else 0
        if gone != invoiced:
            wrong.append(f"item {item['orderItemId']}: Amazon shipped {gone}, M3 invoiced {invoiced}")
    for line in order["lines"]:
        gone = sum(number(line[part]) for part in ("delivered", "invoiced", "closed"))
        if gone < number(line["orqt"]):
            rest = number(line["orqt"]) - gone
            wrong.append(
                f"closed, but M3 is still to send {rest} of line {line['ponr']} (status {line['status']})"
            )
    if len(left.sent) != len(left.invoices):
        wrong.append(f"{len(left.sent)} deliveries left, {len(left.invoices)} invoices")
    if len(left.m3["vouchers"]) != len(left.m3["invoices"]):
        wrong.append(f"{len(left.m3['invoices'])} invoices, {len(left.m3['vouchers'])} vouchers")
    if left.result is not None:
        kept = {
            (delivery, invoice)
            for delivery, invoice in zip(left.result.deliveries, left.result.invoices, strict=False)
        }
        there = {(str(invoice["dlix"]), str(invoice["ivno"])) for invoice in left.invoices}
        if kept != there:
            wrong.append(f"kept here {sorted(kept)}, in M3 {sorted(there)}")
    wrong += _equal(left)
    return wrong


def _sent_anyway(left: Left) -> bool:
    """Whether a person has goods come back that left although they were cancelled: M3 invoiced more than Amazon has,
    and credits it."""
    return left.result is not None and any(
        fix.fix == "mark_step_done" and fix.reason == "cancelled_too_late" for fix in left.result.repairs
    )


def _equal(left: Left) -> list[str]:
    """The invoices come to what Amazon's figures came to: when the order was booked, or now that less of it is
    left."""
    if left.result is None or left.result.expected is None:
        return []
    if _sent_anyway(left) or any(fix.fix == "accept_difference" for fix in left.result.repairs):
        return []
    invoiced = sum((Decimal(str(each["gross"])) for each in left.invoices), Decimal(0))
    now = left.amazon.get("proceeds", {}).get("grandTotal", {}).get("amount")
    if invoiced != left.result.expected.amount and str(invoiced) != str(now):
        return [f"invoiced {invoiced}, Amazon's figures came to {left.result.expected}"]
    return []

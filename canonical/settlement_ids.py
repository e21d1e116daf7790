"""The ids of settlements: workflows, M3's keys, schedules. As in `canonical.ids`, never built at a call site."""

import hashlib
import re
from typing import Final

_SETTLEMENT_WORKFLOW_ID: Final = re.compile(r"settlement-(.+?)-(\d{1,20}|report-[A-Za-z0-9._~-]{1,60})")
_SETTLEMENT_SUBJECT: Final = re.compile(r"\d{8,20}|report-[A-Za-z0-9._~-]{1,60}")
_KEY1_LENGTH: Final = 15
_PBID_DIGITS: Final = 8


def settlement_workflow_id(seller_id: str, settlement_id: str) -> str:
    """The one workflow of a settlement: a re-issued report, or one of another type, meets the same workflow."""
    return f"settlement-{seller_id}-{settlement_id}"


def unread_settlement_workflow_id(seller_id: str, report_id: str) -> str:
    """The workflow of a report in which no settlement id could be read."""
    return f"settlement-{seller_id}-{unread_settlement_subject(report_id)}"


def unread_settlement_subject(report_id: str) -> str:
    """What such a report is called where a settlement has its id."""
    plain = re.sub(r"[^A-Za-z0-9._]", "_", report_id)
    return f"report-{plain[:60]}"


def settlement_of_workflow(workflow_id: str) -> tuple[str, str] | None:
    """Seller and settlement id (or ``report-`` and the report's) of such a workflow's id; None of another."""
    found = _SETTLEMENT_WORKFLOW_ID.fullmatch(workflow_id)
    return (found[1], found[2]) if found else None


def settlement_subject(text: str) -> str | None:
    """The settlement that a person means by what is typed, ``23874396421``; None where it is something else."""
    return text if _SETTLEMENT_SUBJECT.fullmatch(text) else None


def settlement_feed_id(seller_id: str) -> str:
    """The schedule that looks for a seller's settlement reports."""
    return f"o2c-settlements-{seller_id}"


def settlement_feed_workflow_id(seller_id: str) -> str:
    """The one look for settlement reports that a person asks for."""
    return f"settlement-feed-{seller_id}"


def settlement_voucher_mark(settlement_id: str, number: int) -> str:
    """By which a settlement's ledger voucher is known in M3 (begins KEY1 and VTXT), 13 characters at most."""
    known = settlement_id
    if len(known) > _KEY1_LENGTH - 4:
        known = _digest_of(settlement_id, _KEY1_LENGTH - 4)
    return f"{known}{number:02d}"


def settlement_voucher_key(settlement_id: str, number: int, content: str) -> str:
    """KEY1 of an interface batch (GLS840MI, 15 characters): which voucher of which settlement, and two characters
    of what is in it. A voucher made anew with other lines is another batch: M3 neither shows nor empties one."""
    return f"{settlement_voucher_mark(settlement_id, number)}{_digest_of(content, 2)}"


def settlement_payment_batch(settlement_id: str, number: int) -> str:
    """PBID of a payment batch (ARS040MI, ten digits): the settlement id's last eight digits and which of the
    settlement's batches it is. Raises ValueError beyond 99 batches."""
    if not 0 < number < 100:
        raise ValueError(f"settlement {settlement_id} has no payment batch {number}: there are 99")
    digits = settlement_id if settlement_id.isdecimal() else str(int(_digest_of(settlement_id, 12), 36))
    return str(int(digits[-_PBID_DIGITS:]) * 100 + number)


def _digest_of(text: str, length: int) -> str:
    """Letters and digits that stand for a text."""
    number, made = int.from_bytes(hashlib.sha256(text.encode()).digest()), ""
    while len(made) < length:
        number, digit = divmod(number, 36)
        made += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit]
    return made

"""What people are told of a look at Amazon's reports about returns that ended without all of them."""

from collections.abc import Mapping
from datetime import datetime

from canonical.alert_contracts import AlertMessage, Severity
from canonical.alert_texts import LONGEST_BODY


def not_told(seller_id: str, absent: Mapping[str, str], since: datetime) -> AlertMessage:
    """One message about the reports of one look that did not come, by type with the reason: Amazon ended them as
    FATAL, or did not finish them in time. One that Amazon ended as CANCELLED had no data, and is no news."""
    what = "a report about returns" if len(absent) == 1 else f"{len(absent)} reports about returns"
    lines = [f"{kind}: {sentence}" for kind, sentence in sorted(absent.items())]
    end = (
        f"Returns, reimbursements and announcements since {since:%Y-%m-%d %H:%M} UTC may have reached no case. The "
        "next daily look asks for them again, from the same beginning. At once: o2c schedules trigger "
        f"returns-{seller_id}. A file from Seller Central: o2c returns --report TYPE=FILE --seller {seller_id}"
    )
    body = "\n".join(lines)
    if len(body) + len(end) + 1 > LONGEST_BODY:
        body = f"{body[: LONGEST_BODY - len(end) - 2]}…"
    return AlertMessage(
        title=f"Amazon did not make {what} (seller {seller_id})",
        body=f"{body}\n{end}",
        severity=Severity.WARNING,
    )

"""What people are told of a look at Amazon that ended without all it looked for: reports that did not come, refunds
that could not be read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from canonical.alert_contracts import AlertMessage, Severity
from canonical.alert_texts import LONGEST_BODY


class LookKind(NamedTuple):
    """A look that a schedule makes for each seller, in the words of its alert."""

    about: str
    """Of its reports."""
    missed: str
    """What nobody may have been told."""
    schedule: str
    """As `o2c schedules trigger` takes it, without the seller."""
    by_hand: str = ""
    """Another way to the same facts, for `{seller}`."""


RETURNS_LOOK: Final = LookKind(
    about="about returns",
    missed="Refunds, returns, reimbursements and announcements since {since} may have reached no case.",
    schedule="returns",
    by_hand=" A file from Seller Central: o2c returns --report TYPE=FILE --seller {seller}",
)
SHIPMENTS_LOOK: Final = LookKind(
    about="about its shipments",
    missed="Shipments since {since} may have reached no order.",
    schedule="shipments",
)

LISTINGS_LOOK: Final = LookKind(
    about="of its listings",
    missed="SKUs that were listed or changed at Amazon since {since} are not known here.",
    schedule="listings",
)

ADJUSTMENTS_LOOK: Final = LookKind(
    about="about adjustments of its stock",
    missed="Adjustments since {since} may not be in M3.",
    schedule="fba-adjustments",
)


def not_told(
    kind: LookKind, seller_id: str, absent: Mapping[str, str], since: datetime, *, refunds: str = ""
) -> AlertMessage:
    """One message about one look. absent: reports that did not come, by type with the reason: Amazon ended them as
    FATAL, or did not finish them in time. One that Amazon ended as CANCELLED had no data, and is no news. refunds:
    why they could not be read."""
    lines = [f"Refunds: {refunds}"] if refunds else []
    lines += [f"{report_type}: {sentence}" for report_type, sentence in sorted(absent.items())]
    end = (
        f"{kind.missed.format(since=f'{since:%Y-%m-%d %H:%M} UTC')} The next look asks for them again, from the same "
        f"beginning. At once: o2c schedules trigger {kind.schedule}-{seller_id}"
        f"{'.' if kind.by_hand else ''}{kind.by_hand.format(seller=seller_id)}"
    )
    body = "\n".join(lines)
    if len(body) + len(end) + 1 > LONGEST_BODY:
        body = f"{body[: LONGEST_BODY - len(end) - 2]}…"
    return AlertMessage(
        title=f"{_what(kind, len(absent), refunds)} (seller {seller_id})",
        body=f"{body}\n{end}",
        severity=Severity.WARNING,
    )


def _what(kind: LookKind, reports: int, refunds: str) -> str:
    what = f"a report {kind.about}" if reports == 1 else f"{reports} reports {kind.about}"
    if not refunds:
        return f"Amazon did not make {what}"
    return f"Amazon did not tell its refunds{f', nor make {what}' if reports else ''}"

"""What can go wrong between this service and M3, sorted by what to do about it. Codes decide, never texts."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from activities.errors import RetryLater, bounded
from canonical.held import HeldReason, Hold, OrderHeld

MESSAGE_LIMIT: Final = 200

_NOT_FOUND: Final = frozenset({"XRE0103"})
_ALREADY_EXISTS: Final = frozenset({"XRE0104", "WMS3804"})
_LOCKED: Final = frozenset({"XUP0001", "XDE0001", "XAD0001", "XO_1130"})
_NOT_AUTHORISED: Final = frozenset({"XAU0008"})
_DOES_NOT_EXIST: Final = frozenset(
    {"WCU0203", "WIT0103", "WOR0303", "WWH0103", "WFAC303", "WAD1003", "WPO0403", "WDL0203", "WMS3703"}
)
"""A thing named in the input does not exist; the record asked for may."""


class MIErrorKind(StrEnum):
    """What an M3 message id means for the caller."""

    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    LOCKED = "record_locked"
    NOT_AUTHORISED = "not_authorised"
    BUSINESS = "business"


def kind_of(code: str) -> MIErrorKind:
    """Sort a message id (errorCode, @code). Unknown ones are business: a person must look."""
    if code in _NOT_FOUND:
        return MIErrorKind.NOT_FOUND
    if code in _ALREADY_EXISTS:
        return MIErrorKind.ALREADY_EXISTS
    if code in _LOCKED:
        return MIErrorKind.LOCKED
    if code in _NOT_AUTHORISED:
        return MIErrorKind.NOT_AUTHORISED
    return MIErrorKind.BUSINESS


class MIError(Exception):
    """M3 did not do one transaction and said why.

    `message` is M3's text, at most 200 characters, and empty for the transactions that carry personal data
    (`activities.m3.fields.PERSONAL`), since M3 may quote their input in it. `request_id` is the gateway's,
    or the one sent along.
    """

    def __init__(
        self,
        program: str,
        transaction: str,
        code: str,
        *,
        field: str = "",
        message: str = "",
        request_id: str = "",
    ) -> None:
        self.program = program
        self.transaction = transaction
        self.code = code
        self.field = field
        self.message = bounded(message, MESSAGE_LIMIT)
        self.request_id = request_id
        super().__init__(self.sentence)

    @property
    def kind(self) -> MIErrorKind:
        return kind_of(self.code)

    @property
    def is_missing(self) -> bool:
        """Whether M3 says that the record, or a thing it is asked by, does not exist."""
        return self.kind is MIErrorKind.NOT_FOUND or self.code in _DOES_NOT_EXIST

    @property
    def sentence(self) -> str:
        place = f" (field {self.field})" if self.field else ""
        text = f": {self.message}" if self.message else ""
        return f"M3 refused {self.program}.{self.transaction} with {self.code or 'no code'}{place}{text}"

    def as_hold(self, reason: HeldReason, subject: str) -> OrderHeld:
        """The hold of an order for this refusal; `subject` is such as "Amazon order 028-..."."""
        return OrderHeld(
            Hold(
                reason=reason,
                sentence=bounded(f"{subject}: {self.sentence}."),
                system="M3",
                code=self.code,
                request_id=self.request_id,
                field=self.field,
            )
        )


class NotAuthorised(MIError):  # noqa: N818 - reads as the answer it is
    """The gateway or the token server does not let the service account in (HTTP 403, refused password
    grant)."""

    @property
    def kind(self) -> MIErrorKind:
        return MIErrorKind.NOT_AUTHORISED


class M3Unavailable(RetryLater):
    """No usable answer: M3 may or may not have done the work."""

    def __init__(self, sentence: str, *, delay: timedelta | None = None) -> None:
        super().__init__(sentence, kind="m3_unavailable", delay=delay)


class M3Throttled(M3Unavailable):
    """The gateway refused one request too many (HTTP 429): it never reached M3, so nothing was done."""

    def __init__(self, sentence: str, *, delay: timedelta) -> None:
        super().__init__(sentence, delay=delay)
        self.wait = delay


class M3Locked(RetryLater):
    """Somebody else works on the same record; M3 did nothing."""

    def __init__(self, sentence: str, *, delay: timedelta | None = None) -> None:
        super().__init__(sentence, kind="m3_locked", delay=delay or timedelta(seconds=2))


class Pace(StrEnum):
    """How fast the looks at something unfinished grow apart, attempt by attempt."""

    SOON = "soon"
    """What M3 does within seconds: creating an order, allocating."""
    LATER = "later"
    """What M3 may do in a night job: invoices, postings."""

    def delay(self, attempt: int) -> timedelta:
        """Wait before the attempt that follows number `attempt` (from 1)."""
        first, longest = (3, 30) if self is Pace.SOON else (15, 3600)
        return timedelta(seconds=min(first * 2 ** min(attempt - 1, 12), longest))


class NotYet(RetryLater):
    """M3 is still busy with what was asked of it; no fault. The activity sets the delay from `pace`.

    `patience`: how long after the first attempt waiting ends and a person is asked; None leaves it to the
    number of attempts.
    """

    def __init__(self, sentence: str, *, pace: Pace = Pace.SOON, patience: timedelta | None = None) -> None:
        super().__init__(sentence, kind="m3_not_yet", expected=True)
        self.pace = pace
        self.patience = patience

    def after(self, attempt: int, since: timedelta) -> "NotYet":
        """The same, decided for this attempt: when to look again, or that waiting has lasted long enough."""
        self.delay = self.pace.delay(attempt)
        self.used_up = self.patience is not None and since > self.patience
        return self


class FieldError(OrderHeld):
    """A value would not fit M3's field; found before sending, since M3 rejects and never cuts."""

    def __init__(self, program: str, transaction: str, field: str, complaint: str) -> None:
        sentence = f"{program}.{transaction} was not sent: field {field} {complaint}."
        super().__init__(Hold(reason=HeldReason.INTERNAL_ERROR, sentence=sentence, system="M3", field=field))

"""What this service asks Amazon about money (Finances 2024-06-19). Every method raises `AmazonError`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import LIST_TRANSACTIONS
from activities.amazon.transport import Transport

FRESHEST: Final = timedelta(minutes=2, seconds=5)
"""Amazon refuses a moment younger than two minutes; five seconds are left for clocks that differ."""
LONGEST: Final = timedelta(days=180)
"""A longer window has no transactions at all, and Amazon does not say why."""


@dataclass(frozen=True)
class TransactionPage:
    """Transactions as Amazon sent them. A page may be empty and have a next one all the same."""

    transactions: tuple[Mapping[str, object], ...] = ()
    next_token: str = ""


class Finances:
    """Transactions of one selling partner."""

    def __init__(self, transport: Transport, now: Callable[[], datetime]) -> None:
        self._transport = transport
        self._now = now

    async def transactions(
        self, after: datetime, before: datetime | None, *, token: str = "", status: str = ""
    ) -> TransactionPage:
        """One listTransactions page (0.5 calls/s, burst 10), posted from `after` on and before `before`; None is the
        latest that Amazon shows, and the only way to ask for the last two minutes.

        The marketplace is never named: with it Amazon leaves out MFN orders of the United States. `token` goes
        with the same arguments as the call that produced it. `status`: only these (transactionStatus). Raises
        ValueError for a window Amazon would leave empty.
        """
        if (before or self._now()) - after > LONGEST:
            raise ValueError("a window of transactions is 180 days at most")
        if after > self._now() - FRESHEST:
            return TransactionPage()
        query = {"postedAfter": _timestamp(after)}
        if before is not None:
            query["postedBefore"] = _timestamp(before)
        if status:
            query["transactionStatus"] = status
        if token:
            query["nextToken"] = token
        answer = await self._transport.call(LIST_TRANSACTIONS, query=query)
        payload = answer.get("payload")
        found = payload.get("transactions") if isinstance(payload, dict) else None
        if not isinstance(payload, dict) or not isinstance(found, list | None):
            raise AmazonError(
                Failure.UNAVAILABLE,
                LIST_TRANSACTIONS.name,
                status=200,
                message="the answer has no usable 'payload'",
            )
        return TransactionPage(
            tuple(each for each in found or () if isinstance(each, dict)),
            str(payload.get("nextToken") or ""),
        )


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

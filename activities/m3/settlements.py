"""What is done with settlements in M3, as activities: matched, posted, read back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from temporalio import activity

from activities.archive import ArchiveError
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.m3.context import M3Context
from activities.m3.errors import MIError, NotYet
from activities.m3.steps.match_settlement import left_over, match_settlement
from activities.m3.steps.post_settlement_payments import post_settlement_payments
from activities.m3.steps.post_settlement_voucher import post_on_account, post_settlement_voucher
from activities.m3.steps.settlement_context import SettlementContext, refusal
from activities.m3.steps.verify_settlement import verify_settlement, verify_settlement_voucher
from activities.settlement_files import SettlementFiles
from canonical import settlement_contracts as act
from canonical.held import HeldReason, Hold, OrderHeld
from canonical.settlement.models import UnreadableSettlement

_AT_ONCE = 3
"""Attempts in which M3 is expected to post while the activity waits."""
ARCHIVE_AWAY = "archive_away"
"""ApplicationError type: the archive cannot be used now."""


class M3SettlementActivities:
    """Settlements of every seller in one M3 company."""

    def __init__(self, context: M3Context, files: SettlementFiles) -> None:
        self._files = files
        self._context = SettlementContext(context, files.archive, files.rules.plan)

    @property
    def all(self) -> Sequence[Callable[..., object]]:
        """Every activity, for a worker."""
        return (
            self.match_settlement,
            self.post_settlement_payments,
            self.post_settlement_voucher,
            self.post_on_account,
            self.verify_settlement,
            self.verify_settlement_voucher,
        )

    @property
    def _patient(self) -> SettlementContext:
        """What M3 posts at once is waited for inside; what takes longer is looked at now and then."""
        first = activity.info().attempt <= _AT_ONCE
        return self._context if first else replace(self._context, patience=0.0)

    @activity.defn(name=act.MATCH_SETTLEMENT)
    async def match_settlement(self, request: act.MatchRequest) -> act.Matched:
        """What the customer payments pay, order by order, into the archive."""
        async with settling(request.ref):
            context, archive = self._context.m3, self._context.archive
            if request.before:
                return await match_settlement(context, archive, request, left_over(archive, request.before))
            with contextlib.ExitStack() as stack:
                opened = self._files.opened(request.ref, request.report)
                summed = await asyncio.to_thread(stack.enter_context, opened)
                return await match_settlement(context, archive, request, summed.payments())

    @activity.defn(name=act.POST_SETTLEMENT_PAYMENTS)
    async def post_settlement_payments(self, request: act.PostPaymentsRequest) -> act.PostedVoucher:
        """A payment batch, posted once."""
        async with settling(request.ref):
            return await post_settlement_payments(self._patient, request)

    @activity.defn(name=act.POST_SETTLEMENT_VOUCHER)
    async def post_settlement_voucher(self, request: act.PostVoucherRequest) -> act.PostedVoucher:
        """A ledger voucher, posted once."""
        async with settling(request.ref):
            return await post_settlement_voucher(self._patient, request)

    @activity.defn(name=act.POST_ON_ACCOUNT)
    async def post_on_account(self, request: act.PostOnAccountRequest) -> act.PostedVoucher:
        """Payments without an invoice, posted on account once."""
        async with settling(request.ref):
            return await post_on_account(self._patient, request)

    @activity.defn(name=act.VERIFY_SETTLEMENT)
    async def verify_settlement(self, request: act.VerifySettlementRequest) -> act.VerifiedSettlement:
        """What M3 has posted, read back."""
        async with settling(request.ref):
            return await verify_settlement(self._context, request)

    @activity.defn(name=act.VERIFY_SETTLEMENT_VOUCHER)
    async def verify_settlement_voucher(self, request: act.VerifyVoucherRequest) -> act.PostedVoucher:
        """A voucher that a person names."""
        async with settling(request.ref):
            return await verify_settlement_voucher(self._context, request)


@contextlib.asynccontextmanager
async def settling(ref: act.SettlementRef) -> AsyncIterator[None]:
    """Log lines with the settlement's id, heartbeats while it takes long, failures as Temporal knows them."""
    with (
        failures_as_temporal_knows_them(),
        structlog.contextvars.bound_contextvars(settlement_id=ref.subject),
    ):
        async with heartbeating():
            try:
                yield
            except MIError as error:
                raise refusal(error, ref, "posting") from error
            except UnreadableSettlement as error:
                raise unreadable(ref, error) from error
            except ArchiveError as error:
                raise RetryLater(str(error), kind=ARCHIVE_AWAY) from error
            except NotYet as error:
                info = activity.info()
                raise error.after(info.attempt, datetime.now(UTC) - info.scheduled_time) from error


def unreadable(ref: act.SettlementRef, error: UnreadableSettlement) -> OrderHeld:
    """The hold of a settlement whose report cannot be read."""
    return OrderHeld(
        Hold(
            reason=HeldReason.SETTLEMENT_UNREADABLE,
            sentence=f"Settlement {ref.subject}: {error}",
            code=f"row {error.row}" if error.row else "",
        )
    )

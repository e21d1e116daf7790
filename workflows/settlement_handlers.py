"""Signals, updates, the query and the holding of a settlement."""

from temporalio import workflow

from canonical import settlement_contracts as act
from canonical import settlement_reports as rep
from canonical.fixes import Fix
from canonical.held import FixName, Hold
from canonical.steps import Step
from workflows import search_attributes as sa
from workflows.repairable import Attributes, Repairable, takes
from workflows.settlement_calls import SettlementCalls
from workflows.settlement_state import SettlementState


@takes(
    FixName.RETRY,
    FixName.ACCEPT_DIFFERENCE,
    FixName.MARK_STEP_DONE,
    FixName.CANCEL,
    cancel="Give the settlement up; what is posted stays. Input: none.",
)
class SettlementHandlers(Repairable):
    """Base of the workflow: its state, what it hears, what ends a hold, what the Web UI shows."""

    _noun = "settlement"
    _title = "Settlement"
    _state: SettlementState

    def __init__(self, start: act.SettlementInput) -> None:
        self._state = SettlementState(seller_id=start.seller_id, order_id=start.subject, report=start.report)
        self._calls = SettlementCalls(self._state)

    @workflow.signal(
        name=act.REPORT_CAME,
        description="Sent by the feed, not by people: another report of the same settlement.",
    )
    def report_came(self, *arguments: object) -> None:
        report = self._news(act.REPORT_CAME, rep.ArchivedReport, arguments)
        state = self._state
        known = {state.report.origin.report_id, *(each.origin.report_id for each in state.others)}
        if report is None or report.origin.report_id in known:
            return
        state.others.append(report)
        same = "with the same content" if report.sha256 == state.report.sha256 else "with other content"
        self._note(f"Report {report.origin.report_id} of the same settlement came, {same}.")
        if state.step in (Step.RECEIVED, Step.READING) and state.may_replace(report):
            state.news += 1

    @workflow.query(description="The settlement as it stands: sums, checks, vouchers, without personal data.")
    def state(self) -> act.SettlementView:
        return self._state.view()

    async def _held(self, step: Step, hold: Hold, heard: int | None = None) -> Fix | None:
        """As everywhere; while it is read, another report of it may change everything: one behind the first `heard`."""
        state = self._state
        known = state.news if heard is None else heard
        return await self._held_until(step, hold, lambda: state.news > known)

    def _attributes(self) -> Attributes:
        booking = self._state.booking
        home = booking.settlement.home if booking is not None else ""
        return [sa.MARKETPLACE.value_set(home)] if home else []

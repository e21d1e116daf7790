"""Signals, updates, the query and the holding of a return case."""

from temporalio import workflow

from canonical import return_contracts as act
from canonical.fixes import Fix
from canonical.held import FixName, Hold
from canonical.marketplaces import marketplace_name
from canonical.steps import Step
from workflows import search_attributes as sa
from workflows.repairable import Attributes, Repairable, takes
from workflows.return_state import CaseCalls, CaseState


@takes(FixName.RETRY, FixName.ACCEPT_DIFFERENCE, FixName.MARK_STEP_DONE, FixName.CANCEL)
class ReturnHandlers(Repairable):
    """Base of the workflow: its state, what it hears, what ends a hold, what the Web UI shows."""

    _noun = "return case"
    _title = "Return case"
    _state: CaseState

    def __init__(self, start: act.ReturnCaseInput) -> None:
        self._state = CaseState.from_input(start)
        self._calls = CaseCalls(self._state)

    @workflow.signal(
        name=act.CASE_TOLD,
        description="Sent by the feed, not by people: what Amazon tells of refunds and returns.",
    )
    def case_told(self, *arguments: object) -> None:
        news = self._news(act.CASE_TOLD, act.CaseNews, arguments)
        if news is not None:
            self._state.take(news)

    @workflow.signal(name=act.LOOK_AGAIN, description="Look in M3 whether goods have come back.")
    def look_again(self, *_: object) -> None:
        self._state.look = True

    @workflow.query(description="The case as it stands, without personal data.")
    def state(self) -> act.CaseView:
        return self._state.view()

    async def _held(self, step: Step, hold: Hold) -> Fix | None:
        """As everywhere; facts may change everything."""
        state = self._state
        heard = state.news
        return await self._held_until(step, hold, lambda: state.news > heard)

    def _attributes(self) -> Attributes:
        known: Attributes = []
        if self._state.line is not None:
            known.append(sa.M3_ORDER.value_set(self._state.line.orno))
        if self._state.order is not None:
            known.append(sa.MARKETPLACE.value_set(marketplace_name(self._state.order.marketplace_id)))
            known.append(sa.CHANNEL.value_set(self._state.order.channel.value))
        return known

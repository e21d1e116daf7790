"""What can be held and repaired: repairs as updates and as signals, the hold itself, what people see of it.

Every repair is an update (answered at once) and a signal of the same name (for the Web UI and batches). Both take
any arguments and read them here, because a signal with a missing or surplus argument would otherwise stop the
workflow, and a mistyped one would vanish.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical.fixes import Cancel, Fix, MarkStepDone
from canonical.held import FixName, Hold
from canonical.order_contracts import Repair
from canonical.steps import Step
from workflows import details
from workflows import search_attributes as sa
from workflows.alarms import tell_held, tell_released
from workflows.held_state import HeldState
from workflows.holds import hold_of, naming
from workflows.repairs import DESCRIPTIONS, BadRepair, check_fix, read_fix, read_news, values_of

T = TypeVar("T")
News = TypeVar("News", bound=BaseModel)
Attributes = list[
    SearchAttributeUpdate[str] | SearchAttributeUpdate[datetime] | SearchAttributeUpdate[Sequence[str]]
]


class GivenUp(Exception):  # noqa: N818 - a decision, not an error
    """A person cancelled, or Amazon did: there is nothing left to be carried on."""


class Repairable:
    """Base of a workflow that never fails: what cannot go on is held, says why, and waits for a repair.

    A subclass names what it is, and which repairs it takes (`takes`).
    """

    _noun: ClassVar[str]
    """What a person calls it."""
    _title: ClassVar[str]
    """The same where a sentence about it begins."""
    _repairs: ClassVar[tuple[FixName, ...]] = ()
    _state: HeldState

    # --- what it hears --------------------------------------------------------------------------

    def _news(self, name: str, kind: type[News], arguments: tuple[object, ...]) -> News | None:
        """What a machine's signal tells; None, and a remark, where it cannot be read."""
        try:
            return read_news(kind, arguments)
        except BadRepair as error:
            self._note(f"Signal {name} was ignored: {error}")
            return None

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Whatever else is sent: answered where people look, harmless."""
        repairs = ", ".join(self._repairs)
        self._note(f"A signal `{name[:80]}` is not known here and was ignored. Repairs: {repairs}.")

    # --- accepting a repair ---------------------------------------------------------------------

    def _check(self, name: FixName, arguments: tuple[object, ...]) -> Fix:
        """The repair as it was sent; raises BadRepair where it cannot be read or does not fit."""
        fix = read_fix(name, arguments)
        if self._state.fix is not None:
            raise BadRepair(
                f"Another repair of {self._noun} {self._state.order_id} was accepted a moment ago."
            )
        self._check_fits(fix, name)
        return fix

    def _check_fits(self, fix: Fix, name: FixName) -> None:
        """Whether the repair fits as things stand; raises BadRepair with a sentence."""
        state = self._state
        check_fix(
            fix,
            name,
            order_id=state.order_id,
            hold=state.hold,
            step=state.step,
            skus=self._skus(),
            noun=self._noun,
            takes=self._repairs,
        )

    def _skus(self) -> tuple[str, ...] | None:
        """SKUs that a repair may be for; None for any."""
        return None

    def _accept(self, name: FixName, arguments: tuple[object, ...]) -> str:
        try:
            fix = self._check(name, arguments)
        except BadRepair as error:
            raise ApplicationError(str(error), type="bad_repair", non_retryable=True) from None
        state = self._state
        reason = state.hold.reason.value if state.hold else ""
        state.repairs.append(
            Repair(
                at=workflow.now(), fix=name.value, by=fix.by, why=fix.why, reason=reason, what=values_of(fix)
            )
        )
        if state.hold is None:
            state.give_up = True  # only `cancel` is taken by what is not held
        else:
            state.fix = fix
        repaired = f"; {reason} is being repaired" if reason else ""
        return f"{name} of {self._noun} {state.order_id} was accepted{repaired}."

    def _accept_signal(self, name: FixName, arguments: tuple[object, ...]) -> None:
        try:
            self._accept(name, arguments)
        except ApplicationError as error:
            self._note(f"Signal {name} was refused: {error.message}")

    # --- holding --------------------------------------------------------------------------------

    async def _until_done(
        self,
        step: Step,
        call: Callable[[], Awaitable[T]],
        by_hand: Callable[[MarkStepDone], Awaitable[T]] | None = None,
    ) -> T:
        """Run one call until it succeeds, or until `by_hand` finds what a person did instead."""
        attempt = call
        while True:
            try:
                return await attempt()
            except ActivityError as error:
                hold = self._hold_of(error, step)
            attempt = call
            fix = await self._held(step, hold)
            if isinstance(fix, MarkStepDone) and by_hand is not None:
                attempt = partial(by_hand, fix)
            elif fix is not None:
                self._heed(fix)

    def _heed(self, fix: Fix) -> None:
        """What a repair changes before the call is tried again."""

    def _hold_of(self, error: ActivityError, step: Step) -> Hold:
        if is_cancelled_exception(error):
            raise error
        return hold_of(error, step, self._state.order_id)

    async def _held(self, step: Step, hold: Hold) -> Fix | None:
        """Hold until a repair arrives; None where news came that may change everything.

        Raises GivenUp when a person cancels.
        """
        return await self._held_until(step, hold, lambda: False)

    async def _held_until(
        self, step: Step, hold: Hold, over: Callable[[], bool], patience: timedelta | None = None
    ) -> Fix | None:
        """As `_held`; None as soon as the hold is `over` by itself, or `patience` has passed."""
        state, since = self._state, workflow.now()
        hold = self._naming(hold)
        state.step, state.hold, state.held_since, state.fix = step, hold, since, None
        workflow.logger.warning(
            "%s held", self._noun, extra={"reason": hold.reason, "step": step, "code": hold.code}
        )
        held: Attributes = [
            sa.STEP.value_set(step.value),
            sa.HELD_REASON.value_set(hold.reason.value),
            sa.HELD_SINCE.value_set(since),
        ]
        workflow.upsert_search_attributes([*held, *self._attributes()])
        self._show()
        if self._tells_people():
            tell_held(state, hold, self._noun)
        try:
            await workflow.wait_condition(lambda: state.fix is not None or over(), timeout=patience)
        except TimeoutError:
            pass
        except asyncio.CancelledError:  # "Request cancellation" in the Web UI
            self._release(hold, silently=not self._releases_when_stopped())
            raise
        fix = state.fix
        self._release(hold)
        if isinstance(fix, Cancel):
            state.give_up = True
            raise GivenUp
        return fix

    def _release(self, hold: Hold, *, silently: bool = False) -> None:
        """It is held no longer, whatever comes next."""
        self._state.hold, self._state.held_since, self._state.fix = None, None, None
        if not silently:
            workflow.upsert_search_attributes(self._attributes_over(hold))
            if self._tells_people():
                tell_released(hold)

    def _naming(self, hold: Hold) -> Hold:
        return naming(hold, self._title, self._state.order_id)

    def _tells_people(self) -> bool:
        return True

    def _releases_when_stopped(self) -> bool:
        """Whether what is held is shown as released when it is cancelled in the Web UI."""
        return True

    # --- what the Web UI shows ------------------------------------------------------------------

    def _go(self, step: Step, sentence: str, *, publish: bool = False) -> None:
        """Enter a step; `publish` writes it to the search attributes, which costs an action."""
        self._state.step, self._state.sentence = step, sentence
        if publish:
            workflow.upsert_search_attributes([sa.STEP.value_set(step.value), *self._attributes()])
        self._show()

    def _attributes(self) -> Attributes:
        """What the search attributes show beside step and hold."""
        return []

    def _attributes_over(self, hold: Hold) -> Attributes:
        """What the search attributes show no longer once the hold is over."""
        return [sa.HELD_REASON.value_unset(), sa.HELD_SINCE.value_unset()]

    def _note(self, sentence: str) -> None:
        self._state.remark(f"{workflow.now():%Y-%m-%d %H:%M} {sentence}")
        self._show()

    def _show(self) -> None:
        workflow.set_current_details(self._details())

    def _details(self) -> str:
        state = self._state
        if state.hold is None or state.held_since is None:
            return details.waiting(
                state.order_id, state.step, state.sentence, state.remarks, state.repairs, self._noun
            )
        return details.held(
            state.order_id,
            state.step,
            state.hold,
            state.held_since,
            state.remarks,
            state.repairs,
            self._noun,
        )


W = TypeVar("W", bound=type[Repairable])


def takes(*names: FixName, cancel: str = DESCRIPTIONS[FixName.CANCEL]) -> Callable[[W], W]:
    """Class decorator: the workflow takes these repairs; `cancel` says in the Web UI what cancelling it means."""

    def taking(cls: W) -> W:
        cls._repairs = (*cls._repairs, *names)
        for name in names:
            _take(cls, name, cancel if name is FixName.CANCEL else DESCRIPTIONS[name])
        return cls

    return taking


def _take(cls: type[Repairable], name: FixName, description: str) -> None:
    @workflow.update(name=name.value, description=description)
    async def update(self: Repairable, *arguments: object) -> str:
        return self._accept(name, arguments)

    @update.validator
    def check(self: Repairable, *arguments: object) -> None:
        self._check(name, arguments)

    @workflow.signal(name=name.value, description=description)
    def signal(self: Repairable, *arguments: object) -> None:
        self._accept_signal(name, arguments)

    setattr(cls, name.value, update)
    setattr(cls, f"{name.value}_signal", signal)

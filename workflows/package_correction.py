"""Packages that M3 corrected after Amazon was told: told again under the same references, whatever the order does
meanwhile.

A workflow of its own, one for each order at a time: an order waits for invoices for days and is closed after that,
and a buyer who follows a wrong number is to wait for neither. When it ends it says what Amazon has by then, so that
the same correction, met again by the next look, is none.
"""

from datetime import timedelta
from functools import partial
from typing import ClassVar, Final

from temporalio import workflow

from canonical import activity_contracts as act
from canonical.fixes import MarkStepDone
from canonical.order import Package
from canonical.order_contracts import OrderToCashInput
from canonical.package_contracts import (
    CORRECTION_SWEEP,
    PACKAGE_CORRECTION,
    PACKAGES_CORRECTED,
    SWEEP_CORRECTIONS,
    CorrectionSweepInput,
    CorrectionSweepResult,
    PackageCorrectionInput,
    PackageCorrectionResult,
    PackagesCorrected,
)
from canonical.packages import told_since
from canonical.steps import Step
from workflows import policies
from workflows.order_calls import OrderCalls
from workflows.order_handlers import OrderHandlers
from workflows.order_state import OrderState
from workflows.repairable import GivenUp

_LOOK: Final = timedelta(minutes=30)


class CorrectionCalls(OrderCalls):
    """The one call of a correction, which knows of the order only what Amazon has to be told."""

    def __init__(self, state: OrderState, start: PackageCorrectionInput) -> None:
        super().__init__(state)
        self._start = start

    async def confirm_shipment(self, package: Package) -> act.ConfirmShipmentResult:
        told = self._start.told
        return await self._call(
            act.CONFIRM_SHIPMENT,
            act.ConfirmShipmentRequest(
                ref=told.ref, package=package, order_created=told.order_created, again=True
            ),
            act.ConfirmShipmentResult,
            policies.AMAZON_CONFIRM,
            f"Correct package {package.reference} at Amazon",
        )


@workflow.defn(name=PACKAGE_CORRECTION)
class PackageCorrection(OrderHandlers):
    """Corrections of one order's packages, until M3 has made no more."""

    _ends_when_cancelled: ClassVar[bool] = False

    @workflow.init
    def __init__(self, start: PackageCorrectionInput) -> None:
        ref = start.told.ref
        super().__init__(OrderToCashInput(seller_id=ref.seller_id, order_id=ref.order_id))
        self._calls = CorrectionCalls(self._state, start)
        self._told = start.told.packages
        self._waiting = {package.reference: package for package in start.packages}
        self._sent: dict[str, Package] = {}

    @workflow.signal(
        name=PACKAGES_CORRECTED, description="Sent by the service, not by people: M3 corrected packages."
    )
    def packages_corrected(self, *arguments: object) -> None:
        news = self._news(PACKAGES_CORRECTED, PackagesCorrected, arguments)
        if news is not None:
            self._waiting |= {package.reference: package for package in news.packages}

    @workflow.run
    async def run(self, start: PackageCorrectionInput) -> PackageCorrectionResult:
        """Tell Amazon of each, the latest word on a package alone."""
        done: list[str] = []
        left: list[str] = []
        while self._waiting:
            reference = next(iter(self._waiting))
            (done if await self._tell(reference) else left).append(reference)
        result = self._result(start, done, left)
        self._close(result)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    async def _tell(self, reference: str) -> bool:
        """Whether Amazon has it now, by us; what a person gave up or did by hand is not told again either."""
        self._go(Step.SHIPMENT, f"Correcting package {reference} at Amazon.")
        wanted = self._waiting[reference]
        try:
            answer = await self._until_done(
                Step.SHIPMENT, partial(self._latest, reference), partial(self._by_hand, reference)
            )
            ours = not answer.by_hand
        except GivenUp:
            self._state.give_up = False
            ours = False
        sent = self._sent.pop(reference, wanted)
        self._told = told_since(self._told, (sent,))
        if self._waiting[reference] == sent:  # otherwise M3 corrected it once more meanwhile
            del self._waiting[reference]
        return ours

    async def _latest(self, reference: str) -> act.ConfirmShipmentResult:
        self._sent[reference] = self._waiting[reference]
        return await self._calls.confirm_shipment(self._waiting[reference])

    async def _by_hand(self, reference: str, _: MarkStepDone) -> act.ConfirmShipmentResult:
        self._state.remark(f"Package {reference} was corrected at Amazon by hand.")
        return act.ConfirmShipmentResult(reference=reference, already_known=True, by_hand=True)

    def _result(
        self, start: PackageCorrectionInput, done: list[str], left: list[str]
    ) -> PackageCorrectionResult:
        order_id = self._state.order_id
        said = [f"Amazon was told again of {_packages(done)} of order {order_id}."] if done else []
        said += [f"{_packages(left)} of order {order_id} was left to a person."] if left else []
        base = self._state.result("corrected" if done else "left", " ".join(said))
        told = start.told.model_copy(update={"packages": self._told})
        return PackageCorrectionResult(**base.model_dump(), now=told)


def _packages(references: list[str]) -> str:
    named = ", ".join(dict.fromkeys(references))
    return f"package{'s' * (',' in named)} {named}"


@workflow.defn(name=CORRECTION_SWEEP)
class CorrectionSweep:
    """Finds packages that M3 corrected after Amazon was told."""

    @workflow.run
    async def run(self, start: CorrectionSweepInput) -> CorrectionSweepResult:
        """One look."""
        result: CorrectionSweepResult = await workflow.execute_activity(
            SWEEP_CORRECTIONS,
            start,
            result_type=CorrectionSweepResult,
            task_queue=policies.M3_CALL.queue,
            start_to_close_timeout=_LOOK,
            heartbeat_timeout=policies.HEARTBEAT,
            retry_policy=policies.M3_CALL.retry,
            summary="Find packages that M3 corrected",
        )
        workflow.set_current_details(
            f"{result.looked_at} shipped orders looked at; packages of {result.corrected} are told to Amazon again."
        )
        return result

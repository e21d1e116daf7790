"""The kinds of workflow that can be held, and what each needs to be listed. A new kind adds its entry here."""

from collections.abc import Callable
from typing import Final, NamedTuple

from canonical.held import FixName, HeldReason, Hold
from canonical.held_reasons import HELD_REASONS
from canonical.ids import mcf_of_workflow, return_of_workflow, subject_of_workflow
from canonical.late_contracts import AFTER_CLOSE
from canonical.mcf_contracts import MCF_ORDER
from canonical.order_contracts import ORDER_TO_CASH
from canonical.package_contracts import PACKAGE_CORRECTION
from canonical.return_contracts import RETURN_CASE
from canonical.settlement_contracts import SETTLEMENT
from canonical.settlement_ids import settlement_of_workflow
from canonical.steps import Step
from canonical.stock.fba_contracts import FBA_CORRECTION
from canonical.stock.fba_ids import fba_correction_of_workflow
from workflows.details import fix_argument, fix_command


class HeldFacts(NamedTuple):
    """What visibility, and where it was read the history, tells of one held workflow."""

    subject: str
    reason: str
    step: str
    skus: tuple[str, ...] = ()
    hold: Hold | None = None


class HeldKind(NamedTuple):
    """One kind of workflow that can be held."""

    noun: str
    """What a person calls it, such as ``order``."""
    subject: Callable[[str], str]
    """From the workflow id to what it is about, such as Amazon's order id."""
    suggestion: Callable[[HeldFacts], str]
    """The command of the likeliest repair; empty where only the Web UI repairs it."""
    history_tells: frozenset[str] = frozenset()
    """Reasons for which the history is read, because it knows a better suggestion."""


def repair_command(
    order_id: str, reason: str, step: str, skus: tuple[str, ...] = (), hold: Hold | None = None
) -> str:
    """The first repair of the reason as a command line; `o2c order` where this version knows no repair."""
    try:
        known, at = HeldReason(reason), Step(step)
    except ValueError:
        return f"o2c order {order_id}"
    name: FixName = HELD_REASONS[known].fixes[0]
    meant = hold or Hold(reason=known, sentence="", skus=skus)
    return fix_command(order_id, name, fix_argument(name, at, meant))


def _mcf_subject(workflow_id: str) -> str:
    known = mcf_of_workflow(workflow_id)
    return "-".join(known) if known else workflow_id


def _case_subject(workflow_id: str) -> str:
    known = return_of_workflow(workflow_id)
    return f"{known[1]}/{known[2]}" if known else workflow_id


def _settlement_subject(workflow_id: str) -> str:
    known = settlement_of_workflow(workflow_id)
    return known[1] if known else workflow_id


def _correction_subject(workflow_id: str) -> str:
    known = fba_correction_of_workflow(workflow_id)
    return known[1] if known else workflow_id


def _order_id(workflow_id: str) -> str:
    known = subject_of_workflow(workflow_id)
    return known[1] if known else workflow_id


HELD_KINDS: Final[dict[str, HeldKind]] = {
    ORDER_TO_CASH: HeldKind(
        noun="order",
        subject=_order_id,
        suggestion=lambda facts: repair_command(*facts),
        history_tells=frozenset({HeldReason.UNMAPPED_SKU.value}),
    ),
    AFTER_CLOSE: HeldKind(
        noun="closed order", subject=_order_id, suggestion=lambda facts: repair_command(*facts)
    ),
    PACKAGE_CORRECTION: HeldKind(
        noun="package correction", subject=_order_id, suggestion=lambda facts: repair_command(*facts)
    ),
    RETURN_CASE: HeldKind(
        noun="return case", subject=_case_subject, suggestion=lambda facts: repair_command(*facts)
    ),
    SETTLEMENT: HeldKind(
        noun="settlement", subject=_settlement_subject, suggestion=lambda facts: repair_command(*facts)
    ),
    FBA_CORRECTION: HeldKind(
        noun="stock correction", subject=_correction_subject, suggestion=lambda facts: repair_command(*facts)
    ),
    MCF_ORDER: HeldKind(
        noun="delivery",
        subject=_mcf_subject,
        suggestion=lambda facts: repair_command(*facts),
        history_tells=frozenset({HeldReason.MCF_SKU_UNKNOWN.value}),
    ),
}
"""By workflow type."""


def kind_of(workflow_type: str) -> HeldKind:
    """The kind's entry; what a later version holds is listed as well, with its workflow id and its link."""
    return HELD_KINDS.get(workflow_type) or HeldKind(
        noun=workflow_type, subject=lambda workflow_id: workflow_id, suggestion=lambda _: ""
    )

"""The ids of Amazon's own stock: workflows, schedules, files. As in `canonical.ids`, never built at a call site."""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

_WORKFLOW_ID: Final = re.compile(r"fba-correction-(.+?)-(stock-[0-9a-f]{12})")
_SUBJECT: Final = re.compile(r"stock-[0-9a-f]{12}")
FOLDER: Final = "fba-stock"
"""Of everything here in the archive."""


def fba_correction_subject(references: Iterable[str]) -> str:
    """What a set of adjustments is called, in whatever order and report it is read."""
    told = "\n".join(sorted(references))
    return f"stock-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def fba_correction_workflow_id(seller_id: str, subject: str) -> str:
    """The one workflow of these adjustments."""
    return f"fba-correction-{seller_id}-{subject}"


def fba_correction_of_workflow(workflow_id: str) -> tuple[str, str] | None:
    """Seller and subject of such a workflow's id; None of another."""
    found = _WORKFLOW_ID.fullmatch(workflow_id)
    return (found[1], found[2]) if found else None


def fba_correction_of_text(text: str) -> str | None:
    """The corrections that a person means by what is typed, ``stock-0123456789ab``; None where it is something else."""
    return text if _SUBJECT.fullmatch(text) else None


def fba_adjustments_id(seller_id: str) -> str:
    """The schedule that looks for a seller's adjustments."""
    return f"o2c-fba-adjustments-{seller_id}"


def fba_adjustments_workflow_id(seller_id: str) -> str:
    """The one look for adjustments that a person asks for."""
    return f"fba-adjustments-{seller_id}"


def fba_stock_id() -> str:
    """The schedule that puts Amazon's stock beside M3's."""
    return "o2c-fba-stock"


def fba_stock_workflow_id() -> str:
    """The one look at Amazon's stock that a person asks for."""
    return "fba-stock-look"


def looks_folder() -> str:
    """What marketplaces showed, look by look."""
    return f"{FOLDER}/looks"


def look_folder(run: str) -> str:
    """Of one look."""
    return f"{looks_folder()}/{run}"


def adjustments_key(seller_id: str, subject: str) -> str:
    return f"{FOLDER}/{seller_id}/{subject}/adjustments.json"


def plan_key(seller_id: str, subject: str, number: int, content: bytes) -> str:
    """Of a plan: another content is another file, so that a plan that was decided on never changes."""
    return f"{FOLDER}/{seller_id}/{subject}/plan-{number}-{hashlib.sha256(content).hexdigest()[:12]}.json"


def taken_folder(seller_id: str) -> str:
    """References that have a workflow."""
    return f"{FOLDER}/{seller_id}/taken"


def taken_key(seller_id: str, subject: str) -> str:
    return f"{taken_folder(seller_id)}/{subject}.json"

"""The table of Amazon's operations against Amazon's published models."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from activities.amazon.operations import OPERATIONS, Operation
from canonical.quota_level import Plan
from worker.quota.limits import AMAZON_QUEUES

ROW = re.compile(r"\n\|\s*(?:Default\s*\|\s*)?([\d.]+)\s*\|\s*([\d.]+)\s*\|")


def published(shared: Path, operation: Operation) -> tuple[str, str, dict[str, Any]]:
    """Method, path and description of the operation in the model that the table names."""
    model = json.loads((shared / "spapi" / "models" / operation.source).read_text())
    (found,) = [
        (method.upper(), path, said)
        for path, methods in model["paths"].items()
        for method, said in methods.items()
        if isinstance(said, dict) and said.get("operationId") == operation.name
    ]
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_where_and_as_often_as_its_model_says(shared: Path, operation: Operation) -> None:
    method, path, said = published(shared, operation)
    assert (operation.method, operation.path) == (method, path)
    row = ROW.search(said["description"])
    assert row is not None, said["description"]
    assert (operation.rate, operation.burst) == (float(row[1]), float(row[2]))


def test_names_are_unique_and_every_queue_carries_an_operation_of_its_own() -> None:
    assert max(Counter(operation.name for operation in OPERATIONS).values()) == 1
    assert max(Counter(operation.name for operation in AMAZON_QUEUES.values()).values()) == 1
    assert set(AMAZON_QUEUES.values()) <= set(OPERATIONS)


@pytest.mark.parametrize("operation", AMAZON_QUEUES.values(), ids=lambda operation: operation.name)
def test_the_limiter_s_own_credit_never_overdraws_the_burst(operation: Operation) -> None:
    plan = Plan(operation.rate, operation.burst)
    assert 1 + plan.pace <= operation.burst
    # A burst of no more than one second's calls is the limiter's credit altogether: it goes slower, never too fast.
    assert plan.pace == min(operation.rate, operation.burst - 1)
    assert plan.reserve <= operation.burst - plan.pace

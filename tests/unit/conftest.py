"""Reference data for the unit tests."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def m3_metadata(shared: Path) -> dict[str, Any]:
    """M3's own description of its MI programs."""
    loaded: dict[str, Any] = json.loads((shared / "m3" / "mi-transactions.json").read_text())
    return loaded

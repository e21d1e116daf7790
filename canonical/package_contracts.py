"""The words of package corrections: what M3 changed after Amazon was told, and who carries it to Amazon."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.activity_contracts import OrderRef
from canonical.order import Package
from canonical.order_contracts import OrderResult

PACKAGE_CORRECTION: Final = "PackageCorrection"
"""Workflow type: packages of one order, told to Amazon again."""
PACKAGES_CORRECTED: Final = "packages_corrected"
"""Signal of it: M3 has corrected more."""
CORRECTION_SWEEP: Final = "CorrectionSweep"
"""Workflow type: a look at M3 for corrected packages of shipped orders."""
SWEEP_CORRECTIONS: Final = "sweep_corrections"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class PackagesTold(_Contract):
    """What Amazon was told of one order's packages, by the order's workflow and by corrections since."""

    ref: OrderRef
    order_created: datetime
    packages: tuple[Package, ...]


class PackagesCorrected(_Contract):
    """Packages to be told again under their references."""

    packages: tuple[Package, ...]


class PackageCorrectionInput(_Contract):
    """Starts the correction of one order's packages."""

    told: PackagesTold
    packages: tuple[Package, ...]
    """As they are to be told now."""


class PackageCorrectionResult(OrderResult):
    """How it ended: outcome ``corrected``, or ``left`` where a person did it or gave it up."""

    now: PackagesTold
    """What Amazon has by then: the same correction again is none."""


class CorrectionSweepInput(_Contract):
    """A look for corrections."""

    days: int = 7
    """How long after its end an order is still looked at."""
    limit: int = 5000
    """Orders looked at, the newest first."""


class CorrectionSweepResult(_Contract):
    looked_at: int = 0
    corrected: int = 0
    """Orders of which a package is told again."""
    remarks: tuple[str, ...] = ()

"""The page as a file."""

from datetime import UTC, datetime
from pathlib import Path

from canonical.settlement.proof_models import Sheet
from starters.console import Refused, hint
from starters.settlement_page.page import page


def write_page(sheet: Sheet, file: Path) -> None:
    """Write the sheet's page. Raises Refused where it cannot be written."""
    try:
        file.write_text(page(sheet, datetime.now(UTC)), encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror or error}.", 2) from None
    hint(f"{file} is written.")

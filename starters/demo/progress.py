"""The demonstration's progress: a live table where somebody watches, a line now and then where not."""

import time
from types import TracebackType
from typing import Final

from rich.live import Live
from rich.table import Table

from starters.console import out
from starters.demo.counts import Counts

_SECONDS_BETWEEN_LINES: Final = 5.0


class Progress:
    """Shows counts as they change."""

    def __init__(self, orders: int) -> None:
        self._orders = orders
        self._console = out()
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._begun = time.monotonic()
        self._said_at = 0.0

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.__exit__(kind, error, trace)

    def show(self, counts: Counts, *, last: bool = False) -> None:
        """Show this look; `last` shows it in any case."""
        seconds = time.monotonic() - self._begun
        if self._live:
            self._live.update(self._table(counts, seconds), refresh=True)
        elif last or seconds - self._said_at >= _SECONDS_BETWEEN_LINES or not self._said_at:
            self._said_at = seconds
            figures = ", ".join(f"{name} {figure}" for name, figure in self._figures(counts))
            self._console.print(f"{seconds:4.0f} s  {figures}", soft_wrap=True)

    def _figures(self, counts: Counts) -> list[tuple[str, str]]:
        return [
            ("placed", f"{counts.placed}/{self._orders}"),
            ("received", str(counts.received)),
            ("booked", str(counts.booked)),
            ("shipped", str(counts.delivered)),
            ("invoiced", str(counts.invoices)),
            ("in the ledger", str(counts.vouchers)),
            ("closed", str(counts.closed)),
            ("held", str(counts.held)),
        ]

    def _table(self, counts: Counts, seconds: float) -> Table:
        shown = Table(title=f"Amazon to M3, {seconds:.0f} s", title_justify="left")
        figures = self._figures(counts)
        for name, _ in figures:
            shown.add_column(name, justify="right")
        shown.add_row(*(figure for _, figure in figures))
        return shown

"""The write by which Amazon's adjustments come to M3's stock, tried in the matrix beside those of orders.

Each trial is a look of its own: two adjustments of one item, sent to M3 in one call. What befalls the second of them
befalls the call half way.
"""

from dataclasses import dataclass, field
from typing import Final

from canonical.stock.fba_contracts import FbaCorrectionView
from tests.support import fba_stock as stock
from tests.support.trials import CASES, Case
from tests.support.world import World, eventually

OPERATION: Final = "MMS850MI.AddAdjust"
EDITS: Final = (("\n[returns]\n", f"\n[returns]\n{stock.SECTION}"),)
"""Of the matrix's configuration."""
_BEFORE, _LOST, _FOUND = 50, 3, 5
_AFTER: Final = _BEFORE - _LOST + _FOUND
_ENDS: Final = 100.0


@dataclass
class StockTrial:
    """One look and what befalls its corrections."""

    case: Case
    sku: str
    half_way: bool = False
    handle: stock.Handle | None = None
    troubles: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Name of the fault and of the test."""
        return f"{OPERATION}, {self.case.name}{' of the second' if self.half_way else ''}"

    async def begin(self, world: World) -> None:
        """Two adjustments, a fault aimed at one of them, and a look."""
        await stock.put(world, self.sku, _BEFORE)
        await stock.count(world, self.sku, _BEFORE)
        fields = {"ITNO": stock.ITEMS[self.sku], "QLQT": str(_FOUND if self.half_way else -_LOST)}
        fault = {"id": self.id, "operation": OPERATION, "match": fields}
        body = {**fault, "when": self.case.when, "action": self.case.action}
        (await world.m3.post("/_control/faults", json=body)).raise_for_status()
        await stock.happens(world, self.sku, "found", _FOUND)
        await stock.happens(world, self.sku, "lost", _LOST)  # the ledger tells the latest first
        self.handle = stock.handle_of(world, await stock.look(world))

    async def note_hanging(self, faults: dict[str, dict[str, object]]) -> None:
        """A crash proves something only of a write that was under way."""
        if self.case.is_crash and not faults[self.id]["waiting"]:
            self.troubles.append("the worker was not at this write when it was killed")

    async def finish(self, world: World) -> None:
        """It ends by itself, whatever befell it; what M3 has then is what Amazon has."""
        assert self.handle is not None
        handle = self.handle
        result: FbaCorrectionView = await eventually(
            lambda: stock.view(handle), lambda now: bool(now.outcome or now.held_reason), _ENDS, 0.5
        )
        if (result.outcome, result.booked, result.left_out) != ("booked", 2, ()):
            self.troubles.append(f"it ended as {result}")

    async def wrong(self, world: World, faults: dict[str, dict[str, object]]) -> list[str]:
        """What is wrong, read from both sides."""
        fired, there = faults[self.id]["fired"], await stock.in_m3(world, self.sku)
        at_amazon = await stock.at_amazon(world, self.sku)
        told = [] if fired == 1 else [f"the fault fired {fired} times, so {OPERATION} was not tried"]
        if (there, at_amazon) != (_AFTER, _AFTER):
            told.append(f"M3 has {there} pieces and Amazon {at_amazon}, expected {_AFTER}")
        return [*self.troubles, *told]


def stock_trials() -> list[StockTrial]:
    """Every case, and a crash between the two corrections of one call."""
    items = list(stock.ITEMS)[30 : 30 + len(CASES) + 1]  # nothing else of the matrix sells them
    half = next(case for case in CASES if case.is_crash and case.when == "before")
    return [
        *(StockTrial(case, sku) for case, sku in zip(CASES, items, strict=False)),
        StockTrial(half, items[-1], half_way=True),
    ]

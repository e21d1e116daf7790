"""The configuration of the stock that Amazon keeps (FBA), as M3 has it."""

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator

from activities.m3.steps.book_stock_corrections import FbaStockOptions
from canonical.profile import MarketplaceProfile
from canonical.stock.corrections import CorrectionLimits, CorrectionRules
from canonical.stock.fba_pool import area_of


class FbaStockSettings(CorrectionLimits):
    """What Amazon does to the stock in its warehouses, as corrections in M3, and Amazon's stock beside M3's. Without
    this section M3 is told nothing of it. See docs/stock.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: time | Literal["never"] = time(5)
    """When Amazon is asked for adjustments, in schedules.time_zone."""
    begin: date | None = None
    """The first day whose adjustments are carried into M3: from when M3 had Amazon's stock. None carries whatever the
    first look finds."""
    look_back_days: Annotated[int, Field(ge=1, le=180)] = 30
    """How far a look reads behind the last one; Amazon tells adjustments late, and each counts once."""
    message_type: Annotated[str, StringConstraints(max_length=6)] = ""
    """E065: message type of stock corrections in MMS865; empty takes m3.message_type."""
    process: Literal["*EXE", "*AUT"] = "*EXE"
    """PRFL: M3 corrects at once and says whether it did, or later in its own job."""
    warehouses: dict[str, Annotated[str, StringConstraints(min_length=1, max_length=3)]] = Field(
        default_factory=dict
    )
    """The warehouse in M3 that stands for Amazon's, by area: ``EU`` for the European single market, else the country;
    an area without one takes warehouse_fba of its marketplaces."""
    compare_at: time | Literal["never"] = time(6)
    """When Amazon's stock is put beside M3's, in schedules.time_zone."""
    alert_pieces: Annotated[int, Field(ge=0)] = 0
    """People are told of an item that differs by more pieces than this, beyond what is on its way."""

    @field_validator("at", "compare_at")
    @classmethod
    def _no_offset(cls, at: time | str) -> time | str:
        if isinstance(at, time) and at.tzinfo is not None:
            raise ValueError("it is a time of day in schedules.time_zone; leave the offset out")
        return at

    def options(
        self,
        sellers: Mapping[str, Sequence[str]],
        profiles: Mapping[str, MarketplaceProfile],
        message_type: str,
    ) -> FbaStockOptions:
        """For these sellers with their marketplaces. Raises ValueError where the marketplaces of one area have
        different warehouses and none is named for it."""
        return FbaStockOptions(
            rules={seller: self._rules(marketplaces, profiles) for seller, marketplaces in sellers.items()},
            marketplaces={seller: tuple(marketplaces) for seller, marketplaces in sellers.items()},
            message_type=self.message_type or message_type,
            flag=self.process,
        )

    def _rules(
        self, marketplaces: Sequence[str], profiles: Mapping[str, MarketplaceProfile]
    ) -> CorrectionRules:
        by_area: dict[str, set[str]] = {}
        for each in marketplaces:
            by_area.setdefault(area_of(each), set()).add(profiles[each].warehouse_fba)
        warehouses = dict(self.warehouses)
        for area, found in by_area.items():
            if area not in warehouses and len(found) > 1:
                raise ValueError(
                    f"fba_stock.warehouses: the marketplaces of area {area} have the warehouses "
                    f"{', '.join(sorted(found))}; name the one that stands for Amazon's stock"
                )
            warehouses.setdefault(area, min(found))
        alone = {warehouses[area] for area in by_area}
        limits = {name: getattr(self, name) for name in CorrectionLimits.model_fields}
        return CorrectionRules(whlo=min(alone) if len(alone) == 1 else "", warehouses=warehouses, **limits)

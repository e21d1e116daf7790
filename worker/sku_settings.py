"""The configuration of the looks at SKUs without item."""

from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from canonical.sku.likeness import AUTOMATIC


class SkuSettings(BaseModel):
    """SKUs that no item is known for: the daily look, and what may be mapped without asking. See docs/sku.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    look_at: time | Literal["never"] = time(5)
    """Time of day of the look, in schedules.time_zone; ``"never"`` makes no such schedule. Listings are read at
    stock.listings_at: let the look come after."""
    automatic: bool = False
    """Whether what is certain is mapped without asking; people are told of it."""
    threshold: Annotated[float, Field(ge=0.5, le=1)] = AUTOMATIC
    """Confidence from which a suggestion is certain."""
    most_automatic: Annotated[int, Field(ge=1, le=1000)] = 50
    """How many SKUs one look maps at most; the next look goes on."""

    @field_validator("look_at")
    @classmethod
    def _no_offset(cls, at: time | str) -> time | str:
        if isinstance(at, time) and at.tzinfo is not None:
            raise ValueError("it is a time of day in schedules.time_zone; leave the offset out")
        return at

"""What is remembered of kinds of amounts that a settlement will be held for, from one look at Finances to the next.

Looks overlap, since Amazon shows transactions up to two days late: the days that a look reads again take the place of
what was known of them, so that nothing is counted twice.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from canonical.settlement.finance_names import FinanceNames
from canonical.settlement.finance_reading import Sighting, joined


class FinanceBook(BaseModel):
    """One seller's; kept in the archive."""

    model_config = ConfigDict(frozen=True)

    until: datetime | None = None
    """When the last complete look began; None where there was none."""
    sightings: tuple[Sighting, ...] = ()
    """Of the days that the last look read, by day; of the days before, as one."""
    told: dict[str, datetime] = {}
    """When people were told, by `Sighting.key`."""

    def looked(
        self, since: datetime, until: datetime, found: Iterable[Sighting], names: FinanceNames
    ) -> "FinanceBook":
        """After a look at everything posted from `since` on. What is known by now is forgotten, and told again if it
        ever comes back."""
        day = since.astimezone(UTC).date()
        before = joined((one for one in self.sightings if one.last < day), by_day=False)
        sightings = tuple(now for one in (*before, *found) if (now := _by_now(one, names)) is not None)
        keys = {one.key for one in sightings}
        told = {key: at for key, at in self.told.items() if key in keys}
        return FinanceBook(until=until, sightings=sightings, told=told)

    def with_told(self, keys: Iterable[str], now: datetime) -> "FinanceBook":
        """People were told of these."""
        return self.model_copy(update={"told": {**dict.fromkeys(keys, now), **self.told}})

    @property
    def kinds(self) -> tuple[Sighting, ...]:
        """What is unknown, by kind, marketplace and currency."""
        return joined(self.sightings, by_day=False)

    @property
    def untold(self) -> tuple[Sighting, ...]:
        """Those of the kinds that nobody was told of."""
        return tuple(one for one in self.kinds if one.key not in self.told)


def _by_now(sighting: Sighting, names: FinanceNames) -> Sighting | None:
    """What it lacks by the configuration of now; None where nothing."""
    lacking = names.lacking(
        sighting.transaction_type, sighting.breakdown_type, sighting.marketplace, sighting.currency
    )
    if lacking is None:
        return None
    return sighting.model_copy(update={"missing": lacking.missing, "category": lacking.category})

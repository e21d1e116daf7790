"""What every step needs: the client, the marketplaces' profiles, the installation's options, and patience."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from activities.m3.client import M3Client
from activities.m3.lookup import OrderLookup
from activities.m3.options import M3Options
from canonical.activity_contracts import OrderRef
from canonical.held import HeldReason, held
from canonical.profile import MarketplaceProfile

_T = TypeVar("_T")
_FIRST_PAUSES: Final = (0.2, 0.3, 0.5, 1.0, 2.0)
_LATER_PAUSE: Final = 3.0


@dataclass(frozen=True)
class M3Context:
    """One M3 company as this service is configured for it."""

    client: M3Client
    profiles: Mapping[str, MarketplaceProfile]
    """By marketplace id."""
    options: M3Options
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)

    def profile(self, marketplace_id: str, order_id: str) -> MarketplaceProfile:
        """The marketplace's profile. Raises `OrderHeld` (not_configured)."""
        found = self.profiles.get(marketplace_id)
        if found is None:
            raise held(
                HeldReason.NOT_CONFIGURED,
                f"Amazon order {order_id} is of marketplace {marketplace_id or 'unknown'}, which the "
                "configuration does not have.",
            )
        return found

    def division(self, ref: OrderRef) -> str:
        """DIVI of the order's vouchers and invoices."""
        profile = self.profiles.get(ref.marketplace_id)
        return (profile.division if profile else "") or self.options.division

    def lookup(self, marketplace_id: str = "") -> OrderLookup:
        """Finds orders by CUOR; by the customers of one marketplace, or of all, where need be."""
        mine = self.profiles.get(marketplace_id)
        profiles = (mine,) if mine else tuple(self.profiles.values())
        customers = (number for profile in profiles for number in profile.customer.numbers)
        return OrderLookup(self.client, self.options, customers)

    async def patiently(self, look: Callable[[], Awaitable[_T | None]], seconds: float) -> _T | None:
        """Look until something is there, for about `seconds`, first often, then every three seconds."""
        spent, pauses = 0.0, list(_FIRST_PAUSES)
        while True:
            seen = await look()
            if seen is not None or spent >= seconds:
                return seen
            pause = pauses.pop(0) if pauses else _LATER_PAUSE
            await self.sleep(pause)
            spent += pause

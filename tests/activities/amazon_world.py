"""The pretended Amazon over HTTP, and our client pointed at it."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.amazon.client import AmazonClient
from activities.amazon.lwa import Credentials, TokenCache
from canonical.held import Hold
from canonical.profile import (
    Carrier,
    ChargeCodes,
    CustomerPolicy,
    MarketplaceProfile,
    PriceBasis,
)
from simulators import catalogue
from simulators.amazon.app import build_app
from simulators.amazon.settings import Settings
from simulators.serving import serve

EU, NA = catalogue.SELLERS
DE = EU.marketplaces[0]


@dataclasses.dataclass
class Amazon:
    """One running simulator."""

    url: str
    http: httpx.AsyncClient

    def client(
        self,
        seller: catalogue.Seller = EU,
        *,
        secret: str = catalogue.LWA_CLIENT_SECRET,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        marketplace_ids: Sequence[str] | None = None,
    ) -> AmazonClient:
        credentials = Credentials(catalogue.LWA_CLIENT_ID, secret, seller.refresh_token)
        named = [each.marketplace_id for each in seller.marketplaces]
        return AmazonClient(
            seller_id=seller.seller_id,
            endpoint=self.url,
            tokens=TokenCache(credentials, self.http, f"{self.url}/auth/o2/token"),
            http=self.http,
            marketplace_ids=named if marketplace_ids is None else marketplace_ids,
            now=now,
        )

    async def fault(self, action: str, operation: str = "*", *, when: str = "before", times: int = 1) -> None:
        order = {"action": action, "operation": operation, "when": when, "times": times}
        (await self.http.post(f"{self.url}/_control/faults", json=order)).raise_for_status()

    async def calls(self, operation: str) -> list[int]:
        """Statuses of the requests of one operation, as Amazon logged them."""
        entries = (await self.http.get(f"{self.url}/_control/log", params={"limit": 1000})).json()
        rows = entries["log"] if isinstance(entries, dict) else entries
        return [int(row["status"]) for row in rows if row["operation"] == operation]


@contextlib.asynccontextmanager
async def amazon(data: Path, **settings: object) -> AsyncIterator[Amazon]:
    """A simulator without delays, on a free port."""
    wanted = Settings.model_validate({"data": data, "pace": 0, **settings})
    async with serve(build_app(wanted)) as url, httpx.AsyncClient() as http:
        yield Amazon(url, http)


def attempt(number: int) -> ActivityEnvironment:
    """An activity's surroundings at its `number`-th attempt."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=number)
    return environment


def hold_of(raised: pytest.ExceptionInfo[ApplicationError]) -> Hold:
    """The hold inside the failure that leaves an activity."""
    (hold,) = raised.value.details
    assert isinstance(hold, Hold)
    return hold


def profile(marketplace_id: str = DE.marketplace_id, *, untracked: str = "") -> MarketplaceProfile:
    return MarketplaceProfile(
        marketplace_id=marketplace_id,
        facility="A01",
        order_type_fba="AZF",
        order_type_mfn="AZM",
        warehouse_fba="AFE",
        warehouse_mfn="MAI",
        customer=CustomerPolicy(numbers=("AMZDE",)),
        price_basis=PriceBasis.GROSS,
        charges=ChargeCodes(shipping="AMZSHP", gift_wrap="AMZGFT", promotion="AMZPRM", other="AMZSHP"),
        carriers={"DHL": Carrier(code="DHL"), "FDX": Carrier(code="FedEx", name="FedEx", method="Ground")},
        untracked=untracked,
    )


async def listed(world: Amazon, **wanted: str) -> list[dict[str, object]]:
    """Summaries of the simulator's orders whose fields have the given values."""
    rows: list[dict[str, object]] = (await world.http.get(f"{world.url}/_control/orders")).json()
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

"""Customers: CRS610MI. Whatever travels here is personal data."""

from collections.abc import Mapping
from dataclasses import dataclass

from activities.m3.client import M3Client
from activities.m3.errors import MIError


@dataclass(frozen=True)
class Customer:
    """An M3 customer: status 20 can be booked on, 12 was created with errors through the API."""

    cuno: str
    status: str
    name: str
    currency: str


async def customer(client: M3Client, cuno: str) -> Customer | None:
    """The customer, or None (CRS610MI.GetBasicData)."""
    try:
        rows = await client.execute("CRS610MI", "GetBasicData", {"CUNO": cuno})
    except MIError as error:
        if error.is_missing:
            return None
        raise
    if not rows:
        return None
    row = rows[0]
    return Customer(row.get("CUNO", cuno), row.get("STAT", ""), row.get("CUNM", ""), row.get("CUCD", ""))


async def add_customer(client: M3Client, fields: Mapping[str, str]) -> str:
    """Create a customer (CRS610MI.Add); returns ERRM, which is filled where it ended at status 12."""
    rows = await client.execute("CRS610MI", "Add", fields)
    return rows[0].get("ERRM", "").strip() if rows else ""

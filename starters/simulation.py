"""How the simulators are started and controlled: as processes, since they are the outside world."""

import sys
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Faults(StrEnum):
    """How unkind the outside world is."""

    NONE = "none"
    MILD = "mild"
    HARSH = "harsh"


def amazon_command(data: Path, *options: str) -> tuple[str, ...]:
    """Command line of the pretended Amazon."""
    return _command("amazon", data, options)


def m3_command(data: Path, *options: str) -> tuple[str, ...]:
    """Command line of the pretended M3."""
    return _command("m3", data, options)


def _command(name: str, data: Path, options: tuple[str, ...]) -> tuple[str, ...]:
    return (sys.executable, "-m", f"simulators.{name}", "--port", "0", "--data", str(data), *options)


class AmazonOrder(BaseModel):
    """One order as the pretended Amazon's owner sees it (``GET /_control/orders``)."""

    model_config = ConfigDict(frozen=True)

    order_id: str = Field(alias="orderId")
    seller_id: str = Field(alias="sellerId")
    channel_name: str = Field(alias="channelName")
    status: str
    last_updated: datetime = Field(alias="lastUpdatedTime")
    planted: str | None = None
    events_to_come: int = Field(alias="eventsToCome")

    @property
    def is_sale(self) -> bool:
        """Whether it is a marketplace sale; multi-channel orders, which M3 sold itself, are not carried in."""
        return self.channel_name == "AMAZON"


_ORDERS = TypeAdapter(list[AmazonOrder])


class AmazonControl:
    """The pretended Amazon's control room."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url

    async def place(self, count: int, seed: int, trouble_share: float) -> None:
        """Let buyers place so many orders now."""
        body = {"count": count, "seed": seed, "trouble_share": trouble_share}
        answer = await self._http.post(f"{self._url}/_control/orders", json=body)
        answer.raise_for_status()

    async def orders(self) -> list[AmazonOrder]:
        """Every order there is."""
        answer = await self._http.get(f"{self._url}/_control/orders")
        answer.raise_for_status()
        return _ORDERS.validate_json(answer.content)


async def m3_state(http: httpx.AsyncClient, url: str) -> Mapping[str, Any]:
    """The pretended M3's own summary (``GET /_control/state``)."""
    answer = await http.get(f"{url}/_control/state")
    answer.raise_for_status()
    state: Mapping[str, Any] = answer.json()
    return state

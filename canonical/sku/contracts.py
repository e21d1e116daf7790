"""The words of mapping a SKU: names, requests, results, the id of its workflow. No code of either side."""

import hashlib
import re
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

MAP_SKU: Final = "MapSku"
"""Workflow type: one SKU of a seller becomes an item's, and the orders held for it go on; its result is a
`MapSkuResult`."""
MAPPING_ASKED: Final = "mapping_asked"
"""Signal: the same is wanted again, or another item (`MapSkuInput`)."""
KEEP_SKU_ALIAS: Final = "keep_sku_alias"
FIND_HELD_FOR_SKU: Final = "find_held_for_sku"
RELEASE_HELD_FOR_SKU: Final = "release_held_for_sku"
SPREAD_MAPPING: Final = "spread_mapping"

RATE: Final = 20.0
"""Orders released in a second: each of them makes M3 work."""
BATCH: Final = 200
"""Orders released by one activity."""
MOST_HELD: Final = 10_000
"""Held orders that one look finds at most; the next look finds the others."""
NAMED: Final = 50
"""Orders that are named in a result; the others are counted."""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_PLAIN_SKU: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


def sku_workflow_id(seller_id: str, sku: str) -> str:
    """The one workflow that maps a SKU of a seller; a SKU with other characters than plain ones is told by its
    digest."""
    plain = _PLAIN_SKU.fullmatch(sku)
    named = sku if plain else f"~{hashlib.sha256(sku.encode(errors='surrogatepass')).hexdigest()[:24]}"
    return f"sku-{seller_id}-{named}"


class MapSkuInput(BaseModel):
    """What the workflow is started with, also by hand in the Web UI."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seller_id: _Text
    sku: _Text
    itno: Annotated[_Text, StringConstraints(max_length=15)]
    marketplace_ids: tuple[str, ...] = ()
    """Marketplaces it is meant for; none means all of the seller's."""
    by: str = ""
    why: str = ""
    automatic: bool = False
    """Nobody was asked: then no alias of another item gives way."""


class KeepAliasRequest(_Contract):
    """Write the mapping to M3."""

    seller_id: str
    sku: str
    itno: str
    marketplace_ids: tuple[str, ...] = ()
    automatic: bool = False


class KeepAliasResult(_Contract):
    """What M3 has now."""

    refused: str = ""
    """Why nothing was written, as a sentence."""
    written: tuple[str, ...] = ()
    """Alias categories (ALWT and ALWQ) in which the alias was written now."""
    known: tuple[str, ...] = ()
    """Alias categories that had it."""
    notes: tuple[str, ...] = ()
    """What a person should know besides, as sentences."""


class HeldForSku(_Contract):
    """An order that is held for the SKU, as visibility shows it."""

    workflow_id: str
    order_id: str
    reason: str
    others: tuple[str, ...] = ()
    """Further SKUs that it is held for."""


class FindHeldRequest(_Contract):
    seller_id: str
    sku: str
    marketplace_ids: tuple[str, ...] = ()


class FindHeldResult(_Contract):
    """Orders of the seller that are held for the SKU, as far as visibility knows by now."""

    held: tuple[HeldForSku, ...]
    complete: bool = True


class ReleaseRequest(_Contract):
    """Send `map_sku` to these orders, at `RATE`."""

    seller_id: str
    sku: str
    itno: str
    by: str = ""
    why: str = ""
    asked_as: str
    """The same for every attempt of one call: by it an order knows a repair that it has taken."""
    orders: tuple[HeldForSku, ...]
    look_only: bool = False
    """Send nothing: say which are held for the SKU still."""


class NotReleased(_Contract):
    """An order that was not released, and why."""

    workflow_id: str
    order_id: str
    kind: Literal["refused", "gone", "no_answer", "held"]
    """gone: no longer held for the SKU, or closed. held: still or again."""
    sentence: str


class ReleaseResult(_Contract):
    """What became of a batch: all but those named took the repair."""

    left: tuple[NotReleased, ...] = ()


class MapSkuResult(_Contract):
    """How the mapping of a SKU ended."""

    seller_id: str
    sku: str
    itno: str
    outcome: Literal["mapped", "refused"]
    sentence: str
    """What happened, for a person."""
    written: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    released: int = 0
    """Held orders that took the repair."""
    waiting: tuple[str, ...] = ()
    """Those of them, as order ids, that other unmapped SKUs keep held; at most `NAMED`."""
    waiting_count: int = 0
    left: tuple[NotReleased, ...] = ()
    """Orders that stay held, each with the reason; at most `NAMED`."""
    left_count: int = 0
    notes: tuple[str, ...] = ()

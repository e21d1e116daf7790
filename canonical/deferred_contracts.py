"""The words of the look at what Amazon holds back: names, request, result (`canonical.settlement.deferred`)."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.settlement.deferred import DeferredShare

DEFERRED_LOOK: Final = "DeferredLook"
"""Workflow type: one look at a seller's deferred transactions; its result is a `Deferred`."""
READ_DEFERRED_PAGE: Final = "read_deferred_page"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class DeferredPageRequest(_Contract):
    """One page of deferred transactions (listTransactions), posted from `since` on."""

    seller_id: str
    since: datetime
    token: str = ""


class DeferredInput(_Contract):
    """One look; the later fields are set where it goes on in a new run."""

    seller_id: str
    page: DeferredPageRequest | None = None
    as_of: datetime | None = None
    shares: tuple[DeferredShare, ...] = ()
    unread: int = 0


def deferred_look_id(seller_id: str) -> str:
    """The daily look's schedule, and the look that a person asks for; the ids of scheduled runs begin with it."""
    return f"o2c-deferred-{seller_id}"

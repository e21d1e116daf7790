"""What the stock keeper remembers from run to run, and the words of those who look at it or steer it."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.stock.keeper_contracts import Pace, PlannedFeed, PlannedPatch, Text, Totals
from canonical.stock.news import ListingsRead

PAUSE: Final = "pause"
"""Signal: nothing is sent until `resume` (`Decision`)."""
RESUME: Final = "resume"
RETRY_OFFER: Final = "retry_offer"
"""Signal: what Amazon refused may be tried again (`RetryOffers`)."""
STATE: Final = "state"
"""Query: `StockView`."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class Decision(_Contract):
    """What a person says when he stops or starts the pushing."""

    why: Text = ""
    by: Text = ""


class FeedState(_Contract):
    """A feed that the keeper looks after."""

    feed: PlannedFeed
    since: datetime
    feed_ids: tuple[str, ...] = ()
    """Empty until Amazon has it."""
    status: str = ""


class Sent(_Contract):
    """How much the last round sent."""

    round: int
    at: datetime
    patches: int
    feeds: int
    in_feeds: int


class KeeperState(_Contract):
    """What the keeper remembers from run to run."""

    book: str = ""
    round: int = 0
    totals: Totals = Totals()
    pace: Pace = Pace()
    to_plan: bool = True
    since: datetime | None = None
    """The last look at changed balances began then."""
    full_at: datetime | None = None
    """The last look at every balance."""
    looked_at: datetime | None = None
    planned_at: datetime | None = None
    pruned_at: datetime | None = None
    patches: dict[str, PlannedPatch] = {}
    """By reference: what has been sent, or is about to be, and not been answered."""
    feeds: dict[str, FeedState] = {}
    """By key: those that have not ended."""
    resting: dict[str, datetime] = {}
    """Sellers for whom nothing is sent until then: Amazon did not answer, or refused the call itself."""
    feedless: dict[str, datetime] = {}
    """Sellers for whom no feed is sent until then: the last one came to nothing."""
    listings: dict[str, ListingsRead] = {}
    """By ``seller/marketplace``: the newest that the book has."""
    paused: Decision | None = None
    paused_at: datetime | None = None
    last_sent: Sent | None = None
    remarks: tuple[str, ...] = ()
    """The last few things that went wrong, each with its time."""


class StockInput(_Contract):
    """How the keeper starts, and how one run goes on from the other."""

    state: KeeperState = Field(default_factory=KeeperState)


class StockView(_Contract):
    """Answer of the query `state`."""

    book: str
    round: int
    totals: Totals
    pace: Pace
    looked_at: datetime | None
    """When M3 was last asked for changed balances, and answered."""
    full_at: datetime | None
    planned_at: datetime | None
    last_sent: Sent | None
    patches: int
    """Patches without an answer."""
    feeds: tuple[FeedState, ...]
    resting: dict[str, datetime]
    listings: tuple[ListingsRead, ...]
    paused: Decision | None
    paused_at: datetime | None
    news: int
    """Told, and not in the book yet."""
    asking_m3: bool = False
    busy: bool
    """Whether a look is asked for, or anything told is not in the book, or not planned."""
    remarks: tuple[str, ...]

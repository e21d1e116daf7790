"""The words between the stock keeper and its activities.

What is large lies in the archive and goes by its key: the stock book, what M3 said, what a feed carries. All that is
written there for the keeper is named by its content and never changed, so that an activity which is run again from the
same input writes the same.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints

from canonical.stock.news import ListingsRead, QuantityMoved, SoldLines
from canonical.stock.pushes import OfferState, Refusal
from canonical.stock.sending import PatchRequest

STOCK_QUEUE: Final = "o2c-stock"
"""Work on the stock book: the archive alone is asked."""

MERGE_STOCK: Final = "merge_stock"
PLAN_STOCK: Final = "plan_stock"
PRUNE_STOCK: Final = "prune_stock"
FIND_SOLD_IN_M3: Final = "find_sold_in_m3"
FIND_CHANGED_BALANCES: Final = "find_changed_balances"
READ_BALANCES: Final = "read_balances"


POOLS_A_CALL: Final = 2_000
"""Most pools whose balances one activity reads."""
NEWS_A_MERGE: Final = 1_500
"""Most single news that one merge takes in its payload."""
SHOWN_AT_MOST: Final = 20
"""Refused offers and notes that are shown; their number is always told."""

_MESSAGE: Final = 300
"""Characters of Amazon's issue that are shown."""

Text = Annotated[str, StringConstraints(max_length=300)]


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class RetryOffers(_Contract):
    """Refused offers that may go on; all that are left out mean any."""

    seller: str = ""
    marketplace: str = ""
    sku: str = ""
    by: Text = ""


class Answer(_Contract):
    """What became of one quantity that was sent."""

    seller: str
    marketplace: str
    sku: str
    whlo: str
    itno: str
    reference: str
    kind: Literal["refused", "lost", "seen"]
    """`lost`: nobody will tell. `seen`: Amazon was asked what it shows."""
    at: datetime
    quantity: int | None = None
    """Of `seen`: what Amazon shows."""
    exists: bool = True
    by_amazon: bool = False
    """Of `seen`: Amazon fulfils this SKU; it is never touched again."""
    code: str = ""
    message: str = ""


class FeedAnswer(_Contract):
    """What became of all quantities of one feed."""

    key: str
    """Its content in the archive."""
    at: datetime
    refusals: tuple[str, ...] = ()
    """Files of refusals, one for each feed that Amazon made of it: refused is what all of them refused."""
    lost: bool = False
    """Nobody will tell what became of it."""


class Totals(_Contract):
    """What the book holds."""

    skus: int = 0
    without_item: int = 0
    """SKUs shipped by the seller for which M3 has no item."""
    pools: int = 0
    unread: int = 0
    """Pools whose balance M3 has not told yet."""
    offers: int = 0
    on_their_way: int = 0
    waiting: int = 0
    """Offers with a quantity that is to be sent and has to wait: for a feed, or for those of the same pool."""
    refused: int = 0
    refusals: tuple["RefusedOffer", ...] = ()
    """The first few of them."""
    noted: int = 0
    notes: tuple[str, ...] = ()
    """The first few sentences about pools of which nothing is offered."""
    orders: int = 0
    """Lines of Amazon's orders that are reckoned with."""
    not_in_m3: int = 0
    """Of these, M3 is not known to have so many."""
    strangers: int = 0
    """Order lines with a SKU that nobody knows."""


class RefusedOffer(_Contract):
    """An offer whose quantity Amazon did not take."""

    seller: str
    marketplace: str
    sku: str
    quantity: int
    code: str
    message: str

    @classmethod
    def of(cls, state: OfferState, refusal: Refusal) -> Self:
        """Of an offer that is kept back."""
        return cls(
            seller=state.offer.seller,
            marketplace=state.offer.marketplace_id,
            sku=state.offer.sku,
            quantity=refusal.quantity,
            code=refusal.code,
            message=refusal.message[:_MESSAGE],
        )


class MergeRequest(_Contract):
    """What the book is to take in, in this order of fields."""

    book: str = ""
    """Key of the book; empty before there is one."""
    at: datetime
    listed: tuple[ListingsRead, ...] = ()
    sold: tuple[SoldLines, ...] = ()
    in_m3: tuple[str, ...] = ()
    """Files of `OrdersInM3`."""
    balances: tuple[str, ...] = ()
    """Files of balances."""
    answers: tuple[Answer, ...] = ()
    feeds: tuple[FeedAnswer, ...] = ()
    moved: tuple[QuantityMoved, ...] = ()
    again: tuple[RetryOffers, ...] = ()


class MergeResult(_Contract):
    """The book afterwards."""

    book: str
    totals: Totals
    changed: bool
    """Whether anything is to be planned."""
    refused: tuple[RefusedOffer, ...] = ()
    """The first few that were refused by this."""
    refused_now: int = 0
    remarks: tuple[str, ...] = ()
    """What could not be taken in, as sentences."""


class PlanRequest(_Contract):
    """Which quantities are to be sent now."""

    book: str
    round: int
    at: datetime
    patching: dict[str, int] = {}
    """By seller, patches that have not been answered."""
    no_feeds: tuple[str, ...] = ()
    """Sellers for whom a feed waits to be sent: what does not go by patch waits and joins the next."""
    nothing: tuple[str, ...] = ()
    """Sellers for whom nothing is to be sent now."""


class Pace(_Contract):
    """How often the keeper looks: the configuration, as its activities tell it."""

    every: timedelta = timedelta(seconds=60)
    full: timedelta = timedelta(hours=24)
    confirm: timedelta = timedelta(minutes=15)


class PlannedPatch(_Contract):
    """One quantity to be patched. The book has it as on its way already."""

    request: PatchRequest
    whlo: str
    itno: str
    reference: str


class PlannedFeed(_Contract):
    """One feed; its content is in the archive, and the book has its quantities as on their way already."""

    seller_id: str
    marketplace_id: str
    key: str
    messages: int


class Overdue(_Contract):
    """A quantity on its way of which nobody has told for long: what does Amazon show?"""

    seller: str
    marketplace: str
    sku: str
    whlo: str
    itno: str
    reference: str


class PlanResult(_Contract):
    """What is to be sent; `sent` is in the book before anything is."""

    book: str
    totals: Totals
    pace: Pace
    patches: tuple[PlannedPatch, ...] = ()
    feeds: tuple[PlannedFeed, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    notes: tuple[str, ...] = ()
    """The first few notes that are new."""
    noted_now: int = 0


class PruneRequest(_Contract):
    """Delete what no book needs any more."""

    book: str
    at: datetime


class PruneResult(_Contract):
    deleted: int


class FindSoldRequest(_Contract):
    """Which of the orders that M3 was not known to have does it have now?"""

    book: str
    round: int


class FindSoldResult(_Contract):
    asked: int = 0
    found: int = 0
    key: str = ""
    """File of `OrdersInM3`; empty where none was found."""


class OrdersInM3(_Contract):
    """Orders that are customer orders in M3. A temporary order (OXHEAD) takes nothing from the balance."""

    since: datetime
    """The moment after M3's answer."""
    orders: dict[str, tuple[tuple[str, str], ...]]
    """By Amazon's order id: the pools of its lines (WHLO, ITNO)."""


class FindChangedRequest(_Contract):
    """Which balances have changed since the last look?"""

    book: str
    since: datetime | None = None
    """None: every balance is to be read."""
    pools: tuple[tuple[str, str], ...] = ()
    """Pools to be read in any case."""
    in_m3: str = ""
    """File of `OrdersInM3`, whose pools are to be read in any case."""


class FindChangedResult(_Contract):
    asked_at: datetime
    """The moment before the question: the next look goes on from it."""
    pools: int = 0
    full: bool = False
    parts: tuple[str, ...] = ()
    """Files of pools to be read, `POOLS_A_CALL` in each at most."""
    remark: str = ""


class ReadBalancesRequest(_Contract):
    part: str


class ReadBalancesResult(_Contract):
    key: str
    """File of balances."""
    read: int

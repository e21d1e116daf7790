"""The words between the stock keeper and the calls that carry quantities to Amazon: names, requests, results."""

import gzip
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

AMAZON_PATCH_LISTING_QUEUE: Final = "o2c-amazon-patchListingsItem"
AMAZON_GET_LISTING_QUEUE: Final = "o2c-amazon-getListingsItem"
AMAZON_CREATE_FEED_QUEUE: Final = "o2c-amazon-createFeed"
"""createFeedDocument (0.5 a second) and the upload go before createFeed (0.0083 a second) in one activity: the second
quota is by far the scarcer."""
AMAZON_GET_FEED_QUEUE: Final = "o2c-amazon-getFeed"
AMAZON_GET_FEED_DOCUMENT_QUEUE: Final = "o2c-amazon-getFeedDocument"

PATCH_QUANTITY: Final = "patch_quantity"
READ_LISTING: Final = "read_listing"
SUBMIT_FEED: Final = "submit_feed"
LOOK_AT_FEED: Final = "look_at_feed"
READ_FEED_RESULT: Final = "read_feed_result"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class PatchRequest(_Contract):
    """One quantity of an MFN offer, for patchListingsItem."""

    seller_id: str
    marketplace_id: str
    sku: str
    quantity: int = Field(ge=0)


class PatchResult(_Contract):
    """ACCEPTED means that Amazon has taken it into its queue, not that it is live."""

    accepted: bool
    submission_id: str = ""
    code: str = ""
    """Amazon's issue, where it was refused."""
    message: str = ""
    request_id: str = ""


class ListingRequest(_Contract):
    """What Amazon shows of a SKU in a marketplace (getListingsItem)."""

    seller_id: str
    marketplace_id: str
    sku: str


class ListingSeen(_Contract):
    """What Amazon answered."""

    exists: bool
    asked_at: datetime
    """The moment before the question."""
    channel: Literal["MFN", "FBA"] | None = None
    """FBA whenever any fulfilment channel but DEFAULT is there, or none but an FNSKU; None where there is neither."""
    quantity: int | None = None
    """Of the channel DEFAULT; None where Amazon shows none."""
    issues: tuple[str, ...] = ()
    """Amazon's issues with severity ERROR, code and message."""
    refusal: str = ""
    """Amazon's answer as a sentence where it refused the question; then nothing is known of the listing."""


class FeedMessage(_Contract):
    """One quantity in a feed."""

    message_id: int = Field(ge=1)
    sku: str
    quantity: int = Field(ge=0)


class FeedContent(_Contract):
    """What is kept in the archive of a feed before it is sent; at most 25,000 messages, no SKU twice."""

    seller_id: str
    marketplace_id: str
    messages: tuple[FeedMessage, ...]

    def packed(self) -> bytes:
        """As the archive keeps it: JSON, gzip; the same content is the same bytes."""
        return gzip.compress(self.model_dump_json().encode(), mtime=0)

    @classmethod
    def unpacked(cls, kept: bytes) -> Self:
        """What `packed` made; raises ValueError for anything else."""
        try:
            return cls.model_validate_json(gzip.decompress(kept))
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"the archived feed cannot be unpacked ({type(error).__name__})") from None


class SubmitFeedRequest(_Contract):
    """Send the feed whose content the archive keeps under `key`."""

    seller_id: str
    key: str
    since: datetime
    """When it was first tried to send it: a lost answer leaves a feed that Amazon lists from then on."""


class SubmitFeedResult(_Contract):
    """Feeds that Amazon works on: usually one; after a lost answer every feed that may be this one. None where Amazon
    refuses the feed."""

    feed_ids: tuple[str, ...]
    code: str = ""
    """Of Amazon's error, where it refuses the feed as a whole."""
    message: str = ""


class LookAtFeedRequest(_Contract):
    seller_id: str
    feed_id: str


class FeedLook(_Contract):
    """Where a feed stands (getFeed)."""

    ended: bool
    status: str
    """IN_QUEUE, IN_PROGRESS, DONE, CANCELLED, FATAL; GONE where Amazon knows no such feed (any more)."""
    document_id: str = ""


class FeedResultRequest(_Contract):
    seller_id: str
    feed_id: str
    document_id: str
    """Empty where the feed ended without one."""
    key: str
    """The feed's content in the archive."""
    status: str = "DONE"
    """How the feed ended. Of one that is FATAL some, none or all may be done, says Amazon's model: its result tells
    nothing of any message."""


class FeedRefusal(_Contract):
    """One message that Amazon did not take."""

    message_id: int
    code: str
    message: str


def pack_refusals(refusals: Iterable[FeedRefusal]) -> bytes:
    """As the archive keeps them: JSON, one a line."""
    return b"".join(f"{one.model_dump_json()}\n".encode() for one in refusals)


def unpack_refusals(kept: bytes) -> tuple[FeedRefusal, ...]:
    """What `pack_refusals` made; raises ValueError for anything else."""
    return tuple(FeedRefusal.model_validate_json(line) for line in kept.splitlines())


class FeedResult(_Contract):
    """What became of a feed; the refusals themselves are in the archive, for there may be thousands."""

    accepted: int
    refused: int
    refusals_key: str = ""
    """JSON lines of `FeedRefusal` in the archive."""
    unreadable: str = ""
    """Why the whole result tells nothing, as a sentence: then every offer of the feed is asked or sent again."""

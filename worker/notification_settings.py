"""Where Amazon's notifications arrive (SQS), and how many are worked on at a time."""

from typing import Annotated

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from canonical.notifications import PAYLOAD_VERSIONS

_Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sqs:\S+:\S+:\S+$")]


class NotificationSettings(BaseModel):
    """The queue that Amazon sends notifications to. Credentials come from AWS's own environment, profiles and roles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queue_url: AnyHttpUrl | None = None
    """Address of the SQS queue (a standard one; Amazon does not send to FIFO queues). None: nothing is listened
    to, and the sweep alone finds what changed."""
    dead_letter_url: AnyHttpUrl | None = None
    """Address of another SQS queue, for messages that cannot be read."""
    queue_arn: _Arn | None = None
    """ARN under which Amazon is told of the queue; none asks SQS for it."""
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")] = "eu-west-1"
    """AWS region of both queues."""
    endpoint: AnyHttpUrl | None = None
    """Another address than AWS's for the region, such as a local SQS."""
    destination: Annotated[str, StringConstraints(min_length=1, max_length=256)] = "amazon-m3-o2c"
    """Name under which Amazon keeps the queue as a destination."""
    types: tuple[str, ...] = tuple(PAYLOAD_VERSIONS)
    """Notification types that `o2c subscribe` asks for; LISTINGS_ITEM_MFN_QUANTITY_CHANGE only where stock is
    configured."""
    in_flight: Annotated[int, Field(ge=10, le=10_000)] = 200
    """Messages that one listener works on at the same time; no more are taken from the queue."""
    receivers: Annotated[int, Field(ge=1, le=50)] = 4
    """Long polls that one listener keeps open; each brings up to ten messages."""
    poll_seconds: Annotated[int, Field(ge=1, le=20)] = 20
    """How long a poll waits for a message; an orderly stop waits for the polls under way."""
    visibility_seconds: Annotated[int, Field(ge=2, le=3600)] = 60
    """How long a message stays hidden from other listeners when this one dies; extended while it is worked on."""
    gather_seconds: Annotated[float, Field(ge=0, le=300)] = 10.0
    """How long an FBA shipment's notification waits for the order's own, which tells more: one signal for both."""

    @model_validator(mode="after")
    def _fits_together(self) -> "NotificationSettings":
        if (self.queue_url is None) != (self.dead_letter_url is None):
            raise ValueError(
                "queue_url and dead_letter_url belong together: what cannot be read must go somewhere"
            )
        if self.queue_url is not None and self.queue_url == self.dead_letter_url:
            raise ValueError("dead_letter_url must be another queue than queue_url")
        if str(self.queue_url or "").endswith(".fifo"):
            raise ValueError("queue_url is a FIFO queue, to which Amazon does not send")
        for name in self.types:
            if name not in PAYLOAD_VERSIONS:
                raise ValueError(
                    f"{name} is no type with a route here; there are {', '.join(PAYLOAD_VERSIONS)}"
                )
        return self

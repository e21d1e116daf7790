"""Who is told of held orders, and when, as the configuration has it."""

from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

_Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EscalationStage(_Strict):
    """One step of the escalation of an outage."""

    after_minutes: Annotated[float, Field(gt=0)]
    """How long M3 or Amazon has been away."""
    targets: tuple[str, ...] = ()
    """Who is told then; none tells every target."""


class AlertSettings(_Strict):
    """Who is told of held orders, and when. Without a target nobody is."""

    targets: dict[_Name, _Key] = {}
    """By name of the target: the environment variable that holds its address, an apprise URL such as
    ``mailtos://...``, ``slack://...``, ``workflows://...`` (Teams) or ``json://...``. The address is a secret."""
    first: tuple[str, ...] = ()
    """Targets told of the first order of a reason, and of gathered repeats; none tells every target."""
    gather_minutes: Annotated[float, Field(ge=1, le=1440)] = 15.0
    """Repeats of the same reason within this time are gathered into one message."""
    stages: tuple[EscalationStage, ...] = (
        EscalationStage(after_minutes=15),
        EscalationStage(after_minutes=60),
        EscalationStage(after_minutes=240),
    )
    """Escalation of an outage of M3 or Amazon, as long as orders are held by it."""
    digest: tuple[str, ...] = ()
    """Targets of the daily digest; none takes those of `first`."""
    digest_at: time | Literal["never"] = time(7)
    """Time of day of the digest of everything that is held, such as ``"07:00"``; ``"never"`` sends none."""
    time_zone: str = "UTC"
    """Time zone of `digest_at`, such as ``"Europe/Berlin"``."""

    @model_validator(mode="after")
    def _fits_together(self) -> "AlertSettings":
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"time_zone {self.time_zone!r} is no time zone such as Europe/Berlin") from None
        if isinstance(self.digest_at, time) and self.digest_at.tzinfo is not None:
            raise ValueError("digest_at is a time of day in time_zone; leave the offset out")
        named = [*self.first, *self.digest, *(name for stage in self.stages for name in stage.targets)]
        for name in named:
            if name not in self.targets:
                raise ValueError(f"{name} is no target; targets are {', '.join(self.targets) or 'none'}")
        minutes = [stage.after_minutes for stage in self.stages]
        if minutes != sorted(set(minutes)):
            raise ValueError("stages: after_minutes must grow from stage to stage")
        return self

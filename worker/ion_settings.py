"""Messages from and to Infor ION, as the configuration has them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]


class IonSettings(BaseModel):
    """Messages from and to Infor ION. Without this section nothing is received and nothing is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,22}$")]
    """The tenant whose messages are taken: the header X-TenantId, in any case."""
    secrets: _Key = "ION"
    """Prefix of the environment variables PREFIX_USER and PREFIX_PASSWORD, by which ION's API Gateway shows who it
    is: by Basic, or as client id and client secret of OAuth 2.0."""
    host: str = "127.0.0.1"
    """Address `o2c listen --ion` listens on, behind a proxy that speaks TLS."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8095
    """Its port; 0 takes a free one."""
    path: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)*$")] = ""
    """What stands before /service in the address, such as ``/ion``."""
    max_bytes: Annotated[int, Field(ge=1024, le=50 * 1024 * 1024)] = 5 * 1024 * 1024
    """Largest message, as sent and as unpacked."""
    logical_id: Annotated[str, StringConstraints(pattern=r"^lid://\S{1,240}$")] | None = None
    """Logical id of the own connection point, such as ``lid://infor.ims.o2c``; none sends no answers. Cloud only."""

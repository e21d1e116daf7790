"""createRestrictedDataToken (Tokens 2021-03-01): the token that opens operations and reports with buyers' data.

Orders 2026-01-01 needs none; the documents of restricted report types do, and Orders v0 for buyers' data.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError
from starlette.requests import Request

from simulators.amazon.auth import Caller
from simulators.amazon.wire import ApiError, JsonObject
from simulators.amazon.world import World

DOCUMENTS = "/reports/2021-06-30/documents/"


class _Resource(BaseModel):
    """Model RestrictedResource."""

    model_config = ConfigDict(extra="ignore")

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: StrictStr = Field(pattern=r"^/")
    dataElements: list[StrictStr] = Field(default_factory=list)  # noqa: N815


class _Body(BaseModel):
    """Model CreateRestrictedDataTokenRequest."""

    model_config = ConfigDict(extra="ignore")

    restrictedResources: list[_Resource] = Field(min_length=1, max_length=50)  # noqa: N815
    targetApplication: StrictStr | None = None  # noqa: N815


def create_restricted_data_token(
    world: World, caller: Caller, _: Request, body: bytes, now_ms: int
) -> tuple[int, JsonObject | None]:
    """createRestrictedDataToken. A document must be named; other paths may be generic (`{orderId}`)."""
    try:
        wanted = _Body.model_validate_json(body)
    except ValidationError:
        message = "Request is missing or has invalid parameters"
        raise ApiError(400, "InvalidRequest", message, "Resource not provided.") from None
    if any("{" in each.path and each.path.startswith(DOCUMENTS) for each in wanted.restrictedResources):
        message = "Request is missing or has invalid parameters"
        raise ApiError(400, "InvalidRequest", message, "A generic path is not allowed for getReportDocument.")
    if caller.seller_id in world.pii_refused:
        message = "Application does not have access to one or more requested data elements."
        raise ApiError(403, "Unauthorized", message)
    resources = tuple((each.method, each.path) for each in wanted.restrictedResources)
    token = world.tokens.restrict(caller, resources, now_ms)
    return 200, {"restrictedDataToken": token, "expiresIn": world.tokens.lifetime_s}


OPERATION = (
    "/tokens/2021-03-01/restrictedDataToken",
    "POST",
    "createRestrictedDataToken",
    create_restricted_data_token,
)
"""Path, method, name and work."""

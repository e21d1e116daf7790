"""What this service says to Amazon about single listings (Listings Items 2021-08-01). Every method raises
`AmazonError`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import GET_LISTINGS_ITEM, PATCH_LISTINGS_ITEM
from activities.amazon.transport import Transport
from canonical.stock.feed_text import LOCALE, PRODUCT_TYPE, quantity_patch
from canonical.stock.sending import ListingRequest, ListingSeen, PatchRequest, PatchResult

LISTINGS_ROLE: Final = "Product Listing"
"""The role that Amazon's tutorials for listings, their feeds and the catalogue ask for."""
SHOWN_DATA: Final = ("summaries", "fulfillmentAvailability", "issues")
"""Only the summaries tell an FNSKU."""
_MERCHANT: Final = "DEFAULT"
"""The fulfilment channel of what the merchant ships."""
_MOST_ISSUES: Final = 10
_WORDS_LIMIT: Final = 300


class Listings:
    """Listings of one selling partner."""

    def __init__(self, transport: Transport, seller_id: str) -> None:
        self._transport = transport
        self._seller_id = seller_id

    async def patch_quantity(self, wanted: PatchRequest) -> PatchResult:
        """Set the quantity of the merchant's offer (5 calls/s, burst 5); sent again it changes nothing.

        Of a SKU that Amazon fulfils it may make one that the merchant ships: nobody may ask for it there.
        """
        answer = await self._transport.call(
            PATCH_LISTINGS_ITEM,
            names=self._names(wanted.sku),
            query={"marketplaceIds": wanted.marketplace_id, "issueLocale": LOCALE},
            body={"productType": PRODUCT_TYPE, "patches": [quantity_patch(wanted.quantity)]},
        )
        status, submission = answer.get("status"), str(answer.get("submissionId") or "")
        if status == "ACCEPTED":
            return PatchResult(accepted=True, submission_id=submission)
        if status != "INVALID":
            raise AmazonError(
                Failure.UNAVAILABLE,
                PATCH_LISTINGS_ITEM.name,
                status=200,
                message="the answer has no usable 'status'",
            )
        code, message = next(_errors(answer), ("INVALID", "Amazon gives no reason."))
        return PatchResult(accepted=False, submission_id=submission, code=code, message=message)

    async def shown(self, wanted: ListingRequest, asked_at: datetime) -> ListingSeen:
        """What buyers see of a SKU in a marketplace (5 calls/s, burst 10). asked_at: a moment before the call."""
        answer = await self._transport.call(
            GET_LISTINGS_ITEM,
            names=self._names(wanted.sku),
            query={
                "marketplaceIds": wanted.marketplace_id,
                "includedData": ",".join(SHOWN_DATA),
                "issueLocale": LOCALE,
            },
        )
        quantities = {
            str(entry.get("fulfillmentChannelCode") or ""): entry.get("quantity")
            for entry in _objects(answer.get("fulfillmentAvailability"))
        }
        quantity = quantities.get(_MERCHANT)
        return ListingSeen(
            exists=True,
            asked_at=asked_at,
            channel=_channel(answer, quantities),
            quantity=quantity if isinstance(quantity, int) and quantity >= 0 else None,
            issues=tuple(f"{code}: {message}" for code, message in _errors(answer))[:_MOST_ISSUES],
        )

    def _names(self, sku: str) -> dict[str, str]:
        return {"sellerId": self._seller_id, "sku": sku}


def _channel(answer: Mapping[str, object], quantities: Mapping[str, object]) -> Literal["MFN", "FBA"] | None:
    if any(code and code != _MERCHANT for code in quantities):
        return "FBA"
    if _MERCHANT in quantities:
        return "MFN"
    with_fnsku = any(summary.get("fnSku") for summary in _objects(answer.get("summaries")))
    return "FBA" if with_fnsku else None


def _errors(answer: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Code and words of the issues with severity ERROR."""
    for issue in _objects(answer.get("issues")):
        if issue.get("severity") == "ERROR":
            words = " ".join(str(issue.get("message") or "").split())
            yield str(issue.get("code") or ""), words[:_WORDS_LIMIT]


def _objects(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []

"""Amazon's side of an order as Temporal activities: read it, confirm its shipment, list it for the audit."""

from collections.abc import Mapping

import structlog
from temporalio import activity

from activities.amazon.audit import facts
from activities.amazon.client import FACTS_DATA, PACKAGE_DATA, AmazonClient, Period
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.outcomes import PATIENCE, UNAVAILABLE, asking_amazon
from activities.amazon.refusals import is_passing, refused
from activities.amazon.shipments import confirmation, is_known
from activities.errors import RetryLater
from canonical.activity_contracts import (
    CONFIRM_SHIPMENT,
    FETCH_ORDER,
    ConfirmShipmentRequest,
    ConfirmShipmentResult,
    FetchOrderRequest,
)
from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.audit_contracts import AUDIT_AMAZON_PAGE, AuditAmazonPageRequest, AuditAmazonPageResult
from canonical.held import HeldReason, held
from canonical.order import Order
from canonical.profile import MarketplaceProfile

_log = structlog.get_logger(__name__)


class AmazonActivities:
    """Activities of every configured seller.

    clients: by seller id. profiles: by marketplace id.
    """

    def __init__(
        self, clients: Mapping[str, AmazonClient], profiles: Mapping[str, MarketplaceProfile]
    ) -> None:
        self._clients = clients
        self._profiles = profiles

    @activity.defn(name=FETCH_ORDER)
    async def fetch_order(self, request: FetchOrderRequest) -> Order:
        """The order as Amazon has it now: one getOrder call.

        Holds: order_incomplete (Amazon does not know it, or it cannot be read), amazon_not_authorised,
        not_configured.
        """
        async with asking_amazon(f"Order {request.order_id}"):
            payload = await self._client(request.seller_id).get_order(request.order_id)
            try:
                return read_order(payload, request.seller_id)
            except UnreadableOrder as error:
                raise held(HeldReason.ORDER_INCOMPLETE, str(error), system="Amazon") from None

    @activity.defn(name=CONFIRM_SHIPMENT)
    async def confirm_shipment(self, request: ConfirmShipmentRequest) -> ConfirmShipmentResult:
        """Tell Amazon about one package: one confirmShipment call, and a getOrder call where the last answer
        was lost or Amazon refuses.

        Holds: carrier_unknown, shipment_refused, amazon_not_authorised, not_configured.
        """
        ref = request.ref
        async with asking_amazon(f"Order {ref.order_id}, package {request.package.reference}"):
            client, profile = self._client(ref.seller_id), self._profile(ref.marketplace_id)
            shipment = confirmation(request, profile, client.now())
            known = ConfirmShipmentResult(reference=shipment.reference, already_known=True)
            # The answer of an earlier attempt may have been lost after Amazon had done the work.
            if activity.info().attempt > 1:
                order = await client.get_order(ref.order_id, PACKAGE_DATA)
                if is_known(order, shipment, exactly=request.again):
                    return _noted(known, ref.order_id)
            try:
                await client.confirm_shipment(ref.order_id, shipment)
            except AmazonError as error:
                if error.failure is not Failure.REFUSED:
                    raise
                order = await client.get_order(ref.order_id, PACKAGE_DATA)
                if is_known(order, shipment, exactly=request.again):
                    return _noted(known, ref.order_id)
                subject = f"Order {ref.order_id}, package {shipment.reference}"
                if is_passing(order, shipment, error) and activity.info().attempt < PATIENCE:
                    raise RetryLater(f"{subject}: {error.sentence}", kind=UNAVAILABLE) from None
                raise refused(
                    order, shipment, error, subject=subject, carrier=request.package.carrier
                ) from None
            return ConfirmShipmentResult(reference=shipment.reference)

    @activity.defn(name=AUDIT_AMAZON_PAGE)
    async def audit_amazon_page(self, request: AuditAmazonPageRequest) -> AuditAmazonPageResult:
        """Up to 100 orders as the audit compares them: one searchOrders call, without personal data."""
        async with asking_amazon(f"Orders of seller {request.seller_id}"):
            page = await self._client(request.seller_id).search_orders(
                Period(request.created_after, request.created_before, by_creation=True),
                token=request.token,
                included_data=FACTS_DATA,
            )
            orders = tuple(facts(payload, request.seller_id) for payload in page.orders)
            return AuditAmazonPageResult(orders=orders, next_token=page.next_token)

    def _client(self, seller_id: str) -> AmazonClient:
        client = self._clients.get(seller_id)
        if client is None:
            raise held(HeldReason.NOT_CONFIGURED, f"Seller {seller_id} is not in the configuration.")
        return client

    def _profile(self, marketplace_id: str) -> MarketplaceProfile:
        profile = self._profiles.get(marketplace_id)
        if profile is None:
            raise held(
                HeldReason.NOT_CONFIGURED, f"Marketplace {marketplace_id} is not in the configuration."
            )
        return profile


def _noted(known: ConfirmShipmentResult, order_id: str) -> ConfirmShipmentResult:
    _log.info("shipment_already_known", order_id=order_id, reference=known.reference)
    return known

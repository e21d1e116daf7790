"""The audit's look at what Amazon refunded: pages of transactions, read and told to nobody."""

from collections.abc import Mapping

from temporalio import activity

from activities.amazon.client import AmazonClient
from activities.amazon.outcomes import asking_amazon
from canonical.case_audit import (
    AUDIT_REFUNDS_PAGE,
    AuditRefundsPageRequest,
    AuditRefundsPageResult,
    RefundPaid,
)
from canonical.finance_transactions import UnreadableTransaction, refunds_of
from canonical.held import HeldReason, held
from canonical.ids import return_case_workflow_id


class RefundsAudit:
    """clients: by seller id."""

    def __init__(self, clients: Mapping[str, AmazonClient]) -> None:
        self._clients = clients

    @activity.defn(name=AUDIT_REFUNDS_PAGE)
    async def audit_refunds_page(self, request: AuditRefundsPageRequest) -> AuditRefundsPageResult:
        """One listTransactions page. Refunds that cannot be read are left to the look that tells them."""
        client = self._clients.get(request.seller_id)
        if client is None:
            raise held(HeldReason.NOT_CONFIGURED, f"Seller {request.seller_id} is not in the configuration.")
        async with asking_amazon(f"Transactions of seller {request.seller_id}"):
            page = await client.finances.transactions(
                request.posted_after, request.posted_before, token=request.token
            )
        paid = [each for payload in page.transactions for each in _paid(request, payload)]
        return AuditRefundsPageResult(refunds=tuple(paid), next_token=page.next_token)


def _paid(request: AuditRefundsPageRequest, payload: Mapping[str, object]) -> list[RefundPaid]:
    try:
        found = refunds_of(payload, request.posted_before)
    except UnreadableTransaction:
        return []
    return [
        RefundPaid(
            case_id=return_case_workflow_id(request.seller_id, each.order_id, each.sku),
            order_id=each.order_id,
            sku=each.sku,
            key=refund.key,
            posted=refund.at,
            amount=refund.creditable,
            currency=refund.currency,
        )
        for each in found
        for refund in each.facts.refunds.values()
    ]

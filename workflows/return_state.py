"""What a return case remembers, and its calls to the outside."""

import shlex
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from canonical import return_contracts as act
from canonical.activity_contracts import OrderRef
from canonical.fixes import MarkStepDone
from canonical.return_cases import tax_share
from canonical.return_facts import CaseFacts
from canonical.return_models import Accepted, Booked, CaseOrder, CaseRules, Credit, Movement, Next, Standing
from workflows import policies
from workflows.calls import Calls
from workflows.held_state import HeldState

_BEHIND: Final = 4
"""Priority of cases: behind live orders, before imports of the past."""


@dataclass
class CaseState(HeldState):
    """Everything under way for one case."""

    amazon_order_id: str
    sku: str
    rules: CaseRules
    facts: CaseFacts
    booked: Booked
    accepted: Accepted
    order: CaseOrder | None = None
    line: act.SoldLine | None = None
    standing: Standing = field(default_factory=lambda: Standing(next=Next.WAIT, sentence="Received."))
    news: int = 0
    """Counts what was told: a wait ends when it grows."""
    look: bool = False
    """The own warehouse may have received something."""

    @classmethod
    def from_input(cls, start: act.ReturnCaseInput) -> "CaseState":
        news, memory = start.news, start.memory
        return cls(
            seller_id=news.seller_id,
            order_id=shlex.quote(f"{news.order_id}/{news.sku}"),
            amazon_order_id=news.order_id,
            sku=news.sku,
            rules=start.rules,
            facts=memory.facts.plus(news.facts),
            booked=memory.booked,
            accepted=memory.accepted,
        )

    @property
    def facts_of_order(self) -> CaseOrder:
        """The order; only after it is known."""
        if self.order is None:
            raise RuntimeError(f"Case {self.order_id} is used before its order was read.")
        return self.order

    @property
    def sold(self) -> act.SoldLine:
        """The M3 order line; only after it is known."""
        if self.line is None:
            raise RuntimeError(f"Case {self.order_id} is used before its M3 order was found.")
        return self.line

    @property
    def ref(self) -> OrderRef:
        marketplace = self.order.marketplace_id if self.order else ""
        return OrderRef(seller_id=self.seller_id, order_id=self.amazon_order_id, marketplace_id=marketplace)

    @property
    def next_number(self) -> int:
        """Of the next customer return in M3."""
        return 1 + max((move.number for move in self.booked.movements), default=0)

    def take(self, news: act.CaseNews) -> bool:
        """Facts about this case; False where they are another's or tell nothing new."""
        mine = (news.seller_id, news.order_id, news.sku) == (self.seller_id, self.amazon_order_id, self.sku)
        if not mine or self.facts.knows(news.facts):
            return False
        self.facts = self.facts.plus(news.facts)
        self.news += 1
        return True

    def put(self, move: Movement) -> None:
        """A movement that is new, or known better now."""
        others = tuple(each for each in self.booked.movements if each.number != move.number)
        moves = tuple(sorted((*others, move), key=lambda each: each.number))
        self.booked = self.booked.model_copy(update={"movements": moves})

    def view(self) -> act.CaseView:
        """The case for the query `state`; nothing in it is personal."""
        return act.CaseView(
            seller_id=self.seller_id,
            order_id=self.amazon_order_id,
            sku=self.sku,
            step=self.step,
            sentence=self.standing.sentence,
            states=self.standing.states,
            missing=self.standing.missing,
            since=self.facts.since,
            due=self.standing.due,
            held_reason=self.hold.reason if self.hold else "",
            held_sentence=self.hold.sentence if self.hold else "",
            orno=self.line.orno if self.line else "",
            booked=self.booked,
            facts=self.facts,
            repairs=tuple(self.repairs),
            remarks=tuple(self.remarks),
        )

    def result(self, outcome: str, sentence: str) -> act.ReturnCaseResult:
        """How the case ended, and what the next one has to know."""
        return act.ReturnCaseResult(
            seller_id=self.seller_id,
            order_id=self.amazon_order_id,
            sku=self.sku,
            outcome=outcome,
            sentence=sentence,
            orno=self.line.orno if self.line else "",
            memory=act.CaseMemory(facts=self.facts, booked=self.booked, accepted=self.accepted),
            repairs=tuple(self.repairs),
        )


class CaseCalls(Calls):
    """Activities of one case, named by `canonical.return_contracts`."""

    def __init__(self, state: CaseState) -> None:
        super().__init__(state.seller_id, _BEHIND)
        self._state = state

    async def read_order(self) -> CaseOrder:
        state = self._state
        request = act.ReadCaseOrderRequest(
            seller_id=state.seller_id, order_id=state.amazon_order_id, sku=state.sku
        )
        return await self._call(
            act.READ_CASE_ORDER, request, CaseOrder, policies.AMAZON_GET, "Read the order"
        )

    async def find_line(self) -> act.SoldLine:
        state = self._state
        request = act.FindSoldLineRequest(ref=state.ref, sku=state.sku, order=state.facts_of_order)
        return await self._call(
            act.FIND_SOLD_LINE, request, act.SoldLine, policies.M3_CALL, "Find the order line in M3"
        )

    async def take_return(self, standing: Standing, received: bool) -> Movement:
        state = self._state
        amount, currency = standing.amount, state.facts_of_order.currency
        request = act.TakeReturnRequest(
            ref=state.ref,
            sku=state.sku,
            line=state.sold,
            number=state.next_number,
            pieces=standing.pieces,
            disposition=standing.disposition,
            amount=amount,
            currency=currency,
            tax_share=tax_share(state.facts, amount or Decimal(0), currency),
            received=received,
            known=tuple(move.repn for move in state.booked.movements),
        )
        worth = f", {amount} {currency}" if amount is not None else ""
        summary = f"Take back {standing.pieces} pieces in M3{worth}"
        return await self._call(act.TAKE_RETURN, request, Movement, policies.M3_CALL, summary)

    async def read_received(self) -> act.ReadReceivedResult:
        state = self._state
        request = act.ReadReceivedRequest(ref=state.ref, movements=state.booked.movements)
        return await self._call(
            act.READ_RECEIVED,
            request,
            act.ReadReceivedResult,
            policies.M3_CALL,
            "See what the warehouse received",
        )

    async def credit(self, move: Movement) -> act.CreditReturnResult:
        state = self._state
        others = tuple(each for each in state.booked.movements if each.number != move.number)
        request = act.CreditReturnRequest(
            ref=state.ref,
            line=state.sold,
            movement=move,
            known=state.booked.credits,
            others=others,
        )
        summary = f"See M3's credit of return {move.repn}"
        return await self._call(act.CREDIT_RETURN, request, act.CreditReturnResult, policies.M3_WAIT, summary)

    # --- what a person did by hand, looked up in M3 ---------------------------------------------

    async def verify_credit(self, fix: MarkStepDone) -> Credit:
        state = self._state
        request = act.VerifyCreditRequest(
            ref=state.ref,
            line=state.sold,
            number=fix.number,
            year=fix.year,
            known=state.booked.credits,
        )
        return await self._call(
            act.VERIFY_CREDIT, request, Credit, policies.M3_CALL, f"Check credit invoice {fix.number} in M3"
        )

    async def verify_return(self, standing: Standing, fix: MarkStepDone) -> Movement:
        state = self._state
        request = act.VerifyReturnRequest(
            ref=state.ref,
            line=state.sold,
            repn=fix.number,
            number=state.next_number,
            pieces=standing.pieces,
            disposition=standing.disposition,
        )
        return await self._call(
            act.VERIFY_RETURN,
            request,
            Movement,
            policies.M3_CALL,
            f"Check customer return {fix.number} in M3",
        )

"""Amazon's transactions and report files as facts: nothing counted twice, nothing personal, nothing passed over."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.finance_transactions import UnreadableTransaction, kind_of, refunds_of
from canonical.return_facts import Announced, CaseFacts, Reimbursed, Returned
from canonical.return_reports import (
    FBA_RETURNS,
    MFN_RETURNS,
    REIMBURSEMENTS,
    RefusedRow,
    ToldOfCase,
    read_return_report,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ORDER = "028-1234567-8901234"


# --- transactions ----------------------------------------------------------------------------------


def node(kind: str, amount: str, *below: dict[str, Any]) -> dict[str, Any]:
    money = {"currencyAmount": Decimal(amount), "currencyCode": "EUR"}
    return {"breakdownType": kind, "breakdownAmount": money, "breakdowns": list(below) or None}


def transaction(*breakdowns: dict[str, Any], **more: Any) -> dict[str, Any]:
    context = {"contextType": "ProductContext", "sku": "MUG", "quantityShipped": 1}
    item = {"breakdowns": list(breakdowns), "contexts": [context], "totalAmount": {"currencyCode": "EUR"}}
    return {
        "transactionType": "Refund",
        "transactionId": "T1",
        "transactionStatus": "RELEASED",
        "postedDate": "2026-11-20T10:00:00Z",
        "relatedIdentifiers": [related("ORDER_ID", ORDER)],
        "items": [item],
        **more,
    }


def related(name: str, value: str) -> dict[str, str]:
    return {"relatedIdentifierName": name, "relatedIdentifierValue": value}


GOODS = node("ProductCharges", "-20.00", node("OurPricePrincipal", "-20.00"))
TAX = node("Tax", "-4.20", node("OurPriceTax", "-3.80"), node("ShippingTax", "-0.40"))
FEES = node("AmazonFees", "2.40", node("Commission", "3.00", node("Base", "2.50"), node("Tax", "0.50")),
            node("RefundCommission", "-0.60"))  # fmt: skip


def test_leaves_are_added_and_nodes_are_not() -> None:
    [found] = refunds_of(transaction(GOODS, TAX, FEES), NOW)
    [refund] = found.facts.refunds.values()
    assert (found.order_id, found.sku) == (ORDER, "MUG")
    assert (refund.goods, refund.tax, refund.withheld) == (Decimal("20.00"), Decimal("4.20"), Decimal(0))
    assert (refund.creditable, refund.pieces, refund.unknown) == (Decimal("24.20"), 1, ())


def test_the_summary_of_the_transaction_is_not_added_to_its_items() -> None:
    summary = [node("Sales", "-24.20", node("ProductCharges", "-24.20"))]
    [found] = refunds_of(transaction(GOODS, TAX, breakdowns=summary), NOW)
    assert next(iter(found.facts.refunds.values())).creditable == Decimal("24.20")


def test_a_deferred_refund_and_its_release_are_one() -> None:
    deferred = transaction(GOODS, transactionStatus="DEFERRED")
    done = transaction(
        GOODS,
        transactionStatus="DEFERRED_RELEASED",
        relatedIdentifiers=[related("ORDER_ID", ORDER), related("RELEASE_TRANSACTION_ID", "T2")],
    )
    release = transaction(
        GOODS,
        transactionId="T2",
        relatedIdentifiers=[related("ORDER_ID", ORDER), related("DEFERRED_TRANSACTION_ID", "T1")],
    )
    facts = CaseFacts()
    for each in (release, deferred, done):
        facts = facts.plus(refunds_of(each, NOW)[0].facts)
    assert len(facts.refunds) == 1


def test_tax_that_amazon_keeps_is_not_ours_to_credit() -> None:
    withheld = node("TaxWithheld", "4.20", node("MarketplaceFacilitatorTax-Principal", "4.20"))
    [found] = refunds_of(transaction(GOODS, TAX, withheld), NOW)
    assert next(iter(found.facts.refunds.values())).creditable == Decimal("20.00")


def test_what_nobody_knows_is_named_and_not_guessed() -> None:
    [found] = refunds_of(transaction(GOODS, node("BrandNewThing", "-1.00")), NOW)
    [refund] = found.facts.refunds.values()
    assert (refund.creditable, refund.unknown) == (Decimal("20.00"), ("BrandNewThing",))


def test_a_restocking_charge_is_the_buyer_s_and_no_fee() -> None:
    assert kind_of(("ProductCharges", "RestockingFee")) == "goods"
    assert kind_of(("AmazonFees", "RefundCommission")) == "fees"


def test_two_items_of_one_sku_are_one_refund_of_both() -> None:
    both = transaction(GOODS)
    both["items"] *= 2
    [found] = refunds_of(both, NOW)
    [refund] = found.facts.refunds.values()
    assert (refund.goods, refund.pieces) == (Decimal("40.00"), 2)


def test_a_shipment_is_no_refund_and_a_refund_without_an_order_is_not_passed_over() -> None:
    assert refunds_of(transaction(GOODS, transactionType="Shipment"), NOW) == ()
    with pytest.raises(UnreadableTransaction, match="names no order"):
        refunds_of(transaction(GOODS, relatedIdentifiers=[]), NOW)
    with pytest.raises(UnreadableTransaction, match="postedDate"):
        refunds_of(transaction(GOODS, postedDate="yesterday"), NOW)


def test_a_real_transaction_turned_into_a_refund_is_read_whole(shared: Path) -> None:
    text = (
        shared / "spapi" / "samples" / "finances" / "listTransactions-SE-2024-01-shipment.json"
    ).read_text()
    [real] = json.loads(text, parse_float=Decimal)["transactions"]
    assert refunds_of(real, NOW) == ()
    [found] = refunds_of({**real, "transactionType": "Refund"}, NOW)
    [refund] = found.facts.refunds.values()
    assert refund.creditable == Decimal("-449")
    assert (refund.tax, refund.unknown, refund.currency) == (Decimal("-89.8"), (), "SEK")


@given(st.recursive(
    st.decimals(-50, 50, places=2).map(lambda amount: node("OurPricePrincipal", str(amount))),
    lambda below: st.lists(below, min_size=1, max_size=3).map(
        lambda nodes: node("ProductCharges", str(sum(each["breakdownAmount"]["currencyAmount"] for each in nodes)),
                           *nodes)),
    max_leaves=12,
))  # fmt: skip
def test_any_tree_counts_what_stands_at_its_top(tree: dict[str, Any]) -> None:
    [found] = refunds_of(transaction(tree), NOW)
    assert next(iter(found.facts.refunds.values())).goods == -tree["breakdownAmount"]["currencyAmount"]


# --- report files ----------------------------------------------------------------------------------


def read(report_type: str, *lines: str) -> tuple[list[ToldOfCase], list[RefusedRow]]:
    stream = io.BytesIO("\n".join([*lines, ""]).encode())
    found = list(read_return_report(report_type, stream, NOW))
    return [each for each in found if isinstance(each, ToldOfCase)], [
        each for each in found if isinstance(each, RefusedRow)
    ]


FBA = (
    "return-date\torder-id\tsku\tasin\tfnsku\tproduct-name\tquantity\tfulfillment-center-id\tdetailed-disposition"
    "\treason\tstatus\tlicense-plate-number\tcustomer-comments"
)


def fba(plate: str, day: int = 1, sku: str = "MUG", disposition: str = "SELLABLE", order: str = ORDER) -> str:
    return (
        f"2026-11-{day:02d}T10:00:00+00:00\t{order}\t{sku}\tB01\tX01\tMug\t1\tLEJ1\t{disposition}\tDEFECTIVE\t"
        f"Unit returned to inventory\t{plate}\tAunt Erna did not like it"
    )


def test_pieces_are_told_apart_by_their_plate_and_the_buyer_s_words_are_not_read() -> None:
    [case], refused = read(FBA_RETURNS, FBA, fba("LPN1"), fba("LPN2", disposition="CUSTOMER_DAMAGED"))
    assert refused == []
    assert {key: each.disposition for key, each in case.facts.returned.items()} == {
        "LPN1": "SELLABLE",
        "LPN2": "CUSTOMER_DAMAGED",
    }
    assert "Erna" not in case.facts.model_dump_json()


def test_equal_rows_without_a_plate_are_two_pieces_and_the_same_two_in_the_next_file() -> None:
    [first], _ = read(FBA_RETURNS, FBA, fba(""), fba(""))
    [again], _ = read(FBA_RETURNS, FBA, fba("LPN9", day=3), fba(""), fba(""))
    assert sum(each.pieces for each in first.facts.plus(again.facts).returned.values()) == 3


def test_each_sku_of_an_order_is_a_case_and_a_broken_row_is_told() -> None:
    cases, refused = read(
        FBA_RETURNS,
        FBA,
        fba("LPN1"),
        fba("LPN2", sku="CUP"),
        fba("LPN3", order="no order"),
        fba("LPN4").replace("\t1\t", "\tone\t"),
        "short\trow",
    )
    assert {case.sku for case in cases} == {"MUG", "CUP"}
    assert sorted(row.line for row in refused) == [4, 5, 6]
    assert all("Erna" not in row.sentence for row in refused)


REIMBURSED = (
    "approval-date\treimbursement-id\tcase-id\tamazon-order-id\treason\tsku\tfnsku\tasin\tproduct-name\tcondition"
    "\tcurrency-unit\tamount-per-unit\tamount-total\tquantity-reimbursed-cash\tquantity-reimbursed-inventory"
    "\tquantity-reimbursed-total\toriginal-reimbursement-id\toriginal-reimbursement-type"
)


def reimbursed(number: str, amount: str, cash: str = "1", inventory: str = "0", order: str = ORDER) -> str:
    return (
        f"2026-11-01T10:00:00+00:00\t{number}\t\t{order}\tCustomerReturn\tMUG\tX01\tB01\tMug\tNew\tEUR\t{amount}\t"
        f"{amount}\t{cash}\t{inventory}\t1\t\t"
    )


def test_reimbursements_are_money_or_pieces_and_a_reversal_is_below_zero() -> None:
    [case], refused = read(
        REIMBURSEMENTS,
        REIMBURSED,
        reimbursed("1", "4,10"),
        reimbursed("2", "0", cash="0", inventory="1"),
        reimbursed("3", "-4.10"),
        reimbursed("4", "97,919.76"),
        reimbursed("5", "1.00", order=""),
    )
    facts = case.facts.reimbursed
    assert {key: (each.amount, each.pieces) for key, each in facts.items()} == {
        "1": (Decimal("4.10"), 1),
        "2": (Decimal(0), 1),
        "3": (Decimal("-4.10"), -1),
    }
    assert len(refused) == 2
    assert any("belongs to no case" in row.sentence for row in refused)
    assert all(isinstance(each, Reimbursed) for each in facts.values())


MFN = (
    "Order ID\tOrder date\tReturn request date\tReturn request status\tAmazon RMA ID\tASIN\tMerchant SKU\t"
    "Return quantity\tReturn Reason\tRefunded Amount"
)


def test_goods_announced_to_the_merchant_have_their_number_and_a_denied_request_is_none() -> None:
    row = f"{ORDER}\t10-Jul-2026\t14-Jul-2026\t{{}}\t{{}}\tB01\tMUG\t2\tTOO_SMALL\t"
    cases, refused = read(MFN_RETURNS, MFN, row.format("Approved", "RMA1"), row.format("Denied", "RMA2"))
    assert refused == []
    [announced] = cases[0].facts.announced.values()
    assert isinstance(announced, Announced)
    assert (announced.key, announced.pieces, announced.at) == ("RMA1", 2, datetime(2026, 7, 14, tzinfo=UTC))


def test_a_return_told_again_with_another_status_is_the_same_piece() -> None:
    [first], _ = read(FBA_RETURNS, FBA, fba("LPN1"))
    later = Returned(
        key="LPN1", at=NOW, told=NOW.replace(year=2027), pieces=1, disposition="SELLABLE", status="Reimbursed"
    )
    assert [each.status for each in first.facts.plus(CaseFacts.of(later)).returned.values()] == ["Reimbursed"]

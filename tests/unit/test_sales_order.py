"""The M3 order an Amazon order becomes: to the cent, or held."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.held import HeldReason, OrderHeld
from canonical.money import Money, round_to_currency
from canonical.order import (
    ACTIONABLE_ORDERS_REPORT,
    ALL_ORDERS_REPORT,
    Channel,
    LineAmounts,
    Order,
    OrderStatus,
    TaxParts,
)
from canonical.order_facts import expected_total, missing_facts
from canonical.order_plan import SalesOrderPlan
from canonical.profile import PriceBasis
from canonical.sales_order import NothingToBook, plan_sales_order
from tests.unit.order_builders import ADDRESS, ORDER_ID, amounts, items_of, line, order, profile


def plan(some: Order, **changes: Any) -> SalesOrderPlan:
    return plan_sales_order(some, profile(**changes), items_of(some), "AMZDE")


def hold_of(some: Order, **changes: Any) -> tuple[HeldReason, str]:
    with pytest.raises(OrderHeld) as refused:
        plan(some, **changes)
    assert ORDER_ID in refused.value.hold.sentence
    return refused.value.hold.reason, refused.value.hold.sentence


def worth(planned: SalesOrderPlan) -> Decimal:
    """What M3 makes of the plan: rounded line amounts and charges."""
    currency = planned.expected_total.currency
    lines = (round_to_currency(Decimal(each.sapr) * each.quantity, currency) for each in planned.lines)
    return sum(lines, sum((charge.amount for charge in planned.charges), Decimal(0)))


def test_head_of_an_mfn_order() -> None:
    some = order(ship_by="2026-11-05T22:59:59Z", service_level="STANDARD")
    assert plan(some).head.fields() == {
        "CUNO": "AMZDE",
        "ORTP": "AZM",
        "FACI": "A01",
        "WHLO": "MAI",
        "CUOR": ORDER_ID,
        "CUCD": "EUR",
        "ORDT": "20261102",
        "RLDT": "20261105",
        "OREF": "Amazon.de MFN",
    }


def test_head_of_an_fba_order() -> None:
    head = plan(order(channel=Channel.FBA, ship_to=None)).head
    assert (head.ortp, head.whlo, head.rldt) == ("AZF", "AFE", "")


def test_fields_fit_m3(m3_metadata: dict[str, Any]) -> None:
    some = order(line(amounts=amounts("15.00", "10.00", shipping="5.00")), replacement_of=None)
    planned = plan(some)
    for transaction, fields in (
        ("AddBatchHead", planned.head.fields()),
        ("AddBatchLine", planned.lines[0].fields()),
        ("AddBatchHeadChg", planned.charges[0].fields()),
    ):
        known = {
            field["field"]: field["length"]
            for field in m3_metadata["OIS100MI"]["transactions"][transaction]["input"]
        }
        assert all(len(text) <= known[field] for field, text in fields.items())


def test_a_line_with_a_quantity_is_priced_per_piece() -> None:
    """ItemPrice is the line's: three pieces for 10.00 are 3.3333 each, and M3 makes 10.00 of it."""
    planned = plan(order(line(quantity=3)))
    assert planned.lines[0].fields() == {
        "ITNO": "ITEM-SKU-1",
        "ORQT": "3",
        "SAPR": "3.3333",
        "CUPO": "1",
        "WHLO": "MAI",
        "EXHE": "10000000000001",
    }
    assert worth(planned) == Decimal("10.00")


def test_a_price_that_cannot_be_said_is_held() -> None:
    reason, sentence = hold_of(order(line(quantity=700)), price_decimals=2)
    assert reason is HeldReason.AMOUNTS_INCONSISTENT
    assert "10.00 EUR for 700 pieces" in sentence


def test_shipping_gift_wrap_fees_and_promotion_are_charges() -> None:
    first = line(1, amounts=amounts("14.00", "10.00", shipping="3.00", gift_wrap="2.00", discount="-1.00"))
    second = line(2, amounts=amounts("12.50", "10.00", shipping="1.00", other="4.00", discount="-2.50"))
    planned = plan(order(first, second))
    assert {charge.crid: charge.amount for charge in planned.charges} == {
        "AMZSHP": Decimal("4.00"),
        "AMZGFT": Decimal("2.00"),
        "AMZFEE": Decimal("4.00"),
        "AMZPRM": Decimal("-3.50"),
    }
    assert planned.charges[0].fields() == {"CRID": "AMZSHP", "CRAM": "4.00", "CRD0": "Amazon shipping"}
    assert planned.expected_total == Money(amount=Decimal("26.50"), currency="EUR")
    assert worth(planned) == Decimal("26.50")


def test_one_charge_id_for_two_things_is_one_charge() -> None:
    codes = {"shipping": "AMZ", "gift_wrap": "AMZ", "promotion": "PRM", "other": "AMZ"}
    some = order(line(amounts=amounts("16.00", "10.00", shipping="3.00", gift_wrap="2.00", other="1.00")))
    charges = plan(some, charges=codes).charges
    assert [(charge.crid, charge.amount) for charge in charges] == [("AMZ", Decimal("6.00"))]
    assert len(charges[0].text) <= 30


def test_a_delivery_tip_is_a_fee() -> None:
    planned = plan(order(delivery_tip=Decimal("3.00")))
    assert planned.expected_total.amount == Decimal("13.00")
    assert worth(planned) == Decimal("13.00")


TAXED = amounts(
    "23.80",
    "11.90",
    shipping="11.90",
    tax="3.80",
    tax_parts=TaxParts(item=Decimal("1.90"), shipping=Decimal("1.90")),
)
ON_TOP = amounts("23.80", "10.00", shipping="10.00", tax="3.80", tax_included=False)


@pytest.mark.parametrize(
    ("told", "basis", "by_amazon", "item", "shipping", "expected"),
    [
        (TAXED, PriceBasis.GROSS, False, "11.90", "11.90", "23.80"),
        (TAXED, PriceBasis.NET, False, "10.00", "10.00", "23.80"),
        (TAXED, PriceBasis.GROSS, True, "10.00", "10.00", "20.00"),
        (TAXED, PriceBasis.NET, True, "10.00", "10.00", "20.00"),
        (ON_TOP, PriceBasis.GROSS, False, "11.90", "11.90", "23.80"),
        (ON_TOP, PriceBasis.NET, False, "10.00", "10.00", "23.80"),
        (ON_TOP, PriceBasis.GROSS, True, "10.00", "10.00", "20.00"),
        (ON_TOP, PriceBasis.NET, True, "10.00", "10.00", "20.00"),
    ],
)
def test_gross_and_net_prices_and_tax_that_amazon_keeps(
    told: LineAmounts, basis: PriceBasis, by_amazon: bool, item: str, shipping: str, expected: str
) -> None:
    planned = plan(order(line(amounts=told, tax_collected_by_amazon=by_amazon)), price_basis=basis)
    assert planned.lines[0].sapr == item
    assert planned.charges[0].amount == Decimal(shipping)
    assert planned.expected_total.amount == Decimal(expected)


def test_tax_without_detail_is_shared_by_amount_and_the_item_takes_the_rest() -> None:
    told = amounts("11.00", "9.00", shipping="1.00", tax="1.00", tax_included=False)
    planned = plan(order(line(amounts=told)))
    assert planned.charges[0].amount == Decimal("1.10")
    assert planned.lines[0].amount == Decimal("9.90")


def test_yen_have_no_decimals() -> None:
    told = amounts("13960")
    some = order(line(quantity=2, amounts=told), grand_total=Money(amount=Decimal(13960), currency="JPY"))
    assert plan(some).lines[0].sapr == "6980"


def test_cancelled_lines_are_left_out() -> None:
    planned = plan(order(line(1, quantity=0, amounts=None), line(2)))
    assert [(each.order_item_id, each.cupo) for each in planned.lines] == [("10000000000002", "1")]


def test_nothing_left_to_book() -> None:
    with pytest.raises(NothingToBook):
        plan(order(line(quantity=0, amounts=None)))
    with pytest.raises(NothingToBook):
        plan(order(sales_channel="NON_AMAZON"))


def test_a_replacement_costs_nothing_and_has_its_own_order_type() -> None:
    """Its lines may have no price at all, or Amazon may show the value of the goods: M3 must charge
    neither."""
    for told in (None, amounts("10.00")):
        some = order(line(amounts=told), replacement_of="028-0000000-0000001", grand_total=None)
        planned = plan(some)
        assert planned.head.ortp == "AZR"
        assert planned.head.yref == "028-0000000-0000001"
        assert planned.lines[0].sapr == "0.00"
        assert planned.charges == ()
        assert planned.expected_total == Money(amount=Decimal(0), currency="EUR")


def test_a_replacement_without_configured_order_type_is_held() -> None:
    some = order(line(amounts=None), replacement_of="028-0000000-0000001", grand_total=None)
    assert hold_of(some, order_type_replacement=None)[0] is HeldReason.NOT_CONFIGURED


def test_a_free_line_beside_paid_ones_is_held_before_m3_prices_it() -> None:
    some = order(line(1), line(2, amounts=amounts("0.00")))
    assert hold_of(some)[0] is HeldReason.NOT_CONFIGURED


def test_an_unknown_sku_is_held_with_its_name() -> None:
    some = order(line(1), line(2))
    with pytest.raises(OrderHeld) as refused:
        plan_sales_order(some, profile(), {"SKU-1": "X"}, "AMZDE")
    assert refused.value.hold.reason is HeldReason.UNMAPPED_SKU
    assert refused.value.hold.skus == ("SKU-2",)


def test_amounts_that_do_not_add_up_are_never_booked() -> None:
    assert hold_of(order(inconsistency="The lines make 1."))[0] is HeldReason.AMOUNTS_INCONSISTENT
    wrong = line(amounts=LineAmounts(item=Decimal(9), total=Decimal(10)))
    assert hold_of(order(wrong))[0] is HeldReason.AMOUNTS_INCONSISTENT


def test_prices_not_told_are_waited_for() -> None:
    assert hold_of(order(line(amounts=None)))[0] is HeldReason.ORDER_INCOMPLETE


def test_what_an_order_lacks() -> None:
    assert missing_facts(order()) == ()
    assert missing_facts(order(line(amounts=None))) == ("prices", "currency")
    assert missing_facts(order(ship_to=None)) == ("delivery address",)
    assert missing_facts(order(ship_to=None), ADDRESS) == ()
    assert missing_facts(order(ship_to=None, channel=Channel.FBA)) == ()
    assert missing_facts(order(line(seller_sku=""))) == ("SellerSKU",)
    free = order(line(amounts=None), replacement_of="028-0000000-0000001")
    assert missing_facts(free) == ()


def test_an_order_from_the_all_orders_report_is_booked_only_when_it_is_over() -> None:
    shipped = order(
        line(quantity_fulfilled=1), status=OrderStatus.SHIPPED, source=ALL_ORDERS_REPORT, channel=Channel.FBA
    )
    assert missing_facts(shipped) == ()
    assert "order item ids" in missing_facts(order(source=ALL_ORDERS_REPORT))
    assert "order item ids" not in missing_facts(order(source=ACTIONABLE_ORDERS_REPORT))


def test_expected_total_is_unknown_while_a_price_is() -> None:
    assert expected_total(order(line(1), line(2, amounts=None))) is None
    assert expected_total(order(line(1), line(2, quantity=0, amounts=None))) == Money(
        amount=Decimal("10.00"), currency="EUR"
    )


CENTS = st.integers(0, 20_000).map(lambda cents: Decimal(cents) / 100)
POSITIVE = st.integers(50, 500_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def told_amounts(draw: st.DrawFn) -> LineAmounts:
    """Amounts that add up, with tax inside or on top, told in detail or not."""
    item, shipping, gift_wrap, other = draw(POSITIVE), draw(CENTS), draw(CENTS), draw(CENTS)
    discount = -min(draw(CENTS), item)
    before = item + shipping + gift_wrap + other + discount
    tax = (before * draw(st.sampled_from([0, 7, 19, 25])) / 100).quantize(Decimal("0.01"))
    included = draw(st.booleans())
    tax = min(tax, item - Decimal("0.01")) if included else tax
    return LineAmounts(
        item=item,
        shipping=shipping,
        gift_wrap=gift_wrap,
        other=other,
        discount=discount,
        tax=tax,
        tax_included=included,
        tax_parts=TaxParts(item=tax) if draw(st.booleans()) else None,
        total=before if included else before + tax,
    )


@given(
    st.lists(st.tuples(told_amounts(), st.integers(1, 40)), min_size=1, max_size=4),
    st.sampled_from(PriceBasis),
    st.booleans(),
)
def test_what_m3_makes_of_the_plan_is_what_amazon_says(
    told: list[tuple[LineAmounts, int]], basis: PriceBasis, by_amazon: bool
) -> None:
    """Lines and charges are worth the expected total; with net prices they lack exactly the seller's own
    tax."""
    lines = [
        line(number, amounts=each, quantity=quantity, tax_collected_by_amazon=by_amazon)
        for number, (each, quantity) in enumerate(told, 1)
    ]
    some = order(*lines)
    planned = plan(some, price_basis=basis, price_decimals=6)
    kept_by_amazon = sum((each.tax for each, _ in told if by_amazon), Decimal(0))
    own = sum((each.tax for each, _ in told if not by_amazon), Decimal(0))
    whole = sum((each.total for each, _ in told), Decimal(0))
    assert planned.expected_total.amount == whole - kept_by_amazon
    added_by_m3 = own if basis is PriceBasis.NET else Decimal(0)
    assert worth(planned) == planned.expected_total.amount - added_by_m3


def test_goods_that_left_before_m3_knew_the_order_are_booked_where_nobody_picks() -> None:
    gone = order(line(1, quantity_fulfilled=1), line(2))
    assert [each.whlo for each in plan(gone).lines] == ["AFE", "MAI"]


def test_goods_that_left_are_held_where_no_such_warehouse_is_configured() -> None:
    reason, sentence = hold_of(order(line(quantity_fulfilled=1)), warehouse_shipped=None)
    assert reason is HeldReason.NOT_CONFIGURED
    assert "would send the goods again" in sentence


def test_a_line_shipped_in_part_before_m3_knew_it_is_held() -> None:
    part = order(line(quantity=3, quantity_fulfilled=1, amounts=amounts("30.00")))
    assert hold_of(part)[0] is HeldReason.NOT_CONFIGURED


def test_fba_goods_leave_from_amazons_warehouse_whenever_they_left() -> None:
    assert plan(order(line(quantity_fulfilled=1), channel="FBA", ship_to=None)).lines[0].whlo == "AFE"


def test_tax_that_amazon_remits_needs_an_order_type_without_vat() -> None:
    taxed = amounts("12.00", "10.00", tax="2.00", tax_included=False)
    some = order(line(amounts=taxed, tax_collected_by_amazon=True))
    assert plan(some).head.ortp == "AZN"
    assert hold_of(some, order_type_tax_by_amazon=None)[0] is HeldReason.NOT_CONFIGURED


def test_tax_that_amazon_remits_beside_own_tax_is_held() -> None:
    taxed = amounts("12.00", "10.00", tax="2.00", tax_included=False)
    both = order(line(1, amounts=taxed, tax_collected_by_amazon=True), line(2))
    assert hold_of(both)[0] is HeldReason.NOT_CONFIGURED

"""What Finances tells of kinds of amounts: the known are passed over, the unknown counted once, with nobody's name."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from canonical.finance_contracts import unknown_kinds
from canonical.settlement.categories import CATEGORIES
from canonical.settlement.finance_book import FinanceBook
from canonical.settlement.finance_map import known_names
from canonical.settlement.finance_names import FinanceNames
from canonical.settlement.finance_reading import FinancePage, Sighting, read_page
from canonical.settlement.models import Missing
from canonical.settlement.proof import sheet_of_view
from canonical.settlement.proof_models import Sheet
from canonical.settlement_contracts import SettlementView
from canonical.settlement_reports import ArchivedReport, ReportOrigin
from canonical.steps import Step
from starters.settlement_page.page import page
from starters.settlement_text import say_sheet
from tests.conftest import SHARED
from tests.support.settlements import Made, booked, sale
from worker.settlement_settings import SettlementSettings

NAMES = SettlementSettings().finance_names
SAMPLE = SHARED / "spapi/samples/finances/listTransactions-SE-2024-01-shipment.json"
POSTED = "2026-11-20T08:00:00Z"


def money(amount: str) -> dict[str, object]:
    return {"currencyAmount": Decimal(amount), "currencyCode": "EUR"}


def node(name: str, amount: str, *below: dict[str, Any]) -> dict[str, Any]:
    return {"breakdownType": name, "breakdownAmount": money(amount), "breakdowns": list(below) or None}


def fee(name: str, amount: str) -> dict[str, Any]:
    """As Amazon tells a fee: its base and its tax below it."""
    return node("AmazonFees", amount, node(name, amount, node("Base", amount), node("Tax", "0")))


def told(kind: str, *breakdowns: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "transactionType": kind,
        "transactionId": "T1",
        "transactionStatus": "RELEASED",
        "description": "FBAMoonBilling",
        "postedDate": POSTED,
        "totalAmount": money("0"),
        "marketplaceDetails": {"marketplaceId": "A1PA6795UKMFR9", "marketplaceName": "Amazon.de"},
        "relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "ORDER-7"}],
        "items": [],
        "breakdowns": list(breakdowns),
        **more,
    }


def seen(*transactions: dict[str, Any], names: FinanceNames = NAMES) -> dict[str, tuple[int, str]]:
    """What is lacking: by its name, how often and how much."""
    page = read_page(transactions, names)
    assert page.unread == 0
    return {str(one): (one.count, str(one.amount)) for one in page.sightings}


# --- the table -----------------------------------------------------------------------------------


def test_the_table_names_categories_that_exist_and_says_where_each_name_is_from() -> None:
    rows = list(known_names())
    assert {row.category for row in rows} - {""} <= CATEGORIES.keys()
    sources = {source for row in rows for source in row.source.split(", ")}
    assert sources == {"sample", "census", "tables", "v0", "inferred"}
    twice = Counter((row.transaction_type, row.breakdown_type) for row in rows)
    assert max(twice.values()) == 1, twice.most_common(3)


def test_the_published_transaction_has_nothing_that_is_not_known() -> None:
    if not SAMPLE.exists():
        pytest.skip("The published transaction is not on this machine.")
    [transaction] = json.loads(SAMPLE.read_text(encoding="utf-8"), parse_float=Decimal)["transactions"]
    assert seen(transaction) == {}
    for name in ("Commission", "OurPricePrincipal"):
        strange = json.loads(json.dumps(transaction, default=float).replace(name, f"{name}2027"))
        assert list(seen(strange)) == [f"Shipment / {name}2027"]


def test_names_of_the_settlement_are_known_where_both_have_the_same() -> None:
    category = NAMES.category
    assert category("Shipment", "Commission") == "fee_commission"
    assert category("Refund", "Commission") == "refund_fee_returned"
    assert category("Shipment", "MarketplaceFacilitatorVAT-Shipping") == "tax_withheld_marketplace"
    assert category("FBAInventoryReimbursement", "WAREHOUSE_LOST") == "reimbursement_inventory"
    assert category("Shipment", "Product Charges") == category("Shipment", "ProductCharges") == ""
    assert category("MoonShipment", "Commission") is None
    assert category("ServiceFee", "FBAMoonFee") is None


def test_the_configuration_says_more_and_wins() -> None:
    entry = {"transaction_type": "ServiceFee", "breakdown_type": "FBA*", "category": "fee_other"}
    names = SettlementSettings.model_validate({"finances": [entry]}).finance_names
    assert names.category("ServiceFee", "FBAMoonFee") == "fee_other"
    assert names.category("ServiceFee", "FBAStorageFee") == "fee_fba_storage"
    own = {**entry, "breakdown_type": "FBAStorageFee"}
    names = SettlementSettings.model_validate({"finances": [own]}).finance_names
    assert names.category("ServiceFee", "FBAStorageFee") == "fee_other"
    with pytest.raises(ValueError, match="'o2c settlement categories' lists them"):
        SettlementSettings.model_validate({"finances": [{**entry, "category": "moon"}]})


def test_a_category_without_account_is_lacking_too_unless_customers_pay_it() -> None:
    settings = {"accounts": {"fees": "6510", "clearing": "1815"}}
    names = SettlementSettings.model_validate(settings).finance_names
    page = read_page(
        [
            told("ServiceFee", fee("Subscription", "-39.00"), fee("FBAStorageFee", "-1.00")),
            told("Shipment", node("ProductCharges", "9", node("OurPricePrincipal", "9"))),
            told("RemovalShipment", node("RecommerceLiquidation", "2.00")),
        ],
        names,
    )
    assert [(str(one), one.missing, one.category) for one in page.sightings] == [
        ("RemovalShipment / RecommerceLiquidation", Missing.ACCOUNT, "revenue_liquidation"),
        ("ServiceFee / FBAStorageFee", Missing.ACCOUNT, "fee_fba_storage"),
    ]


# --- reading -------------------------------------------------------------------------------------


def test_a_fee_is_known_by_its_name_and_counted_once_a_transaction() -> None:
    item = {"breakdowns": [fee("MoonFee", "-3.00"), node("Tax", "2", node("OurPriceTax", "2"))]}
    twice = told("Shipment", items=[item, item])
    assert seen(twice, told("Shipment", items=[item])) == {"Shipment / MoonFee": (2, "-9.00")}


def test_what_amazon_does_not_name_goes_by_its_description() -> None:
    base_alone = told("ServiceFee", node("Expenses", "-3", node("AmazonFees", "-3", node("Base", "-3"))))
    nothing = told("MoonTransfer", totalAmount=money("-4.00"))
    assert seen(base_alone, nothing) == {
        "ServiceFee / FBAMoonBilling": (1, "-3.00"),
        "MoonTransfer / FBAMoonBilling": (1, "-4.00"),
    }


def test_what_a_transaction_has_beside_its_items_is_not_passed_over() -> None:
    item = {"breakdowns": [fee("Commission", "-3.00")]}
    whole = [node("Expenses", "-5", node("AmazonFees", "-3.00"), node("MoonFees", "-2.00"))]
    assert seen(told("Shipment", *whole, items=[item])) == {"Shipment / MoonFees": (1, "-2.00")}
    nothing_inside = told("FBAInventoryReimbursement", node("Sales", "6", node("MoonReimbursement", "6")))
    nothing_inside["items"] = [{"breakdowns": None}]
    assert seen(nothing_inside) == {"FBAInventoryReimbursement / MoonReimbursement": (1, "6.00")}


def test_a_deferred_transaction_is_counted_when_it_is_posted_and_not_when_it_is_released() -> None:
    related = [{"relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": "T1"}]
    posted = told("Shipment", fee("MoonFee", "-3.00"), transactionStatus="DEFERRED_RELEASED")
    released = told("Shipment", fee("MoonFee", "-3.00"), transactionId="T2", relatedIdentifiers=related)
    assert seen(posted, released) == {"Shipment / MoonFee": (1, "-3.00")}


def test_amounts_of_nothing_are_no_sighting_and_what_cannot_be_read_is_counted() -> None:
    page = read_page(
        [
            told("ServiceFee", fee("MoonFee", "0")),
            told("ServiceFee", fee("MoonFee", "-1"), postedDate="soon"),
            {"transactionType": None},
        ],
        NAMES,
        "more",
    )
    assert page == FinancePage(transactions=3, unread=2, next_token="more")


def test_a_sighting_has_an_example_and_nothing_of_an_order() -> None:
    page = read_page([told("ServiceFee", fee("MoonFee", "-1.50"))], NAMES)
    [one] = page.sightings
    assert (one.marketplace, one.currency, one.first, one.example, one.description) == (
        "Amazon.de", "EUR", date(2026, 11, 20), "T1", "FBAMoonBilling",
    )  # fmt: skip
    assert "ORDER-7" not in page.model_dump_json()


# --- what is remembered --------------------------------------------------------------------------


def sighting(day: int, name: str = "MoonFee", **more: object) -> Sighting:
    found = {
        "transaction_type": "ServiceFee", "breakdown_type": name, "missing": Missing.CATEGORY,
        "marketplace": "Amazon.de", "currency": "EUR", "first": date(2026, 11, day), "last": date(2026, 11, day),
        "count": 1, "amount": Decimal("-2.00"), "example": f"T{day}", "description": "FBAMoonBilling",
    }  # fmt: skip
    return Sighting.model_validate({**found, **more})


def at(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC)


def test_days_that_are_read_again_are_not_counted_again() -> None:
    book = FinanceBook().looked(at(1), at(20), [sighting(3), sighting(18), sighting(19)], NAMES)
    [kind] = book.kinds
    assert (kind.count, kind.first, kind.last) == (3, date(2026, 11, 3), date(2026, 11, 19))
    book = book.looked(at(17), at(21), [sighting(18), sighting(19, count=2), sighting(20)], NAMES)
    [kind] = book.kinds
    assert (kind.count, kind.first, kind.last) == (5, date(2026, 11, 3), date(2026, 11, 20))
    book = book.looked(at(18), at(22), [], NAMES)
    assert [one.count for one in book.kinds] == [1]
    assert book.until == at(22)


def test_people_are_told_once_of_a_kind_and_again_if_it_comes_back_after_it_was_known() -> None:
    book = FinanceBook().looked(at(1), at(20), [sighting(3)], NAMES)
    assert len(book.untold) == 1
    book = book.with_told([book.untold[0].key], at(20))
    book = book.looked(at(17), at(21), [sighting(19), sighting(19, marketplace="Amazon.fr")], NAMES)
    assert (len(book.kinds), book.untold) == (2, ())
    other = book.looked(at(18), at(22), [sighting(20, "SunFee")], NAMES)
    assert [one.breakdown_type for one in other.untold] == ["SunFee"]
    entry = {"transaction_type": "ServiceFee", "breakdown_type": "MoonFee", "category": "fee_other"}
    names = SettlementSettings.model_validate({"finances": [entry]}).finance_names
    known = book.looked(at(18), at(22), [], names)
    assert (known.kinds, known.told) == ((), {})
    assert FinanceBook.model_validate_json(book.model_dump_json()) == book


def test_the_message_says_what_it_is_and_what_it_does_not_know() -> None:
    message = unknown_kinds("A1", [sighting(3), sighting(4, marketplace="Amazon.fr")])
    assert message.title == "Amazon booked a kind of amount that nobody has said how to book (seller A1)"
    assert (
        "ServiceFee / MoonFee: no category is known; -2.00 EUR in 1 transaction in Amazon.de" in message.body
    )
    assert "such as T3 (FBAMoonBilling)" in message.body
    assert "o2c settlement unknown --seller A1" in message.body
    many = [sighting(3, f"MoonFee{number}") for number in range(100)]
    assert len(unknown_kinds("A1", many).body) <= 1900
    assert "100 kinds" in unknown_kinds("A1", many).title


def test_the_proof_sheet_says_what_is_coming_of_its_currency_and_marketplace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = ArchivedReport(
        key="x", sha256="ab" * 32, size=1, archived=at(20), origin=ReportOrigin(seller_id="A1", report_id="5")
    )
    view = SettlementView(
        seller_id="A1", subject="25719799032", step=Step.POSTING, report=report,
        booking=booked(Made((sale("Principal", "1.00"),))),
    )  # fmt: skip
    coming = [
        sighting(3), sighting(3, "SunFee", marketplace=""), sighting(3, "StarFee", marketplace="Amazon.fr"),
        sighting(3, "SeaFee", currency="GBP"),
    ]  # fmt: skip
    sheet = sheet_of_view(view, None, coming)
    assert isinstance(sheet, Sheet)
    assert [one.breakdown_type for one in sheet.coming] == ["MoonFee", "SunFee"]
    say_sheet(sheet)
    said, shown = capsys.readouterr().out, page(sheet, at(20))
    for text in (said, shown):
        assert "ServiceFee / MoonFee" in text
        assert "ServiceFee / SunFee" in text
        assert "SeaFee" not in text

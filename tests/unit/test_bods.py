"""BODs are read as the registry has them, what is none is refused in a sentence, nothing of it is repeated."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from canonical.acknowledge_bod import rejection
from canonical.bod_xml import DEEPEST, MOST_ELEMENTS, BodProblem, parse_xml
from canonical.bods import NAMESPACE, read_bod
from canonical.m3_document_contracts import Acknowledgement
from canonical.money import Money
from tests.support.ion import bod

AMAZON = "302-1234567-1234567"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n > 1 else "&a;" * 10}">' for n in range(1, 9))
    + "]><b>&a8;</b>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b>&x;</b>'


def test_the_envelope_and_the_document_are_read() -> None:
    found = read_bod(bod(variation=7, references=(("SalesOrder", "1010000001"), ("PurchaseOrder", AMAZON))))
    assert (found.name, found.bod_id, found.sender) == ("Sync.Shipment", "bod-1", "lid://infor.m3.m3")
    assert found.created == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert (found.accounting_entity, found.company, found.actions) == ("100_AAA", "100", ("Add",))
    [document] = found.documents
    assert (document.id, document.variation) == ("30000001", 7)
    assert document.sales_orders == ("1010000001",)
    assert document.amazon_order_ids == (AMAZON,)


def test_orders_named_by_lines_and_by_other_ids_are_found() -> None:
    line = (
        "<ShipmentItem><LineNumber>10</LineNumber><ItemID><ID>100000-TEA</ID></ItemID><Quantity>2.00</Quantity>"
        "<SalesOrderReference><DocumentID><ID>1010000002</ID></DocumentID><LineNumber>1</LineNumber>"
        "</SalesOrderReference></ShipmentItem>"
    )
    [document] = read_bod(bod(inside=line)).documents
    assert document.sales_orders == ("1010000002",)
    assert (document.lines[0].item, document.lines[0].quantity) == ("100000-TEA", Decimal("2.00"))
    alternate = f"<AlternateDocumentID><ID>{AMAZON}</ID></AlternateDocumentID>"
    text = bod().replace("</ShipmentHeader>", f"{alternate}</ShipmentHeader>")
    assert read_bod(text).documents[0].amazon_order_ids == (AMAZON,)


def test_an_amount_keeps_its_decimals_and_currency() -> None:
    text = bod("Sync.Invoice").replace(
        "</InvoiceHeader>", '<TotalAmount currencyID="EUR">10.10</TotalAmount></InvoiceHeader>'
    )
    assert read_bod(text).documents[0].total == Money(amount=Decimal("10.10"), currency="EUR")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no well-formed XML"),
        ("{}", "no well-formed XML"),
        ("<a>secret-9912", "no well-formed XML"),
        (BOMB, "document type or entities"),
        (OUTSIDE, "document type or entities"),
        ("<a/>", "not in the namespace"),
        ("<SyncShipment/>", "not in the namespace"),
        (f'<Sync xmlns="{NAMESPACE}" releaseID="9"/>', "names no verb and noun"),
        (bod().replace(' releaseID="9.2"', ""), "no releaseID"),
        (bod().replace("2026-11-23T08:00:00.000Z", "yesterday"), "no CreationDateTime"),
        (f'<SyncShipment xmlns="{NAMESPACE}" releaseID="9"><DataArea/></SyncShipment>', "lacks its"),
        (
            bod()
            .replace("Shipment><ShipmentHeader", "Parcel><ShipmentHeader")
            .replace("</Shipment></Data", "</Parcel></Data"),
            "holds no Shipment",
        ),
        (bod(document_id="9" * 200), "more than 120 characters"),
        ("<a>" * (DEEPEST + 1), "deeper than"),
        (f"<a>{'<b/>' * MOST_ELEMENTS}</a>", "elements"),
        ('<?xml version="1.0" encoding="no-such"?><a/>', "no well-formed XML"),
    ],
    ids=lambda value: value[:24],
)
def test_what_is_no_bod_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(BodProblem, match=said) as refusal:
        read_bod(text.encode())
    assert "secret-9912" not in str(refusal.value)


def test_a_rejection_is_a_bod_that_names_what_was_asked() -> None:
    answer = Acknowledgement(
        message_id="ack-1",
        noun="SalesOrder",
        accounting_entity="100_AAA",
        original_bod_id="bod-7",
        reason="No <such> thing.",
    )
    text = rejection(answer, sender="lid://infor.ims.o2c")
    found = read_bod(text)
    assert (found.name, found.actions, found.reason) == (
        "Acknowledge.SalesOrder",
        ("Rejected",),
        "No <such> thing.",
    )
    assert (found.sender, found.bod_id) == ("lid://infor.ims.o2c", "ack-1")
    assert "bod-7" in text


def test_element_names_are_those_of_the_registry(shared: Path) -> None:
    """Every element of the envelope and components this service reads is in the registry's tree."""
    known = json.loads((shared / "m3" / "bod-elements.json").read_text())
    envelope = {path.replace("PurchaseOrder", "*").replace("Process", "*") for path, *_ in known["envelope"]}
    sent = parse_xml(bod("Process.PurchaseOrder"))
    paths: list[str] = []

    def walk(element: ET.Element, path: str) -> None:
        name = element.tag.rpartition("}")[2]
        paths.append(f"{path}/{name}")
        for each in element:
            if not each.tag.endswith("PurchaseOrder"):
                walk(each, f"{path}/{name}")

    walk(sent, "")
    assert {path.replace("PurchaseOrder", "*").replace("Process", "*") for path in paths} <= envelope
    components = {path for rows in known["components"].values() for path, *_ in rows}
    assert {
        "DocumentID/ID/@variationID",
        "DocumentID/ID/@accountingEntity",
        "AlternateDocumentID/ID",
        "DocumentReference/@type",
        "DocumentReference/DocumentID/ID",
        "SalesOrderReference/DocumentID/ID",
        "SalesOrderReference/LineNumber",
        "Status/Code",
        "Item/ItemID/ID",
        "Quantity",
    } <= components

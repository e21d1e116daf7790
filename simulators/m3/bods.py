"""M3's documents as BODs: Sync.Shipment, Sync.SalesOrder, Sync.Invoice.

Envelope and components as the InforOAGIS registry has them. What is inferred: which header carries them in
these three nouns, that a shipment names its order per line, and that CUOR is a reference of type PurchaseOrder
(only where a site has mapped it: see `cuor`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from simulators import catalogue
from simulators.m3.records import Delivery, Invoice, Order
from simulators.m3.settings import TENANT
from simulators.m3.world import World

NAMESPACE = "http://schema.infor.com/InforOAGIS/2"
ENTITY = f"{catalogue.CONO}_{catalogue.DIVI}"
LOGICAL_ID = "lid://infor.m3.m3"


def shipment(world: World, delivery: Delivery, variation: int, status: str, *, cuor: bool) -> str:
    """Sync.Shipment of a delivery as it was in this variation."""
    order = world.order(delivery.orno)
    root, noun = _sync("Shipment", str(delivery.dlix), variation, delivery.entered)
    header = _add(noun, "ShipmentHeader")
    _document_id(header, str(delivery.dlix), variation)
    _add(_add(header, "Status"), "Code", status)
    _order_references(header, order, cuor=cuor)
    _party(header, "ShipToParty", order)
    for line in delivery.lines:
        item = _add(noun, "ShipmentItem")
        _add(item, "LineNumber", str(line.ponr))
        _add(_add(item, "ItemID"), "ID", line.itno)
        _add(item, "Quantity", f"{line.quantity:f}", unitCode="PCS")
        reference = _add(item, "SalesOrderReference")
        _add(_add(reference, "DocumentID"), "ID", order.orno)
        _add(reference, "LineNumber", str(line.ponr))
    return _text(root)


def sales_order(order: Order, variation: int, status: str, *, cuor: bool) -> str:
    """Sync.SalesOrder of a customer order."""
    root, noun = _sync("SalesOrder", order.orno, variation, order.entered)
    header = _add(noun, "SalesOrderHeader")
    _document_id(header, order.orno, variation)
    if cuor and order.cuor:
        _reference(header, "PurchaseOrder", order.cuor)
    _add(_add(header, "Status"), "Code", status)
    _party(header, "ShipToParty", order)
    for line in order.lines:
        row = _add(noun, "SalesOrderLine")
        _add(row, "LineNumber", str(line.ponr))
        _add(_add(_add(row, "Item"), "ItemID"), "ID", line.itno)
        _add(row, "Quantity", f"{line.orqt:f}", unitCode="PCS")
    return _text(root)


def invoice(world: World, record: Invoice, variation: int, *, cuor: bool) -> str:
    """Sync.Invoice of a customer order's invoice."""
    order = world.order(record.orno)
    root, noun = _sync("Invoice", str(record.ivno), variation, record.entered)
    header = _add(noun, "InvoiceHeader")
    _document_id(header, str(record.ivno), variation)
    _order_references(header, order, cuor=cuor)
    _add(header, "TotalAmount", f"{record.gross:f}", currencyID=record.cucd)
    for row in record.rows:
        line = _add(noun, "InvoiceLine")
        _add(line, "LineNumber", str(row.ponr))
        _add(line, "Quantity", f"{Decimal(row.quantity):f}", unitCode="PCS")
    return _text(root)


def _sync(noun: str, number: str, variation: int, entered: float) -> tuple[Element, Element]:
    """The envelope; the second element is the noun, still empty."""
    register_namespace("", NAMESPACE)
    root = Element(f"{{{NAMESPACE}}}Sync{noun}", {"releaseID": "9.2", "versionID": "2.14.0"})
    area = _add(root, "ApplicationArea")
    _add(_add(area, "Sender"), "LogicalID", LOGICAL_ID)
    moment = datetime.fromtimestamp(entered, UTC)
    _add(area, "CreationDateTime", f"{moment:%Y-%m-%dT%H:%M:%S}.000Z")
    _add(area, "BODID", f"{LOGICAL_ID}:{noun}:{number}:{variation}")
    data = _add(root, "DataArea")
    sync = _add(data, "Sync")
    _add(sync, "TenantID", TENANT)
    _add(sync, "AccountingEntityID", ENTITY)
    action = "Add" if variation == 1 else "Change"
    _add(_add(sync, "ActionCriteria"), "ActionExpression", actionCode=action)
    return root, _add(data, noun)


def _order_references(header: Element, order: Order, *, cuor: bool) -> None:
    _reference(header, "SalesOrder", order.orno)
    if cuor and order.cuor:
        _reference(header, "PurchaseOrder", order.cuor)


def _document_id(header: Element, number: str, variation: int) -> None:
    document = _add(header, "DocumentID")
    _add(document, "ID", number, accountingEntity=ENTITY, variationID=str(variation))


def _reference(header: Element, kind: str, number: str) -> None:
    reference = _add(header, "DocumentReference", type=kind)
    _add(_add(reference, "DocumentID"), "ID", number)


def _party(header: Element, name: str, order: Order) -> None:
    party = _add(header, name)
    _add(_add(party, "PartyIDs"), "ID", order.cuno)
    for address in list(order.addresses.values())[:1]:
        _add(party, "Name", address.get("CUNM", ""))


def _add(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
    element = SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
    element.text = text or None
    return element


def _text(root: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")

"""Infor's business object documents (BODs) as M3 sends them through ION: envelope, documents, references.

Element names are those of the InforOAGIS 2 registry: the envelope, `DocumentID`, `DocumentReference`, `Status`,
amounts and lines. That Shipment, SalesOrder and Invoice share them is inferred from the shared component types
of the registry; so everything but the document's own id is optional here, and what is not known is left alone.
A BOD is a hint: what it says is looked up in M3 before anything is done.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.etree.ElementTree import Element

from pydantic import BaseModel, ConfigDict, Field

from canonical.bod_xml import BodProblem, child, children, local, parse_xml, text_of
from canonical.ids import is_amazon_order_id
from canonical.money import Money

NAMESPACE: Final = "http://schema.infor.com/InforOAGIS/2"
VERBS: Final = ("Acknowledge", "Confirm", "Get", "Load", "Post", "Process", "Show", "Sync", "Update")
MOST_DOCUMENTS: Final = 500
"""Nouns in one BOD; M3 sends one, an initial load some more."""
_LONGEST_NAME: Final = 80
_LONGEST_ID: Final = 120


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reference(_Part):
    """Another document that a document names: `kind` is the element or its type, such as SalesOrder."""

    kind: str
    id: str
    line: str = ""


class BodLine(_Part):
    """A line of a document."""

    number: str = ""
    item: str = ""
    """ITNO."""
    quantity: Decimal | None = None
    references: tuple[Reference, ...] = ()


class BodDocument(_Part):
    """One noun of a BOD."""

    id: str
    """DocumentID/ID; blank where a Process BOD asks for a document that is still to be made."""
    variation: int | None = None
    """@variationID of the id: a later version of the same document has a higher one."""
    accounting_entity: str = ""
    status: str = ""
    modified: datetime | None = None
    total: Money | None = None
    references: tuple[Reference, ...] = ()
    lines: tuple[BodLine, ...] = ()

    @property
    def amazon_order_ids(self) -> tuple[str, ...]:
        """Every Amazon order id the document names (M3: CUOR), wherever it stands."""
        named = (each.id for each in self._every_reference())
        return tuple(dict.fromkeys(each for each in (self.id, *named) if is_amazon_order_id(each)))

    @property
    def sales_orders(self) -> tuple[str, ...]:
        """Every M3 order number (ORNO) the document names as its sales order."""
        named = (each.id for each in self._every_reference() if each.kind == "SalesOrder")
        return tuple(dict.fromkeys(named))

    def _every_reference(self) -> Iterator[Reference]:
        yield from self.references
        for line in self.lines:
            yield from line.references


class Bod(_Part):
    """A BOD: its envelope and its documents."""

    verb: str
    noun: str
    bod_id: str = ""
    sender: str = ""
    """LogicalID, such as ``lid://infor.m3.m3``."""
    created: datetime
    tenant: str = ""
    accounting_entity: str = ""
    """As M3 writes it: CONO_DIVI, or CONO alone."""
    actions: tuple[str, ...] = ()
    """actionCode: Add, Change, Delete, Replace; Accepted, Modified, Rejected of an Acknowledge."""
    reason: str = ""
    """Why an Acknowledge rejects, in the sender's words."""
    documents: tuple[BodDocument, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """As ION names it: ``Sync.Shipment``."""
        return f"{self.verb}.{self.noun}"

    @property
    def company(self) -> str:
        """CONO of the accounting entity."""
        return self.accounting_entity.partition("_")[0]


def read_bod(payload: bytes | str) -> Bod:
    """The BOD in this XML. Raises `BodProblem` for anything that is none."""
    root = parse_xml(payload)
    verb, noun = _verb_and_noun(root)
    if not root.get("releaseID"):
        raise BodProblem(f"{verb}{noun} has no releaseID.")
    application, data = child(root, "ApplicationArea"), child(root, "DataArea")
    act = child(data, verb)
    if application is None or data is None or act is None:
        raise BodProblem(f"{verb}{noun} lacks its ApplicationArea, DataArea or {verb}.")
    found = children(data, noun)
    if not found:
        raise BodProblem(f"{verb}{noun} holds no {noun}.")
    if len(found) > MOST_DOCUMENTS:
        raise BodProblem(f"{verb}{noun} holds more than {MOST_DOCUMENTS} documents.")
    created = _moment(text_of(application, "CreationDateTime"))
    if created is None:
        raise BodProblem(f"{verb}{noun} says no CreationDateTime.")
    entity = text_of(act, "AccountingEntityID")
    criteria = children(act, "ActionCriteria")
    return Bod(
        verb=verb,
        noun=noun,
        bod_id=text_of(application, "BODID"),
        sender=text_of(application, "Sender", "LogicalID"),
        created=created,
        tenant=text_of(act, "TenantID"),
        accounting_entity=entity,
        actions=tuple(
            expression.get("actionCode", "")
            for each in criteria
            for expression in children(each, "ActionExpression")
        ),
        reason=next((said for each in criteria if (said := text_of(each, "ChangeStatus", "Reason"))), ""),
        documents=tuple(_document(each, noun, entity) for each in found),
    )


def _verb_and_noun(root: Element) -> tuple[str, str]:
    name = local(root.tag)
    if not name.isalnum() or len(name) > _LONGEST_NAME:
        raise BodProblem("The XML is no BOD: its root names no verb and noun.")
    if root.tag != f"{{{NAMESPACE}}}{name}":
        raise BodProblem(f"The XML is no BOD: its root is not in the namespace {NAMESPACE}.")
    for verb in VERBS:
        if name.startswith(verb) and name != verb:
            return verb, name.removeprefix(verb)
    raise BodProblem("The XML is no BOD: its root names no verb and noun.")


def _document(element: Element, noun: str, entity: str) -> BodDocument:
    """The noun; its header is the child <NounHeader>, or the noun itself where it has none."""
    header = child(element, f"{noun}Header")
    header = element if header is None else header
    own = child(header, "DocumentID", "ID")
    number = text_of(header, "DocumentID", "ID")
    if len(number) > _LONGEST_ID or len(entity) > _LONGEST_ID:
        raise BodProblem(f"The {noun} has an id of more than {_LONGEST_ID} characters.")
    return BodDocument(
        id=number,
        variation=_whole(own.get("variationID", "")) if own is not None else None,
        accounting_entity=entity
        or (own.get("accountingEntity", "")[:_LONGEST_ID] if own is not None else ""),
        status=text_of(header, "Status", "Code"),
        modified=_moment(text_of(header, "LastModificationDateTime")),
        total=_amount(child(header, "TotalAmount")),
        references=tuple(_references(header)),
        lines=tuple(_line(each) for each in element if local(each.tag) in (f"{noun}Line", f"{noun}Item")),
    )


def _line(element: Element) -> BodLine:
    return BodLine(
        number=text_of(element, "LineNumber"),
        item=text_of(element, "Item", "ItemID", "ID") or text_of(element, "ItemID", "ID"),
        quantity=_number(text_of(element, "Quantity")),
        references=tuple(_references(element)),
    )


def _references(parent: Element) -> Iterator[Reference]:
    """AlternateDocumentID, DocumentReference by its type, and every <Kind>Reference with a DocumentID."""
    for each in parent:
        name = local(each.tag)
        if name == "AlternateDocumentID":
            found = Reference(kind="Alternate", id=text_of(each, "ID"))
        elif name.endswith("Reference"):
            kind = each.get("type", "") if name == "DocumentReference" else name.removesuffix("Reference")
            found = Reference(
                kind=kind, id=text_of(each, "DocumentID", "ID"), line=text_of(each, "LineNumber")
            )
        else:
            continue
        if found.id:
            yield found


def _moment(text: str) -> datetime | None:
    """An xs:dateTime; one without an offset is read as UTC, as InforOAGIS has it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= 30 else None


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _amount(element: Element | None) -> Money | None:
    amount = _number(text_of(element))
    currency = element.get("currencyID", "") if element is not None else ""
    return Money(amount=amount, currency=currency) if amount is not None and currency else None

"""The answer to a Process BOD: an Acknowledge BOD that rejects.

Process asks a system of record for something; this service is none, so what it is asked is not done, and the
sender must not wait for it. Form: the envelope of the InforOAGIS registry, with the verb's ActionCriteria
(actionCode Rejected, ChangeStatus/Reason) and the noun's DocumentID.
"""

from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from canonical.bods import NAMESPACE
from canonical.m3_document_contracts import Acknowledgement

_RELEASE: Final = "9.2"
"""releaseID: the OAGIS release InforOAGIS 2 is built on (inferred)."""


def rejection(answer: Acknowledgement, *, sender: str, now: datetime | None = None) -> str:
    """The XML of the Acknowledge BOD."""
    register_namespace("", NAMESPACE)
    root = Element(_tag(f"Acknowledge{answer.noun}"), {"releaseID": _RELEASE})
    application = _add(root, "ApplicationArea")
    _add(_add(application, "Sender"), "LogicalID", sender)
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    _add(application, "CreationDateTime", f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z")
    _add(application, "BODID", answer.message_id)
    data = _add(root, "DataArea")
    verb = _add(data, "Acknowledge")
    if answer.accounting_entity:
        _add(verb, "AccountingEntityID", answer.accounting_entity)
    if answer.original_bod_id:
        original = _add(verb, "OriginalApplicationArea")
        _add(original, "BODID", answer.original_bod_id)
    criteria = _add(verb, "ActionCriteria")
    _add(criteria, "ActionExpression").set("actionCode", "Rejected")
    _add(_add(criteria, "ChangeStatus"), "Reason", answer.reason)
    header = _add(_add(data, answer.noun), f"{answer.noun}Header")
    if answer.document_id:
        _add(_add(header, "DocumentID"), "ID", answer.document_id)
    return tostring(root, encoding="unicode", xml_declaration=False)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: Element, name: str, text: str = "") -> Element:
    element = SubElement(parent, _tag(name))
    element.text = text or None
    return element

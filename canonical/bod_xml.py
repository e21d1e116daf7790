"""XML from outside, read safely: no document type, no entities, and no more elements than a document needs."""

from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

MOST_ELEMENTS: Final = 100_000
"""A shipment of a thousand lines has some 50,000; memory grows with elements, not with bytes."""
DEEPEST: Final = 64


class BodProblem(ValueError):  # noqa: N818 - read as what it is by whoever sent it
    """What was sent is no BOD that can be read; the text says why and repeats nothing of its content."""


class _Bounded(TreeBuilder):
    """Builds a tree, and stops where it grows beyond what a document needs."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = 0
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._elements += 1
        self._depth += 1
        if self._elements > MOST_ELEMENTS or self._depth > DEEPEST:
            raise BodProblem(
                f"The XML has more than {MOST_ELEMENTS:,} elements or is deeper than {DEEPEST} levels."
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse_xml(text: bytes | str) -> Element:
    """The root element. Raises `BodProblem` for what is no XML, and for XML with a DTD or entities."""
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(text)
        root = parser.close()
    except DefusedXmlException:
        raise BodProblem("The XML has a document type or entities, which no BOD has.") from None
    except (ParseError, ValueError, LookupError) as error:
        if isinstance(error, BodProblem):
            raise
        raise BodProblem(f"The payload is no well-formed XML{_place(error)}.") from None
    if not isinstance(root, Element):
        raise BodProblem("The payload is no well-formed XML.")
    return root


def _place(error: Exception) -> str:
    line, column = getattr(error, "position", (0, 0))
    return f" (line {line}, column {column})" if line else ""


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


def child(parent: Element | None, *path: str) -> Element | None:
    """The first element down this path of local names."""
    for name in path:
        if parent is None:
            return None
        parent = next((each for each in parent if local(each.tag) == name), None)
    return parent


def children(parent: Element | None, name: str) -> list[Element]:
    """The direct children of this local name."""
    return [] if parent is None else [each for each in parent if local(each.tag) == name]


def text_of(parent: Element | None, *path: str) -> str:
    """The text down this path, without blanks around it; blank where there is none."""
    found = child(parent, *path)
    return (found.text or "").strip() if found is not None else ""

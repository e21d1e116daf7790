"""MMS200MI (items, item search) and MMS025MI (aliases)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from simulators import catalogue
from simulators.m3.errors import GENERIC, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.records import Alias, ItemRecord
from simulators.m3.registry import Call, Row, mi
from simulators.m3.world import World, alias_key

EAN_QUALIFIERS = ("EA13", "UPC")
"""Alias qualifiers (ALWQ) of trade item numbers."""


def orderable_item(world: World, itno: str) -> ItemRecord:
    """The item if it may be sold. NotOk WIT0103 (none) or XIT0107 (status other than 20)."""
    item = world.items.get(itno)
    if item is None:
        raise NotOk("WIT0103", "ITNO")
    if item.stat != "20":
        raise NotOk("XIT0107", "ITNO")
    return item


def _shown(item: ItemRecord) -> Row:
    return {
        "STAT": item.stat, "ITNO": item.itno, "ITDS": item.itds, "FUDS": item.fuds, "UNMS": "PCS",
        "ITTY": "FIN",
        "ITGR": "TEA", "SALE": "1", "STCD": "1", "RESP": "M3SRVADM", "SPUN": "PCS", "PPUN": "PCS",
    }  # fmt: skip


@mi("MMS200MI", "Get", "GetItmBasic")
def get_item(world: World, call: Call) -> list[Row]:
    """Basic data of one item, STAT among them."""
    item = world.items.get(call.text("ITNO"))
    if item is None:
        raise NotOk(RECORD_MISSING, "ITNO")
    return [_shown(item)]


@mi("MMS200MI", "LstItmByItm")
def list_items(world: World, call: Call) -> list[Row]:
    """Items from the given number on, in the order of their numbers."""
    start = call.text("ITNO")
    return [_shown(item) for item in sorted(world.items, key=lambda i: i.itno) if item.itno >= start]


@dataclass(frozen=True)
class Term:
    """One part of a search: a word, the field it must stand in (blank: any), and whether any rest may
    follow."""

    field: str
    word: str
    open_end: bool

    def meets(self, row: Row) -> bool:
        """Whether the field it names, or any field, is this word or contains it as a word."""
        texts = [row.get(self.field, "")] if self.field else list(row.values())
        words = (word.lower() for text in texts for word in (text, *re.split(r"[\s,]+", text)))
        return any(word.startswith(self.word) if self.open_end else word == self.word for word in words)


def search_terms(query: str) -> list[Term]:
    """The parts of SQRY: words, FIELD:word, a trailing * for any rest. All of them must be met."""
    terms = []
    for part in query.split():
        field, _, word = part.rpartition(":")
        terms.append(Term(field.upper(), word.rstrip("*").lower(), word.endswith("*")))
    return terms


def matches(terms: Iterable[Term], row: Row) -> bool:
    """Whether a record meets every part of a search."""
    return all(term.meets(row) for term in terms)


@mi("MMS200MI", "SearchItem")
def search_items(world: World, call: Call) -> list[Row]:
    """Items whose number, name or description meet all words of SQRY (words, FIELD:word, trailing *)."""
    terms = search_terms(call.text("SQRY"))
    rows = (
        {k: v for k, v in _shown(i).items() if k in ("ITNO", "ITDS", "FUDS", "STAT", "RESP")}
        for i in world.items
    )
    return [
        {**row, "FILE": "MITMAS", "KSTR": row["ITNO"], "PGNM": "MMS001"}
        for row in rows
        if matches(terms, row)
    ]


def _shown_alias(alias: Alias) -> Row:
    return {
        "CONO": str(catalogue.CONO), "ALWT": str(alias.alwt), "ALWQ": alias.alwq, "ITNO": alias.itno,
        "POPN": alias.popn, "E0PA": alias.e0pa, "VFDT": alias.vfdt, "LVDT": alias.lvdt, "REMK": alias.remk,
        "RGDT": alias.rgdt, "LMDT": alias.rgdt, "CHID": "M3API",
    }  # fmt: skip


def _aliases(world: World, keys: Iterable[str]) -> list[Alias]:
    return [alias for alias in (world.aliases.get(key) for key in keys) if alias is not None]


@mi("MMS025MI", "GetItem")
def get_item_by_alias(world: World, call: Call) -> list[Row]:
    """The item behind an alias of this category that is valid today. NotOk WPO0403 if nobody has entered it."""
    today = world.clock.day()
    for alias in _aliases(world, world.aliases_by_name.get(call.text("POPN"), [])):
        category = alias.alwt == call.integer("ALWT") and call.text("ALWQ") in ("", alias.alwq)
        if category and alias.holds_on(today):
            return [_shown_alias(alias)]
    raise NotOk("WPO0403", "POPN")


@mi("MMS025MI", "AddAlias")
def add_alias(world: World, call: Call) -> list[Row]:
    """Gives an item another name. XRE0104 if the name is taken in this category, by whatever item."""
    if call.text("ITNO") not in world.items:
        raise NotOk("WIT0103", "ITNO")
    category, qualifier = call.integer("ALWT"), call.text("ALWQ")
    if not 1 <= category <= 9:
        raise NotOk(GENERIC, "ALWT", f"Alias category {category} is invalid")
    if qualifier not in ("", catalogue.ALIAS_QUALIFIER, *EAN_QUALIFIERS):
        raise NotOk(GENERIC, "ALWQ", f"Alias qualifier {qualifier} does not exist")
    more = {name.lower(): call.text(name) for name in ("VFDT", "LVDT", "REMK")}
    added = world.add_alias(
        call.text("POPN"), call.text("ITNO"), category, qualifier, call.text("E0PA"), **more
    )
    if not added:
        raise NotOk(RECORD_EXISTS, "POPN")
    return []


@mi("MMS025MI", "DltAlias")
def delete_alias(world: World, call: Call) -> list[Row]:
    """Takes the name away from the item again."""
    key = alias_key(
        call.integer("ALWT"), call.text("ALWQ"), call.text("POPN"), call.text("E0PA"), call.text("VFDT")
    )
    alias = world.aliases.get(key)
    if alias is None or alias.itno != call.text("ITNO"):
        raise NotOk(RECORD_MISSING, "POPN")
    world.aliases.drop(key)
    return []


@mi("MMS025MI", "LstAlias")
def list_aliases(world: World, call: Call) -> list[Row]:
    """The names of an item, of one category if given."""
    found = _aliases(world, world.aliases_by_item.get(call.text("ITNO"), []))
    return [_shown_alias(alias) for alias in found if call.integer("ALWT", alias.alwt) == alias.alwt]


@mi("MMS025MI", "LstItem")
def list_items_by_alias(world: World, call: Call) -> list[Row]:
    """The items behind a name, of one category if given."""
    found = _aliases(world, world.aliases_by_name.get(call.text("POPN"), []))
    return [_shown_alias(alias) for alias in found if call.integer("ALWT", alias.alwt) == alias.alwt]

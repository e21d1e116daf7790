"""M3's items as they are kept in the archive (items/<moment>.jsonl.gz, an item a line), and as they are suggested."""

import gzip
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.sku.models import Item

ORDERABLE: Final = "20"
"""Status of an item that can be ordered; no other is suggested."""
Category = tuple[str, str]
"""ALWT and ALWQ."""
_TRADE_NUMBER: Final = re.compile(r"\d{8}|\d{12,14}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Alias(_Part):
    """Another name of an item (MMS025)."""

    name: str
    alwt: str = ""
    alwq: str = ""
    past: bool = False
    """It was valid to a day that has passed."""

    @property
    def category(self) -> Category:
        return (self.alwt, self.alwq)


class CatalogueItem(_Part):
    """An item of M3's register."""

    itno: str
    name: str = ""
    """ITDS."""
    description: str = ""
    """FUDS."""
    status: str = ""
    aliases: tuple[Alias, ...] = ()

    def as_item(self, ours: Collection[Category], others: Collection[Category]) -> Item:
        """The item as it is compared with listings.

        ours: categories of the SKUs of the seller for whom items are suggested. others: those of other sellers alone,
        whose SKUs say nothing: the same SKU may be another item there. An alias of a further category that looks
        like a trade item number is one.
        """
        gtins, names, past = list[str](), list[str](), list[str]()
        for alias in self.aliases:
            if alias.category in others:
                continue
            number = alias.category not in ours and _TRADE_NUMBER.fullmatch(alias.name)
            if number and not alias.past:
                gtins.append(alias.name)
            elif not number:
                (past if alias.past else names).append(alias.name)
        return Item(
            itno=self.itno,
            name=self.name,
            description=self.description,
            gtins=tuple(dict.fromkeys(gtins)),
            aliases=tuple(dict.fromkeys(names)),
            past=tuple(dict.fromkeys(name for name in past if name not in names)),
        )


def packed(items: Iterable[CatalogueItem]) -> bytes:
    """Items as a file, or a part of one: such files put one behind the other are a file as well."""
    lines = (item.model_dump_json(exclude_defaults=True) + "\n" for item in items)
    return gzip.compress("".join(lines).encode(), mtime=0)


def unpacked(content: bytes) -> Iterator[CatalogueItem]:
    """The items of a file. Raises ValueError where it is none."""
    for line in gzip.decompress(content).splitlines():
        yield CatalogueItem.model_validate_json(line)

"""A settlement file's bytes as lines of text: unpacked, decoded, numbered; a piece at a time.

Whether it is gzip is told by its first bytes, as Amazon's headers lie about it. The charset is what came with the
file, else UTF-8, else cp932 where the file speaks of Japan, else cp1252; always strictly.
"""

import codecs
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from canonical.settlement.models import UnreadableSettlement

Source = Callable[[], Iterator[bytes]]
"""Opens the file and yields its bytes in pieces. It is called more than once: each pass reads from the start."""

_GZIP: Final = b"\x1f\x8b"
_UTF8: Final = "utf-8-sig"
_JAPANESE: Final = "cp932"
_WESTERN: Final = "cp1252"
_MARKS_OF_JAPAN: Final = (b"Amazon.co.jp", b"\tJPY\t")
_PIECE: Final = 1 << 18
_LONGEST_LINE: Final = 1 << 18
_PEEKED: Final = 64


class NoFlatFile(UnreadableSettlement):
    """The file is of a kind that is never read."""


def refuse_xml(source: Source) -> None:
    """Refuse the settlement report in XML, which Amazon makes beside the flat files. Raises NoFlatFile."""
    beginning = b""
    for piece in unpacked(source):
        beginning += piece
        if len(beginning) >= _PEEKED:
            break
    if beginning.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
        raise NoFlatFile(
            "The file is XML. Settlement reports are read as flat files: take the one of the same settlement in the "
            "flat file V2."
        )


def unpacked(source: Source) -> Iterator[bytes]:
    """The file's bytes, without its compression.

    Raises:
        UnreadableSettlement: the gzip file is damaged, or ends before its end.
    """
    pieces = source()
    first = next(pieces, b"")
    while len(first) < len(_GZIP) and (more := next(pieces, b"")):
        first += more
    if not first.startswith(_GZIP):
        yield first
        yield from pieces
        return
    yield from _gunzipped(first, pieces)


def _gunzipped(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    engine, row, piece = zlib.decompressobj(wbits=31), 1, first
    while piece:
        try:
            made = engine.decompress(piece, _PIECE)
        except zlib.error:
            raise UnreadableSettlement(f"The gzip file is damaged at row {row}.", row) from None
        row += made.count(b"\n")
        if made:
            yield made
        piece = engine.unconsumed_tail
        if engine.eof and engine.unused_data.strip(b"\0"):
            piece, engine = engine.unused_data, zlib.decompressobj(wbits=31)
        piece = piece or next(pieces, b"")
    if not engine.eof:
        raise UnreadableSettlement(f"The gzip file is cut off: it ends in row {row}.", row)


def charset_of(source: Source, told: str | None = None) -> str:
    """The file's charset; `told` is what came with it (Content-Type).

    Raises:
        UnreadableSettlement: the file is in none of the possible ones.
    """
    if told:
        return _known(told)
    if all(piece.isascii() for piece in unpacked(source)):
        return _UTF8
    fitting = {name: codecs.getincrementaldecoder(name)() for name in (_UTF8, _JAPANESE, _WESTERN)}
    japanese, row, before = False, 1, b""
    for piece in unpacked(source):
        japanese = japanese or any(mark in before + piece for mark in _MARKS_OF_JAPAN)
        before = piece[-16:]
        failed = _drop_unfit(fitting, piece)
        if not fitting:
            raise _in_no_charset(row + piece.count(b"\n", 0, failed))
        row += piece.count(b"\n")
    _drop_unfit(fitting, b"", final=True)
    if not fitting:
        raise _in_no_charset(row)
    guessed = (_UTF8, _JAPANESE, _WESTERN) if japanese else (_UTF8, _WESTERN, _JAPANESE)
    return next(name for name in guessed if name in fitting)


def _drop_unfit(fitting: dict[str, codecs.IncrementalDecoder], piece: bytes, *, final: bool = False) -> int:
    """Take out the decoders that cannot read the piece; where the last of them stopped."""
    place = 0
    for name, decoder in tuple(fitting.items()):
        try:
            decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            place = max(place, error.start)
            del fitting[name]
    return place


def _in_no_charset(row: int) -> UnreadableSettlement:
    return UnreadableSettlement(
        f"Row {row}: the text is neither UTF-8 nor cp1252 nor cp932 (Shift-JIS); say which charset the file has.",
        row,
    )


def _known(charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        raise UnreadableSettlement(f"The charset {charset[:40]!r} is not known.") from None
    return {"utf-8": _UTF8, "shift_jis": _JAPANESE}.get(name, name)


def lines_of(source: Source, charset: str) -> Iterator[tuple[int, list[str]]]:
    """The file's lines without line ends, several at a time, with the number of the first of them.

    Raises:
        UnreadableSettlement: the text is not in this charset, or the gzip file is damaged.
    """
    decoder = codecs.getincrementaldecoder(charset)()
    number, rest = 1, ""
    for piece in unpacked(source):
        lines = (rest + _text(decoder, piece, number)).split("\n")
        rest = lines.pop()
        if len(rest) > _LONGEST_LINE:
            raise UnreadableSettlement(f"Row {number + len(lines)} has no end.", number + len(lines))
        if lines:
            yield number, _unix(lines)
            number += len(lines)
    rest += _text(decoder, b"", number, final=True)
    if rest:
        yield number, _unix([rest])


def _unix(lines: list[str]) -> list[str]:
    """Lines of a file from Windows end with one character more."""
    return [line.removesuffix("\r") for line in lines] if lines[0].endswith("\r") else lines


def _text(decoder: codecs.IncrementalDecoder, piece: bytes, number: int, *, final: bool = False) -> str:
    try:
        return decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        row = number + piece.count(b"\n", 0, error.start)
        raise UnreadableSettlement(f"Row {row}: the text is not valid {error.encoding}.", row) from None

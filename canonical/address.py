"""Amazon's delivery address in M3's fields. Nothing is cut: what does not fit holds the order.

Field lengths: OIS100MI.AddBatchAddress and CRS610MI.Add. The rules:

- Company, street lines and district become CUA1 to CUA4, each on a line of its own where that fits four
  lines of 36, otherwise wrapped word by word. Words of a name longer than 36 go on into the first line.
- The state becomes ECAR where the profile says M3 wants it. A code longer than ECAR, and the state of any
  other country, is left out where postal code and town are there, which identify the place; otherwise it
  becomes a line. A state that no code is known for holds the order where M3 wants one.
- Without a city the district is the town, without that the state (Japan writes the city into the street
  line).
- A phone number loses its punctuation: ten characters fit PHNO, sixteen PHN2. An extension, or a text that
  is no number, goes to the delivery text DSTX.
- With `transliterate`, every field is written in Latin letters; the order keeps the original.
"""

import re
from typing import Final

from anyascii import anyascii
from pydantic import BaseModel, ConfigDict

from canonical.address_states import ECAR_LENGTH, plain, state_code
from canonical.held import HeldReason, OrderHeld, held
from canonical.order import Address, Channel, Order
from canonical.profile import MarketplaceProfile

LINE: Final = 36
LINES: Final = 4
TOWN: Final = 20
POSTCODE: Final = 10
COUNTRY: Final = 3
PHONE: Final = 10
PHONE2: Final = 16

_EXTENSION: Final = re.compile(r"(?i)\s*(?:ext\.?|extension|x|#)\s*\d+\s*$")
_NUMBER: Final = re.compile(r"\+?[\d\s().\-/]+")


class M3Address(BaseModel):
    """A delivery address that fits M3's fields."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    """CUNM, 36."""
    lines: tuple[str, ...] = ()
    """CUA1 to CUA4, 36 each."""
    town: str = ""
    """TOWN, 20."""
    state: str = ""
    """ECAR, 2."""
    postcode: str = ""
    """PONO, 10."""
    country: str = ""
    """CSCD, 3."""
    phone: str = ""
    """Leading + and digits only, at most 16 characters."""
    delivery_text: str = ""
    """DSTX, 36: what belongs to the phone number and is no number."""

    def batch_fields(self) -> dict[str, str]:
        """Fields of OIS100MI.AddBatchAddress that have a value; ORNO and ADRT are the caller's."""
        short = len(self.phone) <= PHONE
        fields = self._common() | {
            "PHNO": self.phone if short else "",
            "PHN2": "" if short else self.phone,
            "DSTX": self.delivery_text,
        }
        return {field: text for field, text in fields.items() if text}

    def customer_fields(self) -> dict[str, str]:
        """Fields of CRS610MI.Add that have a value; CUTM and CUNO are the caller's."""
        fields = self._common() | {"PHNO": self.phone}
        return {field: text for field, text in fields.items() if text}

    def _common(self) -> dict[str, str]:
        numbered = {f"CUA{number}": line for number, line in enumerate(self.lines, 1)}
        return {
            "CUNM": self.name,
            **numbered,
            "PONO": self.postcode,
            "TOWN": self.town,
            "ECAR": self.state,
            "CSCD": self.country,
        }


def order_address(order: Order, profile: MarketplaceProfile, corrected: Address | None) -> M3Address | None:
    """The address the M3 order carries: corrected by a person, else Amazon's.

    FBA: None where Amazon tells none, an incomplete one or one that does not fit; Amazon delivers, so nobody
    needs it.

    Raises:
        OrderHeld: MFN without a usable address (order_incomplete, address_does_not_fit).
    """
    address = corrected or order.ship_to
    if order.channel is Channel.MFN or corrected:
        if address is None:
            raise held(
                HeldReason.ORDER_INCOMPLETE,
                f"Amazon order {order.order_id} has no delivery address, and the goods are ours to send.",
                field="address",
            )
        return m3_address(address, profile, order.order_id)
    if address is None:
        return None
    try:
        return m3_address(address, profile, order.order_id)
    except OrderHeld:
        return None


def m3_address(address: Address, profile: MarketplaceProfile, order_id: str) -> M3Address:
    """The address in M3's fields.

    Raises:
        OrderHeld: order_incomplete (street line, town or country missing) or address_does_not_fit; the
            sentence names the field and its length, never its content.
    """
    if profile.transliterate:
        address = _in_latin(address)
    return _Fitting(address, profile, order_id).fit()


def _in_latin(address: Address) -> Address:
    texts = {name: anyascii(value) for name, value in address.model_dump().items() if isinstance(value, str)}
    return Address.model_validate({**texts, "lines": tuple(anyascii(line) for line in address.lines)})


def wrap(parts: tuple[str, ...], limit: int = LINES, width: int = LINE) -> tuple[str, ...] | None:
    """The parts on at most `limit` lines of `width`, wrapped between words; None where they do not fit.

    Each part starts a line of its own where that fits, else the words of all parts run on.
    """
    separate = [_wrapped(part.split(), width) for part in parts]
    together = _wrapped([word for part in parts for word in part.split()], width)
    if all(lines is not None for lines in separate):
        lines = tuple(line for each in separate if each for line in each)
        if len(lines) <= limit:
            return lines
    return tuple(together) if together is not None and len(together) <= limit else None


def _wrapped(words: list[str], width: int) -> list[str] | None:
    lines: list[str] = []
    for word in words:
        if len(word) > width:
            return None
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


class _Fitting:
    """One address being brought into M3's fields."""

    def __init__(self, address: Address, profile: MarketplaceProfile, order_id: str) -> None:
        self._address = address
        self._profile = profile
        self._order_id = order_id

    def fit(self) -> M3Address:
        address = self._address
        town, district, state_text = self._place()
        name, overflow = self._name()
        street = tuple(" ".join(line.split()) for line in address.lines if line.split())
        country = address.country.strip().upper()
        for field, value in (("street line", street), ("town", town), ("country", country)):
            if not value:
                raise self._held(HeldReason.ORDER_INCOMPLETE, field, f"has no {field}")
        ecar, state_line = self._state(
            state_text, country, located=bool(town and address.postal_code.strip())
        )
        company = " ".join(address.company.split()) if address.name.strip() else ""
        parts = (overflow, company, *street, district, state_line)
        lines = wrap(tuple(part for part in parts if part))
        if lines is None:
            longest = max(len(word) for part in parts for word in part.split())
            reason = (
                f"one word has {longest} characters"
                if longest > LINE
                else f"it needs more than {LINES} lines"
            )
            raise self._held(
                HeldReason.ADDRESS_DOES_NOT_FIT,
                "lines",
                f"does not fit {LINES} address lines of {LINE} characters: {reason}",
            )
        phone, delivery_text = self._phone()
        return M3Address(
            name=name,
            lines=lines,
            town=self._fits("town", town, TOWN),
            state=ecar,
            postcode=self._fits("postcode", " ".join(address.postal_code.split()), POSTCODE),
            country=self._fits("country", self._profile.country_codes.get(country, country), COUNTRY),
            phone=phone,
            delivery_text=delivery_text,
        )

    def _held(self, reason: HeldReason, field: str, trouble: str) -> OrderHeld:
        return held(reason, f"The delivery address of Amazon order {self._order_id} {trouble}.", field=field)

    def _fits(self, field: str, text: str, length: int) -> str:
        if len(text) > length:
            trouble = f"does not fit: its {field} has {len(text)} characters, M3 holds {length}"
            raise self._held(HeldReason.ADDRESS_DOES_NOT_FIT, field, trouble)
        return text

    def _place(self) -> tuple[str, str, str]:
        """Town, the district that still has to be written, and the state that still has to be written."""
        address = self._address
        city, district, state = (
            " ".join(text.split()) for text in (address.city, address.district, address.state)
        )
        if not city:
            city, district = district, ""
        if not city:
            city, state = state, ""
        if plain(district) in (plain(city), plain(state)):
            district = ""
        return city, district, state

    def _name(self) -> tuple[str, str]:
        """CUNM, and the words that do not fit it; a company stands in for a missing name."""
        words = (self._address.name or self._address.company).split()
        lines = _wrapped(words, LINE)
        if lines is None:
            longest = max(map(len, words))
            trouble = f"does not fit: one word of its name has {longest} characters, M3 holds {LINE}"
            raise self._held(HeldReason.ADDRESS_DOES_NOT_FIT, "name", trouble)
        return (lines[0] if lines else ""), " ".join(lines[1:])

    def _state(self, state: str, country: str, *, located: bool) -> tuple[str, str]:
        """ECAR, and the text to write on a line instead."""
        instead = "" if located else state
        if not state:
            return "", ""
        if country not in self._profile.countries_with_states:
            return "", instead
        code = state_code(state, country, self._profile.state_codes)
        if code is None:
            trouble = (
                f"names a state of {country} that has no code: correct the address or add it to state_codes"
            )
            raise self._held(HeldReason.ADDRESS_DOES_NOT_FIT, "state", trouble)
        return (code, "") if len(code) <= ECAR_LENGTH else ("", instead)

    def _phone(self) -> tuple[str, str]:
        """The number as leading + and digits, and the text beside it."""
        text = " ".join(self._address.phone.split())
        extension = _EXTENSION.search(text)
        number = text[: extension.start()].strip() if extension else text
        digits = re.sub(r"\D", "", number)
        compact = f"+{digits}" if number.startswith("+") else digits
        if not _NUMBER.fullmatch(number) or not digits or len(compact) > PHONE2:
            return "", self._fits("phone", text, LINE)
        return compact, self._fits("phone", extension.group().strip() if extension else "", LINE)

"""Country and area codes this pretended site has entered in M3 (CRS045, CRS046).

Codes a site does not know are refused wherever an address comes in; countries without areas accept none.
"""

from __future__ import annotations

from simulators.m3.errors import GENERIC, NotOk

_COUNTRIES = """\
AE United Arab Emirates AED
AT Austria EUR
AU Australia AUD
BE Belgium EUR
BG Bulgaria EUR
BR Brazil BRL
CA Canada CAD
CH Switzerland CHF
CY Cyprus EUR
CZ Czechia CZK
DE Germany EUR
DK Denmark DKK
EE Estonia EUR
EG Egypt EGP
ES Spain EUR
FI Finland EUR
FR France EUR
GB United Kingdom GBP
GR Greece EUR
HR Croatia EUR
HU Hungary HUF
IE Ireland EUR
IN India INR
IT Italy EUR
JP Japan JPY
LT Lithuania EUR
LU Luxembourg EUR
LV Latvia EUR
MT Malta EUR
MX Mexico MXN
NL Netherlands EUR
NO Norway NOK
PL Poland PLN
PT Portugal EUR
RO Romania RON
SA Saudi Arabia SAR
SE Sweden SEK
SG Singapore SGD
SI Slovenia EUR
SK Slovakia EUR
TR Turkiye TRY
US United States USD
ZA South Africa ZAR"""

COUNTRIES: dict[str, tuple[str, str]] = {
    row[:2]: (row[3:-4], row[-3:]) for row in _COUNTRIES.splitlines()
}  # fmt: skip
"""CSCD -> (name, currency)."""

_AREAS = """\
US AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH
US OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR GU VI AS MP AA AE AP
CA AB BC MB NB NL NS NT NU ON PE QC SK YT
AU AC NS NT QL SA TA VI WA
BR AC AL AM AP BA CE DF ES GO MA MG MS MT PA PB PE PI PR RJ RN RO RR RS SC SE SP TO
MX AG BC BS CM CS CH CL CO DF DG GT GR HG JA EM MI MO NA NL OA PU QT QR SL SI SO TB TM TL VE YU ZA
IT AG AL AN AO AP AQ AR AT AV BA BG BI BL BN BO BR BS BT BZ CA CB CE CH CL CN CO CR CS CT CZ EN FC FE FG FI FM
IT FR GE GO GR IM IS KR LC LE LI LO LT LU MB MC ME MI MN MO MS MT NA NO NU OR PA PC PD PE PG PI PN PO PR PT PU
IT PV PZ RA RC RE RG RI RM RN RO SA SI SO SP SR SS SU SV TA TE TN TO TP TR TS TV UD VA VB VC VE VI VR VT VV"""

AREAS: dict[str, frozenset[str]] = {
    country: frozenset(
        area for row in _AREAS.splitlines() if row.startswith(country) for area in row.split()[1:]
    )
    for country in sorted({row[:2] for row in _AREAS.splitlines()})
}
"""CSCD -> its ECAR codes. The Australian and Mexican ones are this site's own two letters, not the post's."""

VAT_PERCENT: dict[str, int] = {
    "AT": 20, "BE": 21, "BG": 20, "CY": 19, "CZ": 21, "DE": 19, "DK": 25, "EE": 24, "ES": 21, "FI": 25,
    "FR": 20, "GB": 20, "GR": 24, "HR": 25, "HU": 27, "IE": 23, "IT": 22, "LT": 21, "LU": 17, "LV": 21,
    "MT": 18, "NL": 21, "PL": 23, "PT": 23, "RO": 21, "SE": 25, "SI": 22, "SK": 23,
}  # fmt: skip
"""Standard VAT rate (whole percent) by country of delivery; elsewhere none is taken out of a price."""

RATES_TO_LOCAL: dict[str, str] = {
    "EUR": "1", "GBP": "1.17", "USD": "0.92", "CAD": "0.67", "BRL": "0.16", "JPY": "0.0061", "TRY": "0.026",
}  # fmt: skip
"""Currency -> its worth in the division's own currency. Currencies missing here are unknown to the site."""


def address_error(cscd: str, ecar: str) -> tuple[str, str] | None:
    """Why M3 does not take this country and area: (field, text); None if it does."""
    if cscd and cscd not in COUNTRIES:
        return "CSCD", f"Country {cscd} does not exist"
    if ecar and ecar not in AREAS.get(cscd, frozenset()):
        return "ECAR", f"Area/state {ecar} does not exist in country {cscd}"
    return None


def check_address(cscd: str, ecar: str) -> None:
    """NotOk if country or area are not in the site's tables."""
    wrong = address_error(cscd, ecar)
    if wrong is not None:
        raise NotOk(GENERIC, *wrong)

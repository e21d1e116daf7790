"""The MI fields this service sends: type, length, mandatory, checked before every call.

Source: the MI metadata of M3 cloud (gateway swagger, June 2020) and on-premises 15.1 (MRS001MI); where the
two differ the shorter length and the stricter mandatory flag stand here. `o2c doctor` compares the table
with the tenant's own metadata (MRS001MI.LstFields). M3 rejects what is too long, it never cuts; so do we.

Notation: ``*`` mandatory, then name, type A (text), N (number) or D (date YYYYMMDD), length.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from activities.m3.errors import FieldError

_TABLE: Final = """
MMS025MI.GetItem            *ALWT:N2 *POPN:A30 ALWQ:A4
MMS025MI.AddAlias           *ALWT:N2 *ITNO:A15 *POPN:A30 *ALWQ:A4 REMK:A30
MMS025MI.DltAlias           *ALWT:N2 *ALWQ:A4 *ITNO:A15 *POPN:A30
MMS025MI.LstAlias           *ITNO:A15 ALWT:N2
MMS025MI.LstItem            *POPN:A30 ALWT:N2
MMS200MI.Get                *ITNO:A15
MMS200MI.GetItmWhsBal       *WHLO:A3 *ITNO:A15
MMS200MI.SearchItem         *SQRY:A900
MMS200MI.LstItmByItm        *ITNO:A15
CRS610MI.GetBasicData       *CUNO:A10
CRS610MI.Add                *CUTM:A10 *CUNM:A36 *CUA1:A36 CUNO:A10 CUA2:A36 CUA3:A36 CUA4:A36 PONO:A10 PHNO:A16 TOWN:A20 ECAR:A2 CSCD:A3 YREF:A30 MAIL:A50
OIS100MI.AddBatchHead       *CUNO:A10 ORTP:A3 RLDT:D10 FACI:A3 CUOR:A20 CUCD:A3 ADID:A6 CUDT:D10 YREF:A30 OREF:A30 WHLO:A3 MODL:A3 TEDL:A3 PYRE:A25 ORDT:D10 RLDZ:D10 OPRI:N1 NREF:A20
OIS100MI.AddBatchAddress    *ORNO:A10 *ADRT:N2 CUNM:A36 CUA1:A36 CUA2:A36 CUA3:A36 CUA4:A36 PONO:A10 PHNO:A10 CSCD:A3 ECAR:A2 TOWN:A20 YREF:A30 DLSP:A12 DSTX:A36 PHN2:A16
OIS100MI.AddBatchText       *ORNO:A10 *TYPE:A1 *TYTR:N1 *PARM:A240 PONR:N5 POSX:N3 TXHE:A10 LNCD:A2
OIS100MI.AddBatchLine       *ORNO:A10 *ITNO:A15 ORQT:A16 WHLO:A3 DWDT:D10 CUPO:A7 SAPR:A18 DIA1:A16 DIA2:A16 EXHE:A36 EXH2:A30 POPN:A30 ALWT:N2 ALWQ:A4 CUOR:A20 DWDZ:D10 LTYP:A1
OIS100MI.AddBatchHeadChg    *ORNO:A10 *CRID:A6 CRAM:A16 CRD0:A30 CUCD:A3
OIS100MI.LstBatchHead       *CUNO:A10
OIS100MI.GetBatchHead       *ORNO:A10
OIS100MI.LstBatchLine       *ORNO:A10
OIS100MI.DelBatchHead       *ORNO:A10
OIS100MI.Confirm            *ORNO:A10
OIS100MI.GetOrderNo         *ORNO:A10
OIS100MI.LstErrMsgOrder     *ORNO:A10
OIS100MI.LstHead            *CUNO:A10 ORSL:A2 ORST:A2
OIS100MI.GetHead            *ORNO:A10
OIS100MI.LstLine            *ORNO:A10 ORST:A2 ITNO:A15
OIS100MI.GetOrderValue      *ORNO:A10
OIS100MI.DelHead            *ORNO:A10
OIS100MI.DelLine            *ORNO:A10 *PONR:A5 POSX:A3
OIS100MI.CloLine            ORNO:A10 PONR:N5 POSX:N3
OIS100MI.ChgLineBatchEnt    *ORNO:A10 *PONR:A5 POSX:A3 ORQA:A16
OIS100MI.LstNewBalances     LMTS:N18
OIS100MI.LstConnCOCharge    *ORNO:A10
OIS100MI.UpdConnCOCharge    *ORNO:A10 *CRID:A6 CRAM:N17
OIS100MI.DelConnCOCharge    *ORNO:A10 *CRID:A6
OIS275MI.GetBatchHead       *ORNO:A10
MWS410MI.GetHead            DLIX:N11
MWS410MI.LstPackages        DLIX:N11
MWS410MI.LstPackageLine     *DLIX:N11 *PDSO:N2 PANR:A20 RORC:N1 RIDN:A10 RIDL:N6 RIDX:N3
MWS410MI.GetAdr             DLIX:N11 ADRT:N2
MWS411MI.LstDeliveryLine    *DLIX:N11 RIDN:A10
MWS420MI.LstPickList        WHLO:A3 FPIS:A2 TPIS:A2 RORC:N1 DLIX:N11
MWS423MI.AddPackage         *DLIX:N11 PANR:A20 ETRN:A30 DLRM:A40
MWS411MI.LstDelLnByOrd      RORC:N1 RIDN:A10 RIDL:N6 RIDX:N3
MHS850MI.AddCOPick          *WHLO:A3 *E0PA:A17 *E065:A6 *CUNO:A10 *RIDN:A10 *RIDL:N6 *PLSX:N3 PRFL:A4 ITNO:A15 QTYP:N17 RIDX:N3 DLIX:N11 OEND:N1 PMSN:A17 ISMD:N1
MHS850MI.AddCfmPickList     *WHLO:A3 *E0PA:A17 *E065:A6 *DLIX:N11 *PLSX:N3 PRMD:A4 PMSN:A17
MHS850MI.GetMvxMsg          *E0PB:A17 *PMSN:A17
MHS850MI.AddCOReturn        *WHLO:A3 *E0PA:A17 *E065:A6 *CUNO:A10 *REPN:N10 *RELI:N5 *RESP:A10 PRFL:A4 ITNO:A15 WHSL:A10 QTY:N17 RIDN:A10 PMSN:A17
MMS850MI.AddAdjust          *E0PA:A17 *E065:A6 *WHLO:A3 PRFL:A4 ITNO:A15 QLQT:N17 RSCD:A3 BREM:A20 PMSN:A17
MMS850MI.GetMvxMsg          *E0PB:A17 *PMSN:A17
MMS850MI.LstMvxMsg          *E0PB:A17 PMSN:A17 STAT:A2
OIS390MI.AddHead            *WHLO:A3 CUNO:A10 REPN:N10 RORN:A10 EPDT:D10 FACI:A3 RSCD:A3 RERE:A10 YREF:A30 ORTP:A3
OIS390MI.AddLine            *WHLO:A3 *REPN:N10 *REQ0:N17 RORL:N6 RORX:N3 ITNO:A15 RSCD:A3 WHSL:A10 SAPR:N19
OIS390MI.GetHead            *WHLO:A3 *REPN:N10
OIS390MI.GetLine            *WHLO:A3 *REPN:N10 *RELI:N5
OIS390MI.LstLine            *WHLO:A3 *REPN:N10
OIS390MI.SelOpenLine        *WHLO:A3 REPN:N10 CUNO:A10 ITNO:A15 ORNO:A10 PONR:N5 POSX:N3
OIS350MI.LstInvByCOLine     *ORNO:A10 *PONR:N5 POSX:N3
OIS350MI.LstAllInvByCO      *ORNO:A10
OIS350MI.LstInvHeadByCo     *ORNO:A10 WHLO:A3 DLIX:N11
OIS350MI.GetInvHead         *YEA4:N4 *IVNO:N9 DIVI:A3
OIS350MI.PrtInvoice         *ORNO:A10 DLIX:N11
OIS350MI.LstDelLine         *CONO:N3 *ORNO:A10 *DLIX:N11 *WHLO:A3 *TEPY:A3 PONR:N5 POSX:N3
GLS200MI.GetVoucherHead     *DIVI:A3 *YEA4:N4 *VONO:N8 VSER:A3
GLS200MI.LstVoucherLines    *DIVI:A3 *YEA4:N4 *VONO:N8 VSER:A3
GLS200MI.LstVouchersByDt    *FRDT:D10 *TODT:D10 DIVI:A3
GLS840MI.AddBatchHead       *CONO:N3 *KEY1:A15 *INTN:A15 *DESC:A40 DIVI:A3
GLS840MI.AddBatchLine       *CONO:N3 *KEY1:A15 *LINE:N7 *PARM:A900 DIVI:A3
GLS840MI.AddBatchLineFld    *KEY1:A15 *LINE:N7 *INRI:A2 DIVI:A3 GRNR:A10 AIT1:A10 AIT2:A10 AIT3:A10 AIT4:A10 AIT5:A10 AIT6:A10 AIT7:A10 CUCD:A3 CUAM:N17 DBCR:A1 ACDT:D10 VTXT:A40
GLS840MI.CtrlBatch          *CONO:N3 *KEY1:A15 DIVI:A3
GLS840MI.UpdBatch           *CONO:N3 *KEY1:A15 DIVI:A3
ARS040MI.AddBatchHead       *PBID:N10 *BOPE:A3 DIVI:A3 BAAN:A15 ACDT:D10
ARS040MI.AddBatchLine       *PBID:N10 *TRNO:N7 *CINO:A15 *INYR:N4 *CUNO:A10 *PYAM:N17 DIVI:A3 PYNO:A10 CUCD:A3 AIT1:A10 AIT2:A10 AIT3:A10 AIT4:A10 AIT5:A10 AIT6:A10 AIT7:A10
ARS040MI.ControlBatch       PBID:N10 DIVI:A3
ARS200MI.GetInvTotInfo      *PYNO:A10 *CINO:A15 *INYR:N4 *CUNO:A10 DIVI:A3
ARS200MI.LstInvoiceTrans    *PYNO:A10 *CINO:A15 *INYR:N4 *CUNO:A10 DIVI:A3
EXPORTMI.Select             *QERY:A982 SEPC:A1 HDRS:N1
MRS001MI.LstFields          *MINM:A10 *TRNM:A15 *TRTP:A1
MMS005MI.GetWarehouse       *WHLO:A3
OIS010MI.LstOrderTypes      ORTP:A3
"""  # noqa: E501

PERSONAL: Final = frozenset(
    {
        "CRS610MI.Add",
        "CRS610MI.GetBasicData",
        "OIS100MI.AddBatchAddress",
        "OIS100MI.AddBatchText",
        "MWS410MI.GetAdr",
    }
)
"""Transactions that carry a buyer's name or address. They travel in a request body, never in a URL that
proxies and traces keep, and M3's message text about them is dropped, since M3 may quote the input in it."""

CLOUD_ONLY: Final = frozenset({"OIS350MI.PrtInvoice", "GLS840MI.AddBatchLineFld", "ARS200MI.LstInvoiceTrans"})
"""In the cloud's metadata and not in that of on-premises 15.1."""

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_DATE: Final = re.compile(r"\d{8}")
_ENTRY: Final = re.compile(r"(\*?)(\w+):([AND])(\d+)")


@dataclass(frozen=True)
class Field:
    """One input field of an MI transaction."""

    name: str
    type: str
    """A, N or D."""
    length: int
    mandatory: bool


def _parse(table: str) -> dict[str, dict[str, Field]]:
    parsed: dict[str, dict[str, Field]] = {}
    for line in table.strip().splitlines():
        call, entries = line.split(maxsplit=1)
        found = _ENTRY.findall(entries)
        parsed[call] = {name: Field(name, kind, int(size), bool(star)) for star, name, kind, size in found}
    return parsed


FIELDS: Final[Mapping[str, Mapping[str, Field]]] = _parse(_TABLE)
"""Input fields by "PROGRAM.Transaction"."""


def check_fields(program: str, transaction: str, values: Mapping[str, str]) -> None:
    """Refuse what M3 would reject: unknown, missing, too long or malformed fields.

    Raises `FieldError`, which names program, transaction, field and lengths, never the value. Transactions
    outside the table (a site's own CMS100MI lists) are not checked.
    """
    known = FIELDS.get(f"{program}.{transaction}")
    if known is None:
        return
    for name, value in values.items():
        field = known.get(name)
        if field is None:
            raise FieldError(program, transaction, name, "is not in the field table of this service")
        complaint = _complaint(field, value)
        if complaint:
            raise FieldError(program, transaction, name, complaint)
    for field in known.values():
        if field.mandatory and not values.get(field.name, "").strip():
            raise FieldError(program, transaction, field.name, "is mandatory and was empty")


def _complaint(field: Field, value: str) -> str:
    if len(value) > field.length:
        return f"takes {field.length} characters and the value has {len(value)}"
    if value and field.type == "N" and not _NUMBER.fullmatch(value):
        return "takes a number and the value is none"
    if value and field.type == "D" and not _DATE.fullmatch(value):
        return "takes a date as YYYYMMDD and the value is none"
    if any(ord(character) < 32 for character in value):
        return "takes no control characters"
    return ""

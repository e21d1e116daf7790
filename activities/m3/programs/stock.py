"""Stock in M3: balances, which of them have changed, corrections (MMS200MI, OIS100MI, MMS850MI)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from activities.m3.client import BulkResult, Call, M3Client, TruncatedListError
from activities.m3.errors import MIError, MIErrorKind
from activities.m3.programs.values import number
from canonical.stock.corrections import Correction
from canonical.stock.models import Balance, Known, NoBalance, PoolKey

LATE: Final = timedelta(minutes=2)
"""M3 stamps a change when it is made and shows it when it is committed: each look goes back so far behind the last."""
_MOST_CHANGES: Final = 10_000
_CEILING: Final = 1000
"""Records at which some installations cut whatever maxrecs says."""

_WHY: Final[dict[str, Literal["unknown_warehouse", "unknown_item", "not_in_warehouse"]]] = {
    "WWH0103": "unknown_warehouse",
    "WIT0103": "unknown_item",
    "XRE0103": "not_in_warehouse",
}


class MessageStatus(StrEnum):
    """STAT of a message in MMS850 (inferred values)."""

    WAITING = "10"
    REFUSED = "20"
    """A person sees to it in MMS850; its number (PMSN) is used up."""
    DONE = "90"


@dataclass(frozen=True)
class Corrected:
    """What became of one correction: sent now, or known to M3 from before, or refused."""

    correction: Correction
    repeated: bool = False
    error: MIError | None = None


async def balances(client: M3Client, keys: Sequence[PoolKey], *, asked_at: datetime) -> dict[PoolKey, Known]:
    """Balances with the status of their items (MMS200MI.GetItmWhsBal and Get, bulk).

    `asked_at`: now, taken before the call: M3's figures are not older. What M3 does not have is told as `NoBalance`.
    Raises ValueError where a figure is no number.
    """
    wanted = list(dict.fromkeys(keys))
    numbers = list(dict.fromkeys(key.itno for key in wanted))
    calls: list[Call] = [("GetItmWhsBal", {"WHLO": key.whlo, "ITNO": key.itno}) for key in wanted]
    calls += [("Get", {"ITNO": itno}) for itno in numbers]
    answers = await client.execute_bulk("MMS200MI", calls)
    items = dict(zip(numbers, answers[len(wanted) :], strict=True))
    return {
        key: _balance(key, answer, items[key.itno], asked_at)
        for key, answer in zip(wanted, answers[: len(wanted)], strict=True)
    }


def _balance(key: PoolKey, answer: BulkResult, item: BulkResult, asked_at: datetime) -> Known:
    error = answer.error or item.error
    if error is not None:
        why = _WHY.get(error.code, "refused") if error is answer.error else "unknown_item"
        if error is item.error and not error.is_missing:
            why = "refused"
        return NoBalance(whlo=key.whlo, itno=key.itno, why=why, code=error.code, as_of=asked_at)
    row, about = answer.row(), item.row()
    if row is None or about is None or not row.get("STQT", "").strip():
        return NoBalance(whlo=key.whlo, itno=key.itno, why="refused", as_of=asked_at)
    return Balance(
        whlo=key.whlo,
        itno=key.itno,
        on_hand=number(row, "STQT"),
        allocated=number(row, "ALQT"),
        reserved=number(row, "REQT"),
        allocatable=number(row, "AV01") if row.get("AV01", "").strip() else None,
        item_status=about.get("STAT", "").strip(),
        as_of=asked_at,
    )


async def changed_balances(client: M3Client, since: datetime) -> list[PoolKey]:
    """Items and warehouses whose balance has changed since a moment less two minutes (OIS100MI.LstNewBalances).

    LMTS is taken as milliseconds since 1970 (inferred). The answer has no LMTS: the next look goes on from the moment
    before this call. Raises `TruncatedListError` where M3 may have cut the list, which has no second page: every
    balance must then be read.
    """
    moment = int((since - LATE).timestamp() * 1000)
    rows = await client.complete_list(
        "OIS100MI", "LstNewBalances", {"LMTS": str(max(0, moment))}, limit=_MOST_CHANGES
    )
    if len(rows) == _CEILING:
        raise TruncatedListError("OIS100MI", "LstNewBalances", len(rows))
    found = (PoolKey(row.get("WHLO", "").strip(), row.get("ITNO", "").strip()) for row in rows)
    return list(dict.fromkeys(key for key in found if key.whlo and key.itno))


async def correct(
    client: M3Client,
    corrections: Sequence[Correction],
    *,
    partner: str,
    message_type: str,
    flag: Literal["*EXE", "*AUT"] = "*EXE",
) -> list[Corrected]:
    """Change stock, each correction once however often it is sent (MMS850MI.GetMvxMsg by PMSN, then AddAdjust).

    It adds and takes away, so that it does not undo what happens meanwhile, as a count (MMS310MI.Update) would.
    With `*EXE` M3 does it or refuses it at once, and one refused may be sent again. With `*AUT` M3 takes it and does it
    later: `message_statuses` tells. Raises ValueError for a correction that waits for a person.
    """
    if any(each.approval for each in corrections):
        raise ValueError("A correction that waits for approval was about to be sent.")
    asked: list[Call] = [("GetMvxMsg", {"E0PB": partner, "PMSN": each.number}) for each in corrections]
    answers = await client.execute_bulk("MMS850MI", asked)
    for answer in answers:
        if answer.error is not None and not answer.error.is_missing:
            raise answer.error
    new = [each for each, answer in zip(corrections, answers, strict=True) if answer.error is not None]
    calls: list[Call] = [("AddAdjust", _fields(each, partner, message_type, flag)) for each in new]
    sent = await client.execute_bulk("MMS850MI", calls) if calls else []
    outcomes = {each.number: answer.error for each, answer in zip(new, sent, strict=True)}
    return [_outcome(each, outcomes) for each in corrections]


def _outcome(correction: Correction, outcomes: dict[str, MIError | None]) -> Corrected:
    if correction.number not in outcomes:
        return Corrected(correction, repeated=True)
    error = outcomes[correction.number]
    if error is not None and error.kind is MIErrorKind.ALREADY_EXISTS:
        return Corrected(correction, repeated=True)
    return Corrected(correction, error=error)


def _fields(correction: Correction, partner: str, message_type: str, flag: str) -> dict[str, str]:
    fields = {
        "E0PA": partner,
        "E065": message_type,
        "WHLO": correction.whlo,
        "ITNO": correction.itno,
        "QLQT": str(correction.quantity),
        "PMSN": correction.number,
        "BREM": f"Amazon {correction.kind}"[:20],
        "PRFL": flag,
    }
    return fields | ({"RSCD": correction.rscd} if correction.rscd else {})


async def message_statuses(client: M3Client, partner: str, numbers: Sequence[str]) -> dict[str, str]:
    """STAT by PMSN of corrections sent with `*AUT` (MMS850MI.LstMvxMsg, bulk); what M3 does not have is left out."""
    calls: list[Call] = [("LstMvxMsg", {"E0PB": partner, "PMSN": each}) for each in numbers]
    answers = await client.execute_bulk("MMS850MI", calls)
    found: dict[str, str] = {}
    for each, answer in zip(numbers, answers, strict=True):
        if answer.error is not None and not answer.error.is_missing:
            raise answer.error
        rows = () if answer.error is not None else answer.records
        if rows:
            found[each] = rows[0].get("STAT", "").strip()
    return found

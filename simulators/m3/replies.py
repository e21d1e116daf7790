"""How the M3 API puts outcomes on the wire: v2, v1, and what the gateway in front says by itself."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulators.m3.execute import Outcome

_NOK = "ServerReturnedNOK"


def _result(outcome: Outcome, *, extended: bool = False) -> dict[str, object]:
    result: dict[str, object] = {"transaction": outcome.transaction}
    if extended:
        result["parameters"] = dict(outcome.parameters)
    if outcome.error is not None:
        result.update(
            errorMessage=outcome.error.text,
            errorType=_NOK,
            errorCode=outcome.error.code,
            errorCfg="",
            errorField=outcome.error.field,
        )
    result["records"] = outcome.records
    return result


def v2_single(outcome: Outcome, *, extended: bool) -> Response:
    """The v2 reply to one transaction: a business error is HTTP 400."""
    failed = outcome.error is not None
    body = {
        "results": [_result(outcome, extended=extended)],
        "wasTerminated": False,
        "nrOfSuccessfullTransactions": 0 if failed else 1,
        "nrOfFailedTransactions": 1 if failed else 0,
    }
    return JSONResponse(body, status_code=400 if failed else 200)


def v2_bulk(outcomes: Sequence[Outcome], not_processed: Sequence[str]) -> Response:
    """The v2 reply to many: HTTP 200 however many failed, one result each, in their order. Transactions M3
    did not come to any more are marked, and the whole says so."""
    failed = sum(outcome.error is not None for outcome in outcomes)
    results = [_result(outcome) for outcome in outcomes]
    results += [{"transaction": name, "notProcessed": True} for name in not_processed]
    body: dict[str, object] = {
        "results": results,
        "wasTerminated": bool(not_processed),
        "nrOfSuccessfullTransactions": len(outcomes) - failed,
        "nrOfFailedTransactions": failed,
    }
    if not_processed:
        body["terminationReason"] = "Request timed out"
        body["terminationErrorType"] = "TIMEOUT"
        body["nrOfNotProcessedTransactions"] = len(not_processed)
    return JSONResponse(body)


def v1_single(program: str, outcome: Outcome) -> Response:
    """The v1 reply: HTTP 200 always; a business error has "Message" in place of records."""
    if outcome.error is not None:
        error = outcome.error
        return JSONResponse(
            {"@type": _NOK, "@code": error.code, "@cfg": "  ", "@field": error.field, "Message": error.text}
        )
    fields = [
        {"@name": f.name, "@type": f.type, "@length": str(f.length), "@description": f.name}
        for f in outcome.outputs
    ]
    records = [
        {"RowIndex": index, "NameValue": [{"Name": name, "Value": value} for name, value in record.items()]}
        for index, record in enumerate(outcome.records)
    ]
    if not fields:
        records = [{"RowIndex": 0, "NameValue": []}]
    body = {
        "Program": program,
        "Transaction": outcome.transaction,
        "Metadata": {"Field": fields},
        "MIRecord": records,
    }
    return JSONResponse(body)


def bad_request(text: str) -> Response:
    """HTTP 400 for a request that is no M3 API call at all."""
    return JSONResponse({"message": text}, status_code=400)


def gateway_answer(action: str, _: Request) -> Response | None:
    """The gateway's own words for a fault; None where it has none."""
    if action == "status_429":
        body = {"code": "429", "message": "Spike arrest: too many requests", "description": "Try again later"}
        return JSONResponse(body, status_code=429, headers={"Retry-After": "1"})
    if action == "status_504":
        body = {"code": "504", "message": "Gateway timeout: the target did not answer in time"}
        return JSONResponse(body, status_code=504)
    if action == "status_500":
        return JSONResponse({"code": "500", "message": "Internal server error"}, status_code=500)
    if action == "token_expiry":
        return unauthorized("The access token has expired")
    return None


def unauthorized(text: str, scheme: str = "Bearer") -> Response:
    """HTTP 401."""
    return JSONResponse(
        {"error": "invalid_token", "error_description": text},
        status_code=401,
        headers={"WWW-Authenticate": f'{scheme} realm="M3"'},
    )

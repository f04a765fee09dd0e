"""The one error body of the API and everything that ends in it."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict


class ErrorBody(TypedDict):
    """What every answer with a status of 400 or above contains."""

    detail: str
    """What is wrong and what to do, for people."""
    code: str
    """What is wrong, for programs: one of a closed list."""
    field: str | None
    """The parameter that is to blame, null when none is."""
    request_id: str
    """The answer's X-Request-ID, to be quoted in questions to the operator."""


class ApiError(Exception):
    """An answer other than the one asked for."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "INTERNAL_ERROR"
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str, field: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        if headers is not None:
            self.headers = headers


class InvalidAddress(ApiError):
    """The address is not one of the lake's network."""

    status = HTTPStatus.BAD_REQUEST
    code = "INVALID_ADDRESS"


class TickerNotFound(ApiError):
    """Neither deployed nor ever minted."""

    status = HTTPStatus.NOT_FOUND
    code = "TICKER_NOT_FOUND"


class TransactionNotFound(ApiError):
    """No record of the protocol has this transaction id."""

    status = HTTPStatus.NOT_FOUND
    code = "TRANSACTION_NOT_FOUND"


class BlockNotFound(ApiError):
    """The height is not published."""

    status = HTTPStatus.NOT_FOUND
    code = "BLOCK_NOT_FOUND"


class InvalidPoolId(ApiError):
    """Not two tickers joined by a hyphen."""

    status = HTTPStatus.BAD_REQUEST
    code = "INVALID_POOL_ID"


class InvalidDate(ApiError):
    """Not a date, or the end of a period lies before its start."""

    status = HTTPStatus.BAD_REQUEST
    code = "INVALID_DATE"


class NoTrade(ApiError):
    """What is asked for cannot be traded now."""

    status = HTTPStatus.BAD_REQUEST
    code = "NO_TRADE"


class PoolNotFound(ApiError):
    """No position was ever opened between the two tickers."""

    status = HTTPStatus.NOT_FOUND
    code = "POOL_NOT_FOUND"


class PositionNotFound(ApiError):
    """No position has this number."""

    status = HTTPStatus.NOT_FOUND
    code = "POSITION_NOT_FOUND"


class ExecutionNotFound(ApiError):
    """No valid execution has this number."""

    status = HTTPStatus.NOT_FOUND
    code = "EXECUTION_NOT_FOUND"


class ChangeNotFound(ApiError):
    """No change of a balance has this number."""

    status = HTTPStatus.NOT_FOUND
    code = "CHANGE_NOT_FOUND"


class VaultNotFound(ApiError):
    """Nothing was ever locked at this address for W."""

    status = HTTPStatus.NOT_FOUND
    code = "VAULT_NOT_FOUND"


class ProgramNotFound(ApiError):
    """No curve program rewards with this ticker, nor stakes what a `y` ticker stands for."""

    status = HTTPStatus.NOT_FOUND
    code = "PROGRAM_NOT_FOUND"


class InvalidParameter(ApiError):
    """A parameter is missing, of the wrong type, or out of bounds."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "INVALID_PARAMETER"


class InvalidCursor(ApiError):
    """The cursor is none of this list's."""

    status = HTTPStatus.BAD_REQUEST
    code = "INVALID_CURSOR"


class CursorExpired(ApiError):
    """The block that the list's first page was made from is no longer part of the chain."""

    status = HTTPStatus.GONE
    code = "CURSOR_EXPIRED"


class KeyNeeded(ApiError):
    """Nothing is told to clients without a key, or not this."""

    status = HTTPStatus.UNAUTHORIZED
    code = "KEY_NEEDED"
    headers: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": "Bearer"})


class InvalidKey(ApiError):
    """The key or token opens nothing."""

    status = HTTPStatus.UNAUTHORIZED
    code = "INVALID_KEY"
    headers: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": "Bearer"})


class MissingScope(ApiError):
    """The key is not for this."""

    status = HTTPStatus.FORBIDDEN
    code = "MISSING_SCOPE"


class RateLimited(ApiError):
    """The client asks more than it may; Retry-After says when there is room again."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "RATE_LIMITED"


class BodyTooLarge(ApiError):
    """The body of the request is larger than any that is needed."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "BODY_TOO_LARGE"


class AddressTooLong(ApiError):
    """Path and query are longer than any that is needed."""

    status = HTTPStatus.REQUEST_URI_TOO_LONG
    code = "URL_TOO_LONG"


class UnusableQuery(ApiError):
    """The SQL is no statement, or none that may be run."""

    status = HTTPStatus.BAD_REQUEST
    code = "UNUSABLE_QUERY"


class QueryTooLarge(ApiError):
    """The statement needs more memory, disk or processor time than it may."""

    status = HTTPStatus.BAD_REQUEST
    code = "QUERY_TOO_LARGE"


class TooManyRows(ApiError):
    """The answer of the statement has more rows or bytes than an answer may have."""

    status = HTTPStatus.BAD_REQUEST
    code = "TOO_MANY_ROWS"


class SqlNotServed(ApiError):
    """Statements run over the lake's files, and this server has none."""

    status = HTTPStatus.NOT_IMPLEMENTED
    code = "SQL_NOT_SERVED"


class NotReady(ApiError):
    """No published height can be read."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "NOT_READY"
    headers: Mapping[str, str] = MappingProxyType({"Retry-After": "1"})


class Busy(ApiError):
    """Too many questions that read history wait already."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "BUSY"
    headers: Mapping[str, str] = MappingProxyType({"Retry-After": "1"})


class QueryTimeout(ApiError):
    """Reading history took longer than an answer may take."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "QUERY_TIMEOUT"
    headers: Mapping[str, str] = MappingProxyType({"Retry-After": "5"})


class NoNode(ApiError):
    """Only a node could tell, and the server has none, or none that answers."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "NO_NODE"
    headers: Mapping[str, str] = MappingProxyType({"Retry-After": "5"})


class MempoolUnread(ApiError):
    """The node's mempool has not been read to its end yet, or is too large to be."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "MEMPOOL_UNREAD"
    headers: Mapping[str, str] = MappingProxyType({"Retry-After": "5"})


STATUS_CODES = {
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: BodyTooLarge.code,
}
"""Codes of what the framework itself refuses."""


def error_response(
    request: Request,
    status: int,
    code: str,
    detail: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The one builder of error answers. Caches are not to keep them."""
    body = ErrorBody(detail=detail, code=code, field=field, request_id=request.state.request_id)
    return Response(
        orjson.dumps(body), status, {**(headers or {}), "Cache-Control": "no-store"}, media_type="application/json"
    )


def api_error_response(request: Request, error: ApiError) -> Response:
    """The answer that an error is."""
    return error_response(request, error.status, error.code, error.detail, error.field, error.headers)


def add_error_handlers(app: FastAPI) -> None:
    """Let every error of `app` end in the one body."""

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> Response:
        return api_error_response(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid_parameter(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = next(part for part in reversed(first["loc"]) if isinstance(part, str))
        detail = f"{field}: {first['msg']}"
        return error_response(request, InvalidParameter.status, InvalidParameter.code, detail, field)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        # What the framework meets while it reads a body, it wraps.
        if isinstance(error.__cause__, ApiError):
            return await api_error(request, error.__cause__)
        status = HTTPStatus(error.status_code)
        code = STATUS_CODES.get(status, status.name)
        detail = f"{request.method} {request.url.path}: {error.detail}; /docs lists what there is"
        return error_response(request, status, code, detail, headers=error.headers)

    @app.exception_handler(Exception)
    async def internal(request: Request, _error: Exception) -> Response:
        # Sent from outside all middleware, which therefore cannot add the header.
        headers = {"X-Request-ID": request.state.request_id}
        detail = "the answer could not be made; the reason is in the server's log"
        return error_response(request, ApiError.status, ApiError.code, detail, headers=headers)

"""Calls to Bitcoin Core over HTTP: JSON-RPC, single and batched, and REST. The one place that knows httpx.

Credentials and the URL's path (hosted nodes put tokens there) appear in no error and no log.
"""

import itertools
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from ingest.breaker import CircuitBreaker
from ingest.errors import (
    AccessForbidden,
    AnswerTooLarge,
    BadAnswer,
    BadNodeAddress,
    ConnectionCut,
    IngestError,
    MissingCookie,
    NodeBusy,
    NodeRefused,
    NodeTooSlow,
    NodeUnreachable,
    NodeWarmingUp,
    Stopped,
    WrongCredentials,
)
from ingest.stages import Stage, Watch

IN_WARMUP: Final = -28
"""RPC error while the node starts."""

BUSY: Final = (
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)

ANSWERED: Final = "answered"

Heard = Callable[[Stage, str], None]
"""Told of each call, named for its method: when it was, and that it was answered or else the name of its error."""

# httpx logs every URL, path included, at level INFO.
logging.getLogger("httpx").setLevel(logging.WARNING)


def unheard(_call: Stage, _outcome: str) -> None:
    """The `on_call` of those who do not count calls."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the node knows us. A user in the URL counts when none is given here; a cookie file wins over a user."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    cookie: Path | None = None
    """The node's `.cookie`; read again when the node restarts with another one."""
    header: str | None = field(default=None, repr=False)
    """`name: value`, as hosted nodes want it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class Rpc:
    """A connection to one node. Safe to use from several threads. Raises subclasses of `IngestError` only."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timeout: float = 60.0,
        max_answer: int = 256 << 20,
        breaker: CircuitBreaker | None = None,
        on_call: Heard = unheard,
    ) -> None:
        """`timeout`: seconds without a byte; `max_answer`: bytes accepted in one answer."""
        address = _address(url)
        self.name: Final = f"{address.scheme}://{address.netloc.decode('ascii')}"
        """The node in messages: scheme, host and port."""
        self._url = address.copy_with(userinfo=b"", query=None, fragment=None)
        self._cookie = credentials.cookie
        self._auth = _basic_auth(address, credentials)
        self._max_answer = max_answer
        self._breaker = breaker or CircuitBreaker()
        self._on_call = on_call
        self._ids = itertools.count(1)
        self._client = httpx.Client(
            headers=dict([_header(credentials.header)]) if credentials.header is not None else None,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
        )

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, *params: object) -> Any:
        """The result of one call; numbers with a fraction come as their text, so that no digit is lost."""
        answer = self._post(method, {"jsonrpc": "1.0", "id": next(self._ids), "method": method, "params": params})
        reply = self._json(answer, method)
        if not isinstance(reply, dict):
            raise self._unreadable(answer, method)
        return self._result(reply, method)

    def batch(self, method: str, params: Sequence[Sequence[object]]) -> list[Any]:
        """The results of one method for several parameter lists, in their order, fetched in one round trip."""
        if len(params) == 1:
            return [self.call(method, *params[0])]
        ids = [next(self._ids) for _ in params]
        answer = self._post(
            method,
            [{"jsonrpc": "1.0", "id": id_, "method": method, "params": p} for id_, p in zip(ids, params, strict=True)],
        )
        replies = self._json(answer, method)
        if isinstance(replies, dict):
            self._refused_batch(replies, method, len(ids))
        if not isinstance(replies, list) or not all(isinstance(reply, dict) for reply in replies):
            raise self._unreadable(answer, method)
        by_id = {reply.get("id"): reply for reply in replies}
        if any(id_ not in by_id for id_ in ids):
            raise BadAnswer(f"{self.name} left out {len(ids) - len(by_id)} of {len(ids)} answers to {method}")
        return [self._result(by_id[id_], method) for id_ in ids]

    def get(self, path: str) -> bytes | None:
        """Body of the REST resource below `/rest/`, or None when the node does not have it."""
        url = self._url.copy_with(path=f"{self._url.path.rstrip('/')}/rest/{path}")
        answer = self._send(f"rest/{path.partition('/')[0]}", "GET", url, None)
        if answer.status == httpx.codes.NOT_FOUND:
            return None
        if answer.status != httpx.codes.OK:
            raise self._unreadable(answer, "REST")
        return answer.body

    def _post(self, method: str, body: object) -> _Answer:
        return self._send(method, "POST", self._url, json.dumps(body).encode())

    def _send(self, method: str, verb: str, url: httpx.URL, body: bytes | None) -> _Answer:
        auth = self._cookie_auth(self._cookie) if self._cookie else self._auth
        watch, outcome = Watch(method), ANSWERED
        try:
            answer = self._breaker.call(lambda: self._exchange(verb, url, body, auth))
        except IngestError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._on_call(watch.end(), outcome)
        if answer.status == httpx.codes.UNAUTHORIZED:
            raise WrongCredentials(f"{self.name} does not accept the credentials (HTTP 401)")
        if answer.status == httpx.codes.FORBIDDEN:
            raise AccessForbidden(f"{self.name} does not serve this client (HTTP 403)")
        if answer.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise AnswerTooLarge(f"{self.name} finds the request too large (HTTP 413)")
        return answer

    def _exchange(self, verb: str, url: httpx.URL, body: bytes | None, auth: httpx.BasicAuth | None) -> _Answer:
        """One request and its whole answer. Raises `NodeFailing` when there is none."""
        content = bytearray()
        try:
            with self._client.stream(verb, url, content=body, auth=auth) as response:
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > self._max_answer:
                        raise AnswerTooLarge(f"{self.name} answers with more than {self._max_answer} bytes")
        except httpx.HTTPError as error:
            raise translated(error, self.name) from error
        except (RuntimeError, ValueError) as error:
            if not self._client.is_closed:
                raise
            raise Stopped(f"The connection to {self.name} was closed while blocks were being fetched") from error
        if response.status_code in BUSY:
            raise NodeBusy(f"{self.name} turns calls away for now (HTTP {response.status_code})")
        return _Answer(response.status_code, bytes(content))

    def _json(self, answer: _Answer, method: str) -> Any:
        try:
            return json.loads(answer.body, parse_float=str)
        except (ValueError, RecursionError) as error:
            raise self._unreadable(answer, method) from error

    def _result(self, reply: dict[str, Any], method: str) -> Any:
        error = reply.get("error")
        if error is None:
            if "result" not in reply:
                raise BadAnswer(f"{self.name} answered {method} with neither result nor error")
            return reply["result"]
        code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
        if not isinstance(code, int):
            raise BadAnswer(f"{self.name} answered {method} with an error that has no code")
        if code == IN_WARMUP:
            raise NodeWarmingUp(f"{self.name} is starting: {message}")
        raise NodeRefused(f"{self.name} refused {method}: {message} (RPC error {code})", code)

    def _refused_batch(self, reply: dict[str, Any], method: str, size: int) -> None:
        """A hosted node may limit batches and refuse one as a whole; a starting node refuses everything."""
        try:
            self._result(reply, method)
        except NodeRefused as error:
            raise AnswerTooLarge(f"{self.name} refuses {size} calls at once: {error.what}") from error

    def _unreadable(self, answer: _Answer, method: str) -> BadAnswer:
        return BadAnswer(
            f"{self.name} answered {method} with HTTP {answer.status} and {len(answer.body)} bytes that cannot be read"
        )

    def _cookie_auth(self, path: Path) -> httpx.BasicAuth:
        """Read at each call: the node writes another cookie whenever it starts."""
        try:
            user, colon, password = path.read_text("utf-8").strip().partition(":")
        except (OSError, UnicodeDecodeError) as error:
            raise MissingCookie(f"The cookie file {path} cannot be read ({type(error).__name__})") from error
        if not colon:
            raise MissingCookie(f"The cookie file {path} is not of the form user:password")
        return httpx.BasicAuth(user, password)


def translated(error: httpx.HTTPError, name: str) -> IngestError:
    """Ours for a failure of httpx, for the node called `name`."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError() | httpx.UnsupportedProtocol():
            return NodeUnreachable(f"{name} cannot be reached ({error or type(error).__name__})")
        case httpx.TimeoutException():
            return NodeTooSlow(f"{name} did not answer in time ({type(error).__name__})")
        case httpx.DecodingError() | httpx.TooManyRedirects():
            return BadAnswer(f"{name} answered in a form that cannot be decoded ({type(error).__name__})")
        case _:
            return ConnectionCut(f"{name} ended the connection ({type(error).__name__})")


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise BadNodeAddress("The node's URL cannot be used")  # not shown: it may hold a password
    return address


def _basic_auth(address: httpx.URL, credentials: Credentials) -> httpx.BasicAuth | None:
    if credentials.user is not None:
        return httpx.BasicAuth(credentials.user, credentials.password or "")
    return httpx.BasicAuth(address.username, address.password) if address.username else None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not (name and colon and value and text.isascii() and text.isprintable()):
        raise BadNodeAddress("The node's header is not of the form 'name: value'")
    return name, value

"""A snapshot on a server, read over HTTP: a connection that is cut goes on at the byte where it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from warehouse.bundles.archive import Readable
from warehouse.bundles.contents import LARGEST, NAME, SIGNATURE, Contents, Member
from warehouse.bundles.errors import DownloadStopped, NoSnapshot, Tampered

ATTEMPTS: Final = 6
"""How often in a row a server may give nothing."""

PAUSE: Final = 0.5
"""Seconds before the second attempt; they double."""

TIMEOUT: Final = 30.0

_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Interrupted(Exception):
    """Nothing more came just now, and may come later."""


@contextmanager
def connected() -> Iterator[httpx.Client]:
    """A client for one snapshot."""
    with httpx.Client(follow_redirects=True, timeout=TIMEOUT) as client:
        yield client


def is_address(place: str) -> bool:
    """Whether the place is on a server."""
    return place.startswith(("http://", "https://"))


def is_open_to_others(place: str) -> bool:
    """Whether what comes from the place crosses a network in plain text."""
    url = httpx.URL(place)
    if url.scheme != "http" or url.host == "localhost":
        return False
    try:
        return not ip_address(url.host).is_loopback
    except ValueError:
        return True


def shown(url: httpx.URL) -> str:
    """An address without what may be secret in it."""
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))


class WebFile:
    """What is at an address, readable from any place on. Where a server knows no ranges, the bytes before are skipped.

    Raises NoSnapshot for an answer that no patience changes, and DownloadStopped.
    """

    def __init__(self, client: httpx.Client, url: httpx.URL) -> None:
        self._client = client
        self._url = url
        self._at = 0
        self._held = b""
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._ended = False

    def seek(self, offset: int, /) -> None:
        """Go on reading there."""
        if offset != self._at:
            self.close()
            self._at = offset

    def read(self, count: int, /) -> bytes:
        """At most so many bytes, none at the end."""
        if not self._held and not self._ended:
            self._held = self._next_chunk()
        chunk, self._held = self._held[:count], self._held[count:]
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        """Let go of the connection; reading opens another."""
        if self._response is not None:
            self._response.close()
        self._response, self._held, self._ended = None, b"", False

    def _next_chunk(self) -> bytes:
        """Not empty before the end."""
        try:
            return Retrying(
                retry=retry_if_exception_type(_Interrupted),
                wait=wait_exponential_jitter(multiplier=PAUSE, max=30, jitter=PAUSE),
                stop=stop_after_attempt(ATTEMPTS),
                reraise=True,
            )(self._attempt)
        except _Interrupted as error:
            raise DownloadStopped(shown(self._url), str(error)) from error.__cause__

    def _attempt(self) -> bytes:
        try:
            if self._response is None:
                self._connect()
            chunk = next(self._chunks, b"")
        except httpx.TransportError as error:
            self.close()
            raise _Interrupted(str(error) or type(error).__name__) from error
        self._ended = not chunk
        return chunk

    def _connect(self) -> None:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={self._at}-"} if self._at else {})}
        response = self._client.send(self._client.build_request("GET", self._url, headers=headers), stream=True)
        before = self._at
        match response.status_code:
            case 200:
                pass
            case 206 if response.headers.get("Content-Range", "").startswith(f"bytes {self._at}-"):
                before = 0
            case 416 if self._at:
                response.close()
                self._response, self._chunks = response, iter(())
                return
            case status:
                response.close()
                if status in _BUSY:
                    raise _Interrupted(f"the server answers {status}")
                raise NoSnapshot(shown(self._url), f"the server answers {status}")
        self._response, self._chunks = response, _without(before, response.iter_raw())


class WebFolder:
    """A snapshot whose files are served one by one. What else the server has, it does not tell."""

    def __init__(self, client: httpx.Client, url: httpx.URL) -> None:
        self.place = shown(url)
        self._client = client
        self._url = url

    def signed(self) -> tuple[bytes, bytes]:
        """The list of contents and its signature. Raises NoSnapshot, Tampered and DownloadStopped."""
        return self._small(NAME), self._small(SIGNATURE)

    def check(self, contents: Contents) -> None:
        """Nothing: a file that is missing shows when it is read."""

    @contextmanager
    def open(self, member: Member) -> Iterator[Readable]:
        """A file for reading."""
        file = self._file(member.path)
        try:
            yield file
        finally:
            file.close()

    def _small(self, name: str) -> bytes:
        content = b""
        file = self._file(name)
        while chunk := file.read(1 << 20):
            content += chunk
            if len(content) > LARGEST:
                raise Tampered(self.place, name, "is larger than any list of contents")
        file.close()
        return content

    def _file(self, name: str) -> WebFile:
        return WebFile(self._client, self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{name}"))


def _without(count: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without their first `count` bytes."""
    for chunk in chunks:
        if len(chunk) > count:
            yield chunk[count:]
        count = max(0, count - len(chunk))

"""How much a request may be: what is longer than any that is needed is refused before it is read."""

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import AddressTooLong, ApiError, BodyTooLarge, api_error_response

LARGEST_BODY: Final = 4_500_000
"""A raw transaction of a whole block, as hex inside JSON, and a little more."""
LONGEST_URL: Final = 16_384


class Bounds:
    """Refuses long addresses, and bodies by their announced and by their real length."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        error = _too_much(scope)
        if error is not None:
            await api_error_response(Request(scope), error)(scope, receive, send)
            return
        taken = 0

        async def receive_bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY:
                # The framework passes on no other error from here.
                raise HTTPException(BodyTooLarge.status, _too_large(taken).detail)
            return message

        await self.app(scope, receive_bounded, send)


def _too_much(scope: Scope) -> ApiError | None:
    length = len(scope["raw_path"]) + len(scope["query_string"])
    if length > LONGEST_URL:
        return AddressTooLong(f"path and query have {length} bytes; {LONGEST_URL} are allowed")
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        return _too_large(int(announced))
    return None


def _too_large(size: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body has {size} bytes or more; {LARGEST_BODY} are allowed")

"""Pages of other sizes than usual: short ones of wide rows, long ones of lists that clients expect whole."""

from typing import Annotated

from fastapi import Depends, Query

from api.pages import Cursor
from api.parameters import MOST_ROWS
from api.view_pages import Offset, Part


async def _short_part(
    limit: Annotated[int, Query(ge=1, le=100)] = 20, offset: Offset = 0, cursor: Cursor = None
) -> Part:
    return Part(limit, offset, cursor)


async def _long_part(
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = MOST_ROWS, offset: Offset = 0, cursor: Cursor = None
) -> Part:
    return Part(limit, offset, cursor)


ShortPart = Annotated[Part, Depends(_short_part)]
LongPart = Annotated[Part, Depends(_long_part)]

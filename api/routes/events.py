"""What is published, as it is published."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from api.accounts import AddressFilter, wanted_address
from api.answers import documented
from api.events import Events, Wanted
from api.parameters import HIGHEST, IncludeInvalid, TickerFilter, current, ticker_of
from api.streams import EventStream, Places

router = APIRouter(prefix="/v1", tags=["events"])

From = Annotated[int | None, Query(alias="from", ge=0, le=HIGHEST, description="First block; default: the next one.")]
LastEvent = Annotated[
    str | None, Header(max_length=400, description="Id of the last event that was received; goes before `from`.")
]

DOCUMENTED = documented("events", None)
DOCUMENTED["responses"][200] = {"content": {"text/event-stream": {"schema": {"type": "string"}}}}


@router.get("/events", status_code=200, response_class=EventStream, **DOCUMENTED)
async def events(
    request: Request,
    ticker: TickerFilter = None,
    address: AddressFilter = None,
    include_invalid: IncludeInvalid = False,
    first: From = None,
    last_event_id: LastEvent = None,
) -> EventStream:
    """Server-sent events without end: `block`, `operation` (of a ticker, of an address) and `reorganisation`."""
    view = current(request)
    wanted = Wanted(
        None if ticker is None else ticker_of(ticker), wanted_address(view, address, "address"), include_invalid
    )
    streams: Events = request.app.state.events
    places: Places = request.app.state.places
    told = await streams.listen(view, wanted, last_event_id, first)
    return EventStream(told, places, request.state.identity.counted_by)

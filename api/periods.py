"""Periods of time as clients name them: by days, by dates, by blocks. All times are block times in UTC."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from fastapi import Query

from api.errors import InvalidDate
from api.parameters import HIGHEST
from warehouse.exchange_metrics import Period

BLOCKS_A_DAY: Final = 144
"""Blocks that are expected in 24 hours."""

StartDate = Annotated[
    str | None, Query(max_length=40, description="ISO 8601 date or time, UTC unless it says otherwise; included.")
]
EndDate = Annotated[
    str | None, Query(max_length=40, description="The same; a date without time includes the whole day.")
]
StartBlock = Annotated[int | None, Query(ge=0, le=HIGHEST, description="First height.")]
EndBlock = Annotated[int | None, Query(ge=0, le=HIGHEST, description="Last height, included.")]


def newest_blocks(tip: int) -> Period:
    """The last 24 hours as blocks count them."""
    return Period(first=tip - BLOCKS_A_DAY + 1)


def newest_hours(now: int, days: int) -> Period:
    """The last `days` times 24 hours before `now`, which is in seconds."""
    return Period(since=now - days * 86400 + 1, until=now)


def newest_days(now: int, days: int) -> Period:
    """The UTC day of `now` and those before it, so many in all."""
    return Period(since=(now // 86400 - days + 1) * 86400, until=now)


def dated(start: str | None, end: str | None) -> Period:
    """From one date to the other; either may be absent. Raises InvalidDate."""
    since, until = _seconds(start, "start_date", time.min), _seconds(end, "end_date", time(23, 59, 59))
    if since is not None and until is not None and since > until:
        raise InvalidDate(f"start_date {start} is later than end_date {end}", "start_date")
    return Period(since=since, until=until)


def _seconds(text: str | None, field: str, hour: time) -> int | None:
    """Seconds of an instant; of a day those of its `hour`."""
    if text is None:
        return None
    try:
        moment = _day(text, hour) or datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidDate(
            f"{field}: {text!r} is no ISO 8601 date such as 2026-01-31 or 2026-01-31T12:00:00Z", field
        ) from error


def _day(text: str, hour: time) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), hour, UTC)
    except ValueError:
        return None

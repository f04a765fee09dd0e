"""The log of requests as files, one for each day of UTC, kept for as many days as the operator says."""

import os
import re
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import structlog

from api.options import UnusableOption

NAME: Final = re.compile(r"access-(\d{4}-\d\d-\d\d)\.jsonl")
"""Of the files; others in the folder are nobody's business here."""

DAY: Final = 86_400
EPOCH: Final = date(1970, 1, 1).toordinal()

log = structlog.get_logger("request_log")


class RequestLog:
    """Takes the lines of one process; other processes may write into the same folder.

    At the start and with the first line of a day, files whose day lies more than `kept_days` days back are removed.
    `clock` gives seconds since 1970. Raises UnusableOption when the folder cannot be made or written.
    """

    def __init__(self, directory: Path, kept_days: int, clock: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._kept_days = kept_days
        self._clock = clock
        self._file: int | None = None
        self._day = -1
        self._instead = structlog.BytesLogger(sys.stderr.buffer)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._begin(self._today())
        except OSError as error:
            raise UnusableOption(
                f"the log of requests cannot be kept in {directory}: {error.strerror}; give a folder to write into"
            ) from error

    def info(self, line: bytes) -> None:
        """Append a line. What cannot be written, as on a full disk, goes to standard error: requests go on."""
        try:
            day = self._today()
            if day != self._day:
                self._begin(day)
            assert self._file is not None
            os.write(self._file, line + b"\n")
        except OSError as error:
            log.error("log of requests", reason=str(error))
            self._instead.info(line)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _today(self) -> int:
        return int(self._clock() // DAY)

    def _begin(self, day: int) -> None:
        """Go on in the file of a day since 1970, and remove the files that were kept long enough."""
        path = self._directory / f"access-{_date(day)}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.close()
        self._file, self._day = file, day
        first_kept = _date(day - self._kept_days)
        for path in self._directory.iterdir():
            if (named := NAME.fullmatch(path.name)) and named[1] < first_kept:
                path.unlink(missing_ok=True)


def _date(day: int) -> str:
    return date.fromordinal(EPOCH + day).isoformat()

"""How long a failing call is tried again, and how a wait ends early."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, stop_never, wait_exponential_jitter

from ingest.errors import IngestError, Stopped

T = TypeVar("T")

SLICE: Final = 0.1
"""Seconds between two looks at whether a stop was asked for."""


def never() -> bool:
    """The `stop` of those who cannot be stopped."""
    return False


def silent(_error: IngestError, _seconds: float) -> None:
    """The `on_wait` of those who do not report waits."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Retries what may succeed later (`IngestError.retry`), with exponential back-off and jitter."""

    deadline: float | None = 30.0
    """Seconds after which a call that still fails raises its last error; None: never."""
    stop: Callable[[], bool] = never
    """Asked while waiting; when true the wait ends with `Stopped`. For example `threading.Event().is_set`."""
    on_wait: Callable[[IngestError, float], None] = silent
    """Told the error and the seconds until the next attempt, also by the thread that fetches ahead."""
    first_wait: float = 0.25
    longest_wait: float = 15.0
    sleep: Callable[[float], None] = time.sleep

    def call(self, function: Callable[[], T], also: type[IngestError] | None = None) -> T:
        """What `function` returns once it succeeds; errors of class `also` are retried too.

        Raises its first error that does not allow a retry, its last error at the deadline, or `Stopped`.
        """
        retrying = Retrying(
            retry=retry_if_exception(lambda error: _worth_retrying(error, also)),
            wait=wait_exponential_jitter(multiplier=self.first_wait, max=self.longest_wait, jitter=self.first_wait),
            stop=stop_never if self.deadline is None else stop_after_delay(self.deadline),
            before_sleep=self._report,
            sleep=self.wait,
            reraise=True,
        )
        return retrying(function)

    def wait(self, seconds: float) -> None:
        """Sleep, unless a stop is asked for meanwhile: then raise `Stopped`."""
        while not self.stop():
            if seconds <= 0:
                return
            self.sleep(min(seconds, SLICE))
            seconds -= SLICE
        raise Stopped("Stopped while waiting")

    def _report(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, IngestError) and state.next_action:
            self.on_wait(error, state.next_action.sleep)


def _worth_retrying(error: BaseException, also: type[IngestError] | None) -> bool:
    return isinstance(error, IngestError) and (error.retry or (also is not None and isinstance(error, also)))

"""Questions that read history: in threads, few at a time, each with a deadline, so that they never hold up the rest."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from api.errors import Busy, NotReady, QueryTimeout
from warehouse.backend import Backend
from warehouse.errors import BackendUnavailable, StateGone
from warehouse.histories import Histories
from warehouse.manifest import Manifest

T = TypeVar("T")

AT_ONCE: Final = 4
"""Questions of one worker that are answered at the same time."""

WAITING: Final = 64
"""Questions that may wait for their turn; more are turned away."""

DEADLINE: Final = 10.0
"""Seconds that one question may take, waiting included."""


class Queries:
    """Answers from the past. One for each worker process."""

    def __init__(self, backend: Backend, deadline: float = DEADLINE) -> None:
        self._backend = backend
        self._deadline = deadline
        self._pool = ThreadPoolExecutor(AT_ONCE, "history")
        self._pending = 0

    def close(self) -> None:
        """Give up what is still being asked."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def ask(self, manifest: Manifest, question: Callable[[Histories], T]) -> T:
        """The answer to `question` as of `manifest`. Raises Busy, QueryTimeout and NotReady."""
        if self._pending >= AT_ONCE + WAITING:
            raise Busy("too many questions about the past are waiting: ask again in a second")
        store = self._backend.at(manifest)
        answer = asyncio.get_running_loop().run_in_executor(self._pool, question, Histories(store))
        self._pending += 1
        try:
            return await asyncio.wait_for(asyncio.shield(answer), self._deadline)
        except TimeoutError:
            detail = f"the answer was not ready within {self._deadline:g} s: ask for less, or use `simplicity sql`"
            raise QueryTimeout(detail) from None
        except (StateGone, FileNotFoundError) as error:
            raise NotReady(f"the tables of this height were replaced meanwhile: ask again ({error})") from error
        except BackendUnavailable as error:
            raise NotReady(str(error)) from error
        finally:
            self._pending -= 1
            if not answer.done():
                answer.cancel()
                store.interrupt()

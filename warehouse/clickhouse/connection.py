"""The writer's connection: every statement may be repeated, so it is, with patience, until the server is back."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any, Final, TypeVar

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_exponential_jitter,
)

from warehouse.clickhouse.errors import NotPermitted, Refused, ServerAway, WrongPassword
from warehouse.clickhouse.target import Target

T = TypeVar("T")

PASSWORD_ERRORS: Final = frozenset({"AUTHENTICATION_FAILED", "WRONG_PASSWORD", "REQUIRED_PASSWORD", "UNKNOWN_USER"})
PERMISSION_ERRORS: Final = frozenset({"ACCESS_DENIED", "READONLY", "DATABASE_ACCESS_DENIED"})
PASSING_ERRORS: Final = frozenset(
    {
        "ALL_CONNECTION_TRIES_FAILED",
        "KEEPER_EXCEPTION",
        "MEMORY_LIMIT_EXCEEDED",
        "NETWORK_ERROR",
        "NO_ZOOKEEPER",
        "QUOTA_EXCEEDED",
        "REPLICA_IS_NOT_IN_QUORUM",
        "SERVER_OVERLOADED",
        "SOCKET_TIMEOUT",
        "TABLE_IS_READ_ONLY",
        "TIMEOUT_EXCEEDED",
        "TOO_FEW_LIVE_REPLICAS",
        "TOO_MANY_PARTS",
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        "UNKNOWN_STATUS_OF_INSERT",
        "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    }
)
"""The server's names of what waiting may mend. An error without a name never reached it."""

LONGEST_WAIT: Final = 15.0
"""Seconds between two attempts, at most."""

# They tell what they raise anyway, several times a second while a server is away.
for _name in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

WRITING: Final = {"async_insert": 0, "distributed_foreground_insert": 1, "insert_deduplicate": 1}
"""Rows are where they are read from when an insert returns, on every shard too: the mark comes after them."""


class Connection:
    """Statements for one database. Raises PublishError."""

    def __init__(
        self,
        target: Target,
        stop: Event,
        deadline: float | None = None,
        on_wait: Callable[[ServerAway, float], None] = lambda _error, _seconds: None,
    ) -> None:
        """`deadline`: seconds for which a statement is tried, None: until `stop` is set."""
        self.target = target
        self._client: Client | None = None
        self._use_database = False
        self._on_wait = on_wait
        ends = [stop_when_event_set(stop), *([] if deadline is None else [stop_after_delay(deadline)])]
        self._retrying = Retrying(
            retry=retry_if_exception_type(ServerAway),
            wait=wait_exponential_jitter(multiplier=0.25, max=LONGEST_WAIT, jitter=0.25),
            stop=stop_any(*ends),
            sleep=sleep_using_event(stop),
            before_sleep=self._report,
            reraise=True,
        )

    def run(self, statement: str, **settings: Any) -> None:
        """A statement without rows, which must do nothing the second time."""
        self._patiently(lambda client: client.command(statement, settings=settings))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self._patiently(lambda client: [*map(tuple, client.query(query).result_rows)])

    def arrow(self, query: str) -> pa.Table:
        """The same as Arrow; texts are bytes."""
        return self._patiently(lambda client: client.query_arrow(query, use_strings=False))

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert once, however often it takes: the server leaves out what it has seen under the same token."""
        settings = {**WRITING, "insert_deduplication_token": token}
        self._patiently(lambda client: client.insert_arrow(table, rows, settings=settings))

    def use_database(self) -> None:
        """From now on names mean tables of the target's database, which exists by now."""
        self._use_database = True
        if self._client is not None:
            self._client.database = self.target.database

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            client, self._client = self._client, None
            with suppress(ClickHouseError, OSError):
                client.close()

    def _patiently(self, act: Callable[[Client], T]) -> T:
        answer: T = self._retrying(self._once, act)
        return answer

    def _once(self, act: Callable[[Client], T]) -> T:
        with self._told():
            if self._client is None:
                self._client = clickhouse_connect.get_client(**self.target.options)
                if self._use_database:
                    self._client.database = self.target.database
            return act(self._client)

    def _report(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ServerAway) and state.next_action:
            self._on_wait(error, state.next_action.sleep)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the library as ours. Its texts name hosts and statements, neither of which holds a password."""
        try:
            yield
        except ClickHouseError as error:
            name, why = getattr(error, "name", None), innermost(error)
            if name in PASSWORD_ERRORS:
                raise WrongPassword(self.target.name) from None
            if name in PERMISSION_ERRORS:
                raise NotPermitted(self.target.name, why) from None
            if name is None or name in PASSING_ERRORS:
                raise ServerAway(self.target.name, why) from None
            raise Refused(self.target.name, why) from None
        except OSError as error:
            raise ServerAway(self.target.name, str(error)) from None


def innermost(error: BaseException) -> str:
    """The first cause of an error in a line: of a failed connection, what the system said."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return (str(error) or type(error).__name__).splitlines()[0][:500]

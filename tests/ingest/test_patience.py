"""Waits: how they grow, when they end, and when a failing node is left alone."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from ingest.batches import BatchSize, in_batches
from ingest.breaker import Circuit, CircuitBreaker
from ingest.errors import AnswerTooLarge, CircuitOpen, IngestError, NodeBusy, Pruned, Stopped
from ingest.lookahead import look_ahead
from ingest.patience import Patience


def failing(times: int, error: Callable[[], Exception]) -> Callable[[], str]:
    left = iter(range(times))

    def function() -> str:
        if next(left, None) is not None:
            raise error()
        return "done"

    return function


def no_sleep(_seconds: float) -> None:
    pytest.fail("waited")


def test_waits_double_with_jitter_up_to_the_longest() -> None:
    waits: list[float] = []
    patience = Patience(
        None, on_wait=lambda _, s: waits.append(s), first_wait=1.0, longest_wait=15.0, sleep=lambda _: None
    )
    assert patience.call(failing(8, lambda: NodeBusy("no"))) == "done"
    assert len(waits) == 8
    for n, wait in enumerate(waits[:3]):
        assert 2**n <= wait <= 2**n + 1
    assert waits[4:] == [15.0] * 4
    assert len(set(waits)) > 4


def test_what_cannot_pass_is_raised_at_once() -> None:
    with pytest.raises(Pruned):
        Patience(None, sleep=no_sleep).call(failing(1, lambda: Pruned("no")))
    with pytest.raises(KeyError):
        Patience(None, sleep=no_sleep).call(failing(1, lambda: KeyError("ours")))


def test_the_caller_may_allow_more() -> None:
    patience = Patience(None, first_wait=0.0, sleep=lambda _: None)
    assert patience.call(failing(3, lambda: Pruned("no")), also=Pruned) == "done"


def test_a_stop_is_seen_within_a_slice_of_the_wait() -> None:
    stop = threading.Event()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            stop.set()

    with pytest.raises(Stopped):
        Patience(None, stop.is_set, first_wait=60.0, longest_wait=60.0, sleep=sleep).call(
            failing(1, lambda: NodeBusy("no"))
        )
    assert len(slept) == 3
    assert max(slept) <= 0.1


def test_the_circuit_opens_lets_one_probe_through_and_closes_on_an_answer() -> None:
    now = [0.0]
    breaker = CircuitBreaker(2, 10.0, clock=lambda: now[0])
    asked: list[float] = []

    def ask(error: IngestError | None) -> str:
        asked.append(now[0])
        if error is not None:
            raise error
        return "done"

    for _ in range(2):
        with pytest.raises(NodeBusy):
            breaker.call(lambda: ask(NodeBusy("queue full")))
    with pytest.raises(CircuitOpen, match="queue full"):
        breaker.call(lambda: ask(None))
    now[0] = 10.0
    with pytest.raises(NodeBusy):
        breaker.call(lambda: ask(NodeBusy("queue full")))
    now[0] = 19.0
    with pytest.raises(CircuitOpen):
        breaker.call(lambda: ask(None))
    now[0] = 20.0
    assert breaker.call(lambda: ask(None)) == "done"
    assert breaker.call(lambda: ask(None)) == "done"
    assert asked == [0.0, 0.0, 10.0, 20.0, 20.0]


def test_the_circuit_tells_what_it_becomes() -> None:
    now = [0.0]
    told: list[Circuit] = []
    breaker = CircuitBreaker(2, 5.0, clock=lambda: now[0], on_change=told.append)
    for _ in range(2):
        assert breaker.circuit is Circuit.CLOSED
        with pytest.raises(NodeBusy):
            breaker.call(failing(1, lambda: NodeBusy("no")))
    assert told == [breaker.circuit] == [Circuit.OPEN]
    now[0] = 5.0
    with pytest.raises(NodeBusy):
        breaker.call(failing(1, lambda: NodeBusy("no")))
    now[0] = 10.0
    assert breaker.call(lambda: breaker.circuit) is Circuit.HALF_OPEN
    assert told == [Circuit.OPEN, Circuit.HALF_OPEN, Circuit.OPEN, Circuit.HALF_OPEN, Circuit.CLOSED]


def test_while_a_probe_is_out_nobody_else_is_let_through() -> None:
    now = [0.0]
    breaker = CircuitBreaker(1, 5.0, clock=lambda: now[0])
    with pytest.raises(NodeBusy):
        breaker.call(failing(1, lambda: NodeBusy("no")))
    now[0] = 5.0

    def probe() -> str:
        with pytest.raises(CircuitOpen):
            breaker.call(lambda: "second")
        return "first"

    assert breaker.call(probe) == "first"


def test_refusals_are_answers_and_close_the_circuit() -> None:
    breaker = CircuitBreaker(2, 10.0, clock=lambda: 0.0)
    for error in (NodeBusy("no"), Pruned("no"), NodeBusy("no"), Pruned("no")):
        with pytest.raises(type(error)):
            breaker.call(failing(1, lambda error=error: error))  # type: ignore[misc]  # a default has no type


@pytest.mark.parametrize("limit", range(1, 9))
def test_batches_find_the_size_that_passes_and_keep_the_order(limit: int) -> None:
    sizes: list[int] = []

    def ask(part: Sequence[int]) -> list[int]:
        sizes.append(len(part))
        if len(part) > limit:
            raise AnswerTooLarge("no")
        return [10 * n for n in part]

    batches = list(in_batches(list(range(40)), ask, BatchSize(8, 8), Patience(deadline=0)))
    assert [n for batch in batches for n in batch] == [10 * n for n in range(40)]
    assert max(len(batch) for batch in batches) == limit
    assert max(sizes) == 8 or limit < 4


def test_a_single_question_that_is_too_large_is_raised() -> None:
    def ask(_: object) -> list[int]:
        raise AnswerTooLarge("no")

    with pytest.raises(AnswerTooLarge):
        list(in_batches([1, 2, 3], ask, BatchSize(8, 8), Patience(deadline=0)))


def test_looking_ahead_hands_out_what_came_before_an_error() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise Pruned("no")

    received: list[int] = []
    with pytest.raises(Pruned):
        received.extend(look_ahead(items(), 2, lambda: False))
    assert received == [0, 1, 2, 3, 4]


def test_looking_ahead_is_bounded_and_ends_when_it_is_closed() -> None:
    drawn: list[int] = []
    ended = threading.Event()

    def items() -> Iterator[int]:
        try:
            for n in range(1000):
                drawn.append(n)
                yield n
        finally:
            ended.set()

    ahead = look_ahead(items(), 3, lambda: False)
    assert next(ahead) == 0
    threading.Event().wait(0.05)
    assert len(drawn) <= 5
    ahead.close()
    assert ended.wait(5)
    assert len(drawn) <= 5

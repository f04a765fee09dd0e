"""Many questions in few calls: batches that shrink when they fail and grow when they are answered."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ingest.errors import AnswerTooLarge, BadAnswer, NodeFailing
from ingest.patience import Patience

Q = TypeVar("Q")
A = TypeVar("A")


class BatchSize:
    """How many questions go into a batch: one more after each success, half after each failure."""

    def __init__(self, start: int, largest: int) -> None:
        self.now = start
        self._largest = largest

    def grow(self) -> None:
        self.now = min(self.now + 1, self._largest)

    def shrink(self) -> None:
        self.now = max(self.now // 2, 1)


def in_batches(
    questions: Sequence[Q], ask: Callable[[Sequence[Q]], list[A]], size: BatchSize, patience: Patience
) -> Iterator[list[A]]:
    """The answers to `questions` in their order, batch by batch; a failed batch is asked again, smaller.

    Raises what `ask` raises once patience ends or a single question fails in a way that cannot be retried.
    """
    position = 0

    def next_batch() -> list[A]:
        while True:
            part = questions[position : position + size.now]
            try:
                return ask(part)
            except (NodeFailing, BadAnswer, AnswerTooLarge) as error:
                size.shrink()
                if error.retry or len(part) == 1:
                    raise

    while position < len(questions):
        answers = patience.call(next_batch)
        yield answers
        position += len(answers)
        size.grow()

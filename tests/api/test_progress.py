"""Blocks that came and went within the last hour."""

from api.progress import WINDOW, Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    clock = Clock()
    progress = Progress(clock)
    progress.note(100, True)
    assert (progress.blocks, progress.reorganisations) == (0, 0), "what was there at first did not come"
    progress.note(103, True)
    clock.now = WINDOW / 2
    progress.note(102, False)
    progress.note(105, False)
    progress.note(105, True)
    assert (progress.blocks, progress.reorganisations) == (6, 2)
    clock.now = WINDOW
    assert (progress.blocks, progress.reorganisations) == (3, 2)
    clock.now = 2 * WINDOW
    assert (progress.blocks, progress.reorganisations) == (0, 0)

"""What was done to a lake stays written, whatever happens in between."""

from multiprocessing import get_context
from pathlib import Path

from warehouse.trail import NAME, actions, note


def test_a_line_that_a_crash_cut_off_spoils_no_other(tmp_path: Path) -> None:
    note(tmp_path, "rollback", to=5)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"time": "2026-')
    assert [action["action"] for action in actions(tmp_path)] == ["rollback"]
    note(tmp_path, "rebuild", height=7)
    assert [(action["action"], action.get("to"), action.get("height")) for action in actions(tmp_path)] == [
        ("rollback", 5, None),
        ("rebuild", None, 7),
    ]
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def note_some(directory: Path, number: int) -> None:
    for count in range(20):
        note(directory, "create key", key=f"{number}-{count}")


def test_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=note_some, args=(tmp_path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert sorted(action["key"] for action in actions(tmp_path)) == sorted(
        f"{number}-{count}" for number in range(3) for count in range(20)
    )


def test_a_lake_that_nothing_was_done_to(tmp_path: Path) -> None:
    assert actions(tmp_path) == []

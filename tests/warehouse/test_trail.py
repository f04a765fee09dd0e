"""What was done to a lake stays written, whatever happens in between."""

import json
import time
from datetime import date, timedelta
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

from warehouse.trail import NAME, actions, note, prune


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


def write_old(directory: Path, days: int) -> None:
    """An action on each of so many days from the first of January 2020 on."""
    lines = [
        {"time": f"{date(2020, 1, 1) + timedelta(day)}T23:59:59Z", "by": "somebody", "action": "rollback", "to": day}
        for day in range(days)
    ]
    (directory / NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (directory / NAME).chmod(0o600)


def test_pruning_keeps_the_day_itself_and_notes_what_it_did(tmp_path: Path) -> None:
    write_old(tmp_path, 5)
    text = (tmp_path / NAME).read_bytes()
    assert prune(tmp_path, date(2020, 1, 4)) == 3
    *kept, pruned = actions(tmp_path)
    assert [action["to"] for action in kept] == [3, 4]
    assert (pruned["action"], pruned["before"], pruned["removed"]) == ("prune trail", "2020-01-04", 3)
    assert (tmp_path / NAME).read_bytes().splitlines()[:2] == text.splitlines()[3:], (
        "lines that stay are the same bytes"
    )
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_pruning_where_nothing_is_old_writes_nothing(tmp_path: Path) -> None:
    assert prune(tmp_path, date(2020, 1, 1)) == 0
    assert list(tmp_path.iterdir()) == []
    write_old(tmp_path, 2)
    before = (tmp_path / NAME).read_bytes(), (tmp_path / NAME).stat().st_ino
    assert prune(tmp_path, date(2020, 1, 1)) == 0
    assert ((tmp_path / NAME).read_bytes(), (tmp_path / NAME).stat().st_ino) == before


def test_pruning_after_crashes_of_a_note_and_of_a_pruning(tmp_path: Path) -> None:
    """Half a line, and half a new file, are of nobody."""
    write_old(tmp_path, 3)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"time": "2020-')
    (tmp_path / f"{NAME}.new").write_bytes(b'{"time": "2020-01-01T00:00:00Z", "action": "made up"}\n' * 9)
    assert prune(tmp_path, date(2020, 1, 3)) == 2
    assert [action["action"] for action in actions(tmp_path)] == ["rollback", "prune trail"]
    note(tmp_path, "rebuild")
    assert [action["action"] for action in actions(tmp_path)] == ["rollback", "prune trail", "rebuild"]


def note_until_pruned(directory: Path, number: int, results: "Queue[int]") -> None:
    """Notes until every old action is gone; tells how many it noted."""
    count = 0
    while any(action["action"] == "rollback" for action in actions(directory)):
        note(directory, "create key", key=f"{number}-{count}")
        count += 1
    results.put(count)


def test_pruning_loses_nothing_that_others_note_meanwhile(tmp_path: Path) -> None:
    """Who waits while the file is replaced writes into the new one."""
    days = 60
    write_old(tmp_path, days)
    context = get_context("spawn")
    results = context.Queue()
    writers = [context.Process(target=note_until_pruned, args=(tmp_path, number, results)) for number in range(3)]
    for writer in writers:
        writer.start()
    while len({str(action.get("key")).split("-")[0] for action in actions(tmp_path)} - {"None"}) < len(writers):
        assert all(writer.exitcode is None for writer in writers)
        time.sleep(0.01)
    for day in range(1, days + 1):
        assert prune(tmp_path, date(2020, 1, 1) + timedelta(day)) == 1
    noted = sum(results.get(timeout=60) for _ in writers)
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    left = actions(tmp_path)
    keys = [action["key"] for action in left if action["action"] == "create key"]
    assert len(keys) == len(set(keys)) == noted
    assert sum(action["action"] == "prune trail" for action in left) == days

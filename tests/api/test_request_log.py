"""The log of requests: where a line goes, who may read it, and when it is gone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import httpx
import pytest

from api.options import Options, UnusableOption
from api.request_log import RequestLog
from tests.helpers.api import serving

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
DAY = 86_400


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Not there yet, nor the one that it is in."""
    return tmp_path / "logs" / "api"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_day_of_utc_has_its_file_for_its_owner_only(folder: Path, clock: Clock) -> None:
    requests = RequestLog(folder, 30, clock)
    requests.info(b"noon")
    clock.now = NOON + DAY / 2 - 0.001
    requests.info(b"before midnight")
    clock.now = NOON + DAY / 2
    requests.info(b"midnight")
    requests.close()
    assert (folder / "access-2026-03-01.jsonl").read_bytes() == b"noon\nbefore midnight\n"
    assert (folder / "access-2026-03-02.jsonl").read_bytes() == b"midnight\n"
    assert names(folder) == ["access-2026-03-01.jsonl", "access-2026-03-02.jsonl"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o077 == 0


def test_a_file_is_kept_for_the_days_asked_and_removed_on_the_next(folder: Path, clock: Clock) -> None:
    """At the start and when the day changes; the day's own file and the two before it stay."""
    folder.mkdir(parents=True)
    for day in ("2025-12-31", "2026-02-26", "2026-02-27"):
        (folder / f"access-{day}.jsonl").write_bytes(b"old\n")
    requests = RequestLog(folder, 2, clock)
    assert names(folder) == ["access-2026-02-27.jsonl", "access-2026-03-01.jsonl"]
    clock.now += DAY
    requests.info(b"next day")
    requests.close()
    assert names(folder) == ["access-2026-03-01.jsonl", "access-2026-03-02.jsonl"]


def test_other_files_in_the_folder_are_left_alone(folder: Path, clock: Clock) -> None:
    folder.mkdir(parents=True)
    others = ["access-2020-01-01.jsonl.gz", "access-2020-1-1.jsonl", "my-access-2020-01-01.jsonl", "notes"]
    for name in others:
        (folder / name).touch()
    RequestLog(folder, 1, clock).close()
    assert names(folder) == sorted([*others, "access-2026-03-01.jsonl"])


def test_a_new_process_goes_on_in_the_file_of_the_day(folder: Path, clock: Clock) -> None:
    for line in (b"first", b"second"):
        requests = RequestLog(folder, 30, clock)
        requests.info(line)
        requests.close()
    assert (folder / "access-2026-03-01.jsonl").read_bytes() == b"first\nsecond\n"


LINES, LENGTH = 2000, 300


def write_some(folder: Path, letter: str) -> None:
    requests = RequestLog(folder, 30, Clock())
    for _ in range(LINES):
        requests.info(letter.encode() * LENGTH)


def test_processes_that_share_a_file_tear_no_line(folder: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=write_some, args=(folder, letter)) for letter in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    lines = (folder / "access-2026-03-01.jsonl").read_text().splitlines()
    assert sorted(lines) == sorted(letter * LENGTH for letter in "abc" for _ in range(LINES))


def test_a_folder_that_cannot_be_is_an_unusable_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "within"):
        with pytest.raises(UnusableOption, match=r"cannot be kept in .*file.*folder to write into"):
            RequestLog(folder, 30)


def test_a_line_that_cannot_be_written_goes_to_standard_error(
    folder: Path, clock: Clock, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The folder goes away under the server: requests go on, and their lines too once it is back."""
    requests = RequestLog(folder, 30, clock)
    (folder / "access-2026-03-01.jsonl").unlink()
    folder.rmdir()
    clock.now += DAY
    requests.info(b"homeless")
    assert b"homeless\n" in capfdbinary.readouterr().err
    folder.mkdir()
    requests.info(b"home")
    requests.close()
    assert (folder / "access-2026-03-02.jsonl").read_bytes() == b"home\n"


def lines_of(folder: Path) -> Iterator[dict[str, object]]:
    for path in folder.glob("access-*.jsonl"):
        assert path.stat().st_mode & 0o777 == 0o600
        yield from map(json.loads, path.read_text().splitlines())


def test_workers_write_finished_requests_there_and_nowhere_else(tmp_path: Path, folder: Path) -> None:
    """What else there is to say stays on standard error; old files are gone before the first request."""
    folder.mkdir(parents=True)
    today = datetime.now(UTC).date()
    old, recent = (folder / f"access-{today - timedelta(days)}.jsonl" for days in (5, 1))
    for path in (old, recent):
        path.touch(0o600)
    options = Options(access_log=str(folder), log_retention_days=3)
    with serving(tmp_path / "lake", workers=2, log=tmp_path / "stderr", options=options) as client:
        assert (old.exists(), recent.exists()) == (False, True)
        for number in range(20):
            httpx.get(f"{client.base_url}/live", headers={"X-Request-ID": f"find-{number}"})
    found = [line for line in lines_of(folder) if str(line["id"]).startswith("find-")]
    assert sorted(str(line["id"]) for line in found) == sorted(f"find-{number}" for number in range(20))
    assert {(line["event"], line["path"], line["status"], line["level"]) for line in found} == {
        ("request", "/live", 200, "info")
    }
    assert all(date.fromisoformat(str(line["timestamp"])[:10]) >= today for line in found)
    assert '"event":"request"' not in (tmp_path / "stderr").read_text()
    assert "uvicorn" in (tmp_path / "stderr").read_text().lower()


def test_serve_ends_with_2_before_it_listens(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = subprocess.run(
        [sys.executable, "-m", "simplicity", "serve", "--data", tmp_path / "lake", "--access-log", tmp_path / "file"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2, ended.stderr
    assert "the log of requests cannot be kept in" in ended.stderr

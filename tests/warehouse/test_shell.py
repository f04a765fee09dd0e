"""`simplicity shell`: through a pipe, on a terminal, and while blocks arrive and are taken back."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from tests.helpers.recorded import TIP, recorded_lake
from warehouse.errors import HeightUnknown, UnusableQuery
from warehouse.lake import Lake
from warehouse.shell import Shell, is_complete
from warehouse.terminal import Names

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("home"))


def command(lake: Path) -> list[str]:
    return [sys.executable, "-m", "simplicity", "shell", "--data", str(lake)]


def piped(lake: Path, text: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(lake), cwd=ROOT, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True),
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT 1; -- done", True),
        ("SELECT ';", False),
        ("SELECT ';'", False),
        ("SELECT ';';\n", True),
        ("SELECT 1 /* ;", False),
        ("SELECT 1 -- ;", False),
        ("SELECT $$;$$", False),
        (".tables", True),
        ("exit", True),
        ("Quit;", True),
    ],
)
def test_a_statement_ends_with_a_semicolon_of_its_own(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


def test_a_pipe_is_answered_statement_by_statement(lake: Path) -> None:
    done = piped(lake, ".format csv\nSELECT height\nFROM tip; SELECT 1.5::DECIMAL(38, 8) AS amount;\nSELECT 2 AS last")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "height\n147\namount\n1.50000000\nlast\n2\n"


def test_a_pipe_ends_at_the_first_error_and_at_exit(lake: Path) -> None:
    done = piped(lake, "SELECT 1 AS a;\nSELECT nothing;\nSELECT 2 AS b;\n")
    assert (done.returncode, "nothing" in done.stderr, "b" in done.stdout) == (2, True, False)
    done = piped(lake, ".format csv\nSELECT 1 AS a;\nexit\nSELECT 2 AS b;\n")
    assert (done.returncode, done.stdout) == (0, "a\n1\n")


def test_the_chosen_height_is_what_answers_are_from(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(lake)
    shell.run(".format csv")
    for chosen, expected in (("120", "120"), ("", str(TIP))):
        shell.run(f".height {chosen}")
        assert shell.prompt() == f"{expected}> "
        shell.run("SELECT height, (SELECT max(height) FROM operations) <= height FROM tip;")
        assert capsys.readouterr().out.splitlines()[1] == f"{expected},True"


@pytest.mark.parametrize("text", [".height tip", ".format parquet", ".schema", ".schema nonsense", ".nonsense",
                                  "COPY tip TO 'file';", "DROP VIEW tip;", "SELECT 1 FROM;"])  # fmt: skip
def test_what_cannot_be_done_is_told(text: str, lake: Path) -> None:
    with pytest.raises(UnusableQuery):
        Shell(lake).run(text)


def test_tables_and_columns_are_told_with_their_meaning(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(lake)
    shell.run(".tables")
    tables = capsys.readouterr().out
    assert re.search(r"^holders +An account with a balance above zero\.$", tables, re.M)
    assert re.search(r"^daily_volume +How much of each token .*\?$", tables, re.M)
    assert "recent_events" not in tables
    shell.run(".schema current_pools")
    assert re.search(r"^height +INTEGER +Height after which the row holds\.$", capsys.readouterr().out, re.M)
    assert re.search(r"^holders_at\(H\) +`holders` as it was after block H\.$", tables, re.M)
    for name in ("distribution_at", "distribution_at(130)"):
        shell.run(f".schema {name}")
        assert re.search(r"^gini +DOUBLE +Gini coefficient .*\.$", capsys.readouterr().out, re.M)
    shell.run(".help")
    assert ".height H" in capsys.readouterr().out


def test_the_next_answer_is_from_what_is_published_then(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = recorded_lake(tmp_path)
    shell, pinned = Shell(lake), Shell(lake)
    pinned.run(".height 140")
    with Lake.open(lake, grace=0.0) as writer:
        writer.rewind(130)
    shell.run(".format csv")
    shell.run("SELECT height FROM tip;")
    assert capsys.readouterr().out == "height\n130\n"
    with pytest.raises(HeightUnknown):
        pinned.run("SELECT height FROM tip;")


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("SELECT * FROM balances_a", ["balances_at("]),
        ("SELECT * FROM new_a", ["new_addresses"]),
        ("FROM holders_at(120) JOIN distribution_", ["distribution_at("]),
        ("SELECT max(gin", ["gini"]),
        (".tab", [".tables"]),
    ],
)
def test_names_are_completed(text: str, completed: list[str], lake: Path) -> None:
    """Views that take a height up to the bracket in which it stands."""
    offered = Names(Shell(lake)).get_completions(Document(text), CompleteEvent())
    assert [completion.text for completion in offered] == completed


class Terminal:
    """A shell on a pseudo terminal, and what it has drawn so far."""

    def __init__(self, lake: Path, home: Path) -> None:
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
        self.process = subprocess.Popen(
            command(lake),
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            # Whoever runs the tests in the background has Ctrl-C ignored, and its children with it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(slave)
        self.drawn = self.raw = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def see(self, text: str, seconds: float = 30) -> None:
        """Wait until `text` is drawn after what was seen before; colours and movements of the cursor are left out."""
        end = time.monotonic() + seconds
        while text not in (plain := re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self.drawn)):
            assert time.monotonic() < end, self.drawn
            if select.select([self.master], [], [], 0.1)[0]:
                new = os.read(self.master, 65536).decode(errors="replace")
                if "\x1b[6n" in new:
                    # Terminals tell where the cursor is when they are asked.
                    self.type("\x1b[1;1R")
                self.drawn += new
                self.raw += new
        self.drawn = plain[plain.index(text) + len(text) :]

    def sees(self, text: str, seconds: float) -> bool:
        """Whether `text` is drawn in time."""
        try:
            self.see(text, seconds)
        except AssertionError:
            return False
        return True

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(lake: Path, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(lake, tmp_path)
    yield terminal
    terminal.close()


def test_on_a_terminal(terminal: Terminal, lake: Path, tmp_path: Path) -> None:
    """Several lines, completion, colours, errors, Ctrl-C, history of an earlier session, and the end."""
    terminal.see("147>")
    terminal.type("SELECT count(*) AS found\r")
    terminal.see(" .")
    terminal.type("FROM daily_v\t")
    terminal.see("daily_volume")
    assert "\x1b[0;38;5;28;1mSELECT" in terminal.raw
    terminal.type(";\r")
    terminal.see("3")
    terminal.see("147>")
    terminal.type("SELECT nothing;\r")
    terminal.see("Binder Error")
    terminal.see("147>")
    terminal.type("half a statement\x03")
    terminal.see("147>")
    terminal.type("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7;\r")
    terminal.see("= 7;")
    # What a terminal makes of Ctrl-C while nobody reads it. One that falls between reading and asking is nobody's.
    for _ in range(20):
        terminal.process.send_signal(signal.SIGINT)
        terminal.type(".height 120\r")
        if terminal.sees("120>", 2):
            break
    else:
        pytest.fail("the question goes on after Ctrl-C")
    terminal.type("\x04")
    assert terminal.process.wait(20) == 0

    later = Terminal(lake, tmp_path)
    try:
        later.see("147>")
        later.type("\x10" * 4)
        later.see("FROM daily_volume")
        later.type("\x03exit\r")
        assert later.process.wait(20) == 0
    finally:
        later.close()

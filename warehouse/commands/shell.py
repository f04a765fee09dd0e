"""`simplicity shell`: one question after the other."""

import sys

import settings
from warehouse.shell import Shell, run_script
from warehouse.terminal import converse


def shell(data: settings.Data) -> None:
    """Ask in SQL, interactively or through a pipe; each answer is from the newest block. `.help` says more."""
    session = Shell(data)
    if sys.stdin.isatty():
        converse(session)
    else:
        run_script(session, sys.stdin)

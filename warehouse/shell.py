"""SQL line by line over a lake that goes on: what is read, asked and told, without a terminal."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import duckdb

from warehouse.allowed_sql import PUBLIC
from warehouse.answers import BINARY, Format, answer
from warehouse.duckdb_engine import connect, define_views
from warehouse.errors import UnusableQuery
from warehouse.manifest import Manifest, read_manifest
from warehouse.tables import MACROS, TABLES
from warehouse.view_texts import ANALYTIC_VIEWS, question

GOODBYES: Final = frozenset({"exit", "quit", ".exit", ".quit"})


class Shell:
    """A session. Every statement is answered from the block published last, or from the one that was chosen."""

    def __init__(self, directory: Path) -> None:
        """Raises what `read_manifest` raises."""
        self._directory = directory
        self._manifest = read_manifest(directory)
        self._connection = connect(directory, manifest=self._manifest)
        self._format = Format.TABLE
        self._chosen: int | None = None
        self._commands: dict[str, tuple[Callable[[str], None], str]] = {
            ".tables": (self._tables, "list the tables, with what a row of each is"),
            ".schema": (self._schema, ".schema TABLE: columns, types and meanings"),
            ".height": (self._height, ".height H: answer from the state after block H; without H from the newest"),
            ".format": (self._choose_format, ".format table|csv|json: how rows are written"),
            ".help": (self._help, "this list"),
        }

    @property
    def words(self) -> tuple[str, ...]:
        """The commands that are not SQL."""
        return (*self._commands, ".exit")

    def prompt(self) -> str:
        """The height that the next answer is from."""
        tip = self._latest().tip
        return f"{self._chosen if self._chosen is not None else tip.height if tip else 'empty'}> "

    def run(self, text: str) -> None:
        """Do what a complete `text` says: a command, or statements that end with `;`. Answers go to standard output.

        Raises UnusableQuery, and HeightUnknown when the chosen block was taken back.
        """
        text = text.strip()
        if text.startswith("."):
            name, _, argument = text.rstrip(";").partition(" ")
            if name not in self._commands:
                raise UnusableQuery(f"there is no command {name}: .help lists them")
            self._commands[name][0](argument.strip())
            return
        try:
            statements = self._connection.extract_statements(text)
        except duckdb.Error as error:
            raise UnusableQuery(str(error)) from error
        for statement in statements:
            self._refresh()
            answer(self._connection, statement.query, self._format, None)

    def _latest(self) -> Manifest:
        return read_manifest(self._directory)

    def _refresh(self) -> None:
        """Show what is published now."""
        manifest = self._latest()
        if manifest.sequence != self._manifest.sequence:
            self._show(manifest, self._chosen)

    def _show(self, manifest: Manifest, height: int | None) -> None:
        if height is not None:
            manifest.check_height(height)
        define_views(self._connection, self._directory, manifest, height)
        self._manifest, self._chosen = manifest, height

    def _tables(self, _: str) -> None:
        macros = {f"{name}(H)": meaning for name, meaning in macros_with_meanings().items()}
        told = {name: row_of(name) for name in PUBLIC} | macros
        width = max(map(len, told))
        for name in sorted(told):
            print(f"{name:<{width}}  {told[name]}")

    def _schema(self, name: str) -> None:
        name = MACROS.get(name.partition("(")[0], name)
        if name not in PUBLIC:
            raise UnusableQuery(f"there is no table {name}: .tables lists them" if name else "write .schema TABLE")
        meanings = meanings_of(name)
        described = self._connection.execute(f"DESCRIBE {name}").fetchall()
        for column, type_, *_ in described:
            print(f"{column:<24} {type_:<24} {meanings.get(column, '')}".rstrip())

    def _height(self, text: str) -> None:
        if text and not text.isdecimal():
            raise UnusableQuery("write .height H with the height of a block, or .height alone for the newest")
        self._show(self._latest(), int(text) if text else None)

    def _choose_format(self, text: str) -> None:
        usable = [format.value for format in Format if format not in BINARY]
        if text not in usable:
            raise UnusableQuery(f"write .format with one of {', '.join(usable)}")
        self._format = Format(text)

    def _help(self, _: str) -> None:
        print("SQL ends with a semicolon and may take several lines.")
        for name, (_command, help_) in self._commands.items():
            print(f"{name:<10} {help_}")
        print(f"{'.exit':<10} end, as Ctrl-D does")


def row_of(name: str) -> str:
    """What a row of a public table is, or what an analytic view answers."""
    if name in ANALYTIC_VIEWS:
        return question(name)
    if name in TABLES:
        return TABLES[name].row
    return f"The newest row of each {', '.join(TABLES[name.removeprefix('current_')].versions_of)}."


def macros_with_meanings() -> dict[str, str]:
    """What each view that takes a height answers."""
    return {name: f"`{view}` as it was after block H." for name, view in MACROS.items()}


def meanings_of(name: str) -> dict[str, str]:
    """What each column of a public table means."""
    table = TABLES.get(name) or TABLES.get(name.removeprefix("current_"))
    return {field.name: field.metadata[b"doc"].decode() for field in table.schema} if table else {}


def is_complete(text: str) -> bool:
    """Whether nothing is missing: a command, nothing at all, or SQL whose last sign is a semicolon."""
    text = text.strip()
    if not text or text.startswith(".") or is_goodbye(text):
        return True
    try:
        signs = [offset for offset, kind in duckdb.tokenize(text) if kind != duckdb.token_type.comment]
    except duckdb.Error:
        # An open quote or comment: the semicolon in it ends nothing.
        return False
    return not signs or text[signs[-1]] == ";"


def is_goodbye(text: str) -> bool:
    """Whether `text` ends the session."""
    return text.strip().rstrip(";").lower() in GOODBYES


def run_script(shell: Shell, lines: Iterable[str]) -> None:
    """Run what comes through a pipe, to its end or to the first error; the last statement needs no semicolon."""
    held = ""
    for line in lines:
        held += line
        if is_complete(held):
            if is_goodbye(held):
                return
            shell.run(held)
            held = ""
    shell.run(held)

"""The shell on a terminal: history, completion, colours, and statements of several lines."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import PostgresLexer

from warehouse.allowed_sql import PUBLIC
from warehouse.errors import LakeError
from warehouse.shell import Shell, is_complete, is_goodbye, macros_with_meanings, meanings_of, row_of

KEYWORDS: Final = """
    SELECT FROM WHERE GROUP BY ORDER LIMIT JOIN LEFT USING ON AS AND OR NOT IN IS NULL LIKE BETWEEN CASE WHEN THEN ELSE
    END DISTINCT HAVING UNION ALL WITH QUALIFY OVER PARTITION ASC DESC count sum min max avg
"""


class Names(Completer):
    """Names of tables, macros and columns, with what they mean, and the words of SQL."""

    def __init__(self, shell: Shell) -> None:
        columns = {name: text for table in sorted(PUBLIC) for name, text in meanings_of(table).items()}
        tables = {name: row_of(name) for name in sorted(PUBLIC)}
        macros = {f"{name}(": meaning for name, meaning in macros_with_meanings().items()}
        words = dict.fromkeys(KEYWORDS.split(), "")
        self._names = {**dict.fromkeys(shell.words, ""), **tables, **macros, **columns, **words}

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.get_word_before_cursor(WORD=True)
        word = before.split("(")[-1].split(",")[-1].split(".")[-1] if not before.startswith(".") else before
        if word:
            for name, meaning in self._names.items():
                if name.lower().startswith(word.lower()):
                    yield Completion(name, -len(word), display_meta=meaning)


def converse(shell: Shell) -> None:
    """Read, answer, and go on after errors, until the user leaves."""
    history = Path(typer.get_app_dir("simplicity")) / "shell_history"
    history.parent.mkdir(parents=True, exist_ok=True)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(history),
        completer=Names(shell),
        complete_while_typing=False,
        lexer=PygmentsLexer(PostgresLexer),
        multiline=True,
        prompt_continuation=lambda width, _line, _wrapped: ".".rjust(width - 1) + " ",
        key_bindings=_keys(),
    )
    print("SQL over the tables of .tables; end statements with ; and the session with .exit. More: .help")
    while True:
        try:
            text = session.prompt(shell.prompt())
            if is_goodbye(text):
                return
            shell.run(text)
        except EOFError:
            return
        except KeyboardInterrupt:
            continue
        except LakeError as error:
            print(error, file=sys.stderr)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        """Hand in what is complete; everything else goes on in the next line."""
        buffer = event.current_buffer
        if is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return keys

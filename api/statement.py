"""One SQL statement in a process of its own, which is told what to answer on standard input.

The process writes one line of JSON, `{"error": …, "detail": …}`, where null stands for no error, and then the answer.
It can be stopped at any time, and what it may use, the system itself holds it to.
"""

import os
import pickle
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import orjson
import pyarrow as pa

from api.formats import Format, encoded
from warehouse.analyst import asked
from warehouse.errors import LakeError
from warehouse.manifest import Manifest

MEMORY: Final = 3 << 30
"""Bytes of the whole process: the engine's budget, and texts that it does not count."""
FILE_SIZE: Final = 5 << 30
AHEAD: Final = 1 << 20
"""Bytes of the answer that must be there before it begins: until then an error still gets its own status."""


class TooManyRows(Exception):
    """The answer is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What the process is told."""

    directory: Path
    manifest: Manifest
    query: str
    format: Format
    rows: int
    """Most rows of the answer."""
    size: int
    """Most bytes of the answer."""
    seconds: int
    """Most seconds of processor time of each thread together."""

    def pieces(self) -> Iterator[bytes]:
        """The answer. Raises LakeError and TooManyRows."""
        size = 0
        with asked(self.directory, self.manifest, self.query) as reader:
            for piece in encoded(self.format, reader.schema, self._counted(reader)):
                size += len(piece)
                if size > self.size:
                    raise TooManyRows(f"the answer has more than {self.size} bytes: ask for less, or in parts")
                yield piece

    def _counted(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        count = 0
        for batch in reader:
            count += batch.num_rows
            if count > self.rows:
                raise TooManyRows(f"the answer has more than {self.rows} rows: ask for less, or in parts")
            yield batch


def main() -> None:
    """Answer what standard input asks. Ends with 1 when the answer breaks off."""
    statement: Statement = pickle.load(sys.stdin.buffer)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CPU, (statement.seconds, statement.seconds + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    begun = False
    try:
        for piece in _ahead(statement.pieces()):
            if not begun:
                _say(sys.stdout.buffer, None, "")
                begun = True
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    except (LakeError, TooManyRows, MemoryError) as error:
        if begun:
            sys.exit(1)
        _say(sys.stdout.buffer, type(error).__name__, str(error))


def _ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, the first of them only once there are enough or all."""
    held = b""
    for piece in pieces:
        held += piece
        if len(held) >= AHEAD:
            yield held
            yield from pieces
            return
    yield held


def _say(output: BinaryIO, error: str | None, detail: str) -> None:
    output.write(orjson.dumps({"error": error, "detail": detail}) + b"\n")
    output.flush()

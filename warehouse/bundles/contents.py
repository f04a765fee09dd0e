"""`snapshot.json`: what a snapshot holds, and from which state of which chain. It is what is signed."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

NAME: Final = "snapshot.json"
SIGNATURE: Final = "snapshot.sig"
FORMAT: Final = 1
"""Version of this layout."""

LARGEST: Final = 256 << 20
"""Bytes that a list of contents may have: millions of files."""

SIGNATURE_BYTES: Final = 64

_PATH: Final = re.compile(r"manifest\.json|(segments|folds)(/[A-Za-z0-9_][A-Za-z0-9_.-]*){2}")
"""What files of a lake are called: nothing that leads out of its folder."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the lake, as it must come out. `sha256` is 64 hex digits."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """One published state: block `height` is its newest. `files` ends with the lake's manifest."""

    network: str
    height: int
    hash: str
    cumulative_hash: str
    balances_hash: str
    schema_version: int
    files: tuple[Member, ...]

    def encoded(self) -> bytes:
        """The same bytes for the same contents."""
        return orjson.dumps(
            {"format": FORMAT, **asdict(self)},
            option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
        )

    @classmethod
    def parsed(cls, content: bytes) -> "Contents":
        """Raises ValueError, whose text says what is wrong."""
        try:
            document: dict[str, Any] = orjson.loads(content)
            known = document.pop("format")
            if known != FORMAT:
                raise ValueError(f"its format {known!r} is not known here, {FORMAT} is: upgrade simplicity")
            files = tuple(Member(**item) for item in document.pop("files"))
            contents = cls(**document, files=files)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{NAME} does not list its contents") from error
        for member in files:
            if not _PATH.fullmatch(str(member.path)):
                raise ValueError(f"{NAME} names {member.path!r}, which is no file of a lake")
        if not files or files[-1].path != "manifest.json" or len({member.path for member in files}) != len(files):
            raise ValueError(f"{NAME} does not list a whole lake")
        return contents

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(member.bytes for member in self.files)

"""The tree of ingest errors is what its docstring says, and each says what to do."""

import inspect

from ingest import errors
from ingest.errors import IngestError, NodeFailing, Stopped

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, IngestError)]


def test_the_tree_in_the_docstring_names_every_error_and_no_other() -> None:
    drawn = {line.lstrip("│├└─ ").split(" ")[0] for line in (errors.__doc__ or "").splitlines() if "── " in line}
    assert drawn | {"IngestError"} == {kind.__name__ for kind in KINDS}


def test_every_error_says_what_the_operator_does() -> None:
    without = {kind for kind in KINDS if not kind.advice}
    assert without == {IngestError, NodeFailing, Stopped}
    assert all(kind.advice.endswith(".") for kind in KINDS if kind.advice)

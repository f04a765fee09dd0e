"""Changes the rule files one place at a time and reports the changes that no test notices: `make mutants`.

Each mutant runs in a process of its own, with the compiler off, and is killed by a red test or by a time-out. Workers
load the libraries once and fork. `tests/mutants.toml` says which tests guard which files, and gives reasons for
survivors that change nothing observable; any other survivor, and any reason that no longer applies, ends the run with
exit code 1.
"""

import argparse
import ast
import copy
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TREE = ("ingest", "engine", "tests", "pyproject.toml")
LIBRARIES = ("numpy", "pyarrow", "pyarrow.compute", "numba", "hypothesis", "pytest")
TIMEOUT = 120.0
SKIPPED = shutil.ignore_patterns("__pycache__", "data")

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
LOGIC: dict[type[ast.boolop], type[ast.boolop]] = {ast.And: ast.Or, ast.Or: ast.And}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed place. The name tells it apart by function and order, so that moving lines does not rename it."""

    path: Path
    line: int
    name: str
    source: str


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Copies of `node` with one thing changed in itself, its children left alone."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            other = copy.copy(node)
            other.ops = [COMPARISONS[type(op)]()]
            yield other
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            other_sum = copy.copy(node)
            other_sum.op = ARITHMETIC[type(op)]()
            yield other_sum
        case ast.BoolOp(op=op):
            other_logic = copy.copy(node)
            other_logic.op = LOGIC[type(op)]()
            yield other_logic
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool() as truth):
            yield ast.copy_location(ast.Constant(not truth), node)
        case ast.Constant(value=int() as number):
            yield ast.copy_location(ast.Constant(number + 1), node)
        case ast.Attribute(value=ast.Name(id="Code"), attr=name) if name != "INVALID_JSON":
            other_code = copy.copy(node)
            other_code.attr = "MISSING_PROTOCOL" if name != "MISSING_PROTOCOL" else "EMPTY_TICKER"
            yield other_code


class Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self.replacement if node is self.target else self.generic_visit(node)


def mutants_of(path: Path) -> Iterator[Mutant]:
    text = path.read_text()
    tree = ast.parse(text)
    beside = {inner for node in ast.walk(tree) for part in beside_the_rules(node) for inner in ast.walk(part)}
    seen: Counter[str] = Counter()
    for scope, node in scoped(tree, ""):
        if node in beside:
            continue
        for replacement in changed(node):
            before = " ".join((ast.get_source_segment(text, node) or "").split())
            name = f"{path.relative_to(ROOT)} {scope or 'module'}: {before} → {ast.unparse(replacement)}"
            seen[name] += 1
            mutated = ast.unparse(Replace(node, replacement).visit(copy_with(tree, node)))
            yield Mutant(path, getattr(node, "lineno", 0), f"{name} #{seen[name]}", mutated)


def beside_the_rules(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node that say nothing about what happens: annotations and decorators."""
    yield from getattr(node, "decorator_list", ())
    for field in ("annotation", "returns"):
        if (part := getattr(node, field, None)) is not None:
            yield part


def scoped(node: ast.AST, scope: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node below `node` with the name of the function or class that it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = f"{scope}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else scope
        yield scope, child
        yield from scoped(child, inner)


def copy_with(tree: ast.AST, kept: ast.AST) -> ast.AST:
    """A deep copy of `tree` in which `kept` is still the same object, so that it can be found and replaced."""
    return copy.deepcopy(tree, {id(kept): kept})


def enter_workspace(folder: str) -> None:
    """Make a copy of the tree for this worker, stand in it, and load what every mutant needs."""
    workspace = Path(tempfile.mkdtemp(dir=folder))
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, workspace / name, ignore=SKIPPED)
        else:
            shutil.copy(source, workspace / name)
    (workspace / "tests/data").symlink_to(ROOT / "tests/data")
    os.chdir(workspace)
    for library in LIBRARIES:
        importlib.import_module(library)


def survives(task: tuple[Mutant, list[str]]) -> bool:
    """Whether the tests stay green in a child of this worker."""
    mutant, arguments = task
    target = mutant.path.relative_to(ROOT)
    original = target.read_text()
    target.write_text(mutant.source)
    try:
        child = os.fork()
        if child == 0:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            sys.path.insert(0, os.getcwd())
            code: int = pytest.ExitCode.INTERNAL_ERROR
            try:
                code = pytest.main(["-x", "-q", *arguments])
            finally:
                os._exit(code)
        return ended_green(child)
    finally:
        target.write_text(original)


def ended_green(child: int) -> bool:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
                raise RuntimeError(f"pytest ended with {code}: no test ran")
            return code == pytest.ExitCode.OK
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def tasks_of(groups: list[dict[str, Any]], files: list[str], every: int) -> list[tuple[Mutant, list[str]]]:
    tasks = []
    for group in groups:
        options = ["-o", "addopts=--import-mode=importlib", "-o", "filterwarnings="]
        arguments = [*options, "-k", group["select"], *group["tests"]]
        for file in group["files"]:
            if not files or file in files:
                tasks += [(mutant, arguments) for mutant in mutants_of(ROOT / file)]
    return tasks[::every]


def main() -> int:
    with (ROOT / "tests/mutants.toml").open("rb") as file:
        settings = tomllib.load(file)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="rule files; all of them when left out")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=int, default=1, help="try only every n-th mutant")
    arguments = parser.parse_args()
    explained = {item["mutant"]: item["reason"] for item in settings.get("survivor", [])}
    tasks = tasks_of(settings["group"], arguments.files, arguments.every)
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    alive = set()
    with tempfile.TemporaryDirectory() as folder:
        workers = multiprocessing.get_context("spawn").Pool(arguments.jobs, enter_workspace, (folder,))
        with workers:
            for group_tasks in {tuple(arguments): arguments for _, arguments in tasks}.values():
                path = tasks[0][0].path
                unchanged = Mutant(path, 0, "nothing changed", path.read_text())
                if not workers.apply(survives, ((unchanged, group_tasks),)):
                    raise SystemExit("the tests are red before anything is changed")
            for (mutant, _), lives in zip(tasks, workers.imap(survives, tasks), strict=True):
                if lives:
                    alive.add(mutant.name)
                    word = "explained" if mutant.name in explained else "SURVIVED"
                    print(f"{word}  line {mutant.line}  {mutant.name}", flush=True)

    unexplained = alive - explained.keys()
    tried = {mutant.name for mutant, _ in tasks}
    stale = (explained.keys() & tried) - alive
    for name in sorted(stale):
        print(f"STALE  {name}: no longer survives, remove its reason")
    killed = len(tasks) - len(alive)
    print(f"{len(tasks)} mutants, {killed} killed, {len(alive)} alive, {len(unexplained)} unexplained")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())

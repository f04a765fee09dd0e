"""Compiled kernels are kept for one version of their sources only."""

import os
import tempfile
from pathlib import Path

import pytest

from ingest import compiled


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of two packages in place of ours: a kernel that imports another, and a stranger."""
    for package in ("ingest", "engine"):
        (tmp_path / package).mkdir()
    (tmp_path / "engine/kernel.py").write_text("from engine import other\nfrom ingest.limits import (\n    LIMIT,\n)\n")
    (tmp_path / "engine/other.py").write_text("")
    (tmp_path / "ingest/limits.py").write_text("LIMIT = 1\n")
    (tmp_path / "ingest/stranger.py").write_text("")
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    compiled.kernel_folder.cache_clear()
    return tmp_path


def folder() -> Path:
    compiled.kernel_folder.cache_clear()
    return compiled.kernel_folder("engine.kernel")


@pytest.mark.parametrize("changed", ["engine/kernel.py", "engine/other.py", "ingest/limits.py"])
def test_a_change_of_what_it_is_made_of_names_another_folder_and_removes_the_old(changed: str, sources: Path) -> None:
    before = folder()
    assert folder() == before
    (sources / changed).write_text("changed = True\n")
    assert folder() != before
    assert folder().is_dir()
    assert not before.exists()


def test_a_change_elsewhere_keeps_what_was_compiled(sources: Path) -> None:
    before = folder()
    (sources / "ingest/stranger.py").write_text("changed = True\n")
    assert folder() == before


def test_every_project_file_behind_a_kernel_is_found() -> None:
    names = {path.name for path in compiled.sources_of("ingest.scan", set())}
    assert {"scan.py", "walk.py", "sha256.py", "candidates.py"} <= names


def test_sources_that_cannot_be_written_beside_use_a_private_folder(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / "ingest/__pycache__").write_text("in the way of the folder")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    assert folder().is_relative_to(tmp_path / "temporary")
    assert os.access(folder(), os.W_OK)

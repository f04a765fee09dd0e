"""Compiled kernels are kept for one version of the sources only."""

import os
import tempfile
from pathlib import Path

import pytest

from ingest import compiled


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of two packages in place of ours."""
    for package in ("ingest", "engine"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "kernel.py").write_text("LIMIT = 1\n")
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "ingest/compiled.py"))
    return tmp_path


def test_a_change_of_any_source_names_another_folder_and_removes_the_old(sources: Path) -> None:
    before = compiled.kernel_folder()
    assert compiled.kernel_folder() == before
    (sources / "engine/kernel.py").write_text("LIMIT = 2\n")
    after = compiled.kernel_folder()
    assert after != before
    assert after.is_dir()
    assert not before.exists()


def test_sources_that_cannot_be_written_beside_use_a_private_folder(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / "ingest/__pycache__").write_text("in the way of the folder")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    folder = compiled.kernel_folder()
    assert folder.is_relative_to(tmp_path / "temporary")
    assert os.access(folder, os.W_OK)

"""No container engine runs here: the files are linted and checked against the published schema instead."""

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def run(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile_passes_the_linter() -> None:
    run(BIN / "hadolint", "docker/Dockerfile")


def test_compose_file_follows_the_compose_schema() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker/compose.yml")


def test_compose_runs_indexer_and_api_over_one_volume_and_a_node_on_request() -> None:
    services = yaml.safe_load((ROOT / "docker/compose.yml").read_text())["services"]
    assert services["indexer"]["volumes"] == services["api"]["volumes"] == ["lake:/data"]
    assert services["bitcoin"]["profiles"] == ["node"]


def test_image_copies_only_files_that_exist() -> None:
    for line in (ROOT / "docker/Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), line

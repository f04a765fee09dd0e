"""Runs every notebook on the recorded chain, in this Python, and writes it with its outputs.

`python -m tests.helpers.notebooks` renews what is checked in; with a folder as argument it writes there.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from tests.helpers.recorded import recorded_lake

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run(notebook: Path, output: Path) -> None:
    """Raises CellExecutionError when a cell does. Kernels that the user installed are not looked at."""
    content = nbformat.read(notebook, as_version=4)
    metadata = dict(content.metadata)
    this_python = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    NotebookClient(
        content, km=this_python, record_timing=False, timeout=120, resources={"metadata": {"path": str(NOTEBOOKS)}}
    ).execute()
    content.metadata = metadata
    nbformat.write(content, output)


def main(output: Path) -> None:
    with TemporaryDirectory() as home:
        os.environ |= {
            "SIMPLICITY_DATA": str(recorded_lake(Path(home))),
            "JUPYTER_RUNTIME_DIR": f"{home}/runtime",
            "IPYTHONDIR": f"{home}/ipython",
        }
        for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
            run(notebook, output / notebook.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else NOTEBOOKS)

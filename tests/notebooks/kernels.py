"""A Jupyter kernel that runs the cells of a notebook one by one."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from repository import ROOT

SECONDS = 300  # no cell of the quick profile takes longer, even on a busy machine


def code_cells(file: Path) -> list[NotebookNode]:
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]


def printed(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


class Kernel(NotebookClient):
    def run_cell(self, cell: NotebookNode, allowed: str | None = None) -> None:
        """Run a cell, which gets its outputs; it may fail only with an error that says *allowed*."""
        self.nb.cells.append(cell)
        try:
            self.execute_cell(cell, len(self.nb.cells) - 1)
        except CellExecutionError as error:
            if allowed is None or allowed not in error.evalue:
                raise

    def run(self, *sources: str) -> str:
        """Run code, and return what it printed."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        for cell in cells:
            self.run_cell(cell)
        return "".join(map(printed, cells))


@contextmanager
def kernel(
    environment: dict[str, str], command: Sequence[str] = (), folder: Path = ROOT / "notebooks"
) -> Iterator[Kernel]:
    """A kernel that works in *folder*, gone at the end; started by our Python, or by a command with {connection_file}.

    It gets our environment variables and those given; where a command is given, the latter alone.
    """
    started = Kernel(nbformat.v4.new_notebook(), kernel_name="python3", timeout=SECONDS,
                     shutdown_kernel="immediate", resources={"metadata": {"path": str(folder)}})  # fmt: skip
    started.create_kernel_manager()
    if command:
        started.km.kernel_spec.argv = list(command)
    ours = {} if command else {**os.environ, "OMP_NUM_THREADS": "1"}
    with started.setup_kernel(env={**ours, **environment, "JUPYTER_PREFER_ENV_PATH": "1"}):
        yield started

"""Run the master notebooks in place and keep their outputs: ``make notebooks``.

The outputs that are committed are the quick profile's on the default phantom. Live
widgets are left out (their picture stays): without a kernel they would only show an error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from strokegan_lib import door
from strokegan_lib.classroom.report import WIDGET
from strokegan_lib.classroom.tutorial import THREADS, masters
from strokegan_lib.files import write_whole

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def clean(notebook: NotebookNode) -> NotebookNode:
    """Take out, in place, what changes by itself or says where it was made."""
    notebook.metadata = NotebookNode(METADATA)
    for cell in notebook.cells:
        cell.metadata = NotebookNode({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def refresh(file: Path) -> None:
    """Execute a notebook in its own folder and write it back with its outputs."""
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(file.parent)}}
    ).execute()
    write_whole(file, nbformat.writes(clean(notebook)) + "\n")


def main() -> None:
    parser = door.Parser(prog="notebooks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--notebooks", type=door.filepath, default=Path("notebooks"), help="folder of the series"
    )
    options = parser.parse_args()
    for name in ("STROKEGAN_PROFILE", "STROKEGAN_DATA"):  # the reader's own choice is not committed
        os.environ.pop(name, None)
    os.environ |= dict.fromkeys(THREADS, "1")
    for file in masters(options.notebooks):
        refresh(file)
        print(f"refreshed {file}", flush=True)


if __name__ == "__main__":
    sys.exit(door.run(main, "notebooks"))

"""Run the master notebooks in place and keep their outputs: ``make notebooks``.

The outputs that are committed are the quick profile's on the default phantom. Live
widgets are left out (their picture stays): without a kernel they would only show an error.
"""

from __future__ import annotations

import os
import sys
from itertools import chain, count
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from strokegan_lib import command_line as door
from strokegan_lib.classroom.report import WIDGET
from strokegan_lib.classroom.tutorial import THREADS, masters
from strokegan_lib.errors import BadInput
from strokegan_lib.files import write_whole

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read(file: Path) -> NotebookNode:
    """A master, in the form in which it is committed, whoever saved it.

    Raises:
        BadInput: *file* is no notebook, or has no title.
    """
    try:  # nbformat.read would give a cell without an id another one each time
        notebook = clean(nbformat.v4.reads(file.read_text(encoding="utf-8")))
        nbformat.validate(notebook)
    except (ValueError, AttributeError, nbformat.ValidationError) as error:
        raise BadInput(file, "is no notebook", "restore it from git") from error
    if not notebook.cells or not _is_title(notebook.cells[0]):
        raise BadInput(file, "has no title", "begin a Markdown cell with # and the title")
    return notebook


def _is_title(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and cell.source.startswith("# ")


def clean(notebook: NotebookNode) -> NotebookNode:
    """Take out, in place, what changes by itself or says where it was made, and put the title first.

    Google Colab may leave a cell's id in its metadata alone, or nowhere, and may add its badge or an empty cell.
    """
    notebook.metadata, notebook.nbformat_minor = NotebookNode(METADATA), 5  # the first whose cells have ids
    cells = [c for c in notebook.cells if c.source.strip() and c.metadata.get("id") != "view-in-github"]
    title = next(filter(_is_title, cells), None)
    notebook.cells = sorted(cells, key=lambda cell: cell is not title)
    taken: set[str] = set()
    for place, cell in enumerate(notebook.cells):
        numbered = (f"place-{number}" for number in count(place))
        names = chain((cell.get("id"), cell.metadata.get("id")), numbered)
        cell.id = next(name for name in names if name and name not in taken)
        taken.add(cell.id)
        cell.metadata = NotebookNode({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def refresh(file: Path) -> None:
    """Execute a notebook in its own folder and write it back with its outputs."""
    notebook = read(file)
    NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(file.parent)}}
    ).execute()
    write_whole(file, nbformat.writes(clean(notebook)) + "\n")


def parser() -> door.Parser:
    options = door.Parser(prog="notebooks", description=__doc__.splitlines()[0])
    options.add_argument(
        "--notebooks", type=door.path, default=Path("notebooks"), help="folder of the series"
    )
    return options


def main() -> None:
    options = parser().parse_args()
    for name in ("STROKEGAN_PROFILE", "STROKEGAN_DATA"):  # the reader's own choice is not committed
        os.environ.pop(name, None)
    os.environ |= dict.fromkeys(THREADS, "1")
    for file in masters(options.notebooks):
        refresh(file)
        print(f"refreshed {file}", flush=True)


if __name__ == "__main__":
    sys.exit(door.run(main, "notebooks"))

"""Derive the students' and the instructor's edition of every notebook: ``make editions``.

The masters in notebooks/ hold everything. notebooks/student/ gets them without solutions and
notes, notebooks/instructor/ with solutions folded and notes beside a bar; neither holds outputs.
The editions are committed, and ``--check`` fails where one is not what its master gives.
"""

from __future__ import annotations

import copy
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from strokegan_lib import command_line as door
from strokegan_lib.classroom.badges import Home
from strokegan_lib.classroom.exercises import exercises, tags
from strokegan_lib.classroom.expected import expected
from strokegan_lib.classroom.masters import read
from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import write_whole

REMEDY = "run make editions (python -m strokegan_lib.classroom.editions)"
NOTICE = {
    "student": "*Student edition: the exercises are yours to write.*",
    "instructor": "*Instructor edition: solutions are folded, a click opens them; notes for you stand beside a bar.*",
}
# a border and no colours of text or ground: readable in dark and light; where styles are cut out, the words remain
BOX = '<div style="border-left: 6px solid #0072b2; padding-left: 16px">'
LINK = re.compile(r'(\]\(|\b(?:src|href)=")(?![\w+.-]+:|[#/])([^)"\s#]+)')


def student(master: NotebookNode, file: Path) -> NotebookNode:
    """The master without solutions and notes; what a solution shows is folded under its exercise.

    Raises:
        BadInput: an exercise is not whole.
    """
    found = {exercise.check[0].id: exercise for exercise in exercises(master, file)}
    edition = _bare(master)
    cells = []
    for cell in edition.cells:
        if not tags(cell) & {"solution", "instructor"}:
            cells.append(cell)
        if cell.id in found:
            cells += expected(found[cell.id])
    edition.cells = cells
    return edition


def instructor(master: NotebookNode, file: Path) -> NotebookNode:
    """The whole master, with the code of solutions folded and notes beside a bar.

    Raises:
        BadInput: an exercise is not whole.
    """
    exercises(master, file)
    edition = _bare(master)
    for cell in edition.cells:
        if cell.cell_type == "code" and "solution" in tags(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.cell_type == "markdown" and "instructor" in tags(cell):
            cell.source = f"{BOX}\n\n**For the instructor**\n\n{cell.source}\n\n</div>"
    return edition


MAKERS = {"student": student, "instructor": instructor}


def _bare(master: NotebookNode) -> NotebookNode:
    """A copy without outputs."""
    edition = copy.deepcopy(master)
    for cell in edition.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return edition


def edition_of(file: Path, name: str, home: Home) -> str:
    """The text of one edition.

    Args:
        file: the master.
        name: 'student' or 'instructor'.
        home: for the badges, which open the edition itself.

    Raises:
        BadInput: *file* is no notebook, has no title, or an exercise in it is not whole.
    """
    edition = MAKERS[name](read(file), file)
    badges = home.badges(f"{name}/{file.name}")
    for cell in edition.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(lambda link: _deeper(link, file.parent), cell.source)
            cell.source = home.mark(cell.source, f"{name}/{file.name}")
    title = edition.cells[0]
    title.source = title.source.replace(badges, f"{badges}\n\n{NOTICE[name]}", 1)
    title.source += (
        f"\n\n<!-- Derived from notebooks/{file.name} by `make editions`: change that file, not this one. -->"
    )
    return nbformat.writes(edition) + "\n"


def _deeper(link: re.Match, folder: Path) -> str:
    """A relative link as it must be one folder further down; another notebook's edition lies beside this one."""
    start, target = link.groups()
    stays = re.fullmatch(r"[0-9]{2}_\w+\.ipynb", target) or not (folder / target).exists()
    return link[0] if stays else f"{start}../{target}"


def derived(folder: Path) -> dict[Path, str]:
    """The path and text of every edition of the masters in *folder*.

    Raises:
        BadInput: no masters, one that is not whole, or no pyproject.toml beside the folder.
    """
    home = Home.read(folder.absolute().parent)
    return {
        folder / name / file.name: edition_of(file, name, home) for file in masters(folder) for name in MAKERS
    }


def differences(folder: Path) -> dict[Path, str]:
    """Every file that ``make editions`` would write or delete, and what is wrong with it."""
    wanted, wrong = derived(folder), {}
    for file, text in wanted.items():
        if not file.exists():
            wrong[file] = "is missing"
        elif file.read_bytes() != text.encode("utf-8"):
            wrong[file] = "is not what its master gives"
    for name in MAKERS:
        there = (folder / name).glob("[0-9][0-9]_*.ipynb")
        wrong |= {file: "has no master" for file in sorted(there) if file not in wanted}
    return wrong


def derive(folder: Path) -> list[Path]:
    """Write what differs and delete editions without a master.

    Returns:
        The files that changed.
    """
    wanted, changed = derived(folder), list(differences(folder))
    for file in changed:
        with writing(file, "free some space, and check who may write there"):
            if file not in wanted:
                file.unlink()
                continue
            file.parent.mkdir(exist_ok=True)
        write_whole(file, wanted[file])
    return changed


def parser() -> door.Parser:
    options = door.Parser(prog="editions", description=__doc__.splitlines()[0])
    options.add_argument(
        "--notebooks", type=door.path, default=Path("notebooks"), help="folder of the series"
    )
    options.add_argument("--check", action="store_true", help="only say whether they are up to date")
    return options


def main() -> None:
    options = parser().parse_args()
    if options.check:
        wrong = differences(options.notebooks)
        for file, what in wrong.items():
            more = f" (as {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise BadInput(file, f"{what}{more}", REMEDY)
        print("every edition is up to date")
        return
    changed = derive(options.notebooks)
    print("\n".join(f"derived {file}" for file in changed) or "every edition is up to date")


if __name__ == "__main__":
    sys.exit(door.run(main, "editions"))

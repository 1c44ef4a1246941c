"""A student edition, executed once: untouched, and with wrong and right answers put in between."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from strokegan_lib.classroom.editions import student
from strokegan_lib.classroom.exercises import exercises

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]


def master(number: str) -> Path:
    (file,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return file


def mistakes(number: str) -> dict[str, list[dict[str, str]]]:
    """The wrong answers for a notebook: function -> what each says, and its code."""
    return tomllib.loads((Path(__file__).parent / "mistakes" / f"{number}.toml").read_text(encoding="utf-8"))


@dataclass
class Verdicts:
    """What the check of one exercise printed."""

    untouched: str = ""
    wrong: list[str] = field(default_factory=list)
    right: str = ""


def run(number: str) -> dict[str, Verdicts]:
    """Execute the student edition of a notebook in the quick profile, in its own folder.

    After each check the wrong answers, the solution and at last the stub again are put in, each
    but the last followed by the check, so that the rest of the notebook runs as it is handed out.

    Returns:
        function -> verdicts.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    file = master(number)
    original = nbformat.read(file, as_version=4)
    edition, wrong = student(original, file), mistakes(number)
    cells: list[NotebookNode] = []
    asked: dict[str, list[NotebookNode]] = {}  # function -> its checks, in the order of the answers
    by_check = {exercise.check[0].id: exercise for exercise in exercises(original, file)}

    def put(source: str) -> NotebookNode:
        cells.append(nbformat.v4.new_code_cell(source))
        return cells[-1]

    for cell in edition.cells:
        cells.append(cell)
        if cell.get("id") not in by_check:
            continue
        exercise = by_check[cell.id]
        asked[exercise.function] = [cell]
        answers = [answer["code"] for answer in wrong.get(exercise.function, ())]
        for answer in (*answers, exercise.solution[0].source):
            put(answer)
            asked[exercise.function].append(put(cell.source))
        put(exercise.stub.source)
    edition.cells = cells
    folder = ROOT / "notebooks" / "student"
    client = NotebookClient(
        edition, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    with tempfile.TemporaryDirectory() as runs:  # not those of the master, which may train at the same time
        client.execute(env={**os.environ, "STROKEGAN_RUNS": runs})
    return {function: _verdicts(checks) for function, checks in asked.items()}


def _verdicts(checks: list[NotebookNode]) -> Verdicts:
    printed = ["".join(output.get("text", "") for output in check.outputs) for check in checks]
    return Verdicts(untouched=printed[0], wrong=printed[1:-1], right=printed[-1])

"""The exercises of a master notebook, found by the tags of its cells.

An exercise is a stub (a code cell tagged ``exercise`` whose function returns None), a ``hint``
(Markdown, folded), one or more code cells tagged ``solution``, and a ``check``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from strokegan_lib.errors import BadInput

PARTS = ("hint", "solution", "check")


@dataclass(frozen=True)
class Exercise:
    """One exercise: the function that the reader writes, and the cells around it."""

    function: str
    stub: NotebookNode
    hint: list[NotebookNode] = field(default_factory=list)
    solution: list[NotebookNode] = field(default_factory=list)
    check: list[NotebookNode] = field(default_factory=list)


def tags(cell: NotebookNode) -> frozenset[str]:
    return frozenset(cell.metadata.get("tags", ()))


def exercises(notebook: NotebookNode, file: Path) -> list[Exercise]:
    """The exercises of a master, in their order, each with all its parts.

    A Markdown cell tagged ``exercise`` (the next task, the open question) ends the one before.
    Markdown tagged ``solution`` is a comment on the answer and belongs to no check.

    Args:
        notebook: the master.
        file: where it comes from, for complaints.

    Raises:
        BadInput: a stub without hint, solution or check, or one of these without a stub.
    """
    found: list[Exercise] = []
    open_one: Exercise | None = None
    for cell in notebook.cells:
        code = cell.cell_type == "code"
        if "exercise" in tags(cell):
            open_one = Exercise(_function(cell, file), cell) if code else None
            found += [open_one] if code else []
        for part in PARTS:
            if part in tags(cell) and (code or part == "hint"):
                if open_one is None:
                    raise BadInput(
                        file,
                        f"cell {cell.id} is tagged {part}, but no stub stands before it",
                        "add the code cell tagged exercise",
                    )
                getattr(open_one, part).append(cell)
    for exercise in found:
        for part in PARTS:
            number = len(getattr(exercise, part))
            if number != 1 and not (part == "solution" and number > 1):
                raise BadInput(
                    file,
                    f"the exercise in cell {exercise.stub.id} has {number or 'no'} cells tagged {part}",
                    f"give it one {part}",
                )
        if not exercise.hint[0].source.startswith("<details>"):
            raise BadInput(
                file, f"the hint in cell {exercise.hint[0].id} is not folded", "begin it with <details>"
            )
    return found


def _function(stub: NotebookNode, file: Path) -> str:
    """Name of the function that a stub leaves to the reader."""
    try:
        body = ast.parse(stub.source).body
    except SyntaxError:
        body = []
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and "return None" in ast.unparse(statement):
            return statement.name
    raise BadInput(
        file, f"the stub in cell {stub.id} has no function that returns None", "write one for the reader"
    )


def lines_after(function: str, source: str) -> str:
    """What a solution does with the reader's function: the lines below its definition, or all of them."""
    ends = [
        statement.end_lineno or 0
        for statement in ast.parse(source).body
        if isinstance(statement, ast.FunctionDef) and statement.name == function
    ]
    return "\n".join(source.splitlines()[max(ends, default=0) :]).strip()

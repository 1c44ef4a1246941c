"""Derive the student notebooks: ``python notebooks/student.py`` (``make students``).

notebooks/student/ gets every lesson without solutions, notes for the instructor and outputs. What a solution
shows is folded under its exercise. The derived files are committed, and a test fails where one is out of date.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor
from nbformat import NotebookNode

from strokegan_lib.files import write_whole

HERE = Path(__file__).parent
NOTICE = "*Student edition: the exercises are yours to write.*"
DERIVED = "<!-- Derived from notebooks/{} by `make students`: change that file, not this one. -->"
BADGES = re.compile(r"^\[!\[Open in Colab.*$", re.M)
LINK = re.compile(r'(\]\(|\b(?:src|href)=")(?![\w+.-]+:|[#/]|\d\d_\w+\.ipynb)(?=[^)"\s#])')
MEASURED = "These numbers were measured or trained: yours may differ a little."


def lessons() -> list[Path]:
    """The numbered notebooks, in their order."""
    return sorted(HERE.glob("[0-9][0-9]_*.ipynb"))


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def student(file: Path) -> NotebookNode:
    """The student notebook of a lesson."""
    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # it lies one folder further down; other lessons lie beside it
            cell.source = LINK.sub(r"\1../", cell.source)
    notebook.cells = with_expected(notebook.cells)
    hidden = TagRemovePreprocessor(enabled=True, remove_cell_tags=["solution", "instructor"])
    for step in (hidden, ClearOutputPreprocessor(enabled=True)):
        notebook, _ = step.preprocess(notebook, {})
    title = notebook.cells[0]
    opens = {f"notebooks{sep}{file.name}": f"notebooks{sep}student{sep}{file.name}" for sep in ("/", "%2F")}
    for lesson, its_student in opens.items():
        title.source = title.source.replace(lesson, its_student)
    title.source = BADGES.sub(rf"\g<0>\n\n{NOTICE}", title.source) + "\n\n" + DERIVED.format(file.name)
    return notebook


def with_expected(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells, and at the end of each exercise what its solution and check show, folded."""
    found: list[NotebookNode] = []
    stub, answer = None, []
    for cell in cells:
        if cell.cell_type == "markdown" and "exercise" in tags(cell):  # the next task begins
            found += expected(stub, answer) if stub else []
            stub, answer = None, []
        elif cell.cell_type == "code" and "exercise" in tags(cell):
            stub = cell
        elif cell.cell_type == "code" and tags(cell) & {"solution", "check"}:
            answer.append(cell)
        found.append(cell)
    return found


def expected(stub: NotebookNode, answer: list[NotebookNode]) -> list[NotebookNode]:
    """A folded Markdown cell with what the cells of an answer show; none where they show nothing."""
    function = function_of(stub)
    parts, pictures = [], NotebookNode()
    for cell in sorted(answer, key=lambda cell: "check" in tags(cell)):
        shown = []
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{function}-{len(pictures) + 1}.png"
                pictures[name] = {"image/png": data["image/png"].replace("\n", "")}
                alt = re.sub(r"([][])", r"\\\1", output.metadata["image/png"]["alt"])
                shown.append(f"![{alt}](attachment:{name})")
        text = "".join(output.get("text", "") for output in cell.outputs).removesuffix("Right.\n")
        if text:
            shown.insert(0, f"```text\n{text.rstrip()}\n```")
        lines = after(function, cell.source) if "solution" in tags(cell) else ""
        if shown and lines:
            parts += ["With your function, these lines", f"```python\n{lines}\n```", "show"]
        parts += shown
        if shown and "nbval-ignore-output" in tags(cell):
            parts.append(MEASURED)
    if not parts:
        return []
    text = "\n\n".join(["<details><summary>What you should see</summary>", *parts, "</details>"])
    cell = nbformat.v4.new_markdown_cell(text, id=f"{stub.id[:55]}-expected")
    return [NotebookNode(cell, attachments=pictures) if pictures else cell]


def function_of(stub: NotebookNode) -> str:
    """The function that a stub leaves to the reader: the one that returns None."""
    functions = [node for node in ast.parse(stub.source).body if isinstance(node, ast.FunctionDef)]
    return next(node.name for node in functions if "return None" in ast.unparse(node))


def after(function: str, source: str) -> str:
    """The lines of a solution below the definition of the reader's function, which use it."""
    defined = [node for node in ast.parse(source).body if getattr(node, "name", "") == function]
    return "\n".join(source.splitlines()[defined[0].end_lineno if defined else 0 :]).strip()


def derive() -> None:
    """Write the student notebook of every lesson; one without a lesson is deleted."""
    folder, files = HERE / "student", lessons()
    folder.mkdir(exist_ok=True)
    for orphan in {file.name for file in folder.glob("*.ipynb")} - {file.name for file in files}:
        (folder / orphan).unlink()
    for file in files:
        write_whole(folder / file.name, nbformat.writes(student(file)) + "\n")


if __name__ == "__main__":
    derive()
    print(f"derived {len(lessons())} notebooks in {HERE / 'student'}")

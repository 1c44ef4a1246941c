"""Derive the student notebooks: ``python notebooks/student.py`` (``make students``).

notebooks/student/ gets every lesson without solutions, instructor notes and outputs; what a solution shows is folded
under its exercise. A test fails where one is out of date.
"""

import ast
import re
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from strokegan_lib.files import write_whole

HERE = Path(__file__).parent
NOTICE = "*Student edition: the exercises are yours to write.*"
DERIVED = "\n\n<!-- Derived from notebooks/{} by `make students`: change that file, not this one. -->"
MEASURED = "These numbers were measured or trained: yours may differ a little."
RELATIVE = re.compile(r'(\]\(|\b(?:src|href)=")(?![\w+.-]+:|[#/]|\d\d_\w+\.ipynb|[)"])')


def lessons() -> list[Path]:
    """The numbered notebooks, in their order."""
    return sorted(HERE.glob("[0-9][0-9]_*.ipynb"))


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def student(file: Path) -> NotebookNode:
    """The student notebook of a lesson."""
    notebook = nbformat.read(file, as_version=4)
    cells, stub, answer = [], None, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = RELATIVE.sub(r"\1../", cell.source)  # one folder further down
            if "exercise" in tags(cell):  # the next task begins
                cells += expected(stub, answer) if stub else []
                stub, answer = None, []
        elif "exercise" in tags(cell):
            stub = cell
        elif tags(cell) & {"solution", "check"}:
            answer.append(deepcopy(cell))
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells += [] if tags(cell) & {"solution", "instructor"} else [cell]
    notebook.cells, title = cells, cells[0]
    here = re.sub(rf"notebooks(/|%2F){file.name}", rf"notebooks\g<1>student\g<1>{file.name}", title.source)
    title.source = re.sub(r"(\[!\[Open in Colab.*)", rf"\1\n\n{NOTICE}", here) + DERIVED.format(file.name)
    return notebook


def expected(stub: NotebookNode, answer: list[NotebookNode]) -> list[NotebookNode]:
    """A folded cell with what the cells of an answer show; none where they show nothing."""
    function, parts, pictures = function_of(stub), [], NotebookNode()
    for cell in sorted(answer, key=lambda cell: "check" in tags(cell)):
        text = "".join(output.get("text", "") for output in cell.outputs).removesuffix("Right.\n").rstrip()
        shown = [f"```text\n{text}\n```"] if text else []
        for output in (output for output in cell.outputs if "image/png" in output.get("data", {})):
            name = f"{function}-{len(pictures) + 1}.png"
            pictures[name] = {"image/png": output.data["image/png"].replace("\n", "")}
            alt = re.sub(r"([][])", r"\\\1", output.metadata["image/png"]["alt"])
            shown.append(f"![{alt}](attachment:{name})")
        ends = [n.end_lineno for n in ast.parse(cell.source).body if getattr(n, "name", "") == function]
        lines = "\n".join(cell.source.splitlines()[max(ends, default=0) :]).strip()  # they use the function
        if shown and lines and "solution" in tags(cell):
            parts += ["With your function, these lines", f"```python\n{lines}\n```", "show"]
        parts += shown
        parts += [MEASURED] if shown and "nbval-ignore-output" in tags(cell) else []
    text = "\n\n".join(["<details><summary>What you should see</summary>", *parts, "</details>"])
    more = {"attachments": pictures} if pictures else {}
    cell = nbformat.v4.new_markdown_cell(text, id=f"{stub.id[:55]}-expected", **more)
    return [cell] if parts else []


def function_of(stub: NotebookNode) -> str:
    """The function that a stub leaves to the reader: the one that returns None."""
    return next(n.name for n in ast.parse(stub.source).body if "return None" in ast.unparse(n))


def derive() -> None:
    """Write the student notebook of every lesson."""
    for file in lessons():
        write_whole(HERE / "student" / file.name, nbformat.writes(student(file)) + "\n")


if __name__ == "__main__":
    derive()

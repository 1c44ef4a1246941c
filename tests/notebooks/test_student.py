"""The student notebooks are derived, and run to their end as they are handed out.

That none uses a variable of a solution is found by ruff, which checks them too.
"""

import re
from pathlib import Path

import nbformat
import pytest
from student import function_of, lessons, student, tags


@pytest.mark.parametrize("file", lessons(), ids=lambda file: file.name[:2])
def test_derived_and_nothing_rests_on_an_answer(file: Path):
    derived, there = student(file), nbformat.read(file.parent / "student" / file.name, as_version=4)
    nbformat.validate(derived)
    assert {f.name for f in (file.parent / "student").iterdir()} == {f.name for f in lessons()}
    assert there == derived, "run make students"
    code = [cell for cell in derived.cells if cell.cell_type == "code"]
    functions = {function_of(cell) for cell in code if "exercise" in tags(cell)}
    for cell in code:
        assert not tags(cell) & {"solution", "instructor"}
        called = functions & set(re.findall(r"(?<![.\w])(?<!def )(\w+)\(", cell.source))
        assert not called or "check" in tags(cell), (cell.id, called)

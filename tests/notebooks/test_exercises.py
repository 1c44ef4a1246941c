"""Every exercise of every student notebook: its stub, two wrong answers, and the solution; and the files themselves.

Only the cells that an exercise rests on run, in one kernel for all notebooks, and trainings make four steps.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from cells import code_cells, needed, needs_and_gives
from kernels import ROOT, SHORT, TOO_SHORT, Kernel, kernel
from student import function_of, lessons, student, tags

from strokegan_lib.data.slices import SliceSet

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LESSONS = pytest.mark.parametrize("file", lessons(), ids=lambda file: file.stem[:2])


@pytest.fixture(scope="module")
def session(phantom: SliceSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel({"STROKEGAN_RUNS": str(tmp_path_factory.mktemp("runs"))}) as started:
        started.run(SHORT)
        yield started


@LESSONS
def test_checks_know_the_stub_the_mistakes_and_the_solution(file: Path, session: Kernel):
    mistakes = (ROOT / "tests/notebooks/mistakes" / f"{file.stem[:2]}.toml").read_text(encoding="utf-8")
    wrong = tomllib.loads(mistakes)
    session.run("%reset -f")
    cells, stub, done = [], None, set()  # cells: those of the student notebook so far
    functions = []
    for cell in code_cells(file):
        if "exercise" in tags(cell):
            stub, solution = cell, None
        elif "solution" in tags(cell):
            solution = solution or cell
            continue
        elif "check" in tags(cell):
            function = function_of(stub)
            functions.append(function)
            for before in needed(cells, f"{solution.source}\n{cell.source}"):
                if before.id not in done:
                    _, error = session.try_cell(before.source)
                    assert not error or TOO_SHORT in error, (before.id, error)
                    done.add(before.id)
            assert session.run(stub.source, cell.source) == "To do: your code returns None so far.\n"
            assert len(wrong[function]) >= 2
            for mistake in wrong[function]:
                verdict = session.run(mistake["code"], cell.source)
                assert verdict.startswith("Not yet: it ") and verdict.count("\n") == 1
                assert mistake["says"] in verdict.split(" You have ")[0]
            assert session.run(solution.source, cell.source).endswith("Right.\n")
            session.run(stub.source)
        cells.append(cell)
    assert sorted(functions) == sorted(wrong) and len(functions) >= 3


@LESSONS
def test_nothing_else_rests_on_a_solution(file: Path):
    """So a student notebook runs to its end as it is handed out."""
    answers, given, functions = set(), set(), set()
    for cell in code_cells(file):
        needs, gives, _ = needs_and_gives(cell.source)
        if "solution" in tags(cell):
            answers |= gives
            continue
        assert not needs & (answers - given), cell.id
        assert "check" in tags(cell) or not needs & functions, cell.id
        given |= gives
        functions |= {function_of(cell)} if "exercise" in tags(cell) else set()


@LESSONS
def test_the_student_notebook_is_derived(file: Path):
    derived, there = student(file), nbformat.read(file.parent / "student" / file.name, as_version=4)
    nbformat.validate(derived)
    assert {f.name for f in (file.parent / "student").iterdir()} == {f.name for f in lessons()}
    assert there == derived, "run make students"
    assert not any(tags(cell) & {"solution", "instructor"} for cell in derived.cells)

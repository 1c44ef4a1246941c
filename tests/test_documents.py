"""Terms, plans and marks in docs/ that readers rely on; broken links are found when the site is built."""

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from repository import ROOT
from student import lessons

DOCS = ROOT / "docs"
NOTEBOOKS = lessons()
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")
TERM = re.compile(r"^### (.+)\n([^#]*)", re.M)
TERM_LINK = re.compile(r"\]\(https://github\.com/[^)]+/docs/glossary\.md#([^)]*)\)")
UNSEEN = {"exercise", "hint", "solution", "check", "quiz", "instructor"}  # filled in, or folded away


def anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


TERMS = {anchor(term): text for term, text in TERM.findall(GLOSSARY)}


def page(name: str) -> str:
    return (DOCS / "instructors" / name).read_text(encoding="utf-8")


def table(text: str, heading: str) -> list[list[str]]:
    """Cells of the first table under a heading, without its head."""
    lines = re.search(rf"^#+ {heading}.*\n(?:[^|#\n].*\n|\n)*((?:\|.*\n)+)", text, re.M)[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_links_terms_that_exist_once_and_where_a_student_reads(file: Path):
    cells = nbformat.read(file, as_version=4).cells
    linked = [name for cell in cells for name in TERM_LINK.findall(cell.source)]
    assert len(set(linked)) == len(linked) > 5 and set(linked) <= TERMS.keys()
    for cell in (cell for cell in cells if TERM_LINK.search(cell.source)):
        assert cell.cell_type == "markdown" and not UNSEEN & set(cell.metadata.get("tags", ()))
    assert {name for name, text in TERMS.items() if f"](../notebooks/{file.name})" in text} <= set(linked)


def test_every_term_is_introduced_where_it_is_first_linked_and_no_two_share_an_anchor():
    assert len(TERMS) == len(TERM.findall(GLOSSARY)) > 100
    first: dict[str, str] = {}
    for file in NOTEBOOKS:
        for name in TERM_LINK.findall(file.read_text(encoding="utf-8")):
            first.setdefault(name, file.name)
    named = {
        term: re.search(r"^Introduced in \[[^]]+\]\(\.\./notebooks/([^)]+)\)", text, re.M)
        for term, text in TERMS.items()
    }
    assert {term: found and found[1] for term, found in named.items()} == {
        term: first.get(term) for term in TERMS
    }


@pytest.mark.parametrize("plan", ["Day one", "Day two", "One lesson of 90 minutes"])
def test_minutes_of_a_plan_add_up(plan: str):
    rows = table(page("schedules.md"), plan)
    minutes = [(60 * int(start[:2]) + int(start[3:]), int(lasts)) for start, lasts, *_ in rows]
    assert [one for one, (end, _) in pairwise(minutes) if sum(one) != end] == []


def test_lessons_last_90_minutes_and_marks_add_up():
    lessons = table(page("schedules.md"), "Twelve lessons")
    assert [row[1] for row in lessons] == [file.name[:2] for file in NOTEBOOKS]
    assert [row for row in lessons if not sum(map(int, row[2:6])) == int(row[6]) == 90] == []
    for file, row in zip(NOTEBOOKS, lessons, strict=True):
        there = re.findall(r'"### (\d)\. ', file.read_text(encoding="utf-8"))
        assert set(re.findall(r"exercise (\d)", row[7])) <= set(there), row
    marks = table(page("assessment.md"), "Marking")
    assert sum(int(row[1]) for row in marks[:-1]) == 100 and marks[-1][1] == "**100**"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_outcomes_for_instructors_are_the_notebooks_own(file: Path):
    head = nbformat.read(file, as_version=4).cells[0].source
    listed = re.search(r"\*\*After it you will be able to\*\*\n(.*)\*\*Time:\*\*", head, re.S)[1]
    objectives = re.findall(r"^\d+\. (.+?)(?=\n\d+\. |\n*\Z)", listed.strip(), re.M | re.S)
    told = [row[0] for row in table(page("notebook-by-notebook.md"), file.name[:2])]
    assert told == [" ".join(one.split()).rstrip(";.") for one in objectives]

"""The instructors' pages agree with the notebooks, with themselves, and with what was measured."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted((*DOCS.glob("instructors/*.md"), DOCS / "ethics.md", DOCS / "glossary.md"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def page(name: str) -> str:
    return (DOCS / "instructors" / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading that begins so, up to the next heading."""
    return re.split(r"^#+ ", re.split(rf"^#+ {re.escape(heading)}.*\n", text, flags=re.M)[1], flags=re.M)[0]


def rows(text: str) -> list[list[str]]:
    """Cells of the first table in a text, without its head."""
    lines = re.search(r"(?:^\|.*\n)+", text, re.M).group().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def first_cell(file: Path) -> str:
    return nbformat.read(file, as_version=4).cells[0].source


def anchors(file: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[*`]", "", head).lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.name)
def test_outcomes_are_the_notebooks_own(file: Path):
    cell = first_cell(file)
    listed = cell.split("**After it you will be able to**")[1].split("**Time:**")[0]
    objectives = re.findall(r"^\d+\. (.+?)(?=\n\d+\. |\n*\Z)", listed.strip(), re.M | re.S)
    told = section(page("notebook-by-notebook.md"), file.name[:2])
    assert [row[0] for row in rows(told)] == [" ".join(one.split()).rstrip(";.") for one in objectives]
    assert f"(../../notebooks/{file.name})" in told and "**Pause and ask**" in told and ".svg)" in told


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.name)
def test_exercises_that_are_named_are_there(file: Path):
    cells = nbformat.read(file, as_version=4).cells
    there = {number for cell in cells for number in re.findall(r"^### (\d)\. ", cell.source, re.M)}
    told = section(page("notebook-by-notebook.md"), file.name[:2])
    named = re.findall(r"exercises? (\d)(?:(?:, | and )(\d))?", told, re.I)
    for plan in ("Day one", "Day two"):
        for row in rows(section(page("schedules.md"), plan)):
            if row[2].startswith(file.name[:2]):
                named += re.findall(r"exercises? (\d)(?: and (\d))?", row[2])
    assert {number for pair in named for number in pair if number} <= there


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return 60 * int(hours) + int(rest)


@pytest.mark.parametrize("plan", ["Day one", "Day two", "One lesson of 90 minutes"])
def test_minutes_of_a_day_add_up(plan: str):
    table = rows(section(page("schedules.md"), plan))
    for (start, length, _), (following, _, _) in pairwise(table):
        assert minutes(start) + int(length) == minutes(following), start
    assert table[-1][1:] == ["0", "end"]


def test_lessons_last_90_minutes_and_cover_the_series():
    table = rows(section(page("schedules.md"), "Twelve lessons"))
    assert [row[1] for row in table] == [file.name[:2] for file in NOTEBOOKS]
    for row in table:
        assert sum(map(int, row[2:6])) == int(row[6]) == 90, row


def test_points_add_up():
    table = rows(section(page("assessment.md"), "Marking"))
    assert sum(int(row[1]) for row in table[:-1]) == 100 and table[-1][1] == "**100**"
    eight = re.findall(r"^\d\. ", section(page("assessment.md"), "Honest statistics"), re.M)
    (statistics,) = [int(row[1]) for row in table if row[0] == "statistics"]
    assert 3 * len(eight) + 1 == statistics


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path):
    text = re.sub(r"`[^`\n]*`|(?m:^    .*$)", "", file.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(((?!http)[^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        there = (file.parent / path) if path else file
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("sketch", sorted((DOCS / "instructors").glob("*.svg")), ids=lambda file: file.name)
def test_sketches_are_told_in_words_and_shown(sketch: Path):
    title = ElementTree.parse(sketch).getroot().find("{http://www.w3.org/2000/svg}title")
    assert len(title.text) > 20
    (alt,) = re.findall(rf"!\[([^]]*)\]\({sketch.name}\)", page("notebook-by-notebook.md"))
    assert len(alt) > 20


def test_every_page_is_reached_from_the_first():
    first = page("index.md")
    for file in PAGES:
        assert f"({Path('..') / file.name})" in first or f"({file.name})" in first or file.name == "index.md"

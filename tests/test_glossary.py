"""The glossary and the notebooks point at each other, and nowhere else."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(https://github\.com/[^/\s)]+/[^/\s)]+/blob/[^\s)]+?/docs/glossary\.md#([^\s)]*)\)")
NOT_HERE = {
    "exercise",
    "hint",
    "solution",
    "check",
    "quiz",
    "instructor",
}  # what students fill in, or do not see


def anchor(term: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", term.lower()).replace(" ", "-")


def entries() -> dict[str, str]:
    """Term -> its text."""
    parts = re.split(r"^### (.+)\n", GLOSSARY, flags=re.M)
    return dict(
        zip(parts[1::2], (re.split(r"^## ", text, flags=re.M)[0] for text in parts[2::2]), strict=True)
    )


ANCHORS = {anchor(term) for term in entries()}


@cache
def linked(file: Path) -> list[str]:
    """Anchors that a notebook links, in order."""
    cells = nbformat.read(file, as_version=4).cells
    return [name for cell in cells for name in LINK.findall(cell.source)]


def test_terms_are_in_order_and_no_two_share_an_anchor():
    terms = list(entries())
    plain = [unicodedata.normalize("NFKD", term).encode("ascii", "ignore").decode().lower() for term in terms]
    assert plain == sorted(plain) and len(ANCHORS) == len(terms) > 100


@pytest.mark.parametrize("term", entries())
def test_a_term_says_where_it_is_introduced_and_that_notebook_links_it(term: str):
    text = entries()[term]
    (path,) = re.findall(r"^Introduced in \[.+\]\(\.\./(notebooks/\w+\.ipynb)\)", text, re.M)
    assert anchor(term) in linked(ROOT / path), path
    for other in re.findall(r"\]\(#([^)]+)\)", text):
        assert other in ANCHORS - {anchor(term)}, other
    assert 40 < len(text.split("Introduced in")[0]) < 420, "two or three short sentences"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.name)
def test_a_notebook_links_terms_once_and_where_a_student_reads(file: Path):
    names = linked(file)
    assert set(names) <= ANCHORS and len(set(names)) == len(names)
    assert 8 <= len(names) <= 20
    for cell in nbformat.read(file, as_version=4).cells:
        if LINK.search(cell.source):
            assert cell.cell_type == "markdown" and not NOT_HERE & set(cell.metadata.get("tags", []))
            assert not any(LINK.search(line) for line in cell.source.splitlines() if line.startswith("#"))

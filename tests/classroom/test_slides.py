"""The rule that makes slides of a notebook, on a small one; and the decks of the series."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from strokegan_lib.classroom.publish.outline import ROOM, slides
from strokegan_lib.classroom.slides import deck, write

FILE = Path("00_small.ipynb")
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
WIDE = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAABCAAAAAD4X6KDAAAADUlEQVR4nGNgYGD4DwABBAEAjxxqcAAAAABJRU5ErkJggg=="
TITLE = "# 00 · Small\n\n[![Open in Colab](https://x.org/a.svg)](https://x.org)\n\nWhy it matters.\n\n**After it you will be able to**\n\n1. see;\n2. tell."


def tagged(cell: NotebookNode, *tags: str) -> NotebookNode:
    cell.metadata["tags"] = list(tags)
    return cell


def drawn(alt: str) -> NotebookNode:
    picture = new_output(
        "display_data", {"image/png": WIDE, "text/plain": alt}, metadata={"image/png": {"alt": alt}}
    )
    return new_code_cell("draw()", outputs=[picture])


def made(*cells: NotebookNode) -> list:
    return slides(new_notebook(cells=[new_markdown_cell(TITLE), *cells]), FILE)


def test_a_deck_opens_with_title_and_aims():
    title, aims = made()
    assert (title.heading, title.blocks) == ("00 · Small", ["Why it matters."])
    assert aims.blocks == ["1. see;\n2. tell."]


def test_a_heading_gives_its_first_paragraph_and_the_rest_is_told():
    slide = made(new_markdown_cell("## 1. One\n\nFirst.\n\nSecond."))[-1]
    assert (slide.heading, slide.blocks, slide.notes) == ("1. One", ["First."], ["Second."])


def test_an_equation_comes_with_the_sentence_that_leads_to_it():
    *_, first, second = made(
        new_markdown_cell("## One\n\nFirst:\n\n$$a = b$$\n\nMore."), new_markdown_cell("Hence\n$$c = d$$")
    )
    assert first.blocks == ["First:", "$$a = b$$"] and first.notes == ["More."]
    assert second.blocks == ["Hence", "$$c = d$$"] and second.heading == "One"


def test_a_wide_figure_joins_the_words_before_it_and_a_second_one_stands_alone():
    *_, both, alone = made(
        new_markdown_cell("## One\n\nShort."), drawn("a line that rises"), drawn("a line that falls")
    )
    assert both.blocks == ["Short."] and both.picture[1] == "a line that rises"
    assert not alone.blocks and alone.picture[1] == "a line that falls" and "a line that falls" in alone.notes


def test_tasks_are_whole_and_their_solutions_stay_away():
    task = tagged(new_markdown_cell("### 1. Task\n\nDo this.\n\nAnd that."), "exercise")
    solved = [tagged(new_markdown_cell("the answer"), "solution"), tagged(drawn("the answer"), "solution")]
    hint = tagged(new_markdown_cell("<details>the answer</details>"), "hint")
    note = tagged(new_markdown_cell("Ask why."), "instructor")
    made_of = made(task, hint, *solved, note)
    assert made_of[-1].blocks == ["Do this.", "And that."] and made_of[-1].kind == "task"
    assert "the answer" not in str(made_of)
    assert made_of[-1].notes == ["**For the instructor.** Ask why."]


def test_the_recap_is_whole_and_references_are_left_out():
    shown = made(new_markdown_cell("## Recap\n\n* one\n* two\n\nNext: more.\n\n## References\n\n1. A book."))
    assert shown[-1].blocks == ["* one\n* two", "Next: more."]


def test_what_is_long_goes_on_the_next_slide_and_nothing_is_lost():
    task = "\n\n".join(f"Sentence {n} has some words. " + "And more of them follow. " * 12 for n in range(4))
    parts = made(tagged(new_markdown_cell(f"### Task\n\n{task}"), "exercise"))[2:]
    assert len(parts) > 1 and {part.heading for part in parts} == {"Task"}
    assert " ".join(" ".join(block for part in parts for block in part.blocks).split()) == " ".join(
        task.split()
    )
    assert all(sum(map(len, part.blocks)) <= ROOM for part in parts)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_deck_of_the_series_is_one_file_without_network_and_shows_every_figure(file: Path):
    master = nbformat.read(file, as_version=4)
    html = deck(master, file)
    assert not re.search(r'(src|href)="(?!data:)|url\(|@import', html)
    assert "$$" not in re.sub(r"<(code|script)>.*?</\1>", "", html, flags=re.S)
    figures = sum(
        "image/png" in output.get("data", {})
        for cell in master.cells
        if cell.cell_type == "code" and not {"solution", "check"} & set(cell.metadata.get("tags", []))
        for output in cell.outputs
    )
    assert html.count("<img ") == figures
    headings = re.findall(
        r"(?m)^##+ (.+)$", "\n".join(c.source for c in master.cells if c.cell_type == "markdown")
    )
    assert len(re.findall("<section", html)) > len(headings) / 2


def test_every_master_gets_a_deck(tmp_path: Path):
    assert [file.stem for file in write(NOTEBOOKS[0].parent, tmp_path / "out")] == [
        file.stem for file in NOTEBOOKS
    ]
    assert all((tmp_path / "out" / f"{file.stem}.html").stat().st_size > 10_000 for file in NOTEBOOKS)

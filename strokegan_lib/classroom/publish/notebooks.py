"""A master notebook as pages of the site: the lesson as a student reads it, and its solutions.

The pages are derived from the master's tags, as the editions are, but keep the committed outputs.
Every picture becomes a file with a name that the gallery can link to.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from strokegan_lib.classroom.badges import BADGES, Home
from strokegan_lib.classroom.editions import student
from strokegan_lib.classroom.exercises import tags
from strokegan_lib.classroom.records import MIME, alt_of
from strokegan_lib.classroom.report import WIDGET, title_of

HEADING = re.compile(r"^#{2,4} (.+)$", re.M)


@dataclass(frozen=True)
class Picture:
    """A figure on a page: its name there, which is its file's too, and the words for it."""

    name: str
    alt: str
    png: bytes


def lesson(master: NotebookNode, file: Path, home: Home) -> tuple[NotebookNode, list[Picture]]:
    """The page of a notebook: without solutions and notes, with the outputs of the lesson.

    Raises:
        BadInput: an exercise is not whole.
    """
    outputs = {cell.id: cell.get("outputs", []) for cell in master.cells}
    page = student(master, file)
    for cell in page.cells:
        if cell.cell_type == "code" and not tags(cell) & {"exercise", "check"}:
            cell.outputs = copy.deepcopy(outputs[cell.id])
    first = page.cells[0]
    first.source = BADGES.sub(lambda _: _doors(home, file), first.source)
    for cell in page.cells:
        if cell.cell_type == "code" and ("google.colab" in cell.source or "parameters" in tags(cell)):
            cell.metadata["tags"] = ["hide-cell"]  # plumbing: there for those who look
    return page, _pictures(page, f"figure-{file.name[:2]}")


def solutions(master: NotebookNode, file: Path) -> tuple[NotebookNode, list[Picture]]:
    """The page of a notebook's solutions: each task, its solution and what the instructor should know."""
    title = title_of(master, file.stem)
    page = nbformat.v4.new_notebook(metadata=master.metadata)
    page.cells = [
        nbformat.v4.new_markdown_cell(
            f"# {title}: solutions and notes\n\nTasks, solutions and notes of [the notebook](../notebooks/{file.name}).",
            id="title",
        )
    ]
    heading, told = "", ""
    for cell in master.cells:
        markdown = cell.cell_type == "markdown"
        task = markdown and "exercise" in tags(cell)
        if markdown and (found := HEADING.findall(cell.source)):
            heading = found[-1]
            told = heading if task else told
        if not task and not tags(cell) & {"solution", "instructor"}:
            continue
        if heading != told:
            beside = nbformat.v4.new_markdown_cell(f"## Beside “{heading}”", id=f"{cell.id[:57]}-beside")
            page.cells.append(beside)
            told = heading
        page.cells.append(copy.deepcopy(cell))
    return page, _pictures(page, f"solution-{file.name[:2]}")


def gallery(series: dict[str, tuple[str, list[Picture]]]) -> str:
    """The page with every figure of the lessons.

    Args:
        series: file name of a notebook -> its title and the pictures of its page.
    """
    parts = [
        "# Gallery\n\nEvery figure of the series, each with its words for those who cannot see it. "
        "A picture leads to its place in its notebook."
    ]
    for name, (title, pictures) in series.items():
        if not pictures:
            continue
        parts.append(f"## {title}")
        parts.append("::::{container} gallery")
        for picture in pictures:
            stem = name.removesuffix(".ipynb")
            parts.append(
                f":::{{figure}} notebooks/figures/{picture.name}.png\n"
                f":target: notebooks/{stem}.html#{picture.name}\n"
                f":alt: {json.dumps(picture.alt, ensure_ascii=False)}\n:loading: lazy\n\n{_escaped(picture.alt)}\n:::"
            )
        parts.append("::::")
    return "\n\n".join(parts) + "\n"


def _doors(home: Home, file: Path) -> str:
    """Where else the notebook can be had: links in words, for the badges are pictures from elsewhere."""
    edition = f"student/{file.name}"
    return (
        f"[Open in Colab]({home.colab(edition)}) · [Launch Binder]({home.binder(edition)}) · "
        f'<a href="../slides/{file.stem}.html">Slides</a> · [Solutions](../solutions/{file.name})'
    )


def _pictures(page: NotebookNode, prefix: str) -> list[Picture]:
    """Turn, in place, every picture of a page into a figure with a name and a file, and return them."""
    found: list[Picture] = []

    def figure(png: str, alt: str) -> str:
        found.append(Picture(f"{prefix}-{len(found) + 1}", " ".join(alt.split()), base64.b64decode(png)))
        words = json.dumps(found[-1].alt, ensure_ascii=False)
        return f"```{{figure}} figures/{found[-1].name}.png\n:name: {found[-1].name}\n:alt: {words}\n```"

    for cell in page.cells:
        for name, data in cell.pop("attachments", {}).items():
            at = re.compile(rf"!\[((?:\\.|[^\]\\])*)\]\(attachment:{re.escape(name)}\)")
            alt = re.sub(r"\\(.)", r"\1", at.search(cell.source)[1])
            markdown = figure(data["image/png"], alt)
            cell.source = at.sub(lambda _, markdown=markdown: markdown, cell.source)
        if cell.cell_type == "code":  # what a notebook records is meant for the report
            cell.outputs = [output for output in cell.outputs if MIME not in output.get("data", {})]
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            data.pop(WIDGET, None)  # without a kernel it is nothing; its picture stands beside it
            if "image/png" in data:
                output.data = NotebookNode({"text/markdown": figure(data["image/png"], alt_of(output))})
                output.metadata = NotebookNode()
    return found


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>$#|:])", r"\\\1", text)

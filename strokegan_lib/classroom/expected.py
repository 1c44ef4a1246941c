"""What readers should see under an exercise: what its solution shows in the master, folded."""

from __future__ import annotations

import re

import nbformat
from nbformat import NotebookNode

from strokegan_lib.classroom.exercises import Exercise, lines_after, tags
from strokegan_lib.classroom.records import MIME, alt_of


def expected(exercise: Exercise) -> list[NotebookNode]:
    """What the solution and the check show, as a folded Markdown cell; none where they show nothing."""
    parts, pictures = [], {}
    for cell in (*exercise.solution, *exercise.check):
        shown = []
        for kind, content, alt in _seen(cell):
            if kind == "text":
                shown.append(_fenced(content.rstrip("\n"), "text"))
            else:
                name = f"{exercise.function}-{len(pictures) + 1}.png"
                pictures[name] = {"image/png": content}
                shown.append(f"![{alt}](attachment:{name})")
        lines = lines_after(exercise.function, cell.source) if "solution" in tags(cell) else ""
        if shown and lines:
            parts += ["With your function, these lines", _fenced(lines, "python"), "show"]
        parts += shown
        if shown and "nbval-ignore-output" in tags(cell):
            parts.append("These numbers were measured or trained: yours may differ a little.")
    if not parts:
        return []
    text = "\n\n".join(["<details><summary>What you should see</summary>", *parts, "</details>"])
    cell = nbformat.v4.new_markdown_cell(text, id=f"{exercise.stub.id[:55]}-expected")
    if pictures:
        cell.attachments = NotebookNode(pictures)
    return [cell]


def _seen(cell: NotebookNode) -> list[tuple[str, str, str]]:
    """What a cell shows: ('text', text, '') and ('picture', base64 of a PNG, alternative text)."""
    seen: list[tuple[str, str, str]] = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            alt = re.sub(r"([\[\]\\])", r"\\\1", alt_of(output))
            seen.append(("picture", data["image/png"].replace("\n", ""), alt))
        elif MIME not in data:
            text = output.get("text") or data.get("text/plain", "") + "\n"
            if seen and seen[-1][0] == "text":  # what is printed may arrive in pieces
                text = seen.pop()[1] + text
            seen.append(("text", text, ""))
    return [part for part in seen if part[1].strip() != "Right."]


def _fenced(text: str, language: str) -> str:
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}{language}\n{text}\n{fence}"

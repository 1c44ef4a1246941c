"""Which slides a master notebook gives.

By rule: a title; what one will be able to do; for every heading its first paragraph and its
equations; every figure, beside the words that lead to it where there is room; the tasks of the
exercises; the recap. What else the text says, and the notes for the instructor, are speaker notes.
"""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from strokegan_lib.classroom.badges import BADGE
from strokegan_lib.classroom.exercises import tags
from strokegan_lib.classroom.records import alt_of
from strokegan_lib.classroom.report import title_of

ROOM = 600  # characters that a slide holds at its size; an equation or a line of a list counts for more
EQUATION, LINE = 130, 60
HEIGHT_OF_A_SQUARE = 1.7  # of a picture as wide as the slide, in heights of what is below the heading
HEADING = re.compile(r"^(#{2,4}) (.+)$")
WHOLE = ("Recap",)  # sections that are shown in full


@dataclass
class Slide:
    """One slide: its heading, blocks of Markdown, perhaps a picture, and notes."""

    heading: str
    blocks: list[str] = field(default_factory=list)
    picture: tuple[str, str] | None = None  # base64 of a PNG, alternative text
    notes: list[str] = field(default_factory=list)
    kind: str = "text"


def slides(master: NotebookNode, file: Path) -> list[Slide]:
    """The slides of a master, in order.

    Args:
        master: the notebook, with its outputs.
        file: where it comes from; its name stands for a missing title.
    """
    first, *cells = master.cells
    deck = _opening(first, file)
    heading = part = ""  # of the slide, and of the second level
    whole = skipped = False
    for cell in cells:
        if cell.cell_type == "code":
            if not skipped and not tags(cell) & {"exercise", "solution", "check", "quiz"}:
                deck += [Slide(heading, picture=p, kind="figure", notes=[p[1]]) for p in _pictures(cell)]
            continue
        if "instructor" in tags(cell):
            deck[-1].notes.append(f"**For the instructor.** {cell.source}")
            continue
        if tags(cell) & {"hint", "solution", "quiz"}:
            continue
        due = False  # the first paragraph below a heading, and what its colon announces
        before = ""  # the last block of this cell
        for block in _blocks(cell.source):
            if found := HEADING.match(block):
                heading = found[2]
                part = heading if len(found[1]) == 2 else part
                whole, skipped, due = "exercise" in tags(cell) or part in WHOLE, part == "References", True
                deck.append(Slide(heading, kind="task" if "exercise" in tags(cell) else "text"))
            elif not skipped and (due or whole):
                deck[-1].blocks.append(block)
                due = block.endswith(":")
            elif not skipped and block.startswith("$$"):
                if before not in deck[-1].blocks:  # it stands by itself, with the sentence that leads to it
                    lead = [deck[-1].notes.pop()] if before and deck[-1].notes[-1:] == [before] else []
                    deck.append(Slide(heading, lead))
                deck[-1].blocks.append(block)
            elif not skipped:
                deck[-1].notes.append(block)
            before = block
    return [part for slide in _joined(deck) for part in _fitting(slide)]


def _joined(deck: list[Slide]) -> list[Slide]:
    """Without empty slides, and a figure beside the words that lead to it where there is room for both."""
    joined: list[Slide] = []
    for slide in deck:
        last = joined[-1] if joined else slide
        if slide.picture and not last.picture and last.kind == "text" and last.heading == slide.heading:
            words = sum(_size(block) for block in last.blocks) / ROOM  # shares of the slide's height
            width, height = _sides(slide.picture[0])
            if words + HEIGHT_OF_A_SQUARE * height / width <= 1:
                last.picture, last.notes = slide.picture, last.notes + slide.notes
                continue
        if slide.blocks or slide.picture:
            joined.append(slide)
    for slide in joined:
        if slide.blocks and slide.kind == "text" and not slide.picture:
            # what it announces is in the notebook
            slide.blocks[-1] = re.sub(r":$", ".", slide.blocks[-1])
    return joined


def _sides(png: str) -> tuple[int, int]:
    """Width and height of a picture in base64, from the head of its PNG."""
    return struct.unpack(">II", base64.b64decode(png[:32])[16:24])


def _opening(cell: NotebookNode, file: Path) -> list[Slide]:
    """The title with its first paragraph, and what one will be able to do."""
    title = Slide(title_of(NotebookNode(cells=[cell]), file.stem), kind="title")
    aims = Slide("After this you will be able to")
    for block in _blocks(BADGE.sub("", cell.source)):
        if re.match(r"1\. ", block) and not aims.blocks:
            aims.blocks.append(block)
        elif not block.startswith(("# ", "**After")) and not title.blocks:
            title.blocks.append(block)
        elif not block.startswith(("# ", "**After")):
            title.notes.append(block)
    return [title, aims]


def _blocks(source: str) -> list[str]:
    """Paragraphs, lists, tables and displayed equations, each on its own; a heading is one too."""
    source = re.sub(r"\s*(\$\$.+?\$\$)[ \t]*", r"\n\n\1\n\n", source, flags=re.S)
    source = re.sub(r"^(#{1,4} .+)$", r"\n\1\n", source, flags=re.M)
    return [block.strip() for block in re.split(r"\n\s*\n", source) if block.strip()]


def _pictures(cell: NotebookNode) -> list[tuple[str, str]]:
    found = []
    for output in cell.get("outputs", ()):
        if "image/png" in output.get("data", {}):
            found.append((output.data["image/png"].replace("\n", ""), alt_of(output)))
    return found


def _fitting(slide: Slide) -> list[Slide]:
    """The slide, or as many as its blocks need at a size that the last row can read."""
    if slide.picture:
        return [slide]
    parts, room = [Slide(slide.heading, kind=slide.kind)], ROOM
    for block in (piece for whole in slide.blocks for piece in _pieces(whole)):
        if parts[-1].blocks and _size(block) > room:
            parts.append(Slide(slide.heading, kind=slide.kind))
            room = ROOM
        parts[-1].blocks.append(block)
        room -= _size(block)
    parts[0].notes = slide.notes
    return parts


def _pieces(block: str) -> list[str]:
    """A long paragraph by sentences, a long list by items; what is short stays whole."""
    if _size(block) <= ROOM or block.startswith(("|", "$$", "```")):
        return [block]
    items = re.split(r"\n(?=(?:[*-]|\d+\.) )", block)
    if len(items) == 1:
        items = re.split(r"(?<=[.?!]) (?=[A-Z*$])", " ".join(block.split()))
    pieces = [items[0]]
    joint = "\n" if re.match(r"[*-] |\d+\. ", items[0]) else " "
    for item in items[1:]:
        longer = f"{pieces[-1]}{joint}{item}"
        pieces[-1:] = [longer] if _size(longer) <= ROOM else [pieces[-1], item]
    return pieces


def _size(block: str) -> int:
    """About how many characters of a slide a block takes."""
    if block.startswith("$$"):
        return EQUATION * (1 + block.count(r"\\"))
    read = re.sub(r"\]\([^)]*\)|[\[*`]|\\[a-zA-Z]+", "", block)
    if block.startswith("|"):
        return sum(max(LINE, len(line)) for line in read.splitlines())
    items = re.split(r"\n(?=(?:[*-]|\d+\.) )", read)
    return sum(-(-len(" ".join(item.split())) // LINE) * LINE for item in items)

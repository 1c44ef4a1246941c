"""Slides of every notebook: ``python -m strokegan_lib.classroom.slides``; `make site` makes them too.

A deck is derived from its master by rule: a title; what one will be able to do; for every heading
its first paragraph and its equations; every figure on a slide of its own; the tasks of the
exercises; the recap. What else the text says, and the notes for the instructor, are speaker notes.
One file a deck, without network: arrow keys turn the slides, N shows the notes, printing gives a PDF.
"""

from __future__ import annotations

import base64
import re
import struct
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from strokegan_lib import door
from strokegan_lib.classroom import equations
from strokegan_lib.classroom.badges import BADGE
from strokegan_lib.classroom.exercises import tags
from strokegan_lib.classroom.report import title_of
from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.errors import writing

CONTENTS = """# Slides

A deck for each notebook, derived from it. Arrow keys turn the slides, **N** shows the speaker notes, **F** fills the
screen. Printing from the browser (landscape, with backgrounds) gives a PDF. Show the figures; the live widgets are in the notebook.

"""
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
    """The slides of a master, in order."""
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
        if (
            slide.blocks and slide.kind == "text" and not slide.picture
        ):  # what it announces is in the notebook
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
            alt = output.metadata.get("image/png", {}).get("alt", output.data.get("text/plain", ""))
            found.append((output.data["image/png"].replace("\n", ""), " ".join(alt.split())))
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


STYLE = """
* { box-sizing: border-box; } html { scroll-snap-type: y mandatory; }
body { margin: 0; background: #fff; color: #1a1a1a; font: min(2.5vw, 4.45vh)/1.35 system-ui, sans-serif; }
.slide { position: relative; width: 100vw; height: 100vh; padding: 1.2em 2em 1.6em; overflow: hidden; scroll-snap-align: start;
  display: flex; flex-direction: column; border-bottom: 1px solid #ccc; break-after: page; break-inside: avoid; }
h2 { font-size: 1.35em; line-height: 1.15; margin: 0 0 .45em; color: #00507d; } .title { justify-content: center; background: #f0f5f8; }
.title h2 { font-size: 2.2em; } .body > :first-child { margin-top: 0; } p, ul, ol, table { margin: .6em 0; } li { margin: .12em 0; }
.task h2::before { content: "Exercise"; display: block; font-size: .6em; color: #8a4b00; }
figure { flex: 1; min-height: 0; margin: 0; } img { width: 100%; height: 100%; object-fit: contain; }
table { border-collapse: collapse; font-size: .8em; } th, td { padding: .1em .6em; text-align: left; border-bottom: 1px solid #ccc; }
code { font-size: .85em; background: #f2f2f2; } pre { font-size: .75em; } a { color: #00507d; }
.number { position: absolute; right: 1.2em; bottom: .5em; font-size: .55em; color: #555; }
aside { display: none; position: absolute; inset: auto 0 0 0; max-height: 55%; overflow-y: auto; padding: .6em 2em; font-size: .6em;
  background: #fff8e1; border-top: 2px solid #b26a00; }
.notes aside { display: block; }
math[display=block] { margin: .5em 0; }
@page { size: 13.333in 7.5in; margin: 0; }
@media print { html { scroll-snap-type: none; } .slide { border: 0; } .slide:last-child { break-after: auto; } }
"""

SCRIPT = """
for (const equation of document.querySelectorAll("math[display=block]")) {
  const over = equation.scrollWidth / equation.clientWidth; // a long one is drawn smaller, and so stays whole
  if (over > 1) equation.style.fontSize = `${0.98 / over}em`;
}
const slides = [...document.querySelectorAll(".slide")];
const here = () => slides.findIndex((s) => s.getBoundingClientRect().bottom > innerHeight / 2);
const go = (n) => {
  const slide = slides[Math.max(0, Math.min(slides.length - 1, n))];
  slide.scrollIntoView(); history.replaceState(null, "", "#" + slide.id);
};
const keys = {
  ArrowRight: () => go(here() + 1), ArrowDown: () => go(here() + 1), PageDown: () => go(here() + 1), " ": () => go(here() + 1),
  ArrowLeft: () => go(here() - 1), ArrowUp: () => go(here() - 1), PageUp: () => go(here() - 1),
  Home: () => go(0), End: () => go(slides.length - 1),
  n: () => document.body.classList.toggle("notes"),
  f: () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
};
addEventListener("keydown", (event) => {
  const act = keys[event.key.length > 1 ? event.key : event.key.toLowerCase()];
  if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
});
"""


def deck(master: NotebookNode, file: Path) -> str:
    """The slides of a master as one HTML document that needs no other file.

    Args:
        master: the notebook, with its outputs.
        file: where it comes from; its name stands for a missing title.
    """
    made = slides(master, file)
    sections = "".join(_section(slide, n, len(made)) for n, slide in enumerate(made, start=1))
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>{escape(made[0].heading)}: slides</title>'
        f'<meta name="viewport" content="width=device-width"><style>{equations.STYLE}{STYLE}</style></head><body>'
        f"{sections}<script>{SCRIPT}</script></body></html>\n"
    )


def _section(slide: Slide, number: int, of: int) -> str:
    heading = re.sub(r"^(\d+)\.", r"\1\.", slide.heading)  # a number, not a list
    heading = re.sub(r"^<p>|</p>$", "", equations.markdown(heading).strip())
    body = f'<div class="body">{_html(slide.blocks)}</div>' if slide.blocks else ""
    if slide.picture:
        png, alt = slide.picture
        body += f'<figure><img src="data:image/png;base64,{png}" alt="{escape(alt)}"></figure>'
    notes = f"<aside>{_html(slide.notes)}</aside>" if slide.notes else ""
    return (
        f'<section class="slide {slide.kind}" id="{number}"><h2>{heading}</h2>{body}'
        f'<span class="number">{number} / {of}</span>{notes}</section>'
    )


def _html(blocks: list[str]) -> str:
    """Markdown as HTML; links become plain words, for they lead away from the lesson."""
    text = re.sub(r"(?<!!)\[([^\]]+)\]\((?:[^()]|\([^)]*\))*\)", r"\1", "\n\n".join(blocks))
    return equations.markdown(text)


def write(notebooks: Path, out: Path) -> list[Path]:
    """Write a deck for every master.

    Raises:
        BadInput: no masters, or *out* cannot be written.
    """
    written = []
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for file in masters(notebooks):
            written.append(out / f"{file.stem}.html")
            written[-1].write_text(deck(nbformat.read(file, as_version=4), file), encoding="utf-8")
    return written


def main() -> None:
    parser = door.Parser(prog="slides", description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", type=Path, default=Path("notebooks"), help="folder of the series")
    parser.add_argument("--out", type=Path, default=Path("build/slides"), help="folder of the decks")
    options = parser.parse_args()
    for file in write(options.notebooks, options.out):
        print(f"wrote {file}")


if __name__ == "__main__":
    sys.exit(door.run(main, "slides"))

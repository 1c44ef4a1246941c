"""Slides of every notebook: ``python -m strokegan_lib.classroom.slides``; `make site` makes them too.

What a deck holds is derived from its master by the rule in publish/outline.py; here it is drawn.
One file a deck, without network: arrow keys turn the slides, N shows the notes, printing gives a PDF.
"""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path

from nbformat import NotebookNode

from strokegan_lib import command_line as door
from strokegan_lib.classroom import equations
from strokegan_lib.classroom.masters import read
from strokegan_lib.classroom.publish.outline import Slide, slides
from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.errors import writing
from strokegan_lib.files import write_whole

CONTENTS = """# Slides

A deck for each notebook, derived from it. Arrow keys turn the slides, **N** shows the speaker notes, **F** fills the
screen. Printing from the browser (landscape, with backgrounds) gives a PDF. Show the figures; the live widgets are in the notebook.

"""

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
            write_whole(written[-1], deck(read(file), file))
    return written


def parser() -> door.Parser:
    options = door.Parser(prog="slides", description=__doc__.splitlines()[0])
    options.add_argument(
        "--notebooks", type=door.path, default=Path("notebooks"), help="folder of the series"
    )
    options.add_argument("--out", type=door.path, default=Path("build/slides"), help="folder of the decks")
    return options


def main() -> None:
    options = parser().parse_args()
    for file in write(options.notebooks, options.out):
        print(f"wrote {file}")


if __name__ == "__main__":
    sys.exit(door.run(main, "slides"))

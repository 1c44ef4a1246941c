"""Build the site: ``python -m strokegan_lib.classroom.site``, behind ``make site``.

Documents, executed notebooks with their committed outputs, cards and docstrings become static
pages that need no network, slides lie beside them, and every link is followed at the end.
Nothing is executed, and no copy of a page's source is kept: all is derived at build time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from strokegan_lib import command_line as door
from strokegan_lib.classroom import slides
from strokegan_lib.classroom.masters import read
from strokegan_lib.classroom.publish import links
from strokegan_lib.classroom.publish.notebooks import Picture, gallery, lesson, solutions
from strokegan_lib.classroom.publish.pages import PICTURES, Pages
from strokegan_lib.classroom.publish.reference import reference
from strokegan_lib.classroom.report import title_of
from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.errors import BadInput, writing

CARDS = "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"  # the list of the cards, for the contents
SOLUTIONS = """# Solutions

The tasks of every notebook with their solutions, and notes for those who teach it. Students: try first; a hint is folded
under every task of the notebooks, and the checks say what is wrong.
"""
OUTSIDE = "external-links.txt"


def sources(root: Path, out: Path) -> None:
    """Write the source of every page into *out*; what has not changed keeps its time.

    Raises:
        BadInput: a notebook is not whole, or pyproject.toml names no home.
    """
    pages, written = Pages.find(root), set()

    def write(path: str, content: str | bytes) -> None:
        file, data = out / path, content.encode("utf-8") if isinstance(content, str) else content
        written.add(file)
        if not file.exists() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def write_notebook(path: str, notebook: NotebookNode, pictures: list[Picture]) -> None:
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = pages.follow(cell.source, f"notebooks/{Path(path).name}", path)
        write(path, nbformat.writes(notebook))
        for picture in pictures:
            write(f"{Path(path).parent}/figures/{picture.name}.png", picture.png)

    for file, page in pages.of.items():
        if file.endswith(".md"):
            text = pages.follow((root / file).read_text(encoding="utf-8"), file, page)
            write(page, text + (CARDS if page == "cards/index.md" else ""))
    for file in (root / "docs").rglob("*"):
        if file.suffix in PICTURES:
            write(file.relative_to(root).as_posix(), file.read_bytes())
    series, decks = {}, []
    for file in masters(root / "notebooks"):
        master = read(file)
        page, pictures = lesson(master, file, pages.home)
        write_notebook(f"notebooks/{file.name}", page, pictures)
        write_notebook(f"solutions/{file.name}", *solutions(master, file))
        series[file.name] = (title_of(master, file.stem), pictures)
        decks.append(f'* <a href="slides/{file.stem}.html">{series[file.name][0]}</a>')
    titles = "\n".join(Path(name).stem for name in series)
    write("solutions/index.md", f"{SOLUTIONS}\n```{{toctree}}\n:maxdepth: 1\n\n{titles}\n```\n")
    write("gallery.md", gallery(series))
    write("slides.md", slides.CONTENTS + "\n".join(decks) + "\n")
    for path, text in reference(root).items():
        write(path, text)
    for file in [file for file in out.rglob("*") if file.is_file() and file not in written]:
        file.unlink()  # of an earlier build


def build(root: Path, out: Path, workers: int) -> tuple[list[str], list[str]]:
    """Build the site of the kit at *root*, follow its links and replace *out* by it.

    What is built lies beside *out* until it is whole: a build that fails or is stopped leaves the
    earlier site as it was.

    Returns:
        What is wrong with the links, and the addresses outside (see :func:`publish.links.check`).

    Raises:
        BadInput: Sphinx finds fault with a page.
    """
    work = out.with_name(f".{out.name}")
    html = work / "html"
    if out.exists() and not ((out / "objects.inv").is_file() or not any(out.iterdir())):
        raise BadInput(out, "holds something else than an earlier site", "choose another --out")
    with writing(out):
        sources(root, work / "source")
        shutil.rmtree(html, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j", str(workers), "-b", "html"]
    command += ["-c", root / "docs", "-d", work / "doctrees", work / "source", html]
    run = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
    )
    if run.returncode:
        print(run.stderr, file=sys.stderr, end="")
        raise BadInput(root / "docs", "cannot be built into a site", "mend what Sphinx names above")
    slides.write(root / "notebooks", html / "slides")
    wrong, outside = links.check(html)
    with writing(out):
        (html / OUTSIDE).write_text("".join(f"{address}\n" for address in outside), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        html.rename(out)
    return wrong, outside


def parser() -> door.Parser:
    options = door.Parser(prog="site", description=__doc__.splitlines()[0])
    options.add_argument("--root", type=door.path, default=Path("."), help="folder of the kit")
    options.add_argument("--out", type=door.path, default=Path("build/site"), help="folder of the site")
    options.add_argument(
        "--workers", type=door.integer(1, 256), default=2, help="pages that are made at once (2)"
    )
    return options


def main() -> None:
    options = parser().parse_args()
    start = time.perf_counter()
    wrong, outside = build(options.root.resolve(), options.out.absolute(), options.workers)
    number = sum(1 for _ in options.out.rglob("*.html"))
    print(
        f"Site: {options.out / 'index.html'} ({number} pages, {time.perf_counter() - start:.0f} s; "
        f"{len(outside)} links lead outside: {options.out / OUTSIDE})"
    )
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        raise BadInput(options.out, f"has {len(wrong)} faulty links", "mend what is named above")


if __name__ == "__main__":
    sys.exit(door.run(main, "site"))

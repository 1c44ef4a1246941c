"""What the site is made of: links that follow, lessons without solutions, and the check of links.

The site itself is built and looked at in tests/browser/test_site.py.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import pytest

from strokegan_lib import command_line as door
from strokegan_lib.classroom.publish.links import check
from strokegan_lib.classroom.publish.notebooks import gallery, lesson, solutions
from strokegan_lib.classroom.publish.pages import Pages
from strokegan_lib.classroom.publish.reference import modules, reference
from strokegan_lib.classroom.site import main, sources

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = Pages.find(ROOT)
BLOB = f"{PAGES.home.url}/blob/{PAGES.home.ref}"


@pytest.mark.parametrize(
    ("link", "there"),
    [
        (f"{BLOB}/docs/glossary.md#dice", "../glossary.md#dice"),
        ("../docs/ethics.md", "../ethics.md"),
        ("01_data_preparation.ipynb#a", "01_data_preparation.ipynb#a"),
        ("../strokegan_lib/weights/", "../cards/index.md"),
        ("../strokegan_lib/models/unet.py", "../reference/models.rst"),
        ("../docs/phantom.png", "../docs/phantom.png"),
        ("../LICENSE", f"{BLOB}/LICENSE"),
        ("../strokegan_lib/results", f"{PAGES.home.url}/tree/{PAGES.home.ref}/strokegan_lib/results"),
        ("https://example.org/docs/glossary.md", "https://example.org/docs/glossary.md"),
        ("#recap", "#recap"),
    ],
)
def test_a_link_of_a_notebook_leads_to_the_page_on_the_site(link: str, there: str):
    page = "notebooks/00_start_here.ipynb"
    assert PAGES.follow(f"See [this]({link}).", page, page) == f"See [this]({there})."


def test_a_badge_becomes_words_and_code_stays():
    badge = "[![Open in Colab](https://x.org/badge.svg)](https://x.org/open)"
    assert PAGES.follow(badge, "README.md", "kit.md") == "[Open in Colab](https://x.org/open)"
    code = "`[a](LICENSE)`\n\n```\n[a](LICENSE)\n```"
    assert PAGES.follow(code, "README.md", "kit.md") == code


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_lesson_keeps_its_figures_and_hides_its_solutions(file: Path):
    master = nbformat.read(file, as_version=4)
    page, pictures = lesson(master, file, PAGES.home)
    answers, notes = solutions(master, file)[0], 0
    shown, told = ({cell.id: cell.source for cell in part.cells} for part in (page, answers))
    for cell in master.cells:
        tags = set(cell.metadata.get("tags", []))
        if tags & {"solution", "instructor"}:
            assert told[cell.id].endswith(cell.source) and cell.id not in shown
            notes += "instructor" in tags
    assert notes
    assert "Right.\n" not in [o.get("text") for cell in page.cells for o in cell.get("outputs", ())]
    in_lesson = sum(
        "image/png" in output.get("data", {})
        for cell in master.cells
        if not set(cell.metadata.get("tags", [])) & {"solution", "check"}
        for output in cell.get("outputs", ())
    )
    assert len(pictures) >= in_lesson
    everything = nbformat.writes(page)
    assert "image/png" not in everything and "widget-view" not in everything
    assert all(picture.png.startswith(b"\x89PNG") and len(picture.alt) > 20 for picture in pictures)
    text = gallery({file.name: ("Title", pictures)})
    assert text.count("{figure}") == len(pictures)
    assert all(f"{file.stem}.html#{picture.name}" in text for picture in pictures)
    assert "badge" not in page.cells[0].source  # no picture from elsewhere


def test_every_public_module_is_in_the_reference():
    pages = reference(ROOT)
    named = re.findall(r"automodule:: (\S+)", "".join(pages.values()))
    assert sorted(named) == sorted(modules(ROOT).values()) and "strokegan_lib.models.unet" in named


def test_sources_follow_a_file_that_goes(tmp_path: Path):
    sources(ROOT, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.*")}
    (tmp_path / "notebooks" / "99_old.ipynb").write_text("{}")
    sources(ROOT, tmp_path)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.*")} == before


def faults(folder: Path, html: str, **others: str) -> list[str]:
    (folder / "index.html").write_text(html)
    for name, text in others.items():
        (folder / name.replace("_", ".")).write_text(text)
    return check(folder)[0]


def test_sound_links_pass(tmp_path: Path):
    html = '<a href="b.html#here">b</a><a href="#top" id="top">t</a><a href="https://example.org/x">x</a><img src="data:image/png;base64,AA">'
    assert faults(tmp_path, html, b_html='<p id="here"></p>') == []
    assert check(tmp_path)[1] == ["https://example.org/x"]


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="gone.html">x</a>', "leads to no file"),
        ('<a href="b.html#gone">x</a>', "has no such anchor"),
        ('<a href="#gone">x</a>', "has no such anchor"),
        ('<a href="./">x</a>', "is a folder"),
        ('<a href="http://example.org">x</a>', "is no https address"),
        ('<a href="https://nowhere">x</a>', "is no https address"),
        ('<img src="https://example.org/a.png">', "from elsewhere"),
        ('<script src="//example.org/a.js"></script>', "from elsewhere"),
        ('<link rel="stylesheet" href="https://example.org/a.css">', "from elsewhere"),
        ("<style>@import 'https://example.org/a.css';</style>", "from elsewhere"),
        ('<img src="gone.png">', "which is missing"),
    ],
)
def test_a_faulty_link_is_named(tmp_path: Path, html: str, fault: str):
    (wrong,) = faults(tmp_path, html, b_html="<p></p>")
    assert wrong.startswith("index.html: ") and fault in wrong


def test_a_style_sheet_that_loads_from_elsewhere_is_named(tmp_path: Path):
    (wrong,) = faults(tmp_path, "", a_css="b { background: url(https://example.org/a.png) }")
    assert "a.css" in wrong and "from elsewhere" in wrong


def test_a_folder_that_is_no_site_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.setattr(sys, "argv", ["site", "--root", str(ROOT), "--out", str(tmp_path)])
    assert door.run(main, "site") == 2
    assert "holds something else than an earlier site" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()


def test_a_build_that_fails_leaves_the_earlier_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    root, out = tmp_path / "kit", tmp_path / "site"
    root.mkdir()
    for name in ("docs", "notebooks", "strokegan_lib", "README.md", "CONTRIBUTING.md", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    (root / "docs").unlink()
    (root / "docs").mkdir()  # without the settings that Sphinx needs
    out.mkdir()
    (out / "objects.inv").touch()
    (out / "index.html").write_text("the earlier site")
    monkeypatch.setattr(sys, "argv", ["site", "--root", str(root), "--out", str(out)])
    assert door.run(main, "site") == 2
    assert "cannot be built into a site" in capsys.readouterr().err
    assert (out / "index.html").read_text() == "the earlier site"

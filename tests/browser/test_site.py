"""The site as its readers see it: built by the command behind `make site` and opened from the disk."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
PICTURES = ROOT / "build" / "browser"
NOTEBOOKS = sorted(file.stem for file in (ROOT / "notebooks").glob("*.ipynb"))

# what sticks out on the right of the screen, other than inside something that scrolls by itself
STICKS_OUT = """() => {
  const scrolls = (e) => e.localName !== "article" && (
    ["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return [...document.querySelectorAll("article *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
    .map((e) => `${e.tagName} ${e.textContent.slice(0, 60)}`).slice(0, 5);
}"""

# slides whose words, equation or figure do not fit, or whose figure is too small for the last row
TOO_FULL = """() => [...document.querySelectorAll(".slide")].filter((slide) => {
  const room = slide.getBoundingClientRect(), figure = slide.querySelector("figure");
  const parts = [...slide.querySelectorAll(":scope > h2, .body, .body *, figure")].map((e) => e.getBoundingClientRect());
  const wide = [...slide.querySelectorAll("math[display=block], pre, table")].some((e) => e.scrollWidth > e.clientWidth + 2);
  return wide || parts.some((e) => e.bottom > room.bottom - 20 || e.right > room.right - 10)
    || (figure && figure.getBoundingClientRect().height < 0.35 * room.height);
}).map((slide) => `${slide.id}: ${slide.querySelector("h2").textContent}`)"""


@pytest.fixture(scope="module")
def site() -> Path:
    command = [sys.executable, "-m", "strokegan_lib.classroom.site", "--out", str(SITE)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return SITE


@pytest.fixture
def open_page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of the size and colours that a test asks for; it asks nobody for anything, and complains of nothing."""
    width, height, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    asked, complaints = [], []
    page = context.new_page()
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else asked.append(r.url))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not asked and not complaints, (asked, complaints)


PHONE, DESK, DARK = (390, 844, "light"), (1280, 900, "light"), (1280, 900, "dark")
PROJECTOR = (1280, 720, "light")


@pytest.mark.parametrize("open_page", [PHONE, DARK], indirect=True, ids=["phone", "dark"])
def test_no_page_is_wider_than_the_screen(site: Path, open_page: Page, request: pytest.FixtureRequest):
    kind = request.node.callspec.id
    pages = [file for file in sorted(site.rglob("*.html")) if file.parent.name != "slides"]
    assert {"index.html", "gallery.html", "glossary.html", *(f"{name}.html" for name in NOTEBOOKS)} <= {
        file.name for file in pages
    }
    for file in pages:
        open_page.goto(file.as_uri())
        assert open_page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), file
        assert not open_page.evaluate(STICKS_OUT), file
        light = open_page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (max(map(int, re.findall(r"\d+", light)[:3])) < 60) == (kind == "dark"), (file, light)
        if file.name in ("index.html", "gallery.html", "03_multi_scale_l1.html"):
            open_page.screenshot(path=PICTURES / f"site_{kind}_{file.parent.name}_{file.stem}.png")


@pytest.mark.parametrize("open_page", [DESK], indirect=True)
def test_the_search_works_from_a_disk(site: Path, open_page: Page):
    open_page.goto((site / "index.html").as_uri())
    open_page.locator("input[name=q]").fill("hinge loss")
    open_page.keyboard.press("Enter")
    expect(open_page.locator("ul.search").get_by_text("Glossary > Hinge loss")).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("open_page", [DESK], indirect=True)
def test_a_picture_of_the_gallery_leads_to_its_place(site: Path, open_page: Page):
    open_page.goto((site / "gallery.html").as_uri())
    picture = open_page.locator(".gallery figure img").nth(20)
    alt = picture.get_attribute("alt")
    picture.click()
    open_page.wait_for_url(re.compile(r"notebooks/\w+\.html#figure-"))
    shown = open_page.locator(f"#{open_page.url.split('#')[1]} img")
    assert shown.get_attribute("alt") == alt
    expect(shown).to_be_in_viewport()


@pytest.mark.parametrize("open_page", [DESK], indirect=True)
def test_equations_are_drawn_by_the_browser(site: Path, open_page: Page):
    open_page.goto((site / "notebooks" / "03_multi_scale_l1.html").as_uri())
    sum_sign = open_page.locator("math[display=block] munderover").first
    assert sum_sign.bounding_box()["height"] > 40  # the limits stand above and below
    assert "$" not in open_page.locator("article p").all_inner_texts()[2]


@pytest.mark.parametrize("open_page", [PROJECTOR], indirect=True)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_slide_fits_on_the_wall(site: Path, open_page: Page, name: str):
    open_page.goto((site / "slides" / f"{name}.html").as_uri())
    assert open_page.evaluate(TOO_FULL) == []
    smallest = open_page.evaluate(
        """Math.min(...[...document.querySelectorAll(".body > *, .body li, h2")]
        .filter((e) => e.textContent && e.localName != "math").map((e) => parseFloat(getComputedStyle(e).fontSize)))"""
    )
    assert smallest >= 24  # pixels of 720: a thirtieth of the height of the wall


@pytest.mark.parametrize("open_page", [PROJECTOR], indirect=True)
def test_slides_are_turned_with_the_keys_and_notes_come_and_go(site: Path, open_page: Page):
    open_page.goto((site / "slides" / "03_multi_scale_l1.html").as_uri())
    for key, place in (("ArrowRight", 2), (" ", 3), ("PageUp", 2), ("Home", 1), ("PageDown", 2)):
        open_page.keyboard.press(key)
        expect(open_page.locator(f'[id="{place}"] h2')).to_be_in_viewport()
        assert open_page.url.endswith(f"#{place}")
    open_page.keyboard.press("End")
    expect(open_page.locator(".slide").last).to_be_in_viewport(ratio=0.9)
    notes = open_page.locator("aside").first
    open_page.keyboard.press("n")
    expect(notes).to_be_visible()
    open_page.keyboard.press("n")
    expect(notes).to_be_hidden()


@pytest.mark.parametrize("open_page", [PROJECTOR], indirect=True)
def test_a_deck_prints_one_slide_a_page(site: Path, open_page: Page, tmp_path: Path):
    open_page.goto((site / "slides" / "00_start_here.html").as_uri())
    pdf = open_page.pdf(prefer_css_page_size=True, print_background=True, path=tmp_path / "deck.pdf")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pages == open_page.locator(".slide").count()

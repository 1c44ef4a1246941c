"""What the browser tests share: one JupyterLab, one Chromium, a page for each class of tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from lab import Lab
from notebook import OpenNotebook
from playwright.sync_api import Browser, Page, Route, sync_playwright

from strokegan_lib.data.slices import SliceSet

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "browser"
# as root in a container, without a GPU, and silent towards the network
FLAGS = [
    *("--no-sandbox", "--disable-gpu"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
BADGES = {"colab.research.google.com", "mybinder.org"}
NOTHING = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
CHROMIUM = os.environ.get("CHROMIUM") or "chromium"


def pytest_configure() -> None:
    if not shutil.which(CHROMIUM):
        reason = (
            f"there is no {CHROMIUM} here; install Debian's package (apt-get install chromium) or name yours: "
            "CHROMIUM=/path/to/it"
        )
        pytest.exit(reason, returncode=2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test or a set-up that fails leaves a picture of every open page, and says what JupyterLab wrote."""
    report = yield
    if report.failed and "chromium" in item.funcargs:  # a page is not there yet if its own set-up fails
        contexts = item.funcargs["chromium"].contexts
        for number, page in enumerate([page for context in contexts for page in context.pages]):
            picture = PICTURES / f"failed_{item.name}_{number}.png"
            page.screenshot(path=picture)
            report.sections.append(("Page", str(picture)))
        if "lab" in item.funcargs:
            report.sections.append(("JupyterLab", item.funcargs["lab"].tail()))
    return report


@pytest.fixture(scope="session")
def lab(phantom: SliceSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on copies of all notebooks; kernels find the phantom in the tests' cache."""
    with Lab(ROOT / "notebooks", tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="class")
def page(chromium: Browser, lab: Lab) -> Iterator[Page]:
    """An empty page. At the end: nothing went wrong in it, and it asked nobody but JupyterLab."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, has_touch=True)
    context.set_default_timeout(60_000)  # milliseconds for each click
    strangers, complaints = set(), []

    def outside(route: Route) -> None:
        strangers.add(urlparse(route.request.url).hostname)
        route.fulfill(body=NOTHING, content_type="image/svg+xml")

    context.route(lambda url: urlparse(url).hostname not in {"127.0.0.1", None}, outside)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints, complaints
    # the badges at the top of a notebook are the only pictures that lie elsewhere
    assert strangers <= BADGES, strangers


@pytest.fixture(scope="class")
def notebook(request: pytest.FixtureRequest, page: Page, lab: Lab) -> Iterator[OpenNotebook]:
    """The notebook that a class of tests names: NOTEBOOK, and RUN_TO, the last cell that they need."""
    name = request.cls.NOTEBOOK
    try:
        opened = OpenNotebook(page, lab.address(name), lab.folder / "notebooks" / name)
        opened.run_to(request.cls.RUN_TO)
        yield opened
    finally:
        lab.stop_kernels()

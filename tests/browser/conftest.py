"""What the browser tests share: one JupyterLab, one Chromium, one notebook with a widget a cell."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from lab import Lab
from playwright.sync_api import Page, expect, sync_playwright
from shown import Shown

from strokegan_lib.data.slices import SliceSet

PICTURES = Path(__file__).parents[2] / "build" / "browser"
# as root in a container, without a GPU, and silent towards the network
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
CHROMIUM = os.environ.get("CHROMIUM") or "chromium"
START = 300_000  # milliseconds until JupyterLab shows a notebook and its kernel is idle
CELLS = {
    "set-up": """import numpy as np, torch
from strokegan_lib.classroom import *
from strokegan_lib.profiles import profile
from strokegan_lib.training.weights import load_weights, shipped
slices = prepared("", profile("quick"))
generator, _ = load_weights(shipped("synthesis-phantom"), "generator")
rows = np.argsort(-slices.foreground.sum((1, 2), dtype=int))[:5]""",
    "browser": "PatientBrowser(slices)",
    "attention": 'AttentionExplorer(slices.images[rows[0], 0], {"fine": torch.eye(1024), "coarse": torch.eye(256)})',
    "game": "RealOrSynthetic(slices.images[:20, 0], slices.images[20:40, 0])",
    "painter": "LesionPainter(generator, slices, rows).set(strokes=[[(60, 80)]])",
    "quiz": 'quiz("05")',
}


def pytest_configure() -> None:
    if not shutil.which(CHROMIUM):
        pytest.exit(
            f"there is no {CHROMIUM} here; install Debian's package (apt-get install chromium) or name yours: "
            "CHROMIUM=/path/to/it",
            returncode=2,
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails leaves a picture of the page."""
    report = yield
    if report.failed and "page" in item.funcargs:
        item.funcargs["page"].screenshot(path=PICTURES / f"failed_{item.name}.png")
    return report


@pytest.fixture(scope="session")
def page(phantom: SliceSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The notebook, its cells run. At the end: nothing went wrong in the page, and it asked only JupyterLab."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    strangers, complaints = [], []
    with Lab(tmp_path_factory.mktemp("lab"), list(CELLS.values())) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, has_touch=True)
        page.on(
            "request",
            lambda r: (
                strangers.append(r.url) if urlparse(r.url).hostname not in {"127.0.0.1", None} else None
            ),
        )
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(lab.address, timeout=START)
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=START)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
        last = page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputPrompt")
        expect(last).to_have_text(f"[{len(CELLS)}]:", timeout=START)
        yield page
        browser.close()
    assert not complaints and not strangers, (complaints, strangers)


@pytest.fixture
def shown(page: Page) -> Callable[[str], Shown]:
    """The widget of a cell, scrolled into view."""

    def find(name: str) -> Shown:
        output = page.locator(".jp-Notebook .jp-Cell").nth(list(CELLS).index(name)).locator(".jp-OutputArea")
        output.scroll_into_view_if_needed()
        return Shown(output)

    return find

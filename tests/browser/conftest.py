"""What the browser tests share: one JupyterLab, one Chromium, one notebook with a widget a cell."""

import base64
import io
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import nbformat
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from strokegan_lib.data.slices import SliceSet

PICTURES = Path(__file__).parents[2] / "build" / "browser"
# as root in a container, without a GPU, and silent towards the network
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
START = 300  # seconds until a notebook is shown and its kernel is idle: the machines of CI can be slow
ANSWER = 60_000  # milliseconds until a widget shows what the kernel made of a click
CELLS = {
    "set-up": """import numpy as np, torch
from strokegan_lib.classroom import *
from strokegan_lib.profiles import profile
from strokegan_lib.training.weights import load_weights, shipped
slices = prepared("", profile("quick"))
generator, _ = load_weights(shipped("synthesis-phantom"), "generator")
rows = np.argsort(-slices.foreground.sum((1, 2), dtype=int))[:5]""",
    "browser": "PatientBrowser(slices)",
    "attention": 'AttentionExplorer(slices.images[rows[0], 0], {"fine": torch.eye(1024)})',
    "painter": "LesionPainter(generator, slices, rows).set(strokes=[[(60, 80)]])",
    "quiz": 'quiz("05")',
}
# the picture as it is on the screen, decoded by the browser; its address changes with every update
PIXELS = """async img => {
  for (let tries = 0; ; tries++) {
    try { await img.decode(); break; } catch (error) { if (tries > 20) throw error; }
  }
  const canvas = document.createElement("canvas");
  canvas.width = img.naturalWidth; canvas.height = img.naturalHeight;
  canvas.getContext("2d").drawImage(img, 0, 0);
  return canvas.toDataURL("image/png");
}"""


class Shown:
    """A widget in the output of a cell, handled as somebody in front of the screen would."""

    def __init__(self, output: Locator) -> None:
        self.output, self.page, self.img = output, output.page, output.locator("img")

    def control(self, name: str) -> Locator:
        """The control whose label starts with *name*; units may follow."""
        label = self.page.locator("label.widget-label", has_text=re.compile(rf"^\s*{re.escape(name)}\b"))
        return self.output.locator(".widget-inline-hbox", has=label)

    def says(self, words: str) -> str:
        """Wait until the output contains *words*; all that it says."""
        expect(self.output).to_contain_text(words, timeout=ANSWER)
        return self.output.inner_text()

    def picture(self) -> np.ndarray:
        """The picture as the browser shows it, (H, W, 3) uint8."""
        data = self.img.evaluate(PIXELS).split(",", 1)[1]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails leaves a picture of the page."""
    report = yield
    if report.failed and "page" in item.funcargs:
        item.funcargs["page"].screenshot(path=PICTURES / f"failed_{item.name}.png")
    return report


@contextmanager
def lab(home: Path) -> Iterator[str]:
    """JupyterLab with the notebook, which writes nothing outside *home*; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port, token = free.getsockname()[1], secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={home}", "--LabApp.extension_manager=readonly"),
        *("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS.values()]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), home / "widgets.ipynb")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    environment |= {"HOME": str(home), "OMP_NUM_THREADS": "1"}  # server and browser want a core too
    with open(home / "lab.log", "wb") as log:
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        end = time.monotonic() + START
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={token}", timeout=30).close()
                break
            except OSError:  # the server does not listen yet
                assert server.poll() is None and time.monotonic() < end, (home / "lab.log").read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lab/tree/widgets.ipynb?reset&token={token}"
    finally:
        server.terminate()  # it ends its kernels first
        server.wait(30)


@pytest.fixture(scope="session")
def page(phantom: SliceSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The notebook, its cells run. At the end: nothing went wrong in the page, and it asked only JupyterLab."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    asked, complaints = [], []
    chromium = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    with lab(tmp_path_factory.mktemp("lab")) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, has_touch=True)
        page.on("request", lambda request: asked.append(urlparse(request.url).hostname))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address, timeout=1000 * START)
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=1000 * START)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
        last = page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputPrompt")
        expect(last).to_have_text(f"[{len(CELLS)}]:", timeout=1000 * START)
        yield page
        browser.close()
    assert not complaints and set(asked) <= {"127.0.0.1", None}, (complaints, set(asked))


@pytest.fixture
def shown(page: Page) -> Callable[[str], Shown]:
    """The widget of a cell, scrolled into view."""

    def find(name: str) -> Shown:
        output = page.locator(".jp-Notebook .jp-Cell").nth(list(CELLS).index(name)).locator(".jp-OutputArea")
        output.scroll_into_view_if_needed()
        return Shown(output)

    return find

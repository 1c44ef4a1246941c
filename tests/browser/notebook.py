"""A notebook in JupyterLab, handled as somebody in front of the screen would."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from strokegan_lib.classroom.widgets.pixels import SCALE

START = (
    300_000  # milliseconds until JupyterLab shows a notebook and its kernel is idle: cells come one by one
)
RUN = 900_000  # until the cells above a widget have run: twenty times what two quiet cores need
ANSWER = 60_000  # until a widget shows what the kernel made of a click

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


class OpenNotebook:
    """A notebook in a page of its own.

    Args:
        page: empty.
        address: of the notebook in a running JupyterLab.
        file: the notebook, to know which cell has which source.
    """

    def __init__(self, page: Page, address: str, file: Path) -> None:
        self.page = page
        self.sources = [cell.source for cell in nbformat.read(file, as_version=4).cells]
        page.goto(address, timeout=START)
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        expect(self.cells).to_have_count(len(self.sources), timeout=START)
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=START)
        expect(page.locator(".jp-Dialog")).to_have_count(0)  # such as one that asks for a kernel

    def menu(self, name: str, entry: str) -> None:
        """Choose an entry of a menu of JupyterLab."""
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text(entry, exact=True).click()

    def number(self, source: str) -> int:
        """Which cell contains *source*, the last if there are several."""
        found = [number for number, text in enumerate(self.sources) if source in text]
        assert found, f"no cell contains {source!r}"
        return found[-1]

    def run_to(self, source: str) -> None:
        """Run every cell down to the one that contains *source*.

        Raises:
            AssertionError: no such cell, or one that ended with an error.
        """
        number = self.number(source)
        self.cells.nth(number + 1).click(position={"x": 20, "y": 5})
        self.menu("Run", "Run All Above Selected Cell")
        done = self.cells.nth(number).locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]"))
        error = self.page.locator(".jp-Notebook [data-mime-type='application/vnd.jupyter.error']")
        expect(done.or_(error).first).to_be_visible(timeout=RUN)
        assert not error.count(), error.first.inner_text()

    def output(self, source: str) -> Shown:
        """The output of the cell that contains *source*, scrolled into view."""
        output = self.cells.nth(self.number(source)).locator(".jp-OutputArea")
        output.scroll_into_view_if_needed()
        return Shown(output)


class Shown:
    """A widget in the output of a cell: its controls by name, its picture, its sentence."""

    def __init__(self, output: Locator) -> None:
        self.output, self.page = output, output.page

    def control(self, name: str) -> Locator:
        """The control whose label starts with *name*; units may follow."""
        label = self.page.locator("label.widget-label", has_text=re.compile(rf"^\s*{re.escape(name)}\b"))
        return self.output.locator(".widget-inline-hbox", has=label)

    def value(self, name: str) -> str:
        """What stands beside a slider."""
        return self.control(name).locator(".widget-readout").inner_text().replace("\N{MINUS SIGN}", "-")

    def drag(self, name: str, to: float) -> str:
        """Drag a slider with the mouse to a share of its length, 0..1; its value there."""
        control = self.control(name)
        control.scroll_into_view_if_needed()
        handle, rail = (control.locator(part).bounding_box() for part in (".noUi-handle", ".noUi-base"))
        height = handle["y"] + handle["height"] / 2
        self.page.mouse.move(handle["x"] + handle["width"] / 2, height)
        self.page.mouse.down()
        self.page.mouse.move(rail["x"] + to * rail["width"], height, steps=8)
        self.page.mouse.up()
        return self.value(name)

    def press(self, name: str, *keys: str) -> str:
        """Press keys on a slider; its value afterwards."""
        handle = self.control(name).locator(".noUi-handle")
        handle.focus()
        for key in keys:
            handle.press(key)
        return self.value(name)

    def click(self, row: int, column: int) -> None:
        """Click on a pixel of the slice in the picture, counted from the picture's upper left corner."""
        img = self.output.locator("img")
        shown = img.bounding_box()["width"] / img.evaluate("img => img.naturalWidth")  # screen pixels a pixel
        x, y = ((at + 0.5) * SCALE * shown for at in (column, row))
        img.click(position={"x": x, "y": y})

    def choose(self, name: str, option: str) -> None:
        """Choose from a list."""
        self.control(name).locator("select").select_option(label=option)

    def says(self, words: str) -> str:
        """Wait until the output contains *words*; the whole sentence."""
        self.shows(words)
        return self.sentence()

    def shows(self, words: str) -> None:
        """Wait until the output contains *words*."""
        expect(self.output).to_contain_text(words, timeout=ANSWER)

    def sentence(self) -> str:
        """What stands below the picture."""
        return self.output.locator(".strokegan-words").inner_text()

    def picture(self) -> np.ndarray:
        """The picture as the browser shows it, (H, W, 3) uint8."""
        return pixels(self.output.locator("img"))


def pixels(img: Locator) -> np.ndarray:
    """An <img> as the browser decoded it, (H, W, 3) uint8."""
    data = img.evaluate(PIXELS).split(",", 1)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

"""A widget in JupyterLab, handled as somebody in front of the screen would."""

import base64
import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, expect

from strokegan_lib.classroom.widgets.pixels import SCALE

ANSWER = 60_000  # milliseconds until a widget shows what the kernel made of a click

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

    def slide(self, name: str, to: float) -> str:
        """Click on a slider at a share of its length, 0..1; its value there."""
        rail = self.control(name).locator(".noUi-base")
        rail.click(position={"x": to * rail.bounding_box()["width"], "y": 1}, force=True)
        return self.value(name)

    def press(self, name: str, key: str) -> str:
        """Press a key on a slider; its value afterwards."""
        self.control(name).locator(".noUi-handle").press(key)
        return self.value(name)

    def click(self, row: int, column: int) -> None:
        """Click on a pixel of the slice in the picture, counted from the picture's upper left corner."""
        img = self.output.locator("img")
        shown = img.bounding_box()["width"] / img.evaluate("img => img.naturalWidth")  # screen pixels a pixel
        x, y = ((at + 0.5) * SCALE * shown for at in (column, row))
        img.click(position={"x": x, "y": y})

    def says(self, words: str) -> str:
        """Wait until the output contains *words*; all that it says."""
        expect(self.output).to_contain_text(words, timeout=ANSWER)
        return self.output.inner_text()

    def picture(self) -> np.ndarray:
        """The picture as the browser shows it, (H, W, 3) uint8."""
        data = self.output.locator("img").evaluate(PIXELS).split(",", 1)[1]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

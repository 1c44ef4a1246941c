"""A lesion painted by hand: Python gets the mask that was painted, and the picture beside it follows."""

from collections.abc import Callable

import numpy as np
from conftest import Shown
from playwright.sync_api import expect

from strokegan_lib.classroom.widgets.lesion_painter import brushed
from strokegan_lib.classroom.widgets.pixels import SCALE

Place = tuple[int, int]  # row and column of a pixel of the slice
SIDE = 128
ROW, COLUMN = MIDDLE = 62, 88  # deep in the right half of the brain


def dabs(*way: Place) -> np.ndarray:
    """What the painter's first brush, 9 pixels across, leaves."""
    return brushed([way], 9, (SIDE, SIDE))


class Painter(Shown):
    """The lesion painter: its canvas, its tools, and what the generator made of the mask."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown.output)
        self.canvas = self.output.get_by_label("Paint the lesion")

    def tool(self, name: str) -> None:
        self.output.get_by_role("button", name=name, exact=True).click()

    def points(self, *way: Place) -> list[tuple[float, float]]:
        """Where pixels of the slice lie in the page: x and y of their middles."""
        self.canvas.scroll_into_view_if_needed()  # the tools may have scrolled
        box = self.canvas.bounding_box()
        step = box["width"] / SIDE
        return [(box["x"] + (c + 0.5) * step, box["y"] + (r + 0.5) * step) for r, c in way]

    def stroke(self, *way: Place) -> None:
        """Press at the first place, pass through the others, let go at the last."""
        first, *others = self.points(*way)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def touch(self, start: Place, end: Place) -> None:
        """The same with a finger."""
        finger = self.page.context.new_cdp_session(self.page)
        points = [[{"x": x, "y": y}] for x, y in self.points(start, end)]
        for kind, at in zip(("touchStart", "touchMove", "touchEnd"), [*points, []], strict=True):
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    def holds(self, mask: np.ndarray) -> np.ndarray:
        """Wait until Python has answered for a mask of so many pixels; what the generator makes, (SIDE, SIDE)."""
        self.says(f" {mask.sum()} pixels of stroke")
        return self.picture()[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE, 0][:, SIDE:].astype(int)


def test_mouse_finger_and_keys_paint_erase_and_undo_and_the_picture_beside_follows(
    shown: Callable[[str], Shown],
):
    painter = Painter(shown("painter"))
    cells = painter.page.locator(".jp-Notebook .jp-Cell").count()
    painter.output.get_by_label("outline on the synthetic slice").uncheck()
    painter.tool("Clear")
    before = painter.holds(0 * dabs(MIDDLE))
    down, across = [(ROW - 8, COLUMN), (ROW + 8, COLUMN)], [(ROW, COLUMN - 6), (ROW, COLUMN + 6)]
    painter.stroke(down[0], MIDDLE, down[1])
    whole = painter.holds(dabs(*down))
    assert np.abs(whole - before)[dabs(*down)].mean() > 25  # grey levels of 255
    assert painter.img.get_attribute("alt") in painter.output.inner_text()

    painter.tool("Erase")
    painter.touch(*across)  # a finger paints too
    assert (painter.holds(dabs(*down) & ~dabs(*across)) != whole).any()
    painter.tool("Undo")
    assert (painter.holds(dabs(*down)) == whole).all()  # the same mask, the same picture to the last bit
    painter.tool("Clear")
    painter.tool("Brush")
    painter.stroke(MIDDLE)  # a click is a dab, and takes the brush there
    painter.holds(dabs(MIDDLE))
    for keys, mask in {
        ("Shift+ArrowLeft", "ArrowDown", "Space"): dabs(MIDDLE) | dabs((ROW + 1, COLUMN - 8)),
        ("z",): dabs(MIDDLE),
        ("Shift+ArrowRight", "e"): dabs(MIDDLE) & ~dabs((ROW + 1, COLUMN)),
    }.items():
        for key in keys:
            painter.canvas.press(key)
        painter.holds(mask)
    # in JupyterLab z undoes a cell's deletion and arrows move to another cell
    expect(painter.page.locator(".jp-Notebook .jp-Cell")).to_have_count(cells)
    expect(painter.canvas).to_be_focused()

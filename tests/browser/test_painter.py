"""A lesion painted by hand: the picture beside it changes there, and hardly elsewhere."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from conftest import PICTURES, Shown
from playwright.sync_api import expect
from scipy import ndimage

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

    def points(self, way: Sequence[Place]) -> list[tuple[float, float]]:
        """Where pixels of the slice lie in the page: x and y of their middles."""
        self.canvas.scroll_into_view_if_needed()  # the tools may have scrolled
        box = self.canvas.bounding_box()
        step = box["width"] / SIDE
        return [(box["x"] + (c + 0.5) * step, box["y"] + (r + 0.5) * step) for r, c in way]

    def stroke(self, *way: Place) -> None:
        """Press at the first place, pass through the others, let go at the last."""
        points = self.points(way)
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for place in points[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def touch(self, *way: Place) -> None:
        """The same with a finger."""
        points = [[{"x": x, "y": y}] for x, y in self.points(way)]
        finger = self.page.context.new_cdp_session(self.page)
        kinds = ["touchStart", *["touchMove"] * (len(way) - 1), "touchEnd"]
        for kind, at in zip(kinds, [*points, []], strict=True):
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    def holds(self, mask: np.ndarray) -> np.ndarray:
        """Wait until Python has answered for a mask of so many pixels; what the generator makes, (SIDE, SIDE)."""
        self.says(f" {mask.sum()} pixels of stroke")
        return self.picture()[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE, 0][:, SIDE:].astype(int)


@pytest.fixture
def painter(shown: Callable[[str], Shown]) -> Painter:
    """Nothing painted, the brush chosen, no outline."""
    painter = Painter(shown("painter"))
    painter.output.get_by_label("outline on the synthetic slice").uncheck()
    painter.tool("Brush")
    painter.tool("Clear")
    return painter


def test_a_painted_lesion_is_synthesised_where_it_is_painted(painter: Painter):
    way = [(ROW - 8, COLUMN - 3), (ROW, COLUMN + 3), (ROW + 8, COLUMN - 2)]
    mask = dabs(*way)
    before = painter.holds(0 * mask)
    painter.stroke(*way)
    change = np.abs(painter.holds(mask) - before)  # grey levels of 255
    away = ndimage.distance_transform_edt(~mask)  # pixels from the lesion
    assert change[mask].mean() > 25
    # the generator sees the whole brain, and answers a lesion everywhere; but mostly in its place
    assert change[(before > 0) & (away > 4)].mean() < change[mask].mean() / 2
    assert painter.img.get_attribute("alt") in painter.output.inner_text()
    painter.output.screenshot(path=PICTURES / "painter.png")


def test_erase_takes_away_and_undo_brings_back(painter: Painter):
    down, across = [(ROW - 8, COLUMN), (ROW + 8, COLUMN)], [(ROW, COLUMN - 6), (ROW, COLUMN + 6)]
    painter.touch(*down)  # a finger paints too
    whole = painter.holds(dabs(*down))
    painter.tool("Erase")
    painter.stroke(*across)
    assert (painter.holds(dabs(*down) & ~dabs(*across)) != whole).any()
    painter.tool("Undo")
    assert (painter.holds(dabs(*down)) == whole).all()  # the same mask, the same picture to the last bit


def test_keys_paint_erase_and_undo_and_stay_in_the_painter(painter: Painter):
    cells = painter.page.locator(".jp-Notebook .jp-Cell").count()
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

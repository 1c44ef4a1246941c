"""A lesion painted by hand: the picture beside it changes there, and hardly elsewhere."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from conftest import PICTURES
from playwright.sync_api import expect
from scipy import ndimage
from shown import Shown

from strokegan_lib.classroom.widgets.lesion_painter import brushed
from strokegan_lib.classroom.widgets.pixels import SCALE

Place = tuple[int, int]  # row and column of a pixel of the slice
SIDE = 128
NOTHING = " 0 pixels of stroke"


def dabs(*way: Place) -> np.ndarray:
    """What the painter's first brush, 9 pixels across, leaves."""
    return brushed([way], 9, (SIDE, SIDE))


class Painter(Shown):
    """The lesion painter: its canvas, its tools, and what the generator made of the mask."""

    @property
    def canvas(self):
        return self.output.get_by_label("Paint the lesion")

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
        first, *others = self.points(way)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def touch(self, *way: Place) -> None:
        """The same with a finger."""
        points = [[{"x": x, "y": y}] for x, y in self.points(way)]
        finger = self.page.context.new_cdp_session(self.page)
        kinds = ["touchStart", *["touchMove"] * (len(way) - 1), "touchEnd"]
        for kind, at in zip(kinds, [*points, []], strict=True):
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        finger.detach()

    def counts(self, mask: np.ndarray) -> None:
        """Wait until Python has answered for a mask of so many pixels."""
        self.says(f" {mask.sum()} pixels of stroke")

    def synthetic(self) -> np.ndarray:
        """What the generator makes, (SIDE, SIDE): a pixel for a pixel of the slice."""
        return self.picture()[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE, 0][:, SIDE:].astype(int)


@pytest.fixture
def painter(shown: Callable[[str], Shown]) -> Painter:
    """Nothing painted, the brush chosen, no outline."""
    painter = Painter(shown("painter").output)
    painter.output.get_by_label("outline on the synthetic slice").uncheck()
    painter.tool("Brush")
    painter.tool("Clear")
    painter.says(NOTHING)
    return painter


@pytest.fixture
def middle(painter: Painter) -> Place:
    """A place deep in the right half of the brain."""
    inside = painter.synthetic() > 0
    inside[:, : SIDE // 2] = False
    return divmod(int(ndimage.distance_transform_edt(inside).argmax()), SIDE)


def test_a_painted_lesion_is_synthesised_where_it_is_painted(painter: Painter, middle: Place):
    before, (row, column) = painter.synthetic(), middle
    way = [(row - 8, column - 3), (row, column + 3), (row + 8, column - 2)]
    painter.stroke(*way)
    mask = dabs(*way)
    painter.counts(mask)
    change = np.abs(painter.synthetic() - before)  # grey levels of 255
    away = ndimage.distance_transform_edt(~mask)  # pixels from the lesion
    assert change[mask].mean() > 25
    # the generator sees the whole brain, and answers a lesion everywhere; but mostly in its place
    assert change[(before > 0) & (away > 4)].mean() < change[mask].mean() / 2
    assert painter.output.locator("img").get_attribute("alt") in painter.output.inner_text()
    painter.output.screenshot(path=PICTURES / "painter.png")


def test_erase_takes_away_and_undo_brings_back(painter: Painter, middle: Place):
    row, column = middle
    down, across = [(row - 8, column), (row + 8, column)], [(row, column - 6), (row, column + 6)]
    painter.touch(*down)  # a finger paints too
    painter.counts(dabs(*down))
    whole = painter.synthetic()
    painter.tool("Erase")
    painter.stroke(*across)
    painter.counts(dabs(*down) & ~dabs(*across))
    assert (painter.synthetic() != whole).any()
    painter.tool("Undo")
    painter.counts(dabs(*down))
    assert (painter.synthetic() == whole).all()  # the same mask, the same picture to the last bit


def test_keys_paint_erase_and_undo_and_stay_in_the_painter(painter: Painter, middle: Place):
    cells, (row, column) = painter.page.locator(".jp-Notebook .jp-Cell").count(), middle
    painter.stroke(middle)  # a click is a dab, and takes the brush there
    painter.counts(dabs(middle))
    for key in ("Shift+ArrowLeft", "ArrowDown", "Space"):
        painter.canvas.press(key)
    painter.counts(dabs(middle) | dabs((row + 1, column - 8)))
    painter.canvas.press("z")
    painter.counts(dabs(middle))
    for key in ("Shift+ArrowRight", "e"):
        painter.canvas.press(key)
    painter.counts(dabs(middle) & ~dabs((row + 1, column)))
    # in JupyterLab z undoes a cell's deletion and arrows move to another cell
    expect(painter.page.locator(".jp-Notebook .jp-Cell")).to_have_count(cells)
    expect(painter.canvas).to_be_focused()

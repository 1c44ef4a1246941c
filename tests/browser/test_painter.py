"""A lesion painted by hand in notebook 04: the picture beside it changes there, and hardly elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from conftest import PICTURES
from notebook import ANSWER, OpenNotebook, Shown, pixels
from playwright.sync_api import expect
from scipy import ndimage

from strokegan_lib.classroom.widgets.lesion_painter import brushed
from strokegan_lib.classroom.widgets.pixels import ORANGE, SCALE

Place = tuple[int, int]  # row and column of a pixel of the slice
SIDE = 128
BRUSH = 9  # the painter's first brush, pixels across
NOTHING = "nothing is painted yet"


class Painter(Shown):
    """The lesion painter: its canvas, its tools, and what the generator made of the mask."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown.output)
        self.root = self.output.locator(".strokegan-painter")
        self.canvas = self.root.get_by_label("Paint the lesion")
        self.outline = self.output.get_by_label("outline on the painted slice")

    def tool(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def start(self) -> np.ndarray:
        """An empty mask, the brush, no outline; the picture without stroke."""
        self.outline.uncheck()
        self.tool("Brush")
        self.tool("Clear")
        self.says(NOTHING)
        return self.picture()

    def sentence(self) -> str:
        return self.root.locator(".strokegan-said").inner_text()

    def on_screen(self, place: Place) -> tuple[float, float]:
        """Where a pixel of the slice lies in the page: x and y of its middle."""
        box = self.canvas.bounding_box()
        row, column = ((at + 0.5) / SIDE for at in place)
        return box["x"] + column * box["width"], box["y"] + row * box["height"]

    def stroke(self, way: Sequence[Place]) -> None:
        """Press at the first place, pass through the others, let go at the last."""
        self.canvas.scroll_into_view_if_needed()  # the tools may have scrolled
        self.page.mouse.move(*self.on_screen(way[0]))
        self.page.mouse.down()
        for place in way[1:]:
            self.page.mouse.move(*self.on_screen(place))
        self.page.mouse.up()

    def touch(self, way: Sequence[Place]) -> None:
        """The same with a finger."""
        self.canvas.scroll_into_view_if_needed()
        finger = self.page.context.new_cdp_session(self.page)
        for kind, place in zip(["touchStart"] + ["touchMove"] * (len(way) - 1), way, strict=True):
            x, y = self.on_screen(place)
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        finger.detach()

    def counts(self, mask: np.ndarray) -> None:
        """Wait until Python has answered for a mask of so many pixels."""
        self.says(f"{mask.sum()} pixels painted" if mask.any() else NOTHING)

    def picture(self) -> np.ndarray:
        """What the generator paints, (SIDE, SIDE): a pixel for a pixel of the slice."""
        shown = pixels(self.root.locator("img"))
        return shown[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE, 0].astype(int)


class TestPaintingStroke:
    NOTEBOOK = "04_painting_stroke.ipynb"
    RUN_TO = "mover = LesionMover("

    @pytest.fixture
    def painter(self, notebook: OpenNotebook) -> Painter:
        return Painter(notebook.output("painter = LesionPainter("))

    @pytest.fixture
    def middle(self, painter: Painter) -> Place:
        """A place deep in the right half of the brain."""
        inside = painter.start() > 0
        inside[:, : SIDE // 2] = False
        return divmod(int(ndimage.distance_transform_edt(inside).argmax()), SIDE)

    def test_notebook_shows_a_first_lesion(self, notebook: OpenNotebook):
        painter = Painter(notebook.output("painter = LesionPainter("))
        told = painter.says("pixels painted; brightness under the mask")
        expect(painter.root.locator("img")).to_have_attribute("alt", re.compile(re.escape(told)))

    def test_a_painted_lesion_is_synthesised_inside_the_painted_area(self, painter: Painter, middle: Place):
        before = painter.picture()
        row, column = middle
        way = [(row - 8, column - 3), (row, column + 3), (row + 8, column - 2)]
        painter.stroke(way)
        mask = brushed([way], BRUSH, (SIDE, SIDE))
        painter.counts(mask)
        change = np.abs(painter.picture() - before)  # grey levels of 255
        away = ndimage.distance_transform_edt(~mask)  # pixels from the lesion
        brain = before > 0
        assert change[mask].mean() > 25
        # the generator sees the whole brain, and answers a lesion everywhere; but mostly in its place
        assert change[brain & (away > 4)].mean() < change[mask].mean() / 2
        assert not change[~brain].any()

    def test_outline_can_be_shown(self, painter: Painter, middle: Place):
        row, column = middle
        way = [(row - 10, column - 2), (row, column + 4), (row + 8, column)]
        painter.stroke(way)
        painter.counts(brushed([way], BRUSH, (SIDE, SIDE)))
        shown = painter.root.locator("img")
        plain, address = pixels(shown), shown.get_attribute("src")
        painter.outline.check()
        expect(shown).not_to_have_attribute("src", address, timeout=ANSWER)
        changed = pixels(shown)[(pixels(shown) != plain).any(axis=-1)]
        assert len(changed) and (changed == ORANGE).all()
        painter.root.screenshot(path=PICTURES / "painter.png")  # README's picture: make test-browser

    def test_erase_takes_away_and_undo_brings_back(self, painter: Painter, middle: Place):
        row, column = middle
        down, across = [(row - 8, column), (row + 8, column)], [(row, column - 6), (row, column + 6)]
        first, second = (brushed([way], BRUSH, (SIDE, SIDE)) for way in (down, across))
        painter.stroke(down)
        painter.counts(first)
        whole = painter.picture()
        painter.tool("Erase")
        painter.stroke(across)
        painter.counts(first & ~second)
        assert (painter.picture() != whole).any()
        painter.tool("Undo")
        painter.counts(first)
        assert (painter.picture() == whole).all()  # the same mask, the same picture to the last bit

    def test_keys_paint_erase_and_undo_and_stay_in_the_painter(
        self, painter: Painter, middle: Place, notebook: OpenNotebook
    ):
        row, column = middle
        painter.stroke([middle])  # a click is a dab, and takes the brush there
        dab = brushed([[middle]], BRUSH, (SIDE, SIDE))
        painter.counts(dab)
        painter.canvas.focus()
        for key in ("Shift+ArrowLeft", "ArrowDown", "Space"):
            painter.canvas.press(key)
        further = brushed([[(row + 1, column - 8)]], BRUSH, (SIDE, SIDE))
        painter.counts(dab | further)
        for key, left in (
            ("z", dab),
            ("Shift+ArrowRight", dab),
            ("e", dab & ~brushed([[(row + 1, column)]], BRUSH, (SIDE, SIDE))),
        ):
            painter.canvas.press(key)
            painter.counts(left)
        # in JupyterLab z undoes a cell's deletion and arrows move to another cell
        expect(notebook.cells).to_have_count(len(notebook.sources))
        expect(painter.canvas).to_be_focused()

    def test_a_finger_paints(self, painter: Painter, middle: Place):
        row, column = middle
        way = [(row - 6, column - 6), (row, column), (row + 6, column - 6)]
        painter.touch(way)
        painter.counts(brushed([way], BRUSH, (SIDE, SIDE)))

    def test_lesion_mover_moves_with_a_click_and_with_the_sliders(self, notebook: OpenNotebook):
        mover = notebook.output(self.RUN_TO)
        before = mover.picture()
        mover.click(60, 50)
        expect(mover.control("row").locator(".widget-readout")).to_have_text("60", timeout=ANSWER)
        expect(mover.control("column").locator(".widget-readout")).to_have_text("50", timeout=ANSWER)
        turned = int(mover.press("angle", *["ArrowRight"] * 3))
        assert turned == 33
        assert (mover.picture() != before).any()
        mover.output.screenshot(path=PICTURES / "lesion_mover.png")
        mover.drag("size", 0.0)
        mover.says("without stroke")

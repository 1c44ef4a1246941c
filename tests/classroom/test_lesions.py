"""The moved and the painted lesion: where it lands, and what the generator makes of it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from conftest import pixels
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.classroom import LesionMover, LesionPainter
from strokegan_lib.classroom.widgets.lesion_mover import moved
from strokegan_lib.classroom.widgets.lesion_painter import PaintCanvas, brushed, digits
from strokegan_lib.classroom.widgets.pixels import ORANGE, SCALE
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator

BAR = np.zeros((128, 128), bool)
BAR[58:63, 50:65] = True  # longer than wide, around (60, 57)
PATCH = np.zeros((128, 128), bool)
PATCH[60:66, 60:72] = True  # 72 pixels in the middle of a brain


@pytest.fixture
def painter(generator: Generator, phantom: SliceSet, rows: np.ndarray) -> LesionPainter:
    return LesionPainter(generator, phantom, rows)


def from_browser(painter: LesionPainter, mask: np.ndarray) -> None:
    """What the browser sends when that has been painted."""
    painter.image.set_state({"mask": "".join("1" if on else "0" for on in mask.ravel())})


def made(generator: Generator, stroke: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """The generator's picture, 0..255."""
    masks = (torch.from_numpy(mask).float()[None, None] for mask in (stroke, foreground))
    with torch.inference_mode():
        return 255 * generator(*masks)[0, 0].numpy() * foreground


@given(row=st.integers(30, 97), column=st.integers(30, 97), angle=st.integers(-180, 180))
def test_the_centre_lands_where_it_was_sent(row: int, column: int, angle: int):
    found = moved(BAR, row, column, 1.0, angle)
    assert [place.mean() for place in np.nonzero(found)] == pytest.approx([row, column], abs=0.75)
    assert found.sum() == pytest.approx(BAR.sum(), rel=0.2)


def test_a_lesion_is_resized_and_turned_anticlockwise():
    assert np.array_equal(moved(BAR, 60, 57, 1.0, 0), BAR) and not moved(BAR, 60, 57, 0.0, 0).any()
    assert moved(BAR, 60, 57, 2.0, 0).sum() == pytest.approx(4 * BAR.sum(), rel=0.15)
    slanted = moved(BAR, 60, 57, 1.0, 30)
    left, right = (np.nonzero(slanted[:, column])[0].mean() for column in (52, 62))
    assert right < left, "the right end went up"
    gone = moved(BAR, 60, 127, 1.0, 0)
    assert gone[:, 110:].any() and not gone[:, :110].any(), "what leaves does not come back"


def test_mover_shows_the_real_slice_and_what_the_generator_makes(phantom: SliceSet, generator, rows):
    mover = LesionMover(generator, phantom, rows, BAR)
    mover.set(number=1, row=64, column=64, size=1.5, angle=20, outline=False)
    foreground = phantom.foreground[rows[1]].astype(bool)
    asked = moved(BAR, 64, 64, 1.5, 20)
    real, synthetic = np.split(pixels(mover)[1::SCALE, 1::SCALE, 0], 2, axis=1)  # no outline there
    own = made(generator, asked, foreground)
    assert np.array_equal(real, phantom.images[rows[1], 0])
    assert np.abs(synthetic[asked] - own[asked]).max() <= 0.51
    told = f"{asked.sum()} pixels of stroke; brightness under the mask {own[asked].mean() / 255:.2f}"
    assert told in mover.sentence
    orange = (pixels(mover.set(size=1.0, angle=0, outline=True)) == ORANGE).all(-1)[:, 128 * SCALE :]
    assert orange[62 * SCALE, 60 * SCALE] and not orange[64 * SCALE + 1, 64 * SCALE + 1]
    mover.image.set_state({"place": [70, 80]})  # a click
    assert (mover.controls["row"].value, mover.controls["column"].value) == (70, 80)


def test_a_brush_paints_discs_and_ways_as_wide_as_itself():
    dab = brushed([[(20, 30)]], 9, (64, 64))
    assert [place.mean() for place in np.nonzero(dab)] == [20, 30] and np.ptp(np.nonzero(dab)[0]) == 8
    assert dab.sum() == pytest.approx(np.pi * 4.5**2, rel=0.1)
    way = brushed([[(20, 10), (20, 50)]], 5, (64, 64))
    assert np.flatnonzero(way[:, 30]).tolist() == [18, 19, 20, 21, 22] and not way[:, :7].any()


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(-5, 40), st.floats(-5, 40)), min_size=1, max_size=4), st.integers(1, 9))
def test_a_bigger_brush_paints_more_and_ways_can_be_cut_in_two(stroke: list, size: int):
    whole = brushed([stroke], size, (36, 36))
    assert np.array_equal(whole, brushed([*pairwise(stroke), stroke[-1:]], size, (36, 36)))
    assert not (whole & ~brushed([stroke], size + 2, (36, 36))).any()


def test_painter_shows_what_the_generator_makes_of_what_was_painted(
    painter: LesionPainter, generator: Generator, phantom: SliceSet, rows: np.ndarray
):
    air = np.zeros_like(PATCH)
    air[:2, :3] = True
    foreground = phantom.foreground[rows[1]].astype(bool)
    from_browser(painter.set(number=1), PATCH | air)
    own, healthy = (np.round(made(generator, mask, foreground)) for mask in (PATCH, 0 * PATCH))
    synthetic = pixels(painter)[1::SCALE, 1::SCALE, 0][:, 128:].astype(int)  # no outline there
    assert np.abs(synthetic[PATCH] - own[PATCH]).max() <= 1
    change = (own - healthy)[PATCH].mean() / 255
    told = "78 pixels of stroke, 6 of them outside the foreground and ignored; brightness under the mask "
    assert told in painter.sentence
    assert painter.sentence.endswith(f"{change:+.2f} against the same slice without stroke")
    orange = (pixels(painter) == ORANGE).all(-1)[60 * SCALE, 60 * SCALE :: 128 * SCALE]
    assert orange.all() and not (pixels(painter.set(outline=False)) == ORANGE).all(-1)[:, 128 * SCALE :].any()
    assert painter.image.slice == phantom.images[rows[1], 0].tobytes()
    assert painter.image.foreground == phantom.foreground[rows[1]].tobytes()
    assert painter.image.alt == painter.sentence
    from_browser(painter, air)
    assert "so the generator makes the slice without stroke" in painter.sentence


def test_what_is_set_reaches_the_canvas_and_is_drawn_once(painter: LesionPainter, monkeypatch):
    calls, draw = [], painter.draw
    monkeypatch.setattr(painter, "draw", lambda **values: calls.append(values) or draw(**values))
    painter.set(strokes=[[(60, 60), (70, 66)], [(80, 50)]], size=5, number=1, outline=False)
    expected = brushed([[(60, 60), (70, 66)], [(80, 50)]], 5, (128, 128))
    assert painter.image.mask == digits(expected) and f"{expected.sum()} pixels of" in painter.sentence
    from_browser(painter, expected)  # nothing new
    assert calls == [{"number": 1, "outline": False}]
    assert PaintCanvas.class_traits()["mask"].metadata == {"sync": True, "echo_update": False}

"""The moved and the painted lesion: where it lands, and what the generator makes of it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pixels import pixels

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


@pytest.fixture(scope="module")
def given_to_both(phantom: SliceSet) -> tuple[Generator, SliceSet, np.ndarray]:
    """An untrained generator, the phantom, and its three slices with the largest foreground."""
    torch.manual_seed(0)
    rows = np.argsort(phantom.foreground.sum((1, 2), dtype=np.int64))[-3:]
    return Generator(width=8).eval(), phantom, rows


def test_a_lesion_is_moved_resized_and_turned_anticlockwise():
    assert np.array_equal(moved(BAR, 60, 57, 1.0, 0), BAR) and not moved(BAR, 60, 57, 0.0, 0).any()
    found = moved(BAR, 64, 40, 2.0, -75)
    assert [place.mean() for place in np.nonzero(found)] == pytest.approx([64, 40], abs=0.5)
    assert found.sum() == pytest.approx(4 * BAR.sum(), rel=0.15)
    slanted = moved(BAR, 60, 57, 1.0, 30)
    left, right = (np.nonzero(slanted[:, column])[0].mean() for column in (52, 62))
    assert right < left, "the right end went up"
    gone = moved(BAR, 60, 127, 1.0, 0)
    assert gone[:, 110:].any() and not gone[:, :110].any(), "what leaves does not come back"


def test_the_mover_asks_for_the_moved_lesion_and_takes_clicks(given_to_both):
    mover = LesionMover(*given_to_both, BAR).set(number=1, row=64, column=64, size=1.5, angle=20)
    assert np.array_equal(mover.asked(64, 64, 1.5, 20), moved(BAR, 64, 64, 1.5, 20))
    assert f" {mover.asked(64, 64, 1.5, 20).sum()} pixels of stroke" in mover.sentence
    mover.image.set_state({"place": [70, 80]})  # a click
    assert (mover.controls["row"].value, mover.controls["column"].value) == (70, 80)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(-5, 40), st.floats(-5, 40)), min_size=1, max_size=4), st.integers(1, 9))
def test_a_bigger_brush_paints_more_and_ways_can_be_cut_in_two(stroke: list, size: int):
    whole = brushed([stroke], size, (36, 36))
    assert np.array_equal(whole, brushed([*pairwise(stroke), stroke[-1:]], size, (36, 36)))
    assert not (whole & ~brushed([stroke], size + 2, (36, 36))).any()
    dab = brushed([[(20, 20)]], size, (36, 36))
    assert [place.mean() for place in np.nonzero(dab)] == [20, 20]
    assert np.ptp(np.nonzero(dab)[0]) == 2 * (size // 2)
    way = brushed([[(20, 10), (20, 30)]], size, (36, 36))
    assert np.array_equal(way[:, 20], dab[:, 20]) and np.array_equal(way[:, :11], dab[:, 10:21])


def test_the_painter_shows_what_the_generator_makes_of_what_was_painted(given_to_both):
    generator, slices, rows = given_to_both
    painter, index = LesionPainter(generator, slices, rows).set(number=1), rows[1]
    air = np.zeros_like(PATCH)
    air[:2, :3] = True
    painter.image.set_state({"mask": digits(PATCH | air)})  # as the browser sends it
    masks = torch.from_numpy(np.stack([PATCH, 0 * PATCH])).float()[:, None]  # (2, 1, 128, 128)
    foreground = torch.from_numpy(slices.foreground[[index, index]]).float()[:, None]
    with torch.inference_mode():
        own, healthy = 255 * (generator(masks, foreground) * foreground)[:, 0].numpy()
    grey = pixels(painter)[1::SCALE, 1::SCALE, 0].astype(int)  # no outline there
    real, synthetic = np.split(grey, 2, axis=1)
    assert np.array_equal(real[~air], slices.images[index, 0][~air])
    assert np.abs(synthetic - own)[PATCH].max() <= 1
    change = (own.round() - healthy.round())[PATCH].mean() / 255
    told = "78 pixels of stroke, 6 of them outside the foreground and ignored; brightness under the mask "
    assert told in painter.sentence
    assert painter.sentence.endswith(f"{change:+.2f} against what it paints there without a stroke")
    orange = (pixels(painter) == ORANGE).all(-1)[60 * SCALE, 60 * SCALE :: 128 * SCALE]
    assert orange.all() and not (pixels(painter.set(outline=False)) == ORANGE).all(-1)[:, 128 * SCALE :].any()
    assert painter.image.slice == slices.images[index, 0].tobytes()
    assert painter.image.foreground == slices.foreground[index].tobytes()
    painter.image.set_state({"mask": digits(air)})
    assert "so the generator makes the slice without stroke" in painter.sentence


def test_what_is_set_reaches_the_canvas_and_is_drawn_once(given_to_both, monkeypatch):
    painter = LesionPainter(*given_to_both)
    calls, draw = [], painter.draw
    monkeypatch.setattr(painter, "draw", lambda **values: calls.append(values) or draw(**values))
    painter.set(strokes=[[(60, 60), (70, 66)], [(80, 50)]], size=5, number=1, outline=False)
    expected = brushed([[(60, 60), (70, 66)], [(80, 50)]], 5, (128, 128))
    assert painter.image.mask == digits(expected) and f"{expected.sum()} pixels of" in painter.sentence
    painter.image.set_state({"mask": digits(expected)})  # nothing new
    assert calls == [{"number": 1, "outline": False}]
    assert PaintCanvas.class_traits()["mask"].metadata == {"sync": True, "echo_update": False}

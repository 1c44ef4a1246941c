"""The painted lesion: what brush and generator make of it, with anywidget and without."""

from __future__ import annotations

import base64
import io
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from brains import brains
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from strokegan_lib.classroom.widgets.lesion_painter import LesionPainter, brushed
from strokegan_lib.classroom.widgets.painting import Painting
from strokegan_lib.classroom.widgets.pixels import ORANGE, SCALE
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.models.unet import Both

PATCH = np.zeros((128, 128), bool)
PATCH[60:66, 60:72] = True  # 72 pixels in the middle of a brain


@pytest.fixture
def painter(generator: Generator, phantom: SliceSet, rows: np.ndarray) -> LesionPainter:
    return LesionPainter(generator, phantom, rows)


def pixels(png: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(png)).convert("RGB"))


def from_browser(painter: LesionPainter, mask: np.ndarray) -> None:
    """What the browser sends when that has been painted: bits, eight a byte, in base64."""
    bits = np.packbits(mask.astype(np.uint8).ravel())
    painter.canvas.set_state({"mask": base64.b64encode(bits.tobytes()).decode()})


def test_a_dab_is_a_disc_and_a_way_is_as_wide_as_the_brush():
    dab = brushed([[(20, 30)]], 9, (64, 64))
    r, c = np.nonzero(dab)
    assert (r.mean(), c.mean()) == (20, 30) and np.hypot(r - 20, c - 30).max() <= 4.5
    assert dab.sum() == pytest.approx(np.pi * 4.5**2, rel=0.1)
    way = brushed([[(20, 10), (20, 50)]], 5, (64, 64))
    assert np.flatnonzero(way[:, 30]).tolist() == [18, 19, 20, 21, 22]
    assert not way[:, :7].any() and way[20, 8] and way[20, 52]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(-5, 40), st.floats(-5, 40)), min_size=1, max_size=4), st.integers(1, 9))
def test_a_bigger_brush_paints_more_and_ways_can_be_cut_in_two(stroke: list, size: int):
    whole = brushed([stroke], size, (36, 36))
    parts = brushed([*pairwise(stroke), stroke[-1:]], size, (36, 36))
    assert np.array_equal(whole, parts)
    assert not (whole & ~brushed([stroke], size + 2, (36, 36))).any()


def test_the_picture_is_the_generators_for_what_was_painted(
    painter: LesionPainter, generator: Generator, phantom: SliceSet, rows: np.ndarray
):
    painter.set(mask=PATCH, number=1, outline=False)
    foreground = phantom.foreground[rows[1]].astype(bool)
    assert (foreground | ~PATCH).all(), "the patch lies in the brain"
    masks = (torch.from_numpy(mask).float()[None, None] for mask in (PATCH, foreground))
    with torch.inference_mode():
        painted = 255 * generator(*masks)[0, 0].numpy()
    shown = pixels(painter.canvas.painted)[::SCALE, ::SCALE, 0]
    assert np.abs(shown - painted).max() <= 0.51
    still = pixels(painter.image.value)[1::SCALE, 1::SCALE]  # the middle of each pixel: no outline there
    assert np.array_equal(still[..., 0], np.concatenate([phantom.images[rows[1], 0], shown], axis=1))
    assert (pixels(painter.image.value)[60 * SCALE, 66 * SCALE] == ORANGE).all(), (
        "what was painted is outlined"
    )


def test_the_sentence_tells_what_changed_and_what_was_ignored(
    painter: LesionPainter, phantom: SliceSet, rows: np.ndarray
):
    assert "nothing is painted yet" in painter.words.value
    painting, foreground = Painting(painter.painting.generator, phantom), phantom.foreground[rows[0]] == 1
    wide = PATCH.copy()
    wide[0, :7] = True  # air
    with_it, without = (
        painting.paint(PATCH & foreground, foreground),
        painting.paint(PATCH & False, foreground),
    )
    after, before = with_it[PATCH].mean() / 255, without[PATCH].mean() / 255
    words = painter.set(mask=wide).words.value
    assert "79 pixels painted, 7 of them outside the foreground and ignored" in words
    assert f"brightness under the mask {after:.2f}, {after - before:+.2f} against" in words
    assert words in painter.canvas.alt and words == painter.canvas.words == painter.image.alt
    only_air = painter.set(mask=wide & ~PATCH).words.value
    assert "7 pixels painted, 7 of them outside" in only_air and only_air.endswith("without stroke")
    assert np.array_equal(painter.set(mask=PATCH & False).painting.healthy[int(rows[0])], without)


def test_what_the_browser_paints_is_what_set_paints(painter: LesionPainter):
    painter.set(mask=PATCH)
    picture, words = painter.image.value, painter.words.value
    painter.set(mask=np.zeros((128, 128)))
    assert painter.image.value != picture
    from_browser(painter, PATCH)
    assert (painter.image.value, painter.words.value) == (picture, words)
    assert np.array_equal(painter.mask, PATCH)
    from_browser(painter, PATCH & False)
    assert "nothing is painted" in painter.canvas.words


def test_strokes_and_masks_reach_the_canvas(painter: LesionPainter):
    painter.set(strokes=[[(60, 60), (70, 66)], [(80, 50)]], size=5)
    expected = brushed([[(60, 60), (70, 66)], [(80, 50)]], 5, (128, 128))
    assert np.array_equal(painter.mask, expected)
    bits = np.frombuffer(base64.b64decode(painter.canvas.mask), np.uint8)
    assert np.array_equal(np.unpackbits(bits).reshape(128, 128), expected)
    assert f"{expected.sum()} pixels painted" in painter.words.value


def test_another_slice_keeps_what_is_painted(painter: LesionPainter, phantom: SliceSet, rows: np.ndarray):
    painter.set(mask=PATCH).set(number=2)
    assert f"slice {rows[2]}: 72 pixels painted" in painter.words.value
    assert painter.canvas.slice == phantom.images[rows[2], 0].tobytes()
    assert painter.canvas.foreground == phantom.foreground[rows[2]].tobytes()


def test_setting_several_things_draws_once(painter: LesionPainter, monkeypatch: pytest.MonkeyPatch):
    calls, draw = [], painter.draw
    monkeypatch.setattr(painter, "draw", lambda **values: calls.append(values) or draw(**values))
    painter.set(mask=PATCH, number=1, outline=False)
    assert calls == [{"number": 1, "outline": False}]
    from_browser(painter, PATCH)  # nothing new
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"mask": np.zeros((64, 64))}, ValueError, "shape"),
        ({"mask": PATCH, "strokes": [[(1, 1)]]}, ValueError, "not both"),
        ({"number": 3}, ValueError, "beyond"),
        ({"colour": "red"}, KeyError, "outline"),
    ],
)
def test_set_refuses_what_makes_no_sense(painter: LesionPainter, values: dict, error: type, words: str):
    with pytest.raises(error, match=words):
        painter.set(**values)


def test_an_error_is_shown_in_the_widget_and_leaves_with_the_next_good_picture(
    phantom: SliceSet, rows: np.ndarray
):
    torch.manual_seed(0)
    broken = Generator(width=8).eval()
    painter = LesionPainter(broken, phantom, rows)
    head, broken.unet.head = broken.unet.head, Both(6, 1)  # does not fit
    with pytest.raises(RuntimeError):
        painter.set(mask=PATCH)
    assert painter.canvas.failed and painter.canvas.words.startswith("RuntimeError")
    with pytest.raises(RuntimeError):
        from_browser(painter, PATCH | np.roll(PATCH, 9, axis=0))
    broken.unet.head = head
    from_browser(painter, PATCH)
    assert not painter.canvas.failed and "72 pixels painted" in painter.canvas.words


def test_any_set_of_one_channel_can_be_painted_on(generator: Generator, tmp_path: Path):
    discs = brains(tmp_path / "discs", patients=2)
    painter = LesionPainter(generator, discs, np.arange(len(discs))).set(mask=PATCH, number=3)
    told = f"slice 3: {PATCH.sum()} pixels painted; brightness under the mask"
    assert told in painter.words.value and str(discs.table["patient"][3]) in painter.words.value


def test_a_generator_in_training_is_refused(phantom: SliceSet, rows: np.ndarray):
    with pytest.raises(ValueError, match="eval"):
        LesionPainter(Generator(width=8).train(), phantom, rows)


def test_without_anywidget_there_are_sliders_and_a_sentence(
    generator: Generator, phantom: SliceSet, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    with_it = LesionPainter(generator, phantom, rows).set(mask=PATCH, number=1)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    painter = LesionPainter(generator, phantom, rows)
    assert painter.canvas is None and "pip install anywidget" in painter.box.children[0].value
    painter.set(mask=PATCH, number=1)
    assert painter.image.value == with_it.image.value and painter.words.value == with_it.words.value
    sliders = painter.mover.controls
    assert (sliders["row"].value, sliders["column"].value, sliders["number"].value) == (62, 66, 1)
    assert painter.mover.box in painter.box.children and "72 pixels of stroke" in painter.mover.words.value
    sliders["size"].value = 0
    assert "without stroke" in painter.mover.words.value

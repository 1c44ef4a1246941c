"""The moved lesion: where it lands, what is painted for it, and how quickly."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from strokegan_lib.classroom.widgets.lesion_mover import LesionMover, moved
from strokegan_lib.classroom.widgets.pixels import ORANGE, SCALE
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.models.unet import Both

HALF_PIXEL = 0.75  # rounding to whole pixels may move a centre of mass by this much


def bar() -> np.ndarray:
    """A lesion that is longer than wide: 5 rows, 15 columns, around (60.0, 57.0)."""
    mask = np.zeros((128, 128), bool)
    mask[58:63, 50:65] = True
    return mask


def pixels(mover: LesionMover) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(mover.image.value)))


@given(row=st.integers(30, 97), column=st.integers(30, 97), angle=st.integers(-180, 180))
def test_the_centre_lands_where_it_was_sent(row: int, column: int, angle: int):
    found = moved(bar(), row, column, 1.0, angle)
    assert [place.mean() for place in np.nonzero(found)] == pytest.approx([row, column], abs=HALF_PIXEL)
    assert found.sum() == pytest.approx(bar().sum(), rel=0.2)


def test_unmoved_it_stays_itself():
    assert np.array_equal(moved(bar(), 60, 57, 1.0, 0), bar())


def test_size_multiplies_the_diameter():
    large = moved(bar(), 60, 57, 2.0, 0)
    assert large.sum() == pytest.approx(4 * bar().sum(), rel=0.15)
    assert not moved(bar(), 60, 57, 0.0, 0).any()


def test_it_turns_anticlockwise():
    upright = moved(bar(), 60, 57, 1.0, 90)
    assert np.array_equal(np.nonzero(upright.any(1))[0], np.arange(53, 68))  # 15 rows now
    slanted = moved(bar(), 60, 57, 1.0, 30)
    right, left = np.nonzero(slanted[:, 62])[0].mean(), np.nonzero(slanted[:, 52])[0].mean()
    assert right < left  # the right end went up


def test_what_leaves_the_picture_does_not_come_back_on_the_other_side():
    gone = moved(bar(), 60, 127, 1.0, 0)
    assert gone[:, 110:].any() and not gone[:, :110].any()


def test_it_shows_the_real_slice_and_what_the_generator_paints(
    phantom: SliceSet, generator: Generator, rows: np.ndarray
):
    mover = LesionMover(generator, phantom, rows, bar()).set(
        number=1, row=64, column=64, size=1.5, angle=20, outline=False
    )
    foreground = phantom.foreground[rows[1]].astype(bool)
    asked = moved(bar(), 64, 64, 1.5, 20) & foreground
    stroke, tissue = (torch.from_numpy(mask).float()[None, None] for mask in (asked, foreground))
    with torch.inference_mode():
        painted = 255 * generator(stroke, tissue)[0, 0].numpy()
    shown = pixels(mover)[::SCALE, ::SCALE, 0]  # (H, 2 W)
    assert np.array_equal(shown[:, :128], phantom.images[rows[1], 0])
    assert np.abs(shown[:, 128:] - painted).max() <= 0.51
    assert f"{asked.sum()} pixels of stroke" in mover.words.value
    assert f"brightness under the mask {painted[asked].mean() / 255:.2f}" in mover.words.value


def test_the_outline_lies_around_what_was_asked_for(
    phantom: SliceSet, generator: Generator, rows: np.ndarray
):
    mover = LesionMover(generator, phantom, rows, bar()).set(row=64, column=64, size=1.0, angle=0)
    orange = (pixels(mover) == ORANGE).all(-1)[:, 128 * SCALE :]
    assert orange[62 * SCALE, 60 * SCALE] and not orange[64 * SCALE + 1, 64 * SCALE + 1]
    assert not orange[: 60 * SCALE].any()
    assert not (pixels(mover.set(outline=False)) == ORANGE).all(-1).any()


def test_no_stroke_asked_for_is_said(phantom: SliceSet, generator: Generator, rows: np.ndarray):
    mover = LesionMover(generator, phantom, rows, bar())
    nothing = mover.set(size=0.0).image.value
    assert "without stroke" in mover.words.value
    corner = mover.set(size=0.3, row=0, column=0)  # air
    assert "without stroke" in corner.words.value and corner.image.value == nothing


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"row": 128}, ValueError),
        ({"number": 3}, ValueError),
        ({"size": -1.0}, ValueError),
        ({"z": 0}, KeyError),
    ],
)
def test_set_refuses_what_the_controls_do_not_offer(
    phantom: SliceSet, generator: Generator, rows: np.ndarray, values: dict, error: type
):
    with pytest.raises(error):
        LesionMover(generator, phantom, rows, bar()).set(**values)


def test_it_refuses_dropout_and_an_empty_lesion(phantom: SliceSet, generator: Generator, rows: np.ndarray):
    with pytest.raises(ValueError, match="eval"):
        LesionMover(Generator(width=8).train(), phantom, rows, bar())
    with pytest.raises(ValueError, match="empty"):
        LesionMover(generator, phantom, rows, np.zeros((128, 128), bool))


def test_an_error_of_the_generator_is_shown(phantom: SliceSet, rows: np.ndarray):
    torch.manual_seed(0)
    broken = Generator(width=8).eval()
    mover = LesionMover(broken, phantom, rows, bar())
    broken.unet.head = Both(6, 1)  # no longer fits
    with pytest.raises(RuntimeError):
        mover.set(row=50)
    assert mover.words.value.startswith("RuntimeError")


def test_set_answers_quickly_at_the_shipped_width(phantom: SliceSet, rows: np.ndarray):
    torch.manual_seed(0)
    mover = LesionMover(Generator(width=32).eval(), phantom, rows, bar())
    seconds, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for row in range(50, 60):
            start = time.process_time()  # of one thread; the clock would also count who else is at work
            mover.set(row=row)
            seconds.append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    assert np.median(seconds) < 0.2

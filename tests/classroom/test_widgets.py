"""Interactive pictures: what they show, set from code as a mouse would."""

from __future__ import annotations

import base64
import io
import time

import numpy as np
import pytest
from PIL import Image

from strokegan_lib.classroom.widgets.browsers import MaskComparison, PatientBrowser
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, picture
from strokegan_lib.data.slices import SliceSet


def pixels(png: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(png)))


def test_a_picture_is_the_slice_with_outlines_around_the_masks():
    image = np.full((8, 8), 100, np.uint8)
    mask = np.zeros((8, 8), bool)
    mask[2:5, 3:6] = True
    shown = pixels(picture(image, (mask, ORANGE)))
    assert shown.shape == (8 * SCALE, 8 * SCALE, 3)
    painted = (shown == ORANGE).all(axis=-1)
    large = np.kron(mask, np.ones((SCALE, SCALE), bool))
    assert painted[2 * SCALE, 3 * SCALE : 6 * SCALE].all()  # the upper edge
    assert (
        not painted[~large].any() and not painted[3 * SCALE + 1, 4 * SCALE + 1]
    )  # neither outside nor in the middle
    assert (shown[~painted] == 100).all()


def test_browser_shows_the_slice_that_was_asked_for(phantom: SliceSet):
    row = int(phantom.stroke.sum(axis=(1, 2), dtype=np.int64).argmax())
    name = str(phantom.table["patient"][row])
    rows = phantom.of_patient(name)
    browser = PatientBrowser(phantom)
    plane = int(np.flatnonzero(rows == row)[0])
    browser.set(channel="flair", plane=plane, patient=phantom.patients.index(name))
    assert browser.image.value == picture(phantom.images[row, 0], (phantom.stroke[row], ORANGE))
    assert (
        name in browser.words.value and f"{phantom.stroke[row].sum()} pixels of stroke" in browser.words.value
    )
    has_stroke = np.flatnonzero(phantom.table["has_stroke"][rows])
    empty = int(np.flatnonzero(phantom.table["has_stroke"][rows] == 0)[0])
    words = browser.set(plane=empty).words.value
    assert f"no stroke (this patient's lies between planes {has_stroke[0]} and {has_stroke[-1]})" in words


def test_browser_answers_quickly(phantom: SliceSet):
    browser = PatientBrowser(phantom)
    seconds = []
    for plane in range(10):
        start = time.perf_counter()
        browser.set(plane=plane)
        seconds.append(time.perf_counter() - start)
    assert np.median(seconds) < 0.2


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"plane": 10_000}, ValueError),
        ({"plane": -1}, ValueError),
        ({"channel": "no such"}, ValueError),
        ({"planes": 1}, KeyError),
    ],
)
def test_set_refuses_what_the_controls_do_not_offer(phantom: SliceSet, values: dict, error: type):
    with pytest.raises(error):
        PatientBrowser(phantom).set(**values)


def test_comparison_draws_the_second_reader_and_scores_both():
    image, mask = np.full((16, 16), 50, np.uint8), np.zeros((16, 16), bool)
    mask[4:8, 4:8] = True
    shown = MaskComparison(
        image, mask, redraw=lambda m, n: np.roll(m, n, axis=1), score=lambda a, b: (a & b).sum() / 16
    )
    shown.set(pixels=2)
    assert "edge moved by +2: Dice 0.500" in shown.words.value
    assert (pixels(shown.image.value)[4 * SCALE, 6 * SCALE : 10 * SCALE] == BLUE).all()


def test_a_still_picture_with_words_stands_in_for_the_widget(phantom: SliceSet):
    browser = PatientBrowser(phantom)
    bundle, metadata = browser._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == browser.image.value
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == browser.words.value
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_an_error_in_a_callback_is_shown():
    def redraw(mask: np.ndarray, by: int) -> np.ndarray:
        if by:
            raise RuntimeError("the pencil broke")
        return mask

    mask = np.ones((4, 4), bool)
    comparison = MaskComparison(np.zeros((4, 4), np.uint8), mask, redraw, lambda a, b: 1.0)
    with pytest.raises(RuntimeError, match="pencil"):
        comparison.set(pixels=1)
    assert comparison.words.value == "RuntimeError: the pencil broke"
    assert "strokegan-failed" in comparison.words._dom_classes
    with pytest.raises(RuntimeError, match="pencil"):
        comparison.set(pixels=1)  # nothing moves, and yet nothing is well
    comparison.set(pixels=0)
    assert "Dice" in comparison.words.value and "strokegan-failed" not in comparison.words._dom_classes

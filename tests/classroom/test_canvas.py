"""What passes between a picture in the browser and Python: masks as text, places pointed at."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from strokegan_lib.classroom.widgets.attention_explorer import GAP, AttentionExplorer
from strokegan_lib.classroom.widgets.browsers import PatientBrowser
from strokegan_lib.classroom.widgets.canvas import ClickablePicture, PaintCanvas, pack, unpack
from strokegan_lib.classroom.widgets.interactive import Interactive, Picture
from strokegan_lib.classroom.widgets.lesion_mover import LesionMover
from strokegan_lib.classroom.widgets.pixels import BLUE, SCALE
from strokegan_lib.classroom.widgets.threshold_explorer import CUTS, ThresholdExplorer
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator

SIDE = 16  # pixels of the slice
IMAGE = np.full((SIDE, SIDE), 100, np.uint8)


@pytest.fixture
def explorer() -> AttentionExplorer:
    """Two maps: 8 x 8 positions of 2 x 2 pixels, and 4 x 4 of 4 x 4."""
    return AttentionExplorer(IMAGE, {"fine": torch.eye(64), "coarse": torch.eye(16)})


def click(widget: Interactive, down: float, across: float) -> None:
    """A press on that pixel of the picture, as clickable_picture.js reckons and sends it."""
    sent = widget.image.get_state()
    (height, width), (rows, columns) = sent["size"], sent["shape"]
    for top, left in sent["corners"]:
        r, c = (down - top) / height, (across - left) / width
        if 0 <= r < 1 and 0 <= c < 1:
            widget.image.set_state({"place": [int(r * rows), int(c * columns)]})


def values(widget: Interactive, *names: str) -> tuple:
    return tuple(widget.controls[name].value for name in names)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_a_mask_comes_back_from_text(height: int, width: int, seed: int):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert np.array_equal(unpack(pack(mask), (height, width)), mask)


def test_what_was_painted_is_not_echoed():
    """An echo may be older than what has been painted since, and would wipe it out."""
    for kind, name in ((PaintCanvas, "mask"), (ClickablePicture, "place")):
        assert kind.class_traits()[name].metadata == {"sync": True, "echo_update": False}


@pytest.mark.parametrize("half", [0, SIDE * SCALE + GAP])
def test_a_click_on_either_picture_chooses_the_position_under_it(explorer: AttentionExplorer, half: int):
    explorer.set(layer="coarse")
    click(explorer, 5 * SCALE + 1, half + 14 * SCALE)
    row, column = values(explorer, "row", "column")
    assert (row // 4, column // 4) == (1, 3) and "position (1, 3) of 4 x 4" in explorer.words.value
    shown = np.array(Image.open(io.BytesIO(explorer.image.value)))
    assert (shown[4 * SCALE + 6, 12 * SCALE - 1] == BLUE).all(), "the frame is there"
    assert explorer.image.alt == explorer.words.value


def test_a_click_between_the_pictures_chooses_nothing(explorer: AttentionExplorer):
    before = explorer.image.value
    click(explorer, 5 * SCALE, SIDE * SCALE + 1)
    assert explorer.image.value == before


def test_a_slider_moves_the_place_and_is_not_moved_back(explorer: AttentionExplorer):
    explorer.set(layer="coarse", row=5, column=13)
    assert explorer.image.place == [1, 3] and values(explorer, "row", "column") == (5, 13)
    explorer.set(layer="fine")
    assert explorer.image.shape == [8, 8] and explorer.image.place == [2, 6]


def test_a_click_is_drawn_once(explorer: AttentionExplorer, monkeypatch: pytest.MonkeyPatch):
    calls, draw = [], explorer.draw
    monkeypatch.setattr(explorer, "draw", lambda **values: calls.append(values) or draw(**values))
    click(explorer, 1, 1)
    assert len(calls) == 1


def test_a_click_moves_the_lesion_there(phantom: SliceSet):
    torch.manual_seed(0)
    lesion = np.zeros((128, 128), bool)
    lesion[58:63, 50:65] = True
    rows = np.argsort(phantom.foreground.sum((1, 2), dtype=np.int64))[-1:]
    mover = LesionMover(Generator(width=8).eval(), phantom, rows, lesion)
    click(mover, 70 * SCALE + 1, (128 + 80) * SCALE + 1)
    assert values(mover, "row", "column") == (70, 80)


def test_a_click_on_the_curve_chooses_the_threshold(phantom: SliceSet):
    rows = np.flatnonzero(phantom.table["has_stroke"])[:2]
    scores = {"truth": torch.from_numpy(phantom.stroke[rows]).float()}
    explorer = ThresholdExplorer(phantom, rows, scores)
    _, columns, _ = explorer.panels["truth"]
    for k in (0, 33, 98):
        click(explorer, 200, 128 * SCALE + int(columns[k]))
        assert values(explorer, "threshold") == (CUTS[k],)
    click(explorer, 200, 100)  # on the slice
    assert values(explorer, "threshold") == (CUTS[98],)


def test_an_error_after_a_click_is_shown(explorer: AttentionExplorer, monkeypatch: pytest.MonkeyPatch):
    draw = explorer.draw
    monkeypatch.setattr(explorer, "draw", lambda **values: {}["lost"])
    with pytest.raises(KeyError):
        click(explorer, 1, 1)
    assert explorer.words.value == "KeyError: 'lost'"
    monkeypatch.setattr(explorer, "draw", draw)
    click(explorer, 40, 40)
    assert "position (6, 6)" in explorer.words.value


def test_without_anywidget_the_sliders_serve(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    explorer = AttentionExplorer(IMAGE, {"fine": torch.eye(64)}).set(row=5, column=13)
    assert isinstance(explorer.image, Picture) and "position (2, 6)" in explorer.image.alt


def test_every_picture_has_words_for_those_who_cannot_see_it(phantom: SliceSet):
    browser = PatientBrowser(phantom).set(plane=1)
    assert type(browser.image) is Picture
    assert browser.image.get_state()["tooltip"] == browser.image.alt == browser.words.value
    assert browser.image.get_state()["description"] == ""  # else the browser's half would fail on the tooltip

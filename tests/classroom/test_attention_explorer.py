"""The attention explorer: it frames the position asked for and paints that position's row of the map."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from strokegan_lib.classroom.widgets.attention_explorer import DIM, GAP, AttentionExplorer
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE
from strokegan_lib.models.attention import SelfAttention

SIDE = 16  # pixels of the slice
IMAGE = np.full((SIDE, SIDE), 100, np.uint8)


def halves(explorer: AttentionExplorer) -> tuple[np.ndarray, np.ndarray]:
    shown = np.array(Image.open(io.BytesIO(explorer.image.value)))
    large = SIDE * SCALE
    assert shown.shape == (large, 2 * large + GAP, 3)
    return shown[:, :large], shown[:, large + GAP :]


def one_to_one(n: int, to: np.ndarray) -> torch.Tensor:
    """A map in which position j takes from to[j] alone, (n, n)."""
    return torch.eye(n)[to.tolist()]


@settings(max_examples=25)
@given(
    st.integers(0, SIDE - 1), st.integers(0, SIDE - 1), st.sampled_from([1, 2, 4]), st.integers(0, 2**32 - 1)
)
def test_orange_is_where_the_position_takes_from_and_blue_where_it_is(
    row: int, column: int, f: int, seed: int
):
    side = SIDE // f
    to = np.random.default_rng(seed).permutation(side * side)
    explorer = AttentionExplorer(IMAGE, {"shuffled": one_to_one(side * side, to)})
    explorer.set(row=row, column=column)
    left, right = halves(explorer)
    block = f * SCALE
    top, start = row // f * block, column // f * block
    far_r, far_c = divmod(int(to[row // f * side + column // f]), side)
    middle = (far_r * block + block // 2, far_c * block + block // 2)
    # a position of one pixel lies partly under its neighbour's frame
    if f > 1:
        assert (right[middle] == ORANGE).all()
        orange = (right == ORANGE).all(-1).sum()
        assert block * block // 2 <= orange <= block * block
    assert f"most from ({far_r}, {far_c})" in explorer.words.value
    assert "from about 1 of" in explorer.words.value
    blue = (left == BLUE).all(-1)
    assert blue.any() and not blue[top : top + block, start : start + block].any()
    grown = np.zeros_like(blue)
    grown[max(0, top - 2) : top + block + 2, max(0, start - 2) : start + block + 2] = True
    assert not blue[~grown].any() and (left[~blue] == 100).all()


def test_weights_shade_the_slice_in_proportion_to_the_largest():
    weights = torch.zeros(16, 16)  # 4 x 4 positions of 4 x 4 pixels
    weights[:, 0], weights[:, 15] = 0.8, 0.2
    _, right = halves(AttentionExplorer(IMAGE, {"two": weights}).set(row=4, column=12))
    quarter = 0.25 * np.array(ORANGE) + 0.75 * DIM * 100
    assert (right[5, 5] == ORANGE).all() and np.abs(right[-5, -5] - quarter).max() <= 0.5
    assert (right[-5, 5] == round(DIM * 100)).all()


def test_words_measure_spread_and_the_other_half():
    explorer = AttentionExplorer(
        IMAGE, {"even": torch.full((64, 64), 1 / 64), "mirror": one_to_one(64, np.arange(64)[::-1])}
    )
    assert "about 64 of 64 positions, 50 % from the other half" in explorer.set(layer="even").words.value
    words = explorer.set(layer="mirror", row=0, column=0).words.value
    assert "about 1 of 64 positions, 100 % from the other half" in words and "most from (7, 7)" in words


def test_it_shows_a_layers_own_map():
    torch.manual_seed(0)
    layer, x = SelfAttention(16), 3 * torch.randn(1, 16, 8, 8)
    weights = layer.eval().map(x)[0]  # requires gradients: the explorer does not mind
    explorer = AttentionExplorer(IMAGE, {"untrained": weights}).set(row=6, column=10)  # position (3, 5)
    far = divmod(int(weights[3 * 8 + 5].argmax()), 8)
    assert f"most from {far}" in explorer.words.value


@pytest.mark.parametrize(
    "maps",
    [
        {},
        {"odd": torch.eye(63)},
        {"not square": torch.ones(64, 32)},
        {"too fine": torch.eye(4 * SIDE * SIDE)},
    ],
)
def test_a_map_that_does_not_fit_is_refused(maps: dict):
    with pytest.raises(ValueError, match="map"):
        AttentionExplorer(IMAGE, maps)


@pytest.mark.parametrize(
    ("values", "error"),
    [({"row": SIDE}, ValueError), ({"layer": "none such"}, ValueError), ({"pixel": 1}, KeyError)],
)
def test_set_refuses_what_the_controls_do_not_offer(values: dict, error: type):
    with pytest.raises(error):
        AttentionExplorer(IMAGE, {"even": torch.full((16, 16), 1 / 16)}).set(**values)


def test_it_answers_quickly():
    explorer = AttentionExplorer(
        np.random.default_rng(0).integers(0, 255, (128, 128), np.uint8),
        {"a": torch.full((1024, 1024), 1 / 1024)},
    )
    seconds = []
    for row in range(10):
        start = time.perf_counter()
        explorer.set(row=row)
        seconds.append(time.perf_counter() - start)
    assert np.median(seconds) < 0.2

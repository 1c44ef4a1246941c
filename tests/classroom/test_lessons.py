"""What lessons share: their opening, the slices they look at, and how these are drawn."""

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from strokegan_lib.classroom import (
    GREY,
    draw,
    forest,
    gallery,
    held_out,
    lesson,
    one_of_each,
    pictures,
    side_by_side,
    spread,
)
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput


def test_a_lesson_opens_with_its_profile_seed_and_slices(phantom: SliceSet):
    with matplotlib.rc_context():
        chosen, slices = lesson("quick")
        first = torch.rand(1)
        again, _ = lesson("quick", phantom.folder, channels=1)
        assert torch.equal(torch.rand(1), first) and plt.rcParams["font.size"] > 12
    assert (chosen.name, again) == ("quick", chosen) and slices.folder == phantom.folder
    with pytest.raises(BadInput, match="huge"):
        lesson("huge")


@pytest.mark.parametrize("stroke", [True, False])
def test_one_slice_of_each_patient_the_largest_first(phantom: SliceSet, stroke: bool):
    rows = held_out(phantom)
    assert not np.intersect1d(rows, phantom.of_split("train")).size
    found, pixels = one_of_each(phantom, rows, stroke), phantom.lesion_pixels
    size = pixels if stroke else phantom.foreground.sum((1, 2), dtype=int)
    assert (np.diff(size[found]) <= 0).all() and np.isin(found, rows).all()
    assert ((pixels[found] >= 30) if stroke else (pixels[found] == 0)).all()
    patients = phantom.table["patient"]
    assert len(set(patients[found])) == len(found)
    for row in found:
        own = rows[patients[rows] == patients[row]]
        assert size[row] == (size[own] if stroke else size[own][pixels[own] == 0]).max()


@pytest.mark.parametrize(
    ("n", "count", "places"), [(9, 3, [0, 4, 8]), (2, 5, [0, 1]), (5, 1, [0]), (0, 3, [])]
)
def test_rows_are_spread_evenly(n: int, count: int, places: list[int]):
    assert spread(10 * np.arange(n), count).tolist() == [10 * place for place in places]


def test_slices_masks_and_bytes_share_one_scale(phantom: SliceSet):
    rows = one_of_each(phantom, phantom.of_split("all"), stroke=True)[:2]
    shown, strokes = pictures(phantom, rows), phantom.stroke[rows]
    assert shown.dtype == np.float32 and 0 <= shown.min() < shown.max() <= 1
    figure = gallery(
        {"bytes": phantom.images[rows, 0], "shares": shown, "one": strokes[:1]}, {"shares": strokes}
    )
    axes = np.array(figure.axes).reshape(3, 2)
    assert [ax.images[0].get_clim() for ax in (*axes[0], *axes[1], axes[2, 0])] == [(0, 255)] * 2 + [
        (0, 1)
    ] * 3
    assert [len(ax.collections) for ax in axes.flat] == [0, 0, 1, 1, 0, 0] and not axes[2, 1].axison
    figure = side_by_side({"a": shown[0], "b": shown[1]}, {"b": strokes[1]})
    assert [(ax.get_title(), len(ax.collections)) for ax in figure.axes] == [("a", 0), ("b", 1)]
    draw(figure.axes[0], shown[0], 0 * strokes[0], "empty", vmax=0.5)  # an empty mask has no outline
    assert figure.axes[0].images[-1].get_clim() == (0, 0.5) and not figure.axes[0].collections
    plt.close("all")


def test_a_forest_tells_gains_from_intervals_that_hold_0_and_shows_what_was_expected():
    rows = {"better": (0.2, 0.1, 0.3), "unclear": (0.05, -0.02, 0.1), "none": (None, None, None)}
    plain, (_, ax) = plt.figure().subplots(), plt.subplots()
    forest(plain, rows)
    assert len(plain.lines) == 4 and {line.get_color() for line in plain.lines[::2]} == {"black"}
    forest(ax, rows, {"better": "gains", "unclear": "stays"})
    interval, _, unclear, _, zero = ax.lines
    assert (interval.get_color(), unclear.get_color()) == ("black", GREY)
    assert list(interval.get_xdata()) == [0.1, 0.3] and list(zero.get_xdata()) == [0, 0]
    gains, stays, nothing = ax.patches
    assert gains.get_x() == 0 < gains.get_width() and nothing.get_width() == 0
    assert stays.get_x() + stays.get_width() / 2 == pytest.approx(0)
    plt.close("all")

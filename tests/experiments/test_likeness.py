"""Likeness of the phantom, against cases that can be worked out."""

from dataclasses import replace

import numpy as np
import pytest
from brains import brains

from experiments import likeness as module
from experiments.likeness import (
    compared,
    grey_distance,
    grey_levels,
    grow_slices,
    likeness,
    radial_spectrum,
    slices_at,
    spectrum_distance,
)
from experiments.runner import Place
from strokegan_lib.errors import BadInput


def test_grey_levels_are_shares_of_the_foreground():
    image = np.full((16, 16), 100, np.uint8)
    image[8:] = 200
    foreground = np.ones((16, 16), np.uint8)
    foreground[12:] = 0
    shares = grey_levels(image, foreground)
    assert shares.sum() == pytest.approx(1) and shares[100 - 8] == pytest.approx(2 / 3)
    assert grey_distance(shares, np.roll(shares, 5)) == pytest.approx(5)


@pytest.mark.parametrize("k", [5, 20, 50])
def test_a_wave_has_its_power_at_its_frequency_and_power_goes_with_the_square_of_contrast(k):
    wave = np.cos(2 * np.pi * k * np.arange(128) / 128) * np.ones((128, 1))
    weak, strong = (radial_spectrum(np.rint(128 + c * wave), wave) for c in (10, 100))
    assert strong.shape == (63,) and 4 + int(strong[3:].argmax()) == k  # the first entry is 1 cycle an image
    assert strong[k - 1] - weak[k - 1] == pytest.approx(2, abs=0.05)
    assert spectrum_distance(weak + 2, weak) == pytest.approx(2)


def test_darker_slices_are_further_than_halves(tmp_path):
    discs = brains(tmp_path / "set", patients=60, each=1, every=2)
    images, foreground = slices_at(discs, 0.0)
    assert images.shape == foreground.shape == (60, 128, 128) and len(slices_at(discs, 30.0)[0]) == 0
    assert compared("grey levels", (images, foreground), (images[:30], foreground[:30]))["ratio"] < 1.5
    dark = (np.where(images > 8, images // 2 + 8, images)[:30], foreground[:30])
    line = compared("grey levels", (images, foreground), dark)
    assert line["ratio"] == line["phantom"] / line["halves"] > 5


def test_the_table_compares_half_as_many_slices_and_needs_flair(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        module, "grow_slices", lambda n, height: asked.append((n, height)) or slices_at(discs, 0.0)
    )
    discs = brains(tmp_path / "set", patients=12, each=1, every=2)
    result = likeness(Place(discs, tmp_path))
    assert asked == [(6, 0.0)] and [line["measure"] for line in result.tables[""]] == [*module.MEASURES]
    assert result.facts["counts"] == {"phantom_slices": 12, "real_slices": 12}
    with pytest.raises(BadInput, match="has no FLAIR"):
        slices_at(replace(discs, card={**discs.card, "channels": ["dwi"]}), 0.0)


def test_a_phantom_slice_at_a_height_of_the_atlas():
    for images, inside in [grow_slices(1, 18.0), grow_slices(1, 40.0)]:
        assert (
            images.shape == (1, 128, 128)
            and (images[inside == 1] >= 8).all()
            and not images[inside == 0].any()
        )

"""Transplanted masks: inside the tissue, near where they were, of the size asked for."""

from dataclasses import replace

import numpy as np
import pytest
from brains import brains, disc
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from strokegan_lib.balance.transplant import SMALLEST, Deformation, Transplanter, onto, ventricles
from strokegan_lib.data.slices import SliceSet

STILL = Deformation(mirror=0, rotation=0, scale=0, shear=0, shift=0, bend=0)


@pytest.fixture(scope="module")
def free(discs) -> list[int]:
    """Training slices without stroke."""
    rows = discs.of_split("train")
    return rows[discs.table["has_stroke"][rows] == 0].tolist()


def transplanter(slices: SliceSet, deformation: Deformation | None = None) -> Transplanter:
    return Transplanter(slices, slices.of_split("train"), deformation)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), pick=st.integers(0, 10**6))
def test_masks_lie_in_tissue_and_come_from_training_patients(discs, free, seed, pick):
    row = free[pick % len(free)]
    placed = transplanter(discs).place(row, np.random.default_rng(seed))
    foreground = discs.foreground[row] == 1
    assert placed.stroke.sum() >= SMALLEST
    assert not (placed.stroke & ~foreground).any()
    assert not (placed.stroke & ventricles(discs.images[row, 0], foreground)).any()
    assert placed.donor in discs.of_split("train") and discs.stroke[placed.donor].any()


def test_sizes_by_request_are_mostly_met_by_the_same_mask_for_the_same_seed(discs, free):
    found = [transplanter(discs).place(free[0], np.random.default_rng(n // 2), (150, 300)) for n in range(20)]
    met = [(a, b) for a, b in zip(found[::2], found[1::2], strict=True) if a is not None]
    assert len(met) >= 9 and all(np.array_equal(a.stroke, b.stroke) for a, b in met)
    assert all(150 <= a.stroke.sum() <= 300 for a, _ in met)
    assert len({a.stroke.tobytes() for a, _ in met}) == len(met)


@pytest.mark.parametrize("side", [1, -1])
def test_without_deformation_a_mask_keeps_its_place_in_the_brain_or_changes_the_side(discs, free, side):
    donors = transplanter(discs, replace(STILL, mirror=side < 0))
    for row in free[:5]:
        placed = donors.place(row, np.random.default_rng(row))
        places = []
        for at, mask in ((placed.donor, discs.stroke[placed.donor]), (row, placed.stroke)):
            rows, columns = np.nonzero(discs.foreground[at])
            half = np.ptp(rows) / 2 + 0.5, np.ptp(columns) / 2 + 0.5
            centre = np.array(ndimage.center_of_mass(mask))
            places.append((centre - [rows.min(), columns.min()] - half) / half)
        assert np.abs(places[0] * (1, side) - places[1]).max() < 0.05


def test_donors_are_of_about_the_same_height(tmp_path):
    slices = brains(tmp_path / "set", patients=12, each=8)  # planes at 0, 5, ... 35 mm
    donors, z = transplanter(slices), slices.table["z"]
    for row in range(8):
        assert abs(z[donors.place(row, np.random.default_rng(row)).donor] - z[row]) <= 10
    with pytest.raises(ValueError, match="no slice with stroke"):
        Transplanter(slices, np.arange(8))


def test_ventricles_are_found_and_folds_are_not():
    foreground, deep = disc(64, 64, 50), disc(64, 64, 10)
    image = np.where(deep | disc(64, 110, 3), 20, 150) * foreground  # one dark spot deep, one at the edge
    found = ventricles(image.astype(np.uint8), foreground)
    assert found[disc(64, 64, 8)].all() and not found[~disc(64, 64, 12)].any()
    assert not ventricles(image, np.zeros_like(foreground)).any()


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6))
def test_a_mask_keeps_its_place_in_another_brain(seed):
    rng = np.random.default_rng(seed)
    old, new = ((rng.uniform(60, 68, 2), rng.uniform(36, 56)) for _ in range(2))
    place, size = rng.uniform(-0.5, 0.5, 2), rng.uniform(0.1, 0.3)  # relative to the brain's radius
    brains = [disc(*middle, radius) for middle, radius in (old, new)]
    strokes = [disc(*(middle + place * radius), size * radius) for middle, radius in (old, new)]
    moved = onto(strokes[0], *brains)
    assert 2 * (moved & strokes[1]).sum() / (moved.sum() + strokes[1].sum()) > 0.75

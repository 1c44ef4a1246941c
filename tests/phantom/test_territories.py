"""Territories of the arteries: whole, on both sides alike, and where anatomy puts them."""

import numpy as np
import pytest
from scipy import ndimage

from strokegan_lib.phantom.anatomy import LOW, grid_points, shapes
from strokegan_lib.phantom.epidemiology import SUPPLIES
from strokegan_lib.phantom.territories import NAMES, SPACING, parenchyma, territories

ML = SPACING**3 / 1000  # of a grid point
X, Y, Z = np.moveaxis(grid_points(SPACING), -1, 0)


def at(x: float, y: float, z: float) -> str | None:
    index = tuple(np.rint((np.array([x, y, z]) - LOW) / SPACING).astype(int))
    found = territories()[0][index]
    return NAMES[found] if found >= 0 else None


def test_all_tissue_and_nothing_else_has_a_territory():
    assert np.array_equal(territories()[0] >= 0, parenchyma())
    assert not (parenchyma() & (shapes()["to_ventricle"] < 0)).any()
    assert not (parenchyma() & (shapes()["depth"] <= 0)).any()


def test_left_and_right_are_mirror_images():
    territory, border = territories()
    assert np.array_equal(territory, territory[::-1]) and np.array_equal(border, border[::-1])


@pytest.mark.parametrize("name", NAMES)
def test_every_territory_exists_on_both_sides(name):
    territory = territories()[0] == NAMES.index(name)
    for side in (X < 0, X > 0):
        ml = (territory & side).sum() * ML
        assert ml > 5
        # the largest stroke drawn there must not need more than its hemisphere offers
        assert SUPPLIES[name].largest < (parenchyma() & side).sum() * ML


def test_every_territory_is_in_one_piece_but_for_crumbs():
    """A power diagram of neighbouring landmarks makes no islands."""
    for i, name in enumerate(NAMES):
        pieces, _ = ndimage.label((territories()[0] == i) & (X > 0), np.ones((3, 3, 3)))
        size = np.bincount(pieces.ravel())[1:]
        assert size.max() > 0.85 * size.sum(), name


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(
    ("point", "name"),
    [  # textbook places, away from the borders
        ((6, 40, 30), "anterior cerebral"),
        ((7, -28, 62), "anterior cerebral"),  # leg area
        ((46, 20, 16), "middle cerebral, frontal"),  # Broca's area
        ((52, -30, 32), "middle cerebral, parietal"),
        ((56, -18, -8), "middle cerebral, temporal"),
        ((38, 5, 0), "middle cerebral, insular"),
        ((26, 2, 4), "lateral lenticulostriate"),  # putamen
        ((10, -85, 4), "posterior cerebral"),  # calcarine cortex
        ((26, -30, -12), "posterior cerebral"),  # hippocampus
        ((11, -18, 8), "thalamoperforating"),
        ((4, -26, -32), "basilar"),  # pons
        ((20, -54, -20), "superior cerebellar"),
        ((20, -65, -45), "inferior cerebellar"),
    ],
)
def test_textbook_places(side, point, name):
    assert at(side * point[0], *point[1:]) == name


def test_border_zones_lie_between_two_large_arteries():
    territory, border = territories()
    assert not (border & (territory < 0)).any()
    assert 0.02 < border.sum() / parenchyma().sum() < 0.2
    large = [
        [i for i, name in enumerate(NAMES) if name.startswith(artery)]
        for artery in ("anterior cerebral", "middle", "posterior cerebral")
    ]
    # distance from every point to the second nearest of the three arteries' own tissue, mm
    distance = np.stack([ndimage.distance_transform_edt(~np.isin(territory, own)) * SPACING for own in large])
    second = np.sort(distance, 0)[1]
    assert np.percentile(second[border], 90) < 10
    other = parenchyma() & ~border & (Z > 5)
    assert np.median(second[border]) < np.percentile(second[other], 2)

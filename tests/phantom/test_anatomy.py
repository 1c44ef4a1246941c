"""The average brain and its arteries: maps agree with landmarks that atlases give; noise is as its formula says."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from strokegan_lib.phantom.anatomy import HIGH, LOW, Grid, grid_points, grid_shape, sample, shapes, tissues
from strokegan_lib.phantom.epidemiology import SUPPLIES
from strokegan_lib.phantom.noise import smooth_noise
from strokegan_lib.phantom.territories import NAMES, SPACING, parenchyma, territories

X = grid_points(SPACING)[..., 0]
ML = SPACING**3 / 1000  # of a point of the 2 mm grid


def at(grid: Grid, name: str, *point: float) -> float:
    return float(grid.sample(torch.tensor([point]), name))


def test_a_linear_map_is_interpolated_exactly_and_held_beyond_the_box():
    points = grid_points(4.0)
    assert np.array_equal(points[0, 0, 0], LOW) and np.array_equal(points[-1, -1, -1], HIGH)
    maps = torch.from_numpy(np.moveaxis(points, -1, 0).astype(np.float32))  # x, y and z themselves
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.uniform(LOW - 20, HIGH + 20, (500, 3)).astype(np.float32))
    expected = np.clip(points.numpy(), LOW, HIGH).T  # (3, 500)
    assert np.allclose(sample(maps, points), expected, atol=1e-3)


def test_maps_are_sampled_by_name():
    points = torch.from_numpy(grid_points(1.0)[60:80, 90:110, 70:90].astype(np.float32))
    sampled = tissues().sample(points, "white", "fluid")  # (2, 20, 20, 20)
    for name, values in zip(("white", "fluid"), sampled, strict=True):
        assert np.allclose(values, tissues()[name][60:80, 90:110, 70:90], atol=2e-4)
    for names in (("fluid", "white"), ("bone",)):
        with pytest.raises(ValueError):
            tissues().sample(points, *names)


def test_tissues_are_shares_of_a_brain_of_believable_size():
    white, fluid, furrow = tissues().maps.numpy()
    assert (white + fluid).max() <= 1 + 1e-6 and min(white.min(), fluid.min(), furrow.min()) == 0
    depth, to_ventricle = shapes()["depth"], shapes()["to_ventricle"]
    for values in (white, fluid, furrow):
        assert (
            values.max() <= 1 and (values[::2, ::2, ::2][depth < 0] > 0.1).mean() < 1e-3
        )  # hardly any spill
    assert 1600 < (depth > 0).sum() * ML < 2000  # MNI152 is large: 1.9 litres
    assert 10 < (to_ventricle < 0).sum() * ML < 30


@pytest.mark.parametrize("side", [-1, 1])
def test_landmarks(side):
    """Places that every atlas in MNI space agrees on."""
    for ventricle in ((8, 20, 8), (10, -5, 22), (26, -44, 12)):  # frontal horn, body, atrium
        x, y, z = side * ventricle[0], *ventricle[1:]
        assert at(tissues(), "fluid", x, y, z) > 0.7 and at(shapes(), "to_ventricle", x, y, z) < 0
    white = (side * 26, -10, 32)  # centrum semiovale
    assert at(tissues(), "white", *white) > 0.95 and at(shapes(), "to_ventricle", *white) > 5
    insula = (side * 38, 5, 0)
    assert at(tissues(), "white", *insula) + at(tissues(), "fluid", *insula) < 0.5
    assert at(shapes(), "depth", side * 70, 60, 60) < 0


def test_away_points_away_from_the_ventricles():
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.uniform((-60, -80, -10), (60, 60, 60), (2000, 3)).astype(np.float32))
    here, *away = shapes().sample(points, "to_ventricle", "away_x", "away_y", "away_z")
    away = torch.stack(away, -1)  # (N, 3)
    there = shapes().sample(points + 2 * away, "to_ventricle")[0]
    assert (there > here).float().mean() > 0.98
    assert 0.95 < away.norm(dim=-1).median() < away.norm(dim=-1).max() < 1.2  # the gradient of a distance


def test_all_tissue_and_nothing_else_has_a_territory_alike_on_both_sides():
    territory, border = territories()
    assert np.array_equal(territory >= 0, parenchyma()) and not (border & ~parenchyma()).any()
    assert not (parenchyma() & ((shapes()["to_ventricle"] < 0) | (shapes()["depth"] <= 0))).any()
    assert np.array_equal(territory, territory[::-1]) and np.array_equal(border, border[::-1])
    for i, name in enumerate(NAMES):
        own = (territory == i) & (X > 0)
        size = np.bincount(ndimage.label(own, np.ones((3, 3, 3)))[0].ravel())[1:]
        assert own.sum() * ML > 5 and size.max() > 0.85 * size.sum(), name  # one piece but for crumbs
        # the largest stroke drawn there must not need more than its hemisphere offers
        assert SUPPLIES[name].largest < (parenchyma() & (X > 0)).sum() * ML


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
def test_textbook_places(point, name):
    index = tuple(np.rint((np.array(point) - LOW) / SPACING).astype(int))
    assert NAMES[territories()[0][index]] == name


def test_border_zones_lie_between_two_large_arteries():
    territory, border = territories()
    assert 0.02 < border.sum() / parenchyma().sum() < 0.2
    large = [
        [i for i, name in enumerate(NAMES) if name.startswith(artery)]
        for artery in ("anterior cerebral", "middle", "posterior cerebral")
    ]
    # distance from every point to the second nearest of the three arteries' own tissue, mm
    distance = np.stack([ndimage.distance_transform_edt(~np.isin(territory, own)) * SPACING for own in large])
    second = np.sort(distance, 0)[1]
    assert np.percentile(second[border], 90) < 10
    other = parenchyma() & ~border & (grid_points(SPACING)[..., 2] > 5)
    assert np.median(second[border]) < np.percentile(second[other], 2)


@pytest.mark.parametrize(("size", "power"), [(12, 2), (12, 4), (20, 4)])
def test_noise_is_standard_and_largest_where_the_formula_has_its_maximum(size, power):
    """|k|^power exp(-pi |k|^2 size^2), k in units of 1/size, is largest at sqrt(power / 2 pi) / size."""
    field = smooth_noise(np.random.default_rng(0), 4.0, size, power)
    assert field.shape == grid_shape(4.0) and field.dtype == np.float32
    assert abs(field.mean()) < 1e-4 and field.std() == pytest.approx(1, abs=1e-4)
    spectrum = np.abs(np.fft.fftn(field))
    axes = [np.fft.fftfreq(n, 4.0) for n in spectrum.shape]
    k = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))  # cycles a mm
    edges = np.arange(0, 0.125, 0.0075)
    where = np.digitize(k, edges)
    mean = [spectrum[where == i].mean() for i in range(1, len(edges))]
    peak = edges[int(np.argmax(mean))] + 0.0075 / 2
    assert peak == pytest.approx(np.sqrt(power / (2 * np.pi)) / size, abs=0.008)

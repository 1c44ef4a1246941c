"""The average brain and its arteries: maps agree with landmarks that atlases give; noise is as its formula says."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from strokegan_lib.phantom.anatomy import HIGH, LOW, grid_points, sample, shapes, smooth_noise, tissues
from strokegan_lib.phantom.epidemiology import SUPPLIES
from strokegan_lib.phantom.territories import NAMES, SPACING, parenchyma, territories

X, Y, Z = np.moveaxis(grid_points(SPACING), -1, 0)
ML = SPACING**3 / 1000  # of a point of the 2 mm grid


def test_a_linear_map_is_interpolated_exactly():
    maps = torch.from_numpy(np.moveaxis(grid_points(4.0), -1, 0).astype(np.float32))  # x, y and z themselves
    points = np.random.default_rng(0).uniform(LOW - 20, HIGH + 20, (500, 3)).astype(np.float32)
    assert np.allclose(sample(maps, torch.from_numpy(points)), np.clip(points, LOW, HIGH).T, atol=1e-3)


def test_tissues_are_shares_of_a_brain_of_believable_size():
    maps = tissues().maps.numpy()  # white, fluid, furrow
    depth, to_ventricle = shapes()["depth"], shapes()["to_ventricle"]
    assert maps.min() == 0 and maps.max() <= 1 and (maps[0] + maps[1]).max() <= 1 + 1e-6
    assert (maps[:, ::2, ::2, ::2][:, depth < 0] > 0.1).mean() < 1e-3  # hardly any spill
    assert 1600 < (depth > 0).sum() * ML < 2000  # MNI152 is large: 1.9 litres
    assert 10 < (to_ventricle < 0).sum() * ML < 30


@pytest.mark.parametrize("side", [-1, 1])
def test_landmarks(side):
    """Places that every atlas in MNI space agrees on."""
    horn, body, atrium, centrum, insula = (8, 20, 8), (10, -5, 22), (26, -44, 12), (26, -10, 32), (38, 5, 0)
    points = torch.tensor([horn, body, atrium, centrum, insula, (70, 60, 60)]) * torch.tensor([side, 1, 1.0])
    white, fluid = tissues().sample(points, "white", "fluid")
    depth, to_ventricle = shapes().sample(points, "depth", "to_ventricle")
    assert (fluid[:3] > 0.7).all() and (to_ventricle[:3] < 0).all()
    assert white[3] > 0.95 and to_ventricle[3] > 5
    assert white[4] + fluid[4] < 0.5 and depth[5] < 0  # cortex; outside


def test_all_tissue_and_nothing_else_has_a_territory_alike_on_both_sides():
    territory, border = territories()
    assert np.array_equal(territory >= 0, parenchyma()) and not (border & ~parenchyma()).any()
    assert not (parenchyma() & ((shapes()["to_ventricle"] < 0) | (shapes()["depth"] <= 0))).any()
    assert np.array_equal(territory, territory[::-1]) and np.array_equal(border, border[::-1])
    for i, name in enumerate(NAMES):
        own = (territory == i) & (X > 0)
        size = np.bincount(ndimage.label(own, np.ones((3, 3, 3)))[0].ravel())[1:]
        assert own.sum() * ML > 5 and size.max() > 0.85 * size.sum(), name  # one piece but for crumbs
        assert SUPPLIES[name].largest < (parenchyma() & (X > 0)).sum() * ML  # the hemisphere offers room
    for name, point in (
        ("anterior cerebral", (7, -28, 62)),  # leg area
        ("middle cerebral, frontal", (46, 20, 16)),  # Broca's area
        ("lateral lenticulostriate", (26, 2, 4)),  # putamen
        ("posterior cerebral", (10, -85, 4)),  # calcarine cortex
        ("basilar", (4, -26, -32)),  # pons
    ):
        index = tuple(np.rint((np.array(point) - LOW) / SPACING).astype(int))
        assert NAMES[territory[index]] == name


def test_border_zones_lie_between_two_large_arteries():
    territory, border = territories()
    assert 0.02 < border.sum() / parenchyma().sum() < 0.2
    arteries = np.array([name.split()[0] for name in NAMES])[territory]
    # distance from every point to the second nearest of the three arteries' own tissue, mm
    large = [parenchyma() & (arteries == artery) for artery in ("anterior", "middle", "posterior")]
    second = np.sort([ndimage.distance_transform_edt(~own) * SPACING for own in large], 0)[1]
    assert np.percentile(second[border], 90) < 10
    other = parenchyma() & ~border & (Z > 5)
    assert np.median(second[border]) < np.percentile(second[other], 2)


@pytest.mark.parametrize(("size", "power"), [(12, 2), (20, 4)])
def test_noise_is_standard_and_largest_where_the_formula_has_its_maximum(size, power):
    """|k|^power exp(-pi |k|^2 size^2), k in units of 1/size, is largest at sqrt(power / 2 pi) / size."""
    field = smooth_noise(np.random.default_rng(0), 4.0, size, power)
    assert abs(field.mean()) < 1e-4 and field.std() == pytest.approx(1, abs=1e-4)
    axes = [np.fft.fftfreq(n, 4.0) for n in field.shape]
    k = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))  # cycles a mm
    shell, spectrum = np.round(k / 0.0075), np.abs(np.fft.fftn(field))
    mean = [spectrum[shell == i].mean() for i in range(16)]
    assert 0.0075 * np.argmax(mean) == pytest.approx(np.sqrt(power / (2 * np.pi)) / size, abs=0.008)

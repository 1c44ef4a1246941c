"""The average brain: its maps agree with themselves and with landmarks that atlases give."""

import numpy as np
import pytest
import torch

from strokegan_lib.phantom.anatomy import HIGH, LOW, Grid, grid_points, grid_shape, sample, shapes, tissues


def at(grid: Grid, name: str, *point: float) -> float:
    return float(grid.sample(torch.tensor([point]), name))


def test_a_grid_spans_the_box():
    for spacing in (1.0, 2.0, 4.0):
        points = grid_points(spacing)
        assert points.shape == (*grid_shape(spacing), 3)
        assert np.array_equal(points[0, 0, 0], LOW) and np.array_equal(points[-1, -1, -1], HIGH)
        assert np.allclose(np.diff(points[:, 0, 0, 0]), spacing)
        assert np.allclose(np.diff(points[0, 0, :, 2]), spacing)


def test_a_map_sampled_at_its_own_points_is_the_map():
    grid = tissues()
    points = torch.from_numpy(grid_points(1.0)[60:80, 90:110, 70:90].astype(np.float32))
    sampled = grid.sample(points, "white", "fluid")
    assert sampled.shape == (2, 20, 20, 20)
    for name, values in zip(("white", "fluid"), sampled, strict=True):
        assert np.allclose(values, grid[name][60:80, 90:110, 70:90], atol=2e-4)
    assert torch.equal(grid.sample(points, *grid.names)[:2], sampled)
    for names in (("fluid", "white"), ("bone",)):
        with pytest.raises(ValueError):
            grid.sample(points, *names)


def test_a_linear_map_is_interpolated_exactly_and_held_beyond_the_box():
    maps = torch.from_numpy(np.moveaxis(grid_points(4.0), -1, 0).astype(np.float32))  # x, y and z themselves
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.uniform(LOW - 20, HIGH + 20, (500, 3)).astype(np.float32))
    expected = np.clip(points.numpy(), LOW, HIGH).T  # (3, 500)
    assert np.allclose(sample(maps, points), expected, atol=1e-3)


@pytest.mark.parametrize("name", ["white", "fluid", "furrow"])
def test_tissue_is_a_share(name):
    values = tissues()[name]
    assert values.min() == 0 and values.max() == 1
    outside = shapes()["depth"] < 0
    assert (values[::2, ::2, ::2][outside] > 0.1).mean() < 1e-3  # the maps are smooth: hardly any spill


def test_white_and_fluid_leave_room_for_grey():
    assert (tissues()["white"] + tissues()["fluid"]).max() <= 1 + 1e-6


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


def test_brain_and_ventricles_have_the_size_of_a_brain():
    ml = 2**3 / 1000  # of a point of the 2 mm grid
    assert 1600 < (shapes()["depth"] > 0).sum() * ml < 2000  # MNI152 is large: 1.9 litres
    assert 10 < (shapes()["to_ventricle"] < 0).sum() * ml < 30


def test_away_points_away_from_the_ventricles():
    grid = shapes()
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.uniform((-60, -80, -10), (60, 60, 60), (2000, 3)).astype(np.float32))
    here, *away = grid.sample(points, "to_ventricle", "away_x", "away_y", "away_z")
    away = torch.stack(away, -1)  # (N, 3)
    there = grid.sample(points + 2 * away, "to_ventricle")[0]
    assert (there > here).float().mean() > 0.98
    length = away.norm(dim=-1)
    assert length.max() < 1.2 and length.median() > 0.95  # the gradient of a distance

"""Heads and their tissue: like people's in age and size, a smooth change of the average brain."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from strokegan_lib.phantom.anatomy import shapes
from strokegan_lib.phantom.head import CENTRE, Head, draw_head
from strokegan_lib.phantom.patient import plane_points
from strokegan_lib.phantom.tissue import Tissue, draw_tissue

POINTS = torch.from_numpy(
    np.stack(np.meshgrid(*[np.arange(-40, 41, 8.0)] * 3, indexing="ij"), -1).reshape(-1, 3) + CENTRE
).float()


@pytest.fixture(scope="module")
def heads() -> list[Head]:
    return [draw_head(np.random.default_rng(seed)) for seed in range(60)]


@pytest.fixture(scope="module")
def some(heads) -> list[tuple[torch.Tensor, Tissue]]:
    """Points in MNI space and tissue of six patients, three planes of every second pixel."""
    found = []
    for seed, head in enumerate(heads[:6]):
        points = plane_points(np.array([10.0, 18.0, 30.0]), head.middle())[:, ::2, ::2].reshape(-1, 3)
        mni = head.to_mni(points)
        found.append((mni, draw_tissue(np.random.default_rng([0, seed, 1]), head, mni)))
    return found


def plain(**change) -> Head:
    """The average brain itself, but for *change*."""
    still = dict(age=60.0, atrophy=0.0, ventricle_growth=0.0, affine=np.eye(3), shift=np.zeros(3))
    return Head(**(still | {"warp": np.zeros((3, 39, 49, 41), np.float32)} | change))


def test_a_shift_and_a_scale_do_what_they_say():
    assert torch.allclose(plain().to_mni(POINTS), POINTS, atol=1e-4)  # the average brain
    shifted = plain(shift=np.array([3.0, -2.0, 1.0])).to_mni(POINTS)
    assert torch.allclose(shifted, POINTS - torch.tensor([3.0, -2.0, 1.0]), atol=1e-4)
    centre = torch.from_numpy(CENTRE).float()
    larger = plain(affine=np.eye(3) / 1.1).to_mni(POINTS)  # a larger head looks up points nearer the centre
    assert torch.allclose(larger - centre, (POINTS - centre) / 1.1, atol=1e-4)


def test_grown_ventricles_fill_what_was_tissue():
    distance = shapes().sample(POINTS, "to_ventricle")[0]
    after = shapes().sample(plain(ventricle_growth=4.0).to_mni(POINTS), "to_ventricle")[0]
    wall = (distance > 0.5) & (distance < 2)
    assert (after[wall] < distance[wall]).float().mean() > 0.95
    assert (after < 0).sum() > 1.5 * (distance < 0).sum()
    far = distance > 40
    assert (after[far] - distance[far]).abs().max() < 1  # pushed away less, the farther


def test_ages_are_those_of_stroke_patients_and_open_furrows_and_ventricles(heads):
    ages = np.array([head.age for head in heads])
    assert 63 < ages.mean() < 73 and 8 < ages.std() < 18 and ages.min() >= 25 and ages.max() <= 97
    inside = [shapes().sample(head.to_mni(POINTS), "to_ventricle")[0] < 0 for head in heads]
    ventricles = [float(share.float().mean()) for share in inside]
    assert np.corrcoef(ages, [head.atrophy for head in heads])[0, 1] > 0.4
    assert np.corrcoef(ages, ventricles)[0, 1] > 0.4


def jacobian(head: Head, points: torch.Tensor) -> torch.Tensor:
    """Volume that a small cube at each point takes up in MNI space, (N,); negative in a fold."""
    mni = head.to_mni(points)
    columns = [(head.to_mni(points + 2 * axis) - mni) / 2 for axis in torch.eye(3)]
    return torch.det(torch.stack(columns, -1))  # (N, 3, 3) -> (N,)


def test_heads_stay_near_the_average_are_not_folded_and_not_symmetric(heads):
    points = POINTS[shapes().sample(POINTS, "depth")[0] > 0]
    for head in heads[:8]:
        assert (head.to_mni(points) - points).norm(dim=-1).max() < 30  # mm
        assert (jacobian(replace(head, ventricle_growth=0.0), points) > 0).all()
        # grown ventricles meet themselves here and there, at their walls only
        volume = jacobian(head, points)
        assert (volume > 0).float().mean() > 0.94 and 0.8 < volume.median() < 1.25
        forward = head.warp[1]  # (X, Y, Z) mm; the box is symmetric in x
        assert 0.4 < np.corrcoef(forward.ravel(), forward[::-1].ravel())[0, 1] < 0.99


def test_tissue_is_shares_with_fluid_where_it_belongs(some):
    for _, tissue in some:
        shares = torch.stack([tissue.fluid, tissue.white, tissue.grey])
        assert shares.min() >= 0 and torch.allclose(shares.sum(0), torch.ones(shares.shape[1]), atol=1e-5)
        assert tissue.hyperintensity.min() >= 0
        assert (tissue.hyperintensity <= 1 - tissue.fluid + 1e-5).all()  # fluid has no hyperintensity
        assert tissue.fluid[tissue.to_ventricle < -2].min() > 0.9
        assert tissue.fluid[(tissue.depth > 35) & (tissue.to_ventricle > 6)].mean() < 0.1
        fluid, white, grey = shares[:, tissue.depth > 0].mean(1)
        assert 0.2 < white < 0.6 and 0.2 < grey < 0.6 and 0.05 < fluid < 0.45
    loads = [float(tissue.hyperintensity.mean()) for _, tissue in some]
    assert max(loads) > 2 * min(loads)


def test_atrophy_opens_the_furrows_of_the_same_brain(heads, some):
    """Ages differ between people in more than age; so one brain is made to age."""
    fluid = [
        draw_tissue(np.random.default_rng(1), replace(heads[1], atrophy=atrophy), some[1][0])
        for atrophy in (0.0, 0.5, 1.0)
    ]
    cortex = (fluid[0].depth > 2) & (fluid[0].depth < 20) & (fluid[0].to_ventricle > 8)
    for young, old in itertools.pairwise(fluid):
        assert (old.fluid >= young.fluid - 1e-6).all()
        assert young.fluid[cortex].mean() + 0.02 < old.fluid[cortex].mean()

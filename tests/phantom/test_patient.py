"""Heads: like people's in age and size, and a smooth change of the average brain."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from strokegan_lib.phantom.anatomy import shapes
from strokegan_lib.phantom.head import CENTRE, Head, draw_head

HEADS = 60
POINTS = torch.from_numpy(
    np.stack(np.meshgrid(*[np.arange(-40, 41, 8.0)] * 3, indexing="ij"), -1).reshape(-1, 3) + CENTRE
).float()


def head_of(seed: int) -> Head:
    return draw_head(np.random.default_rng(seed))


@pytest.fixture(scope="module")
def heads() -> list[Head]:
    return [head_of(seed) for seed in range(HEADS)]


def plain(**change) -> Head:
    """The average brain itself, but for *change*."""
    still = dict(
        age=60.0,
        atrophy=0.0,
        ventricle_growth=0.0,
        affine=np.eye(3),
        shift=np.zeros(3),
        warp=np.zeros((3, 39, 49, 41), np.float32),
    )
    return Head(**(still | change))


def test_the_plain_head_is_the_average_brain():
    assert torch.allclose(plain().to_mni(POINTS), POINTS, atol=1e-4)


def test_a_shift_and_a_scale_do_what_they_say():
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


def test_a_head_is_a_function_of_its_seed():
    first, again, other = head_of(5), head_of(5), head_of(6)
    assert first.age == again.age and np.array_equal(first.warp, again.warp)
    assert first.age != other.age and not np.array_equal(first.warp, other.warp)


def test_ages_are_those_of_stroke_patients(heads):
    ages = np.array([head.age for head in heads])
    assert 63 < ages.mean() < 73 and 8 < ages.std() < 18 and ages.min() >= 25 and ages.max() <= 97


def test_age_opens_furrows_and_ventricles(heads):
    """The old have more atrophy, and a larger share of their heads lies inside the ventricles."""
    ages = [head.age for head in heads]
    inside = [shapes().sample(head.to_mni(POINTS), "to_ventricle")[0] < 0 for head in heads]
    ventricles = [float(share.float().mean()) for share in inside]
    assert np.corrcoef(ages, [head.atrophy for head in heads])[0, 1] > 0.4
    assert np.corrcoef(ages, ventricles)[0, 1] > 0.4


def jacobian(head: Head, points: torch.Tensor) -> torch.Tensor:
    """Volume that a small cube at each point takes up in MNI space, (N,); negative in a fold."""
    mni = head.to_mni(points)
    columns = [(head.to_mni(points + 2 * axis) - mni) / 2 for axis in torch.eye(3)]
    return torch.det(torch.stack(columns, -1))  # (N, 3, 3) -> (N,)


def test_heads_stay_near_the_average_and_are_not_folded(heads):
    points = POINTS[shapes().sample(POINTS, "depth")[0] > 0]
    for head in heads[:12]:
        assert (head.to_mni(points) - points).norm(dim=-1).max() < 30  # mm
        assert (jacobian(replace(head, ventricle_growth=0.0), points) > 0).all()
        # grown ventricles meet themselves here and there, at their walls only
        volume = jacobian(head, points)
        assert (volume > 0).float().mean() > 0.94 and 0.8 < volume.median() < 1.25
        assert 0.9 < abs(np.linalg.det(head.affine)) < 1.4


def test_two_sides_are_alike_but_not_the_same(heads):
    for head in heads[:5]:
        forward = head.warp[1]  # (X, Y, Z) mm; the box is symmetric in x
        likeness = np.corrcoef(forward.ravel(), forward[::-1].ravel())[0, 1]
        assert 0.4 < likeness < 0.99

"""Heads and their tissue: like people's in age and size, a smooth change of the average brain."""

import itertools
from dataclasses import replace

import numpy as np
import torch

from strokegan_lib.phantom.anatomy import shapes
from strokegan_lib.phantom.head import CENTRE, Head, draw_head, draw_tissue
from strokegan_lib.phantom.patient import plane_points

AXIS = torch.arange(-40.0, 41, 8)
POINTS = torch.cartesian_prod(AXIS, AXIS, AXIS) + torch.from_numpy(CENTRE).float()
STILL = {"age": 60.0, "atrophy": 0.0, "ventricle_growth": 0.0, "affine": np.eye(3), "shift": np.zeros(3)}
AVERAGE = Head(**STILL, warp=np.zeros((3, 39, 49, 41), np.float32))  # the average brain itself
HEADS = [draw_head(np.random.default_rng(seed)) for seed in range(40)]


def test_a_shift_and_a_scale_do_what_they_say():
    centre, shift = torch.from_numpy(CENTRE).float(), np.array([3.0, -2.0, 1.0])
    larger = AVERAGE.affine / 1.1  # a larger head looks up points nearer the centre
    for head, expected in (
        (AVERAGE, POINTS),
        (replace(AVERAGE, shift=shift), POINTS - torch.from_numpy(shift).float()),
        (replace(AVERAGE, affine=larger), centre + (POINTS - centre) / 1.1),
    ):
        assert torch.allclose(head.to_mni(POINTS), expected, atol=1e-4)


def test_grown_ventricles_fill_what_was_tissue():
    grown = replace(AVERAGE, ventricle_growth=4.0).to_mni(POINTS)
    distance, after = (shapes().sample(points, "to_ventricle")[0] for points in (POINTS, grown))
    wall, far = (distance > 0.5) & (distance < 2), distance > 40
    assert (after[wall] < distance[wall]).float().mean() > 0.95
    assert (after < 0).sum() > 1.5 * (distance < 0).sum()
    assert (after[far] - distance[far]).abs().max() < 1  # pushed away less, the farther


def test_ages_are_those_of_stroke_patients_and_open_furrows_and_ventricles():
    ages = np.array([head.age for head in HEADS])
    assert 63 < ages.mean() < 73 and 8 < ages.std() < 18 and ages.min() >= 25 and ages.max() <= 97
    inside = [shapes().sample(head.to_mni(POINTS), "to_ventricle")[0] < 0 for head in HEADS]
    for opened in ([head.atrophy for head in HEADS], [int(mask.sum()) for mask in inside]):
        assert np.corrcoef(ages, opened)[0, 1] > 0.4


def test_heads_stay_near_the_average_are_not_folded_and_not_symmetric():
    points = POINTS[shapes().sample(POINTS, "depth")[0] > 0]
    for head in HEADS[:6]:
        assert (head.to_mni(points) - points).norm(dim=-1).max() < 30  # mm
        # grown ventricles meet themselves here and there, at their walls only
        for same, unfolded in ((replace(head, ventricle_growth=0.0), 1), (head, 0.94)):
            columns = [(same.to_mni(points + axis) - same.to_mni(points - axis)) / 2 for axis in torch.eye(3)]
            volume = torch.det(torch.stack(columns, -1))  # (N,) of a small cube; negative in a fold
            assert (volume > 0).float().mean() >= unfolded and 0.8 < volume.median() < 1.25
        forward = head.warp[1]  # (X, Y, Z) mm; the box is symmetric in x
        assert 0.4 < np.corrcoef(forward.ravel(), forward[::-1].ravel())[0, 1] < 0.99


def test_tissue_is_shares_with_fluid_where_it_belongs_and_atrophy_opens_the_furrows():
    loads = []
    for seed, head in enumerate(HEADS[:4]):
        points = plane_points(np.array([10.0, 18.0, 30.0]), head.middle())[:, ::2, ::2].reshape(-1, 3)
        mni = head.to_mni(points)
        young, tissue, old = (
            draw_tissue(np.random.default_rng([0, seed, 1]), replace(head, atrophy=atrophy), mni)
            for atrophy in (0.0, 0.5, 1.0)
        )
        shares = torch.stack([tissue.fluid, tissue.white, tissue.grey])
        assert shares.min() >= 0 and torch.allclose(shares.sum(0), torch.ones(len(mni)), atol=1e-5)
        assert tissue.hyperintensity.min() >= 0
        assert (tissue.hyperintensity <= 1 - tissue.fluid + 1e-5).all()  # fluid has no hyperintensity
        assert tissue.fluid[tissue.to_ventricle < -2].min() > 0.9
        assert tissue.fluid[(tissue.depth > 35) & (tissue.to_ventricle > 6)].mean() < 0.1
        fluid, white, grey = shares[:, tissue.depth > 0].mean(1)
        assert 0.2 < white < 0.6 and 0.2 < grey < 0.6 and 0.05 < fluid < 0.45
        loads.append(float(tissue.hyperintensity.mean()))
        cortex = (tissue.depth > 2) & (tissue.depth < 20) & (tissue.to_ventricle > 8)
        for before, after in itertools.pairwise((young, tissue, old)):
            assert (after.fluid >= before.fluid - 1e-6).all()
            assert before.fluid[cortex].mean() + 0.02 < after.fluid[cortex].mean()
    assert max(loads) > 2 * min(loads)

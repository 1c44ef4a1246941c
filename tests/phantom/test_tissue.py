"""Tissue: shares that sum to one, fluid where it belongs, more of it with age."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from strokegan_lib.phantom.head import Head, draw_head
from strokegan_lib.phantom.patient import plane_points
from strokegan_lib.phantom.tissue import Tissue, draw_tissue

Z = np.array([10.0, 18.0, 30.0])


def tissue_of(seed: int, z: np.ndarray = Z) -> tuple[Head, Tissue]:
    head = draw_head(np.random.default_rng([0, seed, 0]))
    points = plane_points(z, head.middle())[:, ::2, ::2].reshape(-1, 3)  # every second pixel will do
    return head, draw_tissue(np.random.default_rng([0, seed, 1]), head, head.to_mni(points))


@pytest.fixture(scope="module")
def some() -> list[tuple[Head, Tissue]]:
    return [tissue_of(seed) for seed in range(12)]


def test_shares_sum_to_one(some):
    for _, tissue in some:
        shares = torch.stack([tissue.fluid, tissue.white, tissue.grey])
        assert shares.min() >= 0 and shares.max() <= 1
        assert torch.allclose(shares.sum(0), torch.ones(len(tissue.fluid)), atol=1e-5)
        assert tissue.hyperintensity.min() >= 0
        assert (tissue.hyperintensity <= 1 - tissue.fluid + 1e-5).all()  # fluid has no hyperintensity


def test_fluid_lies_in_ventricles_and_around_the_brain(some):
    for _, tissue in some:
        assert tissue.fluid[tissue.to_ventricle < -2].min() > 0.9
        deep = (tissue.depth > 35) & (tissue.to_ventricle > 6)
        assert tissue.fluid[deep].mean() < 0.1


def test_every_tissue_has_a_believable_share(some):
    for _, tissue in some:
        inside = tissue.depth > 0
        white, grey, fluid = (
            float(share[inside].mean()) for share in (tissue.white, tissue.grey, tissue.fluid)
        )
        assert 0.2 < white < 0.6 and 0.2 < grey < 0.6 and 0.05 < fluid < 0.45


def test_atrophy_opens_the_furrows_of_the_same_brain():
    """Ages differ between people in more than age; so one brain is made to age."""
    head, _ = tissue_of(1)
    points = plane_points(Z[1:2], head.middle())[:, ::2, ::2].reshape(-1, 3)
    mni = head.to_mni(points)
    fluid = [
        draw_tissue(np.random.default_rng(1), replace(head, atrophy=atrophy), mni)
        for atrophy in (0.0, 0.5, 1.0)
    ]
    cortex = (fluid[0].depth > 2) & (fluid[0].depth < 20) & (fluid[0].to_ventricle > 8)
    shares = [float(tissue.fluid[cortex].mean()) for tissue in fluid]
    assert shares[0] + 0.02 < shares[1] and shares[1] + 0.02 < shares[2]
    assert all((old.fluid >= young.fluid - 1e-6).all() for young, old in itertools.pairwise(fluid))


def test_tissue_does_not_depend_on_the_other_planes():
    """The same plane, asked for alone or among others, is the same tissue."""
    together, alone = tissue_of(3)[1], tissue_of(3, Z[1:2])[1]
    n = len(alone.fluid)
    assert torch.allclose(together.fluid[n : 2 * n], alone.fluid, atol=1e-5)
    assert torch.allclose(together.hyperintensity[n : 2 * n], alone.hyperintensity, atol=1e-5)


def test_the_hyperintensity_load_differs_between_patients(some):
    loads = [float(tissue.hyperintensity.mean()) for _, tissue in some]
    assert max(loads) > 2 * min(loads)

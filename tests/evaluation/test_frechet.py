"""The Fréchet distance: torchmetrics and closed forms; its bias; its limit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.image.fid import _compute_fid

from strokegan_lib.evaluation.frechet import frechet_at_infinity, frechet_distance


def sample(n: int, width: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    """Correlated normal rows."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((width, width)) / np.sqrt(width)
    return torch.from_numpy(scale * rng.standard_normal((n, width)) @ mix + shift)


@pytest.mark.parametrize(("n", "m", "width"), [(4, 90, 2), (40, 150, 16), (60, 36, 33)])
def test_it_equals_torchmetrics(n: int, m: int, width: int):
    a, b = sample(n, width, 1), sample(m, width, 2, scale=1.5, shift=0.3)
    theirs = float(_compute_fid(a.mean(0), a.T.cov(), b.mean(0), b.T.cov()))
    assert frechet_distance(a, b) == pytest.approx(theirs, rel=1e-8)


@given(n=st.integers(2, 12), width=st.integers(1, 8), seed=st.integers(0, 999))
def test_it_is_a_distance_even_where_rows_are_few(n: int, width: int, seed: int):
    a, b = sample(n, width, seed), sample(n + 3, width, seed + 1, shift=1.0)
    there, back = frechet_distance(a, b), frechet_distance(b, a)
    assert there == pytest.approx(back, rel=1e-5, abs=1e-6) and there > -1e-6
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(a, a + 2) == pytest.approx(4 * width, rel=1e-4)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_a_small_sample_makes_it_too_large_and_the_limit_corrects_that(shift: float):
    found = []
    for seed in range(8):
        a, b = torch.randn(2, 200, 16, generator=torch.Generator().manual_seed(seed))
        found.append((frechet_distance(a, b + shift), frechet_at_infinity(a, b + shift, seed=seed)))
    plain, limit = np.mean(found, 0) - 16 * shift**2
    assert plain > 0.3 and abs(limit) < 0.2 * plain + 0.1


def test_the_limit_draws_whole_patients():
    """60 patients of 30 equal slices: it is the number of patients that makes the bias."""
    people = np.repeat(np.arange(60), 30)
    a, b = torch.randn(2, 60, 8, generator=torch.Generator().manual_seed(0)).repeat_interleave(30, 1)
    plain = frechet_distance(a, b)
    assert frechet_at_infinity(a, b, repeats=2) > 0.8 * plain
    assert abs(frechet_at_infinity(a, b, people, people, repeats=2)) < 0.6 * plain

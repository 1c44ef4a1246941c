"""The Fréchet distance against torchmetrics, SciPy and closed forms; its bias; its limit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torchmetrics.image.fid import _compute_fid

from strokegan_lib.evaluation.frechet import covariance, frechet_at_infinity, frechet_distance, psd_root


def sample(n: int, width: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    """Correlated normal rows."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((width, width)) / np.sqrt(width)
    return torch.from_numpy(scale * rng.standard_normal((n, width)) @ mix + shift)


@pytest.mark.parametrize("seed", range(20))
def test_it_equals_torchmetrics_and_scipy(seed: int):
    rng = np.random.default_rng(seed)
    width = int(rng.integers(2, 33))
    a = sample(int(rng.integers(width + 2, 200)), width, seed)
    b = sample(int(rng.integers(width + 2, 200)), width, seed + 100, scale=1.5, shift=0.3)
    ours = frechet_distance(a, b)
    theirs = float(_compute_fid(a.mean(0), a.T.cov(), b.mean(0), b.T.cov()))
    root = sqrtm((a.T.cov() @ b.T.cov()).numpy()).real
    by_scipy = float(
        (a.mean(0) - b.mean(0)).square().sum() + a.T.cov().trace() + b.T.cov().trace() - 2 * np.trace(root)
    )
    assert ours == pytest.approx(theirs, rel=1e-8) and ours == pytest.approx(by_scipy, rel=1e-6)


@given(n=st.integers(2, 12), width=st.integers(1, 8), seed=st.integers(0, 999))
def test_it_is_a_distance_even_where_rows_are_few(n: int, width: int, seed: int):
    a, b = sample(n, width, seed), sample(n + 3, width, seed + 1, shift=1.0)
    there, back = frechet_distance(a, b), frechet_distance(b, a)
    assert there == pytest.approx(back, rel=1e-5, abs=1e-6) and there > -1e-6
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(a, a + 2) == pytest.approx(4 * width, rel=1e-4)


def test_in_one_dimension_it_is_means_and_deviations():
    a, b = sample(50, 1, 0), sample(70, 1, 1, scale=3.0, shift=2.0)
    expected = (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
    assert frechet_distance(a, b) == pytest.approx(float(expected), rel=1e-9)


def test_the_root_squared_is_the_matrix():
    matrix = covariance(sample(5, 8, 0))  # of rank 4: four eigenvalues are 0
    root = psd_root(matrix)
    assert torch.allclose(root @ root, matrix, atol=1e-9) and torch.allclose(root, root.T)


def test_a_small_sample_makes_it_too_large_and_the_limit_mends_that():
    """Two samples of one distribution: the truth is 0."""
    plain, limits = [], []
    for seed in range(10):
        a, b = torch.randn(2, 200, 16, generator=torch.Generator().manual_seed(seed))
        plain.append(frechet_distance(a, b))
        limits.append(frechet_at_infinity(a, b, seed=seed))
    assert min(plain) > 0.5
    assert abs(np.mean(limits)) < 0.15 * np.mean(plain)


def test_the_limit_knows_the_truth_where_there_is_a_difference():
    truth, limits = 16 * 0.5**2, []
    for seed in range(5):
        a, b = torch.randn(2, 300, 16, generator=torch.Generator().manual_seed(seed))
        limits.append(frechet_at_infinity(a, b + 0.5, seed=seed))
    assert np.mean(limits) == pytest.approx(truth, rel=0.1)


def test_the_limit_draws_whole_patients():
    """Each patient has 30 equal slices: rows are plenty, patients few, and the bias is theirs."""
    people = np.repeat(np.arange(60), 30)
    plain, by_rows, by_patients = [], [], []
    for seed in range(5):
        a, b = torch.randn(2, 60, 8, generator=torch.Generator().manual_seed(seed))
        a, b = a.repeat_interleave(30, 0), b.repeat_interleave(30, 0)
        plain.append(frechet_distance(a, b))
        by_rows.append(frechet_at_infinity(a, b, repeats=2))
        by_patients.append(frechet_at_infinity(a, b, people, people, repeats=2))
    assert np.mean(by_rows) > 0.8 * np.mean(plain)
    assert abs(np.mean(by_patients)) < 0.5 * np.mean(plain)

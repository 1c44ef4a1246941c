"""Precision, recall, density, coverage against loops, and in cases whose answer is plain."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from strokegan_lib.evaluation import manifold as module
from strokegan_lib.evaluation.manifold import Manifold, manifold, nearest, radii


def means(found: Manifold) -> dict[str, float]:
    return {name: float(getattr(found, name).mean()) for name in Manifold.__dataclass_fields__}


def by_hand(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    def ball(x: np.ndarray) -> np.ndarray:
        return np.sort(cdist(x, x), axis=1)[:, k]

    real_radius, fake_radius = ball(real), ball(fake)
    held = [
        [np.linalg.norm(f - r) <= radius for r, radius in zip(real, real_radius, strict=True)] for f in fake
    ]
    near = [
        [np.linalg.norm(f - r) <= radius for f, radius in zip(fake, fake_radius, strict=True)] for r in real
    ]
    return {
        "precision": float(np.mean([any(row) for row in held])),
        "recall": float(np.mean([any(row) for row in near])),
        "density": float(np.mean([sum(row) / k for row in held])),
        "coverage": float(np.mean(np.any(held, axis=0))),
    }


@pytest.mark.parametrize("seed", range(20))
def test_it_equals_loops(seed: int):
    rng = np.random.default_rng(seed)
    k, width = int(rng.integers(1, 6)), int(rng.integers(1, 12))
    real = rng.standard_normal((int(rng.integers(k + 2, 40)), width))
    fake = 0.8 * rng.standard_normal((int(rng.integers(k + 2, 40)), width)) + 0.4
    assert means(manifold(torch.from_numpy(real), torch.from_numpy(fake), k)) == pytest.approx(
        by_hand(real, fake, k)
    )


def test_radii_and_nearest_equal_scikit_learn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "CHUNK", 16)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 6)), rng.standard_normal((30, 6))
    search = NearestNeighbors(n_neighbors=6).fit(x)
    assert np.allclose(radii(torch.from_numpy(x), 5), search.kneighbors(x)[0][:, 5])
    assert np.allclose(nearest(torch.from_numpy(y), torch.from_numpy(x)), search.kneighbors(y, 1)[0][:, 0])


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch):
    real, fake = torch.randn(2, 60, 4, generator=torch.Generator().manual_seed(0))
    whole = means(manifold(real, fake))
    monkeypatch.setattr(module, "CHUNK", 7)
    assert means(manifold(real, fake)) == whole


def test_far_away_all_is_zero_and_copies_are_perfect():
    real = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    assert set(means(manifold(real, real + 100)).values()) == {0.0}
    same = means(manifold(real, real.clone()))
    assert same["precision"] == same["recall"] == same["coverage"] == 1 and same["density"] >= 1


def test_half_of_the_modes_is_precise_and_covers_half():
    """Two clusters, the fakes know one: fidelity full, coverage a half."""
    here, there, fake = torch.randn(3, 60, 3, generator=torch.Generator().manual_seed(0))
    found = means(manifold(torch.cat([here, there + 50]), fake))
    assert found["precision"] > 0.9 and found["density"] > 0.8
    assert found["coverage"] < 0.51 and found["recall"] < 0.51


def test_one_outlier_fools_precision_and_not_density():
    """A real row far away has a ball that reaches back to the others: all between is 'precise'."""
    real = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    real[0] = torch.tensor([60.0, 0.0])
    fake = torch.randn(60, 2, generator=torch.Generator().manual_seed(1)) + torch.tensor([30.0, 0.0])
    found = means(manifold(real, fake))
    assert found["precision"] == 1 and found["density"] == pytest.approx(0.2)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="more than 5"):
        manifold(torch.zeros(5, 2), torch.zeros(9, 2))

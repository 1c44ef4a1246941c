"""Precision, recall, density, coverage: loops over scikit-learn's balls."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from strokegan_lib.evaluation import manifold as module
from strokegan_lib.evaluation.manifold import manifold, nearest, radii


@pytest.mark.parametrize(("n", "m", "k", "width"), [(3, 9, 1, 1), (30, 20, 5, 11), (12, 40, 3, 4)])
def test_it_equals_loops_over_scikit_learns_balls(n, m, k, width, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "CHUNK", 16)
    rng = np.random.default_rng(n)
    real, fake = rng.standard_normal((n, width)), 0.8 * rng.standard_normal((m, width)) + 0.4
    a, b = torch.from_numpy(real), torch.from_numpy(fake)
    of_real, of_fake = (NearestNeighbors(n_neighbors=k + 1).fit(x) for x in (real, fake))
    ball_of_real, ball_of_fake = of_real.kneighbors(real)[0][:, k], of_fake.kneighbors(fake)[0][:, k]
    assert np.allclose(radii(a, k), ball_of_real)
    assert np.allclose(nearest(b, a), of_real.kneighbors(fake, 1)[0][:, 0])
    held = [[np.linalg.norm(f - r) <= ball for r, ball in zip(real, ball_of_real, strict=True)] for f in fake]
    near = [[np.linalg.norm(f - r) <= ball for f, ball in zip(fake, ball_of_fake, strict=True)] for r in real]
    found = {name: float(values.mean()) for name, values in vars(manifold(a, b, k)).items()}
    assert found == pytest.approx({
        "precision": np.mean([any(row) for row in held]), "recall": np.mean([any(row) for row in near]),
        "density": np.mean([sum(row) / k for row in held]), "coverage": np.mean(np.any(held, axis=0)),
    })  # fmt: skip


def test_few_rows_have_no_balls():
    with pytest.raises(ValueError, match="more than 5"):
        manifold(torch.zeros(5, 2), torch.zeros(9, 2))

"""Memorisation: distances equal those of scipy, and new pictures are not taken for copies."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from strokegan_lib.evaluation.memorisation import memorisation

RNG = np.random.default_rng(0)
TRAIN, HELD_OUT, NEW = (torch.from_numpy(RNG.standard_normal((n, 6))) for n in (300, 100, 120))
HELD_OUT_PEOPLE, PEOPLE = [f"p{k}" for k in range(100)], [f"q{k}" for k in range(120)]


def test_the_ratio_is_that_of_mean_distances():
    found = memorisation(NEW, HELD_OUT, TRAIN, PEOPLE, HELD_OUT_PEOPLE)
    near = [cdist(x, TRAIN).min(1) for x in (NEW, HELD_OUT)]
    assert found.ratio.mean == pytest.approx(near[0].mean() / near[1].mean())
    assert found.close.mean == pytest.approx(np.mean(near[0] <= np.quantile(near[1], 0.05)))
    assert found.ratio.low < 1 < found.ratio.high and found.close.low <= 0.05 <= found.close.high
    # names that synthetic and real patients share do not mix
    shared = memorisation(NEW, HELD_OUT, TRAIN, [f"p{k}" for k in range(120)], HELD_OUT_PEOPLE)
    assert found.ratio.patients == shared.ratio.patients == 220 and found.ratio.mean == shared.ratio.mean

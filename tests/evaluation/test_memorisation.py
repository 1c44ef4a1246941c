"""Memorisation: copies are found, few or many, and honest pictures are left in peace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from strokegan_lib.evaluation.memorisation import memorisation

RNG = np.random.default_rng(0)
TRAIN, HELD_OUT, HONEST = (torch.from_numpy(RNG.standard_normal((n, 6))) for n in (300, 100, 120))
OLD, NEW = [f"p{k}" for k in range(100)], [f"q{k}" for k in range(120)]


def test_the_ratio_is_that_of_mean_distances():
    found = memorisation(HONEST, HELD_OUT, TRAIN, NEW, OLD)
    near = [cdist(x, TRAIN).min(1) for x in (HONEST, HELD_OUT)]
    assert found.ratio.mean == pytest.approx(near[0].mean() / near[1].mean())
    assert found.close.mean == pytest.approx(np.mean(near[0] <= np.quantile(near[1], 0.05)))
    assert found.ratio.low < 1 < found.ratio.high and found.close.low <= 0.05 <= found.close.high
    assert found.ratio.patients == 220


def test_copies_are_found():
    copies = TRAIN[:120] + 0.01
    found = memorisation(copies, HELD_OUT, TRAIN, NEW, OLD)
    assert found.ratio.high < 0.1 and found.close.mean == 1


def test_a_few_copies_among_many_show_in_the_share():
    some = HONEST.clone()
    some[:30] = TRAIN[:30]
    found = memorisation(some, HELD_OUT, TRAIN, NEW, OLD)
    assert found.ratio.mean > 0.6 and found.close.low > 0.15


def test_names_shared_by_painted_and_real_patients_do_not_mix():
    a = memorisation(HONEST, HELD_OUT, TRAIN, NEW, OLD)
    b = memorisation(HONEST, HELD_OUT, TRAIN, [f"p{k}" for k in range(120)], OLD)
    assert a.ratio.mean == b.ratio.mean and b.ratio.patients == 220

"""The price of a step: a dearer network costs more, and what has grown is timed when it has grown."""

from __future__ import annotations

import numpy as np
import torch

from experiments.pace import step_seconds
from strokegan_lib.data.batches import Batches
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.models.family.progressive import PHASES


def test_a_wider_network_costs_more(slices):
    batches = Batches(slices, np.arange(len(slices)), size=2)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        narrow, wide = (step_seconds(MEMBERS["dcgan"].make(width, 9), batches, 3) for width in (4, 32))
    finally:
        torch.set_num_threads(before)
    assert 0 < narrow < wide


def test_what_grows_is_timed_when_it_has_grown(slices):
    gan = MEMBERS["progressive"].make(4, 1000)
    assert step_seconds(gan, Batches(slices, np.arange(len(slices)), size=2), 1) > 0
    assert float(gan.discriminator.phase) == PHASES

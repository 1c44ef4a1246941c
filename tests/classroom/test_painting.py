"""A generator that draws styles keeps one brain while strokes are painted on it."""

from __future__ import annotations

import numpy as np
import torch
from brains import brains

from strokegan_lib.classroom.widgets.painting import Painting
from strokegan_lib.models.styled import StyledGenerator
from strokegan_lib.models.synthesis import Generator


def test_painting_twice_is_painting_the_same_brain(tmp_path):
    slices = brains(tmp_path / "set", patients=4, each=1)
    mask = np.zeros((128, 128), bool)
    mask[60:70, 50:60] = True
    torch.manual_seed(0)
    for generator in (StyledGenerator(width=4, style=4, attention=False), Generator(width=4)):
        painting, before = Painting(generator.eval(), slices), torch.get_rng_state()
        first, again = (painting.answer(0, mask).picture for _ in range(2))
        assert np.array_equal(first, again) and torch.equal(torch.get_rng_state(), before)
        healthy = painting.answer(0, np.zeros_like(mask)).picture
        assert not np.array_equal(healthy, first)

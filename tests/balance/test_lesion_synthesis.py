"""A painted stroke on a real slice: its brightness is the generator's, its texture the slice's."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from strokegan_lib.balance.dataset import Plan
from strokegan_lib.balance.lesion_synthesis import LesionSynthesiser
from strokegan_lib.balance.transplant import Transplanter

FOLDS = 0.2 * (torch.arange(128)[:, None] + torch.arange(128)).remainder(2)  # (128, 128), 0 or .2


def painter(folds: torch.Tensor) -> Callable:
    """Makes a stroke .3 brighter, with folds in it that the brain without stroke does not have."""
    return lambda stroke, foreground: 0.2 * foreground + stroke * (0.3 + folds)


def changed(discs, stroke: np.ndarray, folds: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """A slice before, and how much brighter it is after, (128, 128) each, grey levels 0..255."""
    row = int(discs.of_split("train")[0])
    synthesiser = LesionSynthesiser(painter(folds), Transplanter(discs, discs.of_split("train")))
    after = synthesiser.make(discs, [Plan(row, -1, stroke == 1)])[0, 0].astype(int)
    before = discs.images[row, 0].astype(int)
    return before, after - before


@pytest.mark.parametrize("side", [1, 2, 5, 30])
def test_an_even_change_is_kept_however_small_the_stroke(discs, side):
    stroke = np.zeros((128, 128))
    stroke[40 : 40 + side, 40 : 40 + side] = 1
    before, brighter = changed(discs, stroke, torch.zeros(()))
    inside = (stroke == 1) & (before > 0) & (before < 178)
    assert inside.any() and (np.abs(brighter[inside] - 0.3 * 255) <= 1).all()
    assert not brighter[stroke == 0].any()


def test_folds_of_the_painted_brain_do_not_show(discs):
    stroke = np.zeros((128, 128))
    stroke[50:70, 50:70] = 1
    before, brighter = changed(discs, stroke, FOLDS)
    inside = (stroke == 1) & (before > 0) & (before < 140)
    assert brighter[inside].mean() == pytest.approx(0.4 * 255, abs=2)
    assert brighter[inside].std() < 0.1 * FOLDS.std() * 255

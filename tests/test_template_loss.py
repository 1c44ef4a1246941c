"""A template: how a loss of one's own is added. Copy it, change ``mine``, and hand it to SegmentationGAN."""

from dataclasses import replace

import numpy as np
import pytest
from brains import brains
from torch import Tensor

from strokegan_lib.data.batches import Batches
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.objectives import LossInputs
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN


def mine(inputs: LossInputs) -> dict[str, Tensor]:
    """Squares in place of L1, on the pixels and on the critic's deepest features: terms by name, to be summed."""
    return {
        "pixels": (inputs.fake[0] - inputs.true[0]).square().mean(),
        "features": (inputs.fake[-1] - inputs.true[-1]).square().mean(),
    }


def test_a_loss_of_ones_own_is_trained_and_recorded(tmp_path):
    slices = brains(tmp_path / "set", patients=6)
    settings = replace(METHODS["masked"], width=4, steps=3)
    gan = SegmentationGAN(settings, objective=mine)  # soft Dice is added to it: dice=0 for the loss alone
    batches = Batches(slices, np.arange(len(slices)), size=4)
    rows = Loop(gan, batches, settings, accelerator("fp32"), bar=False).run().rows
    assert len(rows) == 3 and "multi_scale" not in rows[0]
    for row in rows:
        assert row["segmentor"] == pytest.approx(row["pixels"] + row["features"] + row["soft_dice"], rel=1e-4)

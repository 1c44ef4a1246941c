"""A few dozen steps teach every GAN something about patients it has not seen."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch

from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import measure
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.models.gan import GAN
from strokegan_lib.training.loop import Loop, Trained
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings

HELD_OUT = 8  # slices of the last two of ten patients


def trained(gan: GAN, slices: SliceSet, steps: int, rate: float = 1.0) -> Trained:
    """A run on the first patients."""
    batches = Batches(slices, np.arange(len(slices) - HELD_OUT), size=8, lesion_share=0.5)
    settings = Settings(steps=steps, rate=rate, average=0.9)
    return Loop(gan, batches, settings, accelerator("fp32"), bar=False).run()


def held_out(slices: SliceSet) -> tuple[Batches, Batch]:
    """The slices with stroke of the others."""
    rows = np.arange(len(slices) - HELD_OUT, len(slices))
    batches = Batches(slices, rows[slices.table["has_stroke"][rows] == 1], size=HELD_OUT)
    return batches, next(batches.in_order())


@pytest.mark.parametrize(("method", "steps"), [("masked", 40), ("segan", 40), ("unet", 40)])
def test_a_short_run_finds_lesions(slices, method, steps):
    gan = SegmentationGAN(replace(METHODS[method], width=8))
    batches, _ = held_out(slices)
    before = measure(gan.segmentor.eval(), batches).dice().mean(1).max()  # at the best threshold
    gan.segmentor.train()
    after = measure(trained(gan, slices, steps, rate=2.0).network, batches).dice().mean(1).max()
    assert after > before + 0.2, (float(before), float(after))


def test_a_short_run_paints_the_stroke_where_it_is_asked_for(slices):
    generator = trained(SynthesisGAN(SynthesisSettings(width=8)), slices, 20, rate=6.0).network
    _, batch = held_out(slices)
    moved = batch.stroke.roll(20, -1) * batch.foreground
    with torch.inference_mode():
        added = (generator(moved, batch.foreground) - generator(batch.stroke, batch.foreground)) * moved
    other = (batch.foreground > 0) & (batch.stroke == 0)
    true = batch.image[batch.stroke > 0].mean() - batch.image[other].mean()
    assert added.sum() / moved.sum() > 0.25 * true


# what a critic's opponent needs hundreds of steps for, its critic learns in twenty; the others have a nearer aim
FALLS = {
    **dict.fromkeys([*MEMBERS, "masks"], "critic"),
    "pix2pix": "pixel",
    "styled": "pixel",
    "encoder": "encoder",
}


@pytest.mark.parametrize(("name", "loss"), FALLS.items())
def test_the_loss_of_every_other_gan_falls(slices, name, loss):
    values = [row[loss] for row in trained(tiny.make_gan(name), slices, 20, rate=2.0).rows]
    assert np.mean(values[-4:]) < 0.9 * np.mean(values[:4]), values

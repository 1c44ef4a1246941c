"""A few dozen steps teach something: the short version of tests/nightly."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from learning import contrast_that_moves, held_out, threshold_and_counts, train

from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings


# the painter of masked images takes off later: after 45 steps it may or may not have (seeds: .05 to .37)
@pytest.mark.parametrize(("method", "steps"), [("masked", 90), ("segan", 45), ("unet", 45)])
def test_a_short_run_finds_lesions(phantom, method, steps):
    """On validation patients: those of the test split have lesions in too few patients to compare."""
    torch.manual_seed(0)
    gan = SegmentationGAN(replace(METHODS[method], width=8))
    _, before, _ = threshold_and_counts(gan.segmentor, phantom)
    gan.segmentor.train()
    network = train(gan, phantom, steps=steps, size=16, lesion_share=0.5, rate=1.0, augment=True)
    _, after, _ = threshold_and_counts(network, phantom)
    assert len(after.tp) >= 30
    gained = float(after.dice().mean() - before.dice().mean())
    assert gained > 0.1, gained


def test_a_short_run_paints_the_stroke_where_it_is_asked_for(phantom):
    torch.manual_seed(0)
    generator = train(
        SynthesisGAN(SynthesisSettings(width=8)),
        phantom,
        steps=30,
        size=16,
        lesion_share=0.5,
        rate=6.0,
        augment=True,
    )
    added, _ = contrast_that_moves(generator, held_out(phantom))
    assert added > 0.25, added

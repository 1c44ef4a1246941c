"""A few dozen steps teach something: the short version of tests/nightly."""

from __future__ import annotations

import pytest
from learning import held_out_dice, painted, segmentation_gan, synthesis_gan, trained


@pytest.mark.parametrize("method", ["masked", "segan", "unet"])
def test_a_short_run_finds_lesions(phantom, method):
    before, _ = held_out_dice(segmentation_gan(method, 8).segmentor.eval(), phantom)
    after, slices = held_out_dice(trained(segmentation_gan(method, 8), phantom, 45, 1.0), phantom)
    assert slices >= 30
    assert after > before + 0.1, (before, after)


def test_a_short_run_paints_the_stroke_where_it_is_asked_for(phantom):
    seen = painted(trained(synthesis_gan(8), phantom, 30, 6.0), phantom)
    assert seen["moved"] > 0.25, seen

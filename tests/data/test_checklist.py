"""The checklist: a sound set passes, and each fault is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from brains import brains

from strokegan_lib.data.checklist import look_over


def faults(slices) -> list[str]:
    return [answer.hope for answer in look_over(slices) if not answer.good]


def test_a_sound_set_passes_and_faults_are_named(tmp_path: Path):
    slices = brains(tmp_path / "sound", patients=120)
    assert faults(slices) == []
    images = np.array(slices.images)
    images[:, :, 0, 0] = 9  # air that is not 0
    images[2] = images[0]  # of another patient
    card = slices.card | {"licence": ""}
    stroke = np.array(slices.stroke)
    stroke[..., :64] = 0
    few = replace(slices, images=images, stroke=stroke, card=card)
    assert faults(few) == [
        "licence, citation and limits are stated",
        "tissue is 8 or more, air 0",
        "left as often as right",
        "no picture of two patients",
    ]
    assert "five patients in every split" in faults(brains(tmp_path / "few", patients=6))

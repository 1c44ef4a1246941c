"""As rare as the paper has them: patients with stroke are taken out of the training part."""

from __future__ import annotations

import os

import numpy as np

from strokegan_lib.balance.derived import keep_patients, training_patients
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput

PAPER_SHARE = 0.1838  # of the paper's 13,200 slices show a stroke


def thin_lesions(
    slices: SliceSet, out: str | os.PathLike, share: float = PAPER_SHARE, *, name: str, made_by: str,
    fold: int | None = None,
) -> SliceSet:  # fmt: skip
    """Take patients with stroke out of the training part until *share* of its slices show stroke.

    Args:
        slices, out, name, made_by, fold: as in :func:`strokegan_lib.balance.derived.thin_patients`.
        share: wanted share of slices with stroke, 0..1; the nearest that whole patients allow.

    Raises:
        BadInput: the training part shows less stroke than that already, or *out* is unusable.
    """
    names, strokes, sizes = training_patients(slices, fold)
    before = strokes.sum() / sizes.sum()
    if not 0 < share < before:
        what = f"shows stroke in {before:.2%} of its training slices, so {share:.2%} is out of reach"
        raise BadInput(slices.folder, what, "choose a share between 0 and that")
    ill = strokes > 0
    reached = np.cumsum(strokes[ill]) / (sizes[~ill].sum() + np.cumsum(sizes[ill]))
    stay = np.concatenate([names[~ill], names[ill][: 1 + int(np.abs(reached - share).argmin())]])
    rule = f"patients with stroke taken out until {share:.2%} of the training slices show stroke"
    return keep_patients(slices, out, stay, rule, fold, name=name, made_by=made_by)

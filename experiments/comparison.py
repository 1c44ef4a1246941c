"""Several ways to segment, scored on the same slices: a table with paired differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.statistics import holm, paired

SCORES = (
    "dice", "precision", "sensitivity", "pooled_dice", "patient_dice", "empty_false_positive_rate",
    "empty_false_positive_pixels",
)  # fmt: skip


def compare_arms(counts: dict[str, Counts], patients: np.ndarray) -> list[dict[str, Any]]:
    """Score every arm and compare each with the first.

    Args:
        counts: by arm, (N,) counts on the same slices.
        patients: (N,) the patient of each slice.

    Returns:
        A line for each arm: ``arm``; mean, low and high of each of SCORES, such as
        ``dice_low``; and, but for the first arm, the difference of Dice over lesion slices
        ``minus_arm`` (first less this one) with ``_low`` and ``_high``, and ``wilcoxon_holm_p``,
        corrected for as many tests as there are other arms.
    """
    reference, *others = counts
    lesion = counts[reference].lesion()
    dice = {arm: c[lesion].dice().numpy() for arm, c in counts.items()}
    compared = {arm: paired(dice[reference], dice[arm], patients[lesion.numpy()]) for arm in others}
    corrected = dict(zip(others, holm([compared[arm].p for arm in others]), strict=True))
    table = []
    for arm in counts:
        line: dict[str, Any] = {"arm": arm}
        scores = summary(counts[arm], patients)
        for score in SCORES:
            line |= {f"{score}_{part}": scores[score][part] for part in ("mean", "low", "high")}
        if arm in compared:
            difference = compared[arm].difference
            line["minus_arm"] = difference.mean
            line["minus_arm_low"], line["minus_arm_high"] = difference.low, difference.high
            line["wilcoxon_holm_p"] = float(corrected[arm])
        table.append(line)
    return table

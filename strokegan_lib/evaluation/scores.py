"""The scores of a test set that are always reported together, each with its interval.

No single one of them can be trusted alone. The mean over lesion slices lets a lesion of ten
pixels count as much as one of a thousand, and never sees a false alarm on an empty slice.
The pooled figure sees every pixel, but a few large lesions decide it. The rate on empty
slices knows no lesions at all: predicting nothing makes it perfect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from strokegan_lib.evaluation import statistics
from strokegan_lib.evaluation.overlap import Counts


def summary(
    counts: Counts, patients: Sequence[str] | np.ndarray, *, draws: int = statistics.DRAWS, seed: int = 0
) -> dict:
    """All overlap scores at one threshold, ready for JSON.

    | name | what it is | n |
    |---|---|---|
    | dice, precision, sensitivity | mean over slices with a lesion | those slices |
    | pooled_dice, pooled_precision, pooled_sensitivity | one count over all slices | all slices |
    | patient_dice | mean over patients with a lesion of the Dice of all their slices together | those patients |
    | empty_false_positive_rate | share of the slices without lesion where anything is predicted | those slices |
    | empty_false_positive_pixels | mean number of pixels predicted there, slices without any included | those slices |

    What 0/0 means is said in :mod:`strokegan_lib.evaluation.overlap`. The pooled scores do not
    exist without a lesion. Intervals resample patients, not slices, among the patients that a
    score rests on (:mod:`strokegan_lib.evaluation.statistics`).

    Args:
        counts: (N,) or (1, N), the threshold having been chosen on other patients.
        patients: (N,) the patient of each slice.
        draws, seed: of the bootstrap.

    Returns:
        {name: {"mean", "low", "high", "n", "patients"}} for the names above, a number that does
        not exist being None, and the counts "slices", "lesion_slices" and "patients".

    Raises:
        ValueError: not one count for each slice.
    """
    patients = np.asarray(patients)
    if counts.tp.shape not in ((len(patients),), (1, len(patients))):
        raise ValueError(f"counts {tuple(counts.tp.shape)} at one threshold and {len(patients)} patients")
    counts = Counts(counts.tp.flatten(), counts.fp.flatten(), counts.fn.flatten())
    lesion = counts.lesion()
    with_lesion, empty = counts[lesion], counts[~lesion]
    lesion_patients, empty_patients = patients[lesion.numpy()], patients[~lesion.numpy()]

    pixels = torch.stack([counts.tp, counts.fp, counts.fn], -1).numpy()  # (N, 3)
    names, sums = statistics.sums_by_patient(pixels, patients)
    by_patient = _counts(sums)
    affected = by_patient.lesion()

    how = {"draws": draws, "seed": seed}
    results = {
        "dice": statistics.mean(with_lesion.dice().numpy(), lesion_patients, **how),
        "precision": statistics.mean(with_lesion.precision().numpy(), lesion_patients, **how),
        "sensitivity": statistics.mean(with_lesion.sensitivity().numpy(), lesion_patients, **how),
        "pooled_dice": statistics.bootstrap(pixels, patients, _pooled(Counts.dice), **how),
        "pooled_precision": statistics.bootstrap(pixels, patients, _pooled(Counts.precision), **how),
        "pooled_sensitivity": statistics.bootstrap(pixels, patients, _pooled(Counts.sensitivity), **how),
        "patient_dice": statistics.mean(by_patient[affected].dice().numpy(), names[affected.numpy()], **how),
        "empty_false_positive_rate": statistics.mean((empty.fp > 0).numpy(), empty_patients, **how),
        "empty_false_positive_pixels": statistics.mean(empty.fp.numpy(), empty_patients, **how),
    }
    return {name: asdict(result) for name, result in results.items()} | {
        "slices": len(patients),
        "lesion_slices": int(lesion.sum()),
        "patients": len(names),
    }


def _counts(sums: np.ndarray) -> Counts:
    """Sums of tp, fp and fn, (..., 3), as Counts (...)."""
    return Counts(*torch.from_numpy(sums).unbind(-1))


def _pooled(score: Callable[[Counts], Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    """The statistic that takes *score* of summed counts, where the sums hold a lesion."""

    def statistic(sums: np.ndarray) -> np.ndarray:
        counts = _counts(sums)
        return torch.where(counts.lesion(), score(counts), torch.nan).numpy()

    return statistic

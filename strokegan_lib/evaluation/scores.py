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
from strokegan_lib.evaluation.calibration import expected_calibration_error, reliability
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.slicewise import SliceScores

# pixels of stroke in a slice, lower ends. Near the terciles of real slices and of the phantom
# alike, but fixed: the same lesion is in the same class in every fold and data set.
SIZES = (1, 100, 400)


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


def full_summary(
    slices: SliceScores,
    patients: Sequence[str] | np.ndarray,
    *,
    probability: bool,
    draws: int = statistics.DRAWS,
    seed: int = 0,
) -> dict:
    """Everything there is to say of a segmentor's answers, ready for JSON.

    It is :func:`summary`, and

    | name | what it is | n |
    |---|---|---|
    | specificity | mean over slices with a lesion | those slices |
    | missed_rate | share of them in which nothing is predicted | those slices |
    | lesion_f1, lesion_precision, lesion_sensitivity | lesion by lesion, mean over slices with a lesion | those slices |
    | hd95_mm, surface_distance_mm | mean over slices with a lesion, misses penalised | those slices |
    | area_difference_pixels, volume_difference_ml | mean absolute difference to the true size | those slices |
    | pooled_specificity | one count over all slices | all slices |
    | pooled_lesion_f1, ... | one count of lesions over all slices | all slices |
    | patient_volume_difference_ml | as above, all slices of a patient together | patients with a lesion |
    | calibration_error | ECE over the foreground of all slices | all slices |

    "by_size" holds the means over slices with a lesion once more for each class of SIZES;
    "calibration" says what the score is and holds the reliability curve. The definitions are in
    overlap.py, lesionwise.py, surface.py and calibration.py.

    Args:
        slices: measured at one threshold (or each fold at its own), chosen on other patients.
        patients: (N,) the patient of each slice.
        probability: whether the score is a probability; that of a painted masked image is not.
        draws, seed: of the bootstrap.

    Returns:
        as :func:`summary`, with the further names, "by_size" and "calibration".

    Raises:
        ValueError: not one slice for each patient given.
    """
    patients, counts, found = np.asarray(patients), slices.counts, slices.lesions
    how = {"draws": draws, "seed": seed}
    scores = summary(counts, patients, **how)
    lesion = counts.lesion().numpy()
    area = (counts.tp + counts.fn).numpy()
    classes = {
        f"{low} pixels or more" if high == np.inf else f"{low} to {high - 1} pixels": (area >= low)
        & (area < high)
        for low, high in zip(SIZES, (*SIZES[1:], np.inf), strict=True)
    }

    def means(chosen: np.ndarray) -> dict[str, dict]:
        values = _of_lesion_slices(slices[chosen])
        return {name: asdict(statistics.mean(v, patients[chosen], **how)) for name, v in values.items()}

    def pooled(statistic: Callable[[np.ndarray], np.ndarray], terms: np.ndarray) -> dict:
        return asdict(statistics.bootstrap(terms, patients, statistic, **how))

    healthy = slices.pixels - area
    outcomes = torch.stack([found.tp, found.fp, found.fn], -1).numpy()  # (N, 3)
    names, sums = statistics.sums_by_patient(
        np.stack([slices.excess() * slices.pixel_ml, lesion], -1), patients
    )
    affected = sums[:, 1] > 0
    bins = slices.calibration.shape[1:]
    return {
        **scores,
        **{name: value for name, value in means(lesion).items() if name not in scores},
        "pooled_specificity": pooled(statistics.ratio, np.stack([healthy - counts.fp.numpy(), healthy], -1)),
        "pooled_lesion_f1": pooled(_pooled(Counts.dice), outcomes),
        "pooled_lesion_precision": pooled(_pooled(Counts.precision), outcomes),
        "pooled_lesion_sensitivity": pooled(_pooled(Counts.sensitivity), outcomes),
        "patient_volume_difference_ml": asdict(
            statistics.mean(np.abs(sums[affected, 0]), names[affected], **how)
        ),
        "calibration_error": pooled(
            lambda sums: expected_calibration_error(sums.reshape(*sums.shape[:-1], *bins)),
            slices.calibration.reshape(len(patients), -1),
        ),
        "by_size": {name: means(chosen) for name, chosen in classes.items()},
        "calibration": {
            "score_is": "a probability"
            if probability
            else "a score read off a masked image, not a probability",
            "bins": reliability(slices.calibration.sum(0)),
        },
    }


def _of_lesion_slices(slices: SliceScores) -> dict[str, np.ndarray]:
    """What is averaged over slices with a lesion, (n,) each."""
    counts, lesions = slices.counts, slices.lesions
    excess = np.abs(slices.excess())
    return {
        "dice": counts.dice().numpy(),
        "precision": counts.precision().numpy(),
        "sensitivity": counts.sensitivity().numpy(),
        "specificity": counts.specificity(torch.from_numpy(slices.pixels)).numpy(),
        "missed_rate": (counts.tp + counts.fp == 0).numpy(),
        "lesion_f1": lesions.dice().numpy(),
        "lesion_precision": lesions.precision().numpy(),
        "lesion_sensitivity": lesions.sensitivity().numpy(),
        "hd95_mm": slices.hd95,
        "surface_distance_mm": slices.surface_distance,
        "area_difference_pixels": excess,
        "volume_difference_ml": excess * slices.pixel_ml,
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

"""The scores of a test set that are always reported together, each with its interval.

No single one of them can be trusted alone. The mean over lesion slices lets a lesion of ten pixels count as
much as one of a thousand, and never sees a false positive on an empty slice. The pooled figure sees every
pixel, but a few large lesions decide it. The rate on empty slices knows no lesions at all: predicting nothing
makes it perfect. Taught in notebook 06.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strokegan_lib.evaluation.calibration import expected_calibration_error, reliability
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.slicewise import SliceScores
from strokegan_lib.evaluation.statistics import DRAWS, Patients, bootstrap, mean, sums_by_patient

# pixels of stroke in a slice, lower ends. Near the terciles of real slices and of the phantom
# alike, but fixed: the same lesion is in the same class in every fold and data set.
SIZES = (1, 100, 400)
PROBABILITY = {True: "a probability", False: "a score read off a masked image, not a probability"}


def summary(counts: Counts, patients: Patients, *, draws: int = DRAWS, seed: int = 0) -> dict[str, Any]:
    """All overlap scores at one threshold, ready for JSON.

    | name | what it is | n |
    |---|---|---|
    | dice, precision, sensitivity | mean over slices with a lesion | those slices |
    | pooled_dice, pooled_precision, pooled_sensitivity | one count over all slices | all slices |
    | patient_dice | mean over patients with a lesion of the Dice of all their slices together | those patients |
    | empty_false_positive_rate | share of the slices without lesion where anything is predicted | those slices |
    | empty_false_positive_pixels | mean number of pixels predicted there | those slices |

    The pooled scores do not exist without a lesion. Intervals resample the patients that a score rests on.

    Args:
        counts: (N,) or (1, N), the threshold having been chosen on other patients.
        patients: (N,) the patient of each slice.
        draws, seed: of the bootstrap.

    Returns:
        {name: {"mean", "low", "high", "n", "patients"}} for the names above, a number that does
        not exist being None, and the counts "slices", "lesion_slices" and "patients".
    """
    patients, how = np.asarray(patients), {"draws": draws, "seed": seed}
    counts = Counts(*(part.reshape(len(patients)) for part in vars(counts).values()))
    lesion = counts.lesion().numpy()
    with_lesion, empty = counts[lesion], counts[~lesion]
    names, sums = sums_by_patient(_terms(counts), patients)
    by_patient = _counts(sums)
    affected = by_patient.lesion().numpy()
    on_lesions = {name: getattr(with_lesion, name)() for name in ("dice", "precision", "sensitivity")}
    on_empty = {"empty_false_positive_rate": empty.fp > 0, "empty_false_positive_pixels": empty.fp}
    return {
        **_means(on_lesions, patients[lesion], how),
        **_pooled("pooled_", "dice", counts, patients, how),
        **_means({"patient_dice": by_patient[affected].dice()}, names[affected], how),
        **_means(on_empty, patients[~lesion], how),
        "slices": len(patients),
        "lesion_slices": int(lesion.sum()),
        "patients": len(names),
    }


def full_summary(
    slices: SliceScores, patients: Patients, *, probability: bool, draws: int = DRAWS, seed: int = 0
) -> dict[str, Any]:
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
    | calibration_error | ECE of the local score over the foreground of all slices | all slices |

    "by_size" holds the means over slices with a lesion once more for each class of SIZES; "calibration" says
    what the score is and holds the reliability curve.

    Args:
        slices: measured at one threshold (or each fold at its own), chosen on other patients.
        probability: whether the local score is a probability; that of a painted masked image is not.
        patients, draws, seed: as in :func:`summary`.
    """
    patients, how, counts = np.asarray(patients), {"draws": draws, "seed": seed}, slices.counts
    lesion, area = counts.lesion().numpy(), (counts.tp + counts.fn).numpy()
    healthy = slices.pixels - area
    left_alone = np.stack([healthy - counts.fp.numpy(), healthy], -1)  # (N, 2) pixels
    names, sums = sums_by_patient(np.stack([slices.excess() * slices.pixel_ml, lesion], -1), patients)
    affected = sums[:, 1] > 0
    by_bin = slices.calibration.reshape(len(patients), -1)  # (N, BINS * 3)

    def means(chosen: np.ndarray) -> dict[str, dict]:
        return _means(_of_lesion_slices(slices[chosen]), patients[chosen], how)

    def calibration_error(sums: np.ndarray) -> np.ndarray:
        return expected_calibration_error(sums.reshape(*sums.shape[:-1], -1, 3))

    return {
        **summary(counts, patients, **how),
        **means(lesion),
        "pooled_specificity": asdict(bootstrap(left_alone, patients, **how)),
        **_pooled("pooled_lesion_", "f1", slices.lesions, patients, how),
        **_means({"patient_volume_difference_ml": np.abs(sums[affected, 0])}, names[affected], how),
        "calibration_error": asdict(bootstrap(by_bin, patients, calibration_error, **how)),
        "by_size": {name: means(chosen) for name, chosen in size_classes(area).items()},
        "calibration": {"score_is": PROBABILITY[probability], "bins": reliability(slices.calibration.sum(0))},
    }


def size_classes(area: np.ndarray) -> dict[str, np.ndarray]:
    """Which slices belong to each class of SIZES, (N,) bool, by their pixels of stroke (N,)."""
    classes = {f"{low} to {end - 1} pixels": (area >= low) & (area < end) for low, end in pairwise(SIZES)}
    return {**classes, f"{SIZES[-1]} pixels or more": area >= SIZES[-1]}


def _of_lesion_slices(slices: SliceScores) -> dict[str, Tensor | np.ndarray]:
    """What is averaged over slices with a lesion, (n,) each."""
    counts, lesions, excess = slices.counts, slices.lesions, np.abs(slices.excess())
    return {
        "dice": counts.dice(),
        "precision": counts.precision(),
        "sensitivity": counts.sensitivity(),
        "specificity": counts.specificity(torch.from_numpy(slices.pixels)),
        "missed_rate": counts.tp + counts.fp == 0,
        "lesion_f1": lesions.dice(),
        "lesion_precision": lesions.precision(),
        "lesion_sensitivity": lesions.sensitivity(),
        "hd95_mm": slices.hd95,
        "surface_distance_mm": slices.surface_distance,
        "area_difference_pixels": excess,
        "volume_difference_ml": excess * slices.pixel_ml,
    }


def _means(values: dict[str, Any], patients: np.ndarray, how: dict[str, int]) -> dict[str, dict]:
    return {name: asdict(mean(of, patients, **how)) for name, of in values.items()}


def _pooled(
    prefix: str, dice: str, counts: Counts, patients: np.ndarray, how: dict[str, int]
) -> dict[str, dict]:
    """Dice (by that name), precision and sensitivity of one count over all slices."""

    def statistic(score: Callable[[Counts], Tensor], sums: np.ndarray) -> np.ndarray:
        summed = _counts(sums)
        return torch.where(summed.lesion(), score(summed), torch.nan).numpy()

    scores = {dice: Counts.dice, "precision": Counts.precision, "sensitivity": Counts.sensitivity}
    found = {name: partial(statistic, score) for name, score in scores.items()}
    terms = _terms(counts)
    return {prefix + name: asdict(bootstrap(terms, patients, of, **how)) for name, of in found.items()}


def _terms(counts: Counts) -> np.ndarray:
    """Counts (N,) as terms (N, 3) of a bootstrap."""
    return torch.stack([counts.tp, counts.fp, counts.fn], -1).numpy()


def _counts(sums: np.ndarray) -> Counts:
    """Sums of tp, fp and fn, (..., 3), as Counts (...)."""
    return Counts(*torch.from_numpy(sums).unbind(-1))

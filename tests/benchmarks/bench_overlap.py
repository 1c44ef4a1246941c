"""How fast are overlap metrics and lesion-wise F1 of 13,200 predicted slices in memory?

1. the kit: counts of pixels and of lesions, then the means of Dice, precision, sensitivity and
   lesion-wise F1 over the slices with a lesion, and the pooled Dice;
2. the plain way: slice by slice, scikit-image labels the components and each is looked at by itself.
   It sees a tenth of the slices, and its time is scaled up.

Inference, surface distances, calibration and bootstraps are not measured. Run by ``make bench``,
or ``python tests/benchmarks/bench_overlap.py``. Fails where the aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.measure import label
from torch import Tensor

from strokegan_lib.evaluation.lesionwise import count_lesions
from strokegan_lib.evaluation.overlap import count_masks

SLICES, SIZE, ROUNDS = 13_200, 128, 3
AIM = {"seconds": 10.0, "times_as_fast": 2.0}


def made_up(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Predicted and true masks, (N, H, W) bool: 18 % with a lesion, false alarms on half of all slices."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((SLICES, SIZE, SIZE), bool)
    for k in np.flatnonzero(rng.random(SLICES) < 0.1838):
        for _ in range(rng.integers(1, 4)):
            (row, column), (height, width) = rng.integers(20, 90, 2), rng.integers(2, 25, 2)
            truth[k, row : row + height, column : column + width] = True
    predicted = np.roll(truth, (1, 2), (1, 2))
    noise = gaussian_filter(rng.standard_normal((200, SIZE, SIZE), dtype=np.float32), (0, 2, 2))
    for k in np.flatnonzero(rng.random(SLICES) < 0.5):
        predicted[k] |= noise[k % 200] > 0.5  # a dozen small components
    return torch.from_numpy(predicted), torch.from_numpy(truth)


def kit(predicted: Tensor, truth: Tensor) -> list[float]:
    """Means over lesion slices, and the pooled Dice."""
    counts, lesions = count_masks(predicted, truth), count_lesions(predicted, truth)
    some = counts.lesion()
    means = (counts[some].dice(), counts[some].precision(), counts[some].sensitivity(), lesions[some].dice())
    return [*(float(values.mean()) for values in means), float(counts.pool().dice())]


def plain(predicted: Tensor, truth: Tensor) -> list[float]:
    """The same, a slice and a component at a time."""
    rows, total = [], np.zeros(3)
    for p, t in zip(predicted.numpy(), truth.numpy(), strict=True):
        tp, fp, fn = (p & t).sum(), (p & ~t).sum(), (~p & t).sum()
        total += tp, fp, fn
        lesions, answers = label(t, connectivity=2), label(p, connectivity=2)
        found = sum((p & (lesions == k)).any() for k in range(1, lesions.max() + 1))
        false = sum(not (t & (answers == k)).any() for k in range(1, answers.max() + 1))
        if t.any():
            missed = lesions.max() - found
            rows.append(
                (2 * tp / (2 * tp + fp + fn), tp / max(1, tp + fp), tp / (tp + fn),
                 2 * found / (2 * found + false + missed))
            )  # fmt: skip
    return [*np.mean(rows, 0).tolist(), 2 * total[0] / (2 * total[0] + total[1] + total[2])]


def seconds(way, *masks: Tensor) -> float:
    start = time.perf_counter()
    way(*masks)
    return time.perf_counter() - start


def report() -> dict[str, float]:
    """Measure in turns, print, and return what AIM names."""
    predicted, truth = made_up()
    few = predicted[::10], truth[::10]
    np.testing.assert_allclose(kit(*few), plain(*few))
    ours = [0.0] * ROUNDS
    theirs = [0.0] * ROUNDS
    for k in range(ROUNDS):
        ours[k], theirs[k] = seconds(kit, predicted, truth), 10 * seconds(plain, *few)
    result = {
        "slices": SLICES,
        "cores": os.cpu_count(),
        "predicted_components_a_slice": round(
            float(np.mean([label(p, connectivity=2).max() for p in few[0].numpy()])), 1
        ),
        "seconds": round(statistics.median(ours), 2),
        "times_as_fast": round(statistics.median(b / a for a, b in zip(ours, theirs, strict=True)), 1),
        "seconds_of_each_round": [round(s, 2) for s in ours],
        "plain_seconds_of_each_round": [round(s, 1) for s in theirs],
    }
    print(json.dumps(result, indent=1))
    return {name: result[name] for name in AIM}


def test_overlap() -> None:
    result = report()
    assert result["seconds"] <= AIM["seconds"] and result["times_as_fast"] >= AIM["times_as_fast"]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()  # no option but --help
    result = report()
    if result["seconds"] > AIM["seconds"] or result["times_as_fast"] < AIM["times_as_fast"]:
        sys.exit(f"slower than aimed at: {AIM}")

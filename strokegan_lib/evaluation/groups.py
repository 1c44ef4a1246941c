"""Where one way to segment is better than another: by size and contrast of the lesion, and on empty slices.

Taught in notebook 10.
"""

from typing import Any

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation import statistics
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.scores import size_classes

TERCILES = (1 / 3, 2 / 3)
CONTRASTS = ("faint", "middling", "clear")
EMPTY = "empty slices"


def contrast(images: np.ndarray, stroke: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """How far a stroke stands out, in standard deviations of the other tissue::

        |mean inside - mean of the other foreground| / standard deviation of the other foreground

    of images (N, C, H, W) and masks (N, H, W), 0/1. It is (N,), of the channel in which the stroke stands out most;
    NaN without stroke or without other tissue. A stroke near 0 is one a reader would miss.
    """
    found = np.full(len(images), np.nan)
    for k, (image, inside, tissue) in enumerate(zip(images, stroke > 0, foreground > 0, strict=True)):
        other = tissue & ~inside
        if inside.any() and other.any():
            deviation = image[:, other].std(1).clip(min=1e-6)  # (C,)
            found[k] = (np.abs(image[:, inside].mean(1) - image[:, other].mean(1)) / deviation).max()
    return found


def lesion_groups(area: np.ndarray, contrasts: np.ndarray) -> dict[str, np.ndarray]:
    """Which slices belong to which group, (N,) bool each: all with a lesion, by size, by contrast.

    Args:
        area: (N,) pixels of stroke; for sizes see scores.SIZES.
        contrasts: (N,) see :func:`contrast`; cut at the terciles of the slices given.
    """
    lesion = area > 0
    found = {"lesion slices": lesion, **size_classes(area)}
    if lesion.any():
        edges = [-np.inf, *np.nanquantile(contrasts[lesion], TERCILES), np.inf]
        for name, low, high in zip(CONTRASTS, edges[:-1], edges[1:], strict=True):
            found[name] = lesion & (contrasts > low) & (contrasts <= high)
    return found


def groups_of(slices: SliceSet, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The groups of some slices of a data set, n = len(rows) in each."""
    stroke = slices.stroke[rows]
    return lesion_groups(stroke.sum((1, 2)), contrast(slices.images[rows], stroke, slices.foreground[rows]))


def compare_groups(
    counts: dict[str, Counts], patients: np.ndarray, groups: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Compare the first arm with every other, group by group.

    Args:
        counts: by arm, (N,) counts on the same slices.
        patients: (N,) the patient of each slice.
        groups: name -> (N,) bool, slices with a lesion, see :func:`groups_of`.

    Returns:
        A line for each other arm and group: means of the ``first`` and the ``other``, and ``gain``, by how much the
        first is better, with the ends of its interval and ``wilcoxon_p`` (not corrected: the groups are there to
        look at, not to claim from). It is Dice for slices with a lesion; for the last group, EMPTY, the share of
        slices with a false positive, of which less is better.
    """
    first, *others = counts
    dice = {arm: c.dice().numpy() for arm, c in counts.items()}
    false_positive = {arm: (c.fp > 0).double().numpy() for arm, c in counts.items()}
    measures = [(name, chosen, dice, 1) for name, chosen in groups.items()]
    measures.append((EMPTY, ~counts[first].lesion().numpy(), false_positive, -1))
    lines = []
    for arm in others:
        for name, chosen, values, sign in measures:
            ours, theirs = values[first][chosen], values[arm][chosen]
            found = statistics.paired(sign * ours, sign * theirs, patients[chosen])
            gain = found.difference
            lines.append({
                "arm": arm, "group": name, "slices": gain.n, "patients": gain.patients,
                "first": float(ours.mean()) if gain.n else None,
                "other": float(theirs.mean()) if gain.n else None,
                "gain": gain.mean, "gain_low": gain.low, "gain_high": gain.high, "wilcoxon_p": found.p,
            })  # fmt: skip
    return lines

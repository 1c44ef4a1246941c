"""Does a generator paint the lesion that it was asked for, and is the rest a matter of chance?

Lesions are looked for by a segmentor that was trained on real slices: what it finds in a synthetic slice is
compared with what it finds in the true slice of the same patient.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.realism_measures import PAIRS
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.diversity import ms_ssim, pairs
from strokegan_lib.evaluation.overlap import count_masks
from strokegan_lib.evaluation.statistics import bootstrap, mean
from strokegan_lib.evaluation.synthetic import CHUNK, paint

SAMPLES = 4  # pictures painted for each pair of masks: six pairs of them


def samples(
    generator: nn.Module, slices: SliceSet, rows: np.ndarray, count: int = SAMPLES, seed: int = 0
) -> np.ndarray:
    """Paint the same masks several times, each time with other chance: (count, n, C, 128, 128) uint8."""
    masks = slices.stroke[rows], slices.foreground[rows]
    return np.stack([paint(generator, *masks, seed=seed + number) for number in range(count)])


def lesion_fidelity(
    generator: nn.Module,
    segmentor: nn.Module,
    threshold: float,
    slices: SliceSet,
    rows: np.ndarray,
    *,
    count: int = SAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """What a segmentor finds in synthetic slices, beside what it finds in the true ones.

    Finding more in synthetic slices than in true ones is no sign of truth: real lesions may be faint, and
    synthetic ones as bright as the mean of all.

    Args:
        generator: on the CPU, in eval mode; it has seen none of these patients.
        segmentor, threshold: trained on true slices of other patients.
        slices, rows: (n,) slices with a stroke.
        count: pictures of each pair of masks.
        seed: of chance.

    Returns:
        name -> mean, low, high, n, patients (see Interval), for ``real_dice``: Dice of what is found in the
        true slices with their masks; ``painted_dice``: the same in the synthetic slices, mean over the pictures
        of a pair of masks; ``fidelity``: the second over the first, patients resampled for both at once;
        ``agreement``: Dice between what is found in two pictures of the same masks (1 where nothing is found).

    Raises:
        ValueError: a slice without stroke.
    """
    truth = torch.from_numpy(np.array(slices.stroke[rows])) > 0  # (n, 128, 128)
    if not truth.any((1, 2)).all():
        raise ValueError("every slice must show a stroke")
    patients = slices.table["patient"][rows]
    real = _dice(found(segmentor, threshold, np.array(slices.images[rows])), truth)  # (n,)
    masks = [found(segmentor, threshold, images) for images in samples(generator, slices, rows, count, seed)]
    synthetic = np.mean([_dice(mask, truth) for mask in masks], 0)  # (n,)
    results = {
        "real_dice": mean(real, patients),
        "painted_dice": mean(synthetic, patients),
        "fidelity": bootstrap(np.stack([synthetic, real], -1), patients),
        "agreement": mean(np.mean([_dice(a, b) for a, b in combinations(masks, 2)], 0), patients),
    }
    return {name: asdict(result) for name, result in results.items()}


def variety(
    generator: nn.Module, slices: SliceSet, rows: np.ndarray, *, count: int = SAMPLES, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """How alike pictures of the same masks are: MS-SSIM, the higher, the less variety.

    Args:
        generator, slices, rows, count, seed: as in ``lesion_fidelity``; slices of one channel, of two
            patients or more.

    Returns:
        name -> mean, low, high, n, patients, for ``same_masks``: the mean over all pairs of pictures of one
        pair of masks; ``real_pairs``: true slices of two patients, whose masks differ as well, so that
        variety from styles alone need not reach it.
    """
    patients = slices.table["patient"][rows]
    made = samples(generator, slices, rows, count, seed)
    alike = np.mean([_similarity(a, b) for a, b in combinations(made, 2)], 0)  # (n,)
    images, drawn = np.array(slices.images[rows]), pairs(patients, PAIRS, seed)
    real = _similarity(images[drawn[:, 0]], images[drawn[:, 1]])  # (PAIRS,)
    return {
        "same_masks": asdict(mean(alike, patients)),
        "real_pairs": asdict(mean(real, patients[drawn[:, 0]])),
    }


@torch.inference_mode()
def found(segmentor: nn.Module, threshold: float, images: np.ndarray) -> Tensor:
    """Where a segmentor sees stroke, (n, C, 128, 128) uint8 -> (n, 128, 128) bool."""
    parts = [part / 255 for part in torch.from_numpy(images).split(CHUNK)]
    return torch.cat([segmentor.predict(segmentor(x), x).score[:, 0] > threshold for x in parts])


def _dice(a: Tensor, b: Tensor) -> np.ndarray:
    return count_masks(a, b).dice().numpy()


def _similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """MS-SSIM of pictures in pairs, (n, 1, 128, 128) uint8 each -> (n,)."""
    sides = zip(torch.from_numpy(a).split(CHUNK), torch.from_numpy(b).split(CHUNK), strict=True)
    return torch.cat([ms_ssim(x / 255, y / 255) for x, y in sides]).numpy()

"""What a generator paints for the masks of patients it has not met, and how that is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import nn

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.windows import DARKEST
from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.features import features, shipped_encoder
from strokegan_lib.evaluation.kernel import kernel_distance
from strokegan_lib.evaluation.realism import Sample, realism
from strokegan_lib.evaluation.statistics import bootstrap

CHUNK = 64  # slices painted at a time
MOST = (
    256  # slices on which a generator is asked while it learns, or about what it knows: seconds, not minutes
)
KEPT = (
    "frechet", "frechet_at_infinity", "kernel", "precision", "recall", "density", "coverage", "ms_ssim", "spectrum",
    "memorisation", "memorisation_close", "memorisation_pixels",
)  # fmt: skip


def paint(generator: nn.Module, stroke: np.ndarray, foreground: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Paint slices as the data sets hold them.

    Args:
        generator: in eval mode.
        stroke, foreground: (n, 128, 128), 0/1.
        seed: of what the generator leaves to chance, if anything; torch's own random state stays as it was.

    Returns:
        (n, C, 128, 128) uint8: 8..255 in the foreground, 0 elsewhere.

    Raises:
        Diverged: the generator's pictures are not numbers.
    """
    painted, device = [], _device(generator)
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # the CPU's; torch.manual_seed would reach GPUs as well
        for start in range(0, len(stroke), CHUNK):
            part = slice(start, start + CHUNK)
            masks = [
                torch.from_numpy(np.array(m[part])).float()[:, None].to(device) for m in (stroke, foreground)
            ]
            grey = _finite(255 * generator(*masks)).round().clamp(min=DARKEST) * masks[1]  # (b, C, 128, 128)
            painted.append(grey.byte().cpu().numpy())
    return np.concatenate(painted)


def sample(generator: nn.Module, n: int, seed: int = 0) -> np.ndarray:
    """Slices that an unconditional generator makes of random numbers, as the data sets hold them.

    Args:
        generator: from z (b, Z) to (b, 1, 128, 128), Z its attribute ``latent``; in eval mode.
        n: how many.
        seed: decides the random numbers: the first slices of a longer sample are the same.

    Returns:
        (n, 1, 128, 128) uint8: what is darker than the darkest tissue is background, 0.

    Raises:
        Diverged: the generator's pictures are not numbers.
    """
    device = _device(generator)
    chance = torch.Generator().manual_seed(seed)
    z = torch.stack([torch.randn(generator.latent, generator=chance) for _ in range(n)])  # (n, Z)
    painted = []
    with torch.inference_mode():
        for part in z.split(CHUNK):
            grey = _finite(255 * generator(part.to(device))).round()  # (b, 1, 128, 128)
            painted.append((grey * (grey >= DARKEST)).byte().cpu().numpy())
    return np.concatenate(painted)


def painted_scores(generator: nn.Module, slices: SliceSet, split: str = "test") -> dict[str, Any]:
    """Score what a generator paints for the test patients' slices with a stroke.

    Args:
        generator: trained on this set's training patients, on the CPU, in eval mode.
        slices: with one channel.
        split: 'validation' while there is something to choose.

    Returns:
        name -> mean, low, high, n, patients, for ``error`` (mean absolute difference to the
        true slice over its foreground, 0..1), ``mean_picture_error`` (the same for the mean
        training slice, which a generator must beat), ``training_error`` (of what it paints for the
        masks of MOST training slices: much less than ``error`` says that it knows those brains
        by their outlines) and the names of KEPT, see evaluation/realism.py; there ``halves``
        is what chance alone gives.
    """
    train, test = (with_stroke(slices, part) for part in ("train", split))
    patients = slices.table["patient"]

    def error(picture: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
        tissue = slices.foreground[rows] == 1  # (n, 128, 128)
        off = np.abs(picture - slices.images[rows] / 255)[:, 0] * tissue  # (n, 128, 128)
        terms = np.stack([off.sum((1, 2)), tissue.sum((1, 2))], -1)  # (n, 2)
        return asdict(bootstrap(terms, patients[rows]))

    some = thinned(train)
    painted, known = (paint(generator, slices.stroke[rows], slices.foreground[rows]) for rows in (test, some))
    seen = slices.images[train].astype(float).sum(0) / 255 / np.maximum(slices.foreground[train].sum(0), 1)
    return {
        "error": error(painted / 255, test),
        "mean_picture_error": error(np.broadcast_to(seen[None], (len(test), *seen.shape)), test),
        "training_error": error(known / 255, some),
        **held_against(painted, patients[test], truth_of(slices, split)),
    }


def kernel_validation(slices: SliceSet, rows: np.ndarray) -> Callable[[nn.Module], dict[str, float]]:
    """How a generator is validated while it learns: the kernel distance of what it paints, without intervals.

    One with an attribute ``latent`` needs no masks, see ``sample``.

    Args:
        slices: with one channel.
        rows: validation slices, of which MOST at most are taken, evenly.
    """
    rows = thinned(rows)
    encoder = shipped_encoder()
    real = features(encoder, torch.from_numpy(slices.images[rows]))  # (n, F)

    def validate(generator: nn.Module) -> dict[str, float]:
        if hasattr(generator, "latent"):
            painted = sample(generator, len(rows))
        else:
            painted = paint(generator, slices.stroke[rows], slices.foreground[rows])
        distance = kernel_distance(real, features(encoder, torch.from_numpy(painted)))
        return {"validation score": -distance, "validation kernel": distance}

    return validate


def thinned(rows: np.ndarray) -> np.ndarray:
    """MOST rows at most, spread evenly over all."""
    return rows[:: max(1, -(-len(rows) // MOST))]


def with_stroke(slices: SliceSet, split: str, fold: int | None = None) -> np.ndarray:
    """Rows of a split's slices that show a stroke."""
    rows = slices.of_split(split, fold)
    return rows[slices.table["has_stroke"][rows] == 1]


def truth_of(slices: SliceSet, split: str = "test") -> tuple[Sample, Sample]:
    """A split's slices with a stroke, and the training slices with one, which may have been copied."""
    encoder = shipped_encoder()
    rows = (with_stroke(slices, part) for part in (split, "train"))
    real, known = (Sample.of(encoder, slices.images[r], slices.table["patient"][r]) for r in rows)
    return real, known


def held_against(
    painted: np.ndarray, patients: np.ndarray, truth: tuple[Sample, Sample]
) -> dict[str, dict[str, Any]]:
    """Realism of painted slices.

    Args:
        painted: (n, 1, 128, 128) uint8.
        patients: (n,) whose masks were painted; a name of its own for each slice that nobody's mask asked for.
        truth: from ``truth_of``.

    Returns:
        the names of KEPT, see evaluation/realism.py.
    """
    real, known = truth
    found = realism(real, Sample.of(shipped_encoder(), painted, patients), known)
    return {name: found[name] for name in KEPT}


def _finite(pictures: torch.Tensor) -> torch.Tensor:
    if not pictures.isfinite().all():
        raise Diverged("the generator", "its pictures are not numbers")
    return pictures


def _device(network: nn.Module) -> torch.device:
    """Where a network lies; one without parameters, as tests have them, on the CPU."""
    return next((p.device for p in network.parameters()), torch.device("cpu"))

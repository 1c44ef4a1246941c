"""How real and how varied synthetic slices are, each number beside what chance alone gives.

No single number will do: a blurred set, a set of copies and a set of one brain each do well by some measure.
And no number means anything by itself: the same is computed between two halves of the real set, and between a
half and as many synthetic slices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.likeness import grey_distance, grey_levels, radial_spectrum, spectrum_distance
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.diversity import ms_ssim, pairs
from strokegan_lib.evaluation.features import features, thumbnails
from strokegan_lib.evaluation.frechet import frechet_at_infinity, frechet_distance
from strokegan_lib.evaluation.kernel import kernel_distance
from strokegan_lib.evaluation.manifold import manifold
from strokegan_lib.evaluation.memorisation import memorisation
from strokegan_lib.evaluation.statistics import Interval, bootstrap, mean
from strokegan_lib.evaluation.synthetic import evenly, paint, with_stroke
from strokegan_lib.models.encoder import Encoder
from strokegan_lib.training.weights import shipped_encoder

HALVINGS = 10  # random halves of the patients, whose results are averaged
GROUPS = 20  # of patients, left out one after the other
PAIRS = 300  # whose MS-SSIM is averaged


@dataclass(frozen=True)
class Sample:
    """Slices as the measures want them.

    Attributes:
        features: (n, F).
        images: (n, 1, 128, 128) uint8.
        patients: (n,) names.
        spectra: (n, 63) log10 power of each slice, see likeness.py.
        greys: (n, 248) shares of the grey levels of each slice.
    """

    features: Tensor
    images: Tensor
    patients: np.ndarray
    spectra: np.ndarray
    greys: np.ndarray

    @classmethod
    def of(cls, encoder: Encoder, images: np.ndarray, patients: np.ndarray) -> Sample:
        """Describe slices, (n, 1, 128, 128) uint8, none without tissue."""
        planes, tensor = images[:, 0], torch.from_numpy(images)
        spectra = np.stack([radial_spectrum(plane[None]) for plane in planes])
        greys = np.stack([grey_levels(plane[None], plane[None] > 0) for plane in planes])
        return cls(features(encoder, tensor), tensor, np.asarray(patients), spectra, greys)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: np.ndarray) -> Sample:
        chosen = torch.from_numpy(rows)
        return Sample(
            self.features[chosen.to(self.features.device)], self.images[chosen],
            self.patients[rows], self.spectra[rows], self.greys[rows],
        )  # fmt: skip


def synthetic_scores(generator: nn.Module, slices: SliceSet, split: str = "test") -> dict[str, Any]:
    """Score what a generator makes of the test patients' masks with a stroke.

    Args:
        generator: trained on this set's training patients, on the CPU, in eval mode.
        slices: with one channel.
        split: 'validation' while there is something to choose.

    Returns:
        name -> mean, low, high, n, patients, for ``error`` (mean absolute difference to the true slice over
        its foreground, 0..1), ``mean_picture_error`` (the same for the mean training slice, which a generator
        must beat), ``training_error`` (for the masks of some training slices: much less than ``error`` shows
        that it knows those brains by their outlines) and the names of :func:`compare_with_real`.
    """
    train, test = (with_stroke(slices, part) for part in ("train", split))
    patients, some = slices.table["patient"], evenly(train)

    def error(picture: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
        tissue = slices.foreground[rows] == 1  # (n, 128, 128)
        off = np.abs(picture - slices.images[rows] / 255)[:, 0] * tissue  # (n, 128, 128)
        terms = np.stack([off.sum((1, 2)), tissue.sum((1, 2))], -1)  # (n, 2)
        return asdict(bootstrap(terms, patients[rows]))

    made, known = (paint(generator, slices.stroke[rows], slices.foreground[rows]) for rows in (test, some))
    average = slices.images[train].astype(float).sum(0) / 255 / np.maximum(slices.foreground[train].sum(0), 1)
    return {
        "error": error(made / 255, test),
        "mean_picture_error": error(np.broadcast_to(average[None], (len(test), *average.shape)), test),
        "training_error": error(known / 255, some),
        **compare_with_real(made, patients[test], truth_of(slices, split)),
    }


def truth_of(slices: SliceSet, split: str = "test") -> tuple[Sample, Sample]:
    """A split's slices with a stroke, and the training slices with one, which may have been copied."""
    encoder, patients = shipped_encoder(), slices.table["patient"]
    real, known = (
        Sample.of(encoder, slices.images[rows], patients[rows])
        for rows in (with_stroke(slices, part) for part in (split, "train"))
    )
    return real, known


def compare_with_real(
    synthetic: np.ndarray, patients: np.ndarray, truth: tuple[Sample, Sample]
) -> dict[str, dict[str, Any]]:
    """Realism of synthetic slices.

    Args:
        synthetic: (n, 1, 128, 128) uint8.
        patients: (n,) whose masks were used; a name of its own for each slice without such a patient.
        truth: from :func:`truth_of`.

    Returns:
        as :func:`realism`.
    """
    real, known = truth
    return realism(real, Sample.of(shipped_encoder(), synthetic, patients), known)


def distances(real: Sample, fake: Sample) -> dict[str, float]:
    """Every measure that compares two sets, without intervals."""
    balls = manifold(real.features, fake.features)
    return {
        "frechet": frechet_distance(real.features, fake.features),
        "kernel": kernel_distance(real.features, fake.features),
        **{name: float(values.mean()) for name, values in vars(balls).items()},
        "spectrum": spectrum_distance(real.spectra.mean(0), fake.spectra.mean(0)),
        "grey": grey_distance(real.greys.mean(0), fake.greys.mean(0)),
    }


def realism(real: Sample, fake: Sample, train: Sample, *, seed: int = 0) -> dict[str, dict]:
    """Measure synthetic slices against real ones of patients that nothing was trained on.

    Args:
        real: held-out slices.
        fake: synthetic slices.
        train: slices that the generator may have copied.
        seed: of halvings and intervals.

    Returns:
        name -> mean, low, high, n, patients (see Interval; where there is no interval its ends are None);
        ``halves``, the value of real against real, and ``fake_as_many``, that of synthetic against real slices
        with just as many rows (both None where they have no meaning).
    """
    chance = _halvings(real, fake, np.random.default_rng(seed))
    balls = manifold(real.features, fake.features)
    people = (real.patients, fake.patients)
    count = len(real) + len(fake), len(np.unique(np.concatenate(people)))
    # no interval at first: of the Fréchet distance it would lie about the small-sample bias and miss the truth
    plain = {**distances(real, fake), "frechet_at_infinity": frechet_at_infinity(real.features, fake.features, *people, seed=seed)}  # fmt: skip
    found = {name: Interval(value, None, None, *count) for name, value in plain.items()}
    found["kernel"] = jackknife(kernel_distance, real.features, fake.features, *people, seed=seed)
    for name, side in (("precision", fake), ("density", fake), ("recall", real), ("coverage", real)):
        found[name] = mean(getattr(balls, name).cpu().numpy(), side.patients, seed=seed)
    found["ms_ssim"] = likeness_within(fake, seed)
    for name, view in (("", lambda of: of.features), ("_pixels", lambda of: thumbnails(of.images))):
        copied = memorisation(view(fake), view(real), view(train), fake.patients, real.patients, seed=seed)
        found[f"memorisation{name}"], found[f"memorisation{name}_close"] = copied.ratio, copied.close
    halves = {**chance["real"], "ms_ssim": likeness_within(real, seed).mean}
    return {
        name: {**asdict(of), "halves": halves.get(name), "fake_as_many": chance["fake"].get(name)}
        for name, of in found.items()
    }


def _halvings(real: Sample, fake: Sample, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Mean distances of half the real patients to the other half, and to as many synthetic slices."""
    names, who = np.unique(real.patients, return_inverse=True)
    results: dict[str, list[dict[str, float]]] = {"real": [], "fake": []}
    for _ in range(HALVINGS):
        first = np.isin(who, rng.permutation(len(names))[: len(names) // 2])
        sides = np.flatnonzero(first), np.flatnonzero(~first), np.arange(len(fake))
        count = min(map(len, sides))
        half, other, made = (rng.permutation(rows)[:count] for rows in sides)
        results["real"].append(distances(real[half], real[other]))
        results["fake"].append(distances(real[half], fake[made]))
    return {
        kind: {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        for kind, rows in results.items()
    }


def jackknife(
    distance: Callable[[Tensor, Tensor], float],
    a: Tensor,
    b: Tensor,
    patients_a: np.ndarray,
    patients_b: np.ndarray,
    *,
    seed: int = 0,
) -> Interval:
    """A distance between two sets, with a 95 % interval from leaving out groups of patients.

    A bootstrap would not do: rows drawn twice lie at distance 0 of themselves and make variance too small.
    Each of G groups is left out of both sets in turn (Efron and Stein 1981), the standard error is

        sqrt((G - 1) / G * sum over groups of (d_g - mean d)^2)

    Args:
        distance: of (n, F) and (m, F).
        a, b: (n, F) and (m, F).
        patients_a, patients_b: (n,) and (m,); a patient in both sets is left out of both at once.
        seed: of the grouping.
    """
    names = np.unique(np.concatenate([patients_a, patients_b]))
    group = dict(zip(names, np.random.default_rng(seed).permutation(len(names)) % GROUPS, strict=True))
    of_a, of_b = (np.array([group[p] for p in patients]) for patients in (patients_a, patients_b))
    left = [
        distance(*(x[torch.from_numpy(of != g).to(x.device)] for x, of in ((a, of_a), (b, of_b))))
        for g in range(min(GROUPS, len(names)))
    ]
    value, error = distance(a, b), np.sqrt((len(left) - 1) * np.var(left))
    low, high = float(value - 1.96 * error), float(value + 1.96 * error)
    return Interval(value, low, high, len(a) + len(b), len(names))


def likeness_within(sample: Sample, seed: int = 0) -> Interval:
    """Mean MS-SSIM of two slices of different patients: the higher, the less variety.

    Resampled for the interval are the patients of the first slices of the pairs.
    """
    rows = pairs(sample.patients, PAIRS, seed)
    x, y = (sample.images[torch.from_numpy(side)] / 255 for side in rows.T)
    values = torch.cat([ms_ssim(p, q) for p, q in zip(x.split(32), y.split(32), strict=True)])
    return mean(values.numpy(), sample.patients[rows[:, 0]], seed=seed)

"""How real and how varied synthetic slices are, each number beside what chance alone gives.

No single number will do: a blurred set, a set of copies and a set of one brain each do well by some measure. And no
number means anything by itself: the same is computed between two halves of the real set.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.diversity import ms_ssim, pairs
from strokegan_lib.evaluation.features import features, thumbnails
from strokegan_lib.evaluation.kernel import kernel_distance
from strokegan_lib.evaluation.manifold import manifold
from strokegan_lib.evaluation.memorisation import memorisation
from strokegan_lib.evaluation.overlap import count_masks
from strokegan_lib.evaluation.statistics import Interval, bootstrap, mean
from strokegan_lib.evaluation.synthetic import evenly, paint, with_stroke
from strokegan_lib.training.weights import shipped_encoder

HALVINGS = 10  # random halves of the patients, whose results are averaged
GROUPS = 20  # of patients, left out one after the other
PAIRS = 300  # whose MS-SSIM is averaged
SAMPLES = 4  # pictures made for each pair of masks: six pairs of them
CHUNK = 64  # slices at a time
Scores = dict[str, dict[str, Any]]  # name -> mean, low, high, n, patients (see Interval), and more


@dataclass(frozen=True)
class Sample:
    """Slices as the measures want them."""

    features: Tensor  # (n, F)
    images: Tensor  # (n, 1, 128, 128) uint8
    patients: np.ndarray  # (n,) names

    @classmethod
    def of(cls, images: np.ndarray, patients: np.ndarray) -> "Sample":
        """Describe slices, (n, 1, 128, 128) uint8, by the shipped encoder."""
        tensor = torch.from_numpy(images)
        return cls(features(shipped_encoder(), tensor), tensor, np.asarray(patients))


def synthetic_scores(generator: nn.Module, slices: SliceSet) -> Scores:
    """Score what a generator makes of the test patients' masks with a stroke; it learnt from the training patients.

    ``error`` is the mean absolute difference to the true slice over its foreground, 0..1, and ``mean_picture_error``
    that of the mean training slice; a much smaller ``training_error``, for masks of training slices, shows that the
    generator knows those brains.
    """
    train, test = (with_stroke(slices, part) for part in ("train", "test"))
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
        **realism(Sample.of(made, patients[test]), *truth_of(slices)),
    }


def truth_of(slices: SliceSet) -> list[Sample]:
    """Test slices with a stroke, and training slices with one, which may have been copied."""
    rows = [with_stroke(slices, part) for part in ("test", "train")]
    return [Sample.of(slices.images[part], slices.table["patient"][part]) for part in rows]


def realism(fake: Sample, real: Sample, train: Sample, *, seed: int = 0) -> Scores:
    """Measure synthetic slices against real ones of held-out patients, and against the training slices.

    A synthetic slice that no patient's masks asked for is a patient of its own. Beside each score stand ``halves``,
    the value of real against real, and ``fake_as_many``, that of synthetic against real slices with just as many rows
    (None where they have no meaning).
    """
    balls = manifold(real.features, fake.features)
    both = real.features, fake.features, real.patients, fake.patients
    found = {"kernel": jackknife(kernel_distance, *both, seed=seed), "ms_ssim": likeness_within(fake, seed)}
    for name, side in (("precision", fake), ("recall", real), ("coverage", real)):
        found[name] = mean(getattr(balls, name).cpu().numpy(), side.patients, seed=seed)
    for name, view in (("", lambda of: of.features), ("_pixels", lambda of: thumbnails(of.images))):
        rows = (view(of) for of in (fake, real, train))
        copied = memorisation(*rows, fake.patients, real.patients, seed=seed)
        found[f"memorisation{name}"], found[f"memorisation{name}_close"] = copied.ratio, copied.close
    halves, as_many = _by_chance(real, fake, np.random.default_rng(seed))
    halves["ms_ssim"] = likeness_within(real, seed).mean
    return {
        name: {**asdict(of), "halves": halves.get(name), "fake_as_many": as_many.get(name)}
        for name, of in found.items()
    }


def distances(real: Tensor, fake: Tensor) -> dict[str, float]:
    """The measures that compare two sets of features, (n, F) and (m, F), without intervals."""
    balls = manifold(real, fake)
    within = {name: float(getattr(balls, name).mean()) for name in ("precision", "recall", "coverage")}
    return {"kernel": kernel_distance(real, fake), **within}


def halvings(
    patients: np.ndarray, rng: np.random.Generator, times: int | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of a random half of the patients and those of the other half, *times* over, HALVINGS by default."""
    names, who = np.unique(patients, return_inverse=True)
    for _ in range(times or HALVINGS):
        first = np.isin(who, rng.permutation(len(names))[: len(names) // 2])
        yield np.flatnonzero(first), np.flatnonzero(~first)


def _by_chance(real: Sample, fake: Sample, rng: np.random.Generator) -> list[dict[str, float]]:
    """Mean distances of half the real patients to the other half, and to as many synthetic slices."""
    found: tuple[list, list] = ([], [])
    for halves in halvings(real.patients, rng):
        sides = *halves, np.arange(len(fake.images))
        count = min(map(len, sides))
        half, other, made = (torch.from_numpy(rng.permutation(rows)[:count]) for rows in sides)
        found[0].append(distances(real.features[half], real.features[other]))
        found[1].append(distances(real.features[half], fake.features[made]))
    return [{name: float(np.mean([row[name] for row in rows])) for name in rows[0]} for rows in found]


def jackknife(
    distance: Callable[[Tensor, Tensor], float], a: Tensor, b: Tensor,
    patients_a: np.ndarray, patients_b: np.ndarray, *, seed: int = 0,
) -> Interval:  # fmt: skip
    """A distance between two sets, (n, F) and (m, F), with a 95 % interval from leaving out groups of patients.

    A bootstrap would not do: rows drawn twice lie at distance 0 of themselves and make variance too small.
    Each of G groups is left out of both sets in turn (Efron and Stein 1981), the standard error is

        sqrt((G - 1) / G * sum over groups of (d_g - mean d)^2)
    """
    names = np.unique(np.concatenate([patients_a, patients_b]))
    group = dict(zip(names, np.random.default_rng(seed).permutation(len(names)) % GROUPS, strict=True))
    of_a, of_b = (torch.tensor([group[p] for p in patients]) for patients in (patients_a, patients_b))
    left = [distance(a[of_a != g], b[of_b != g]) for g in range(min(GROUPS, len(names)))]
    value, error = distance(a, b), np.sqrt((len(left) - 1) * np.var(left))
    low, high = float(value - 1.96 * error), float(value + 1.96 * error)
    return Interval(value, low, high, len(a) + len(b), len(names))


def likeness_within(sample: Sample, seed: int = 0) -> Interval:
    """Mean MS-SSIM of two slices of different patients: the higher, the less variety."""
    both = pairs(sample.patients, PAIRS, seed)  # (PAIRS, 2) rows
    first, second = sample.images[both].unbind(1)
    return mean_over_pairs(similarity(first, second), sample.patients[both])


def mean_over_pairs(values: np.ndarray, patients: np.ndarray) -> Interval:
    """Mean of a value of each pair, (n,), of the two *patients* (n, 2), with a 95 % interval.

    To resample one side of each pair would take two pairs for independent that share a patient of the other side. Here
    all pairs that share one count together (Fafchamps and Gubert 2007); r is a pair's value less the mean:

        variance of the mean = (sum over patients of (sum of r of their pairs)^2 - sum of r^2) / n^2

    where each r^2, which both patients of a pair add, is taken off once. Two patients who were drawn together twice count
    once too often, so that the interval is a little too wide; a variance below 0 counts as 0.
    """
    value, names = float(values.mean()), np.unique(patients)
    r = values - value
    own = (patients == names[:, None, None]).any(2) @ r  # (patients, n) @ (n,)
    error = float(np.sqrt(max(own @ own - r @ r, 0.0))) / len(r)
    return Interval(value, value - 1.96 * error, value + 1.96 * error, len(r), len(names))


def lesion_scores(
    generator: nn.Module, segmentor: nn.Module, threshold: float, slices: SliceSet, rows: np.ndarray
) -> Scores:
    """Does a generator paint the lesion that it was asked for, and what does it leave to chance?

    *segmentor*, trained on real slices of other patients, looks for lesions in the slices *rows* and in synthetic ones
    of their masks. Finding more there is no sign of truth: real lesions may be faint, and synthetic ones as bright as
    the mean of all.

    The scores are ``real_dice``, Dice of what is found in the true slices with their masks; ``painted_dice``, the same
    in SAMPLES synthetic slices each; ``fidelity``, the second over the first; ``same_masks``, MS-SSIM of two pictures
    of one pair of masks, the higher, the less variety; ``real_pairs``, that of true slices of two patients, whose
    masks differ as well, so that variety from styles alone need not reach it.
    """
    patients, stroke = slices.table["patient"][rows], slices.stroke[rows]
    truth, images = torch.from_numpy(stroke) > 0, torch.from_numpy(slices.images[rows])
    painted = (paint(generator, stroke, slices.foreground[rows], seed=seed) for seed in range(SAMPLES))
    made = [torch.from_numpy(pictures) for pictures in painted]

    @torch.inference_mode()
    def dice(shown: Tensor) -> np.ndarray:  # (n, 1, 128, 128) uint8 -> (n,)
        parts = (shown / 255).split(CHUNK)
        found = torch.cat([segmentor.predict(segmentor(x), x).score[:, 0] > threshold for x in parts])
        return count_masks(found, truth).dice().numpy()

    real, synthetic = dice(images), np.mean([dice(shown) for shown in made], 0)  # (n,) each
    both = pairs(patients, PAIRS)  # (PAIRS, 2) rows
    pair = images[both].unbind(1)
    found = {
        "real_dice": mean(real, patients),
        "painted_dice": mean(synthetic, patients),
        "fidelity": bootstrap(np.stack([synthetic, real], -1), patients),
        "same_masks": mean(np.mean([similarity(a, b) for a, b in combinations(made, 2)], 0), patients),
        "real_pairs": mean_over_pairs(similarity(*pair), patients[both]),
    }
    return {name: asdict(score) for name, score in found.items()}


def similarity(a: Tensor, b: Tensor) -> np.ndarray:
    """MS-SSIM of pictures in pairs, (n, 1, 128, 128) uint8 each -> (n,)."""
    sides = zip((a / 255).split(CHUNK), (b / 255).split(CHUNK), strict=True)
    return torch.cat([ms_ssim(x, y) for x, y in sides]).numpy()

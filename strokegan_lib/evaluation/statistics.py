"""How sure a result is: intervals and tests that treat the patient as the unit.

Slices of one patient share the lesion, the scanner and the anatomy. A bootstrap that draws slices takes
them for independent and gives intervals that are far too narrow; here whole patients are drawn, with all
their slices (the cluster bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997,
section 3.8). The intervals hold neither the chance in training nor that folds share training patients.
Taught in notebook 06.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

DRAWS = 2000  # from seed to seed the ends then vary by about 2 % of the interval's width
ENDS = (0.025, 0.975)  # of a 95 % interval
TOO_FEW = "too few patients"

Patients = Sequence[str] | np.ndarray


@dataclass(frozen=True)
class Interval:
    """A result with its 95 % interval, which prints itself: ``f"{found:.3f}"`` is .446 (.433 to .459)."""

    mean: float | None  # the statistic on the data; None where it does not exist
    low: float | None  # ends of the interval; None where there is none, as with fewer than two patients
    high: float | None
    n: int  # rows, such as slices, that it rests on
    patients: int

    def __format__(self, spec: str) -> str:
        """Mean and ends in the format of a number, ``.3f`` by default; without ends, why there are none."""
        if self.mean is None:
            return TOO_FEW
        ends = TOO_FEW if self.low is None else f"{self.low:{spec or '.3f'}} to {self.high:{spec or '.3f'}}"
        return re.sub(r"\b0\.", ".", f"{self.mean:{spec or '.3f'}} ({ends})")  # 0.446 as .446

    def __str__(self) -> str:
        return format(self)


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two methods on the same slices."""

    difference: Interval  # of mean(a) - mean(b)
    p: float | None  # two-sided, of the Wilcoxon signed-rank test over patients; None without data


def ratio(sums: np.ndarray) -> np.ndarray:
    """First sum over second, (..., 2) -> (...); NaN where the second is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[..., 1] != 0, sums[..., 0] / sums[..., 1], np.nan)


def bootstrap(
    terms: np.ndarray,
    patients: Patients,
    statistic: Callable[[np.ndarray], np.ndarray] = ratio,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a statistic that is a function of sums over slices.

    Patients are drawn with replacement, as many as there are, each with all its slices. A draw is then a
    weight for each patient (how often it was drawn), and since the statistic needs sums only, all draws
    together are one product, weights @ sums of the patients. Draws without the statistic are left out.

    Percentile intervals are too narrow for few patients: of normal scores "95 %" covers about 88 % with 10
    patients and 92 % with 40. For pooled pixel counts, which a few large lesions decide, it is worse.

    Args:
        terms: (N, K) finite, what each row adds to each of the K sums; else ValueError.
        patients: (N,) the patient of each row.
        statistic: (..., K) sums -> (...) values, NaN where there is none.
        draws, seed: number of resamples, and what decides them.
    """
    names, sums = sums_by_patient(terms, patients)
    n, size = len(terms), len(names)
    centre = float(statistic(sums.sum(0))) if n else np.nan
    if np.isnan(centre):
        return Interval(None, None, None, n, size)
    if size < 2:
        return Interval(centre, None, None, n, size)
    drawn = np.random.default_rng(seed).integers(size, size=(draws, size))
    drawn += size * np.arange(draws)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size)
    values = statistic(weights @ sums)  # (draws, K) -> (draws,)
    low, high = np.quantile(values[~np.isnan(values)], ENDS)
    return Interval(centre, float(low), float(high), n, size)


def mean(values: np.ndarray, patients: Patients, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Mean over slices, (N,) finite, with an interval from resampling patients.

    Every slice counts the same, so a patient with many slices counts more. In a resample the number of
    slices varies with the patients drawn, as it would in another sample.
    """
    values = np.asarray(values, dtype=np.float64)
    return bootstrap(np.stack([values, np.ones_like(values)], -1), patients, draws=draws, seed=seed)


def paired(a: np.ndarray, b: np.ndarray, patients: Patients) -> Comparison:
    """Compare two methods on the same slices, by finite scores (N,) of each.

    Both methods get the same resampled patients, so what makes a patient hard for both cancels. The test is
    Wilcoxon's (1945) signed-rank test on each patient's mean difference, since slices of one patient are
    no independent evidence; patients without a difference are left out of it, and without any p is 1.

    The interval weighs patients by their slices and is about the mean, the test weighs them equally and is
    about ranks: they may disagree.
    """
    apart = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    difference = mean(apart, patients)
    if not len(apart):
        return Comparison(difference, None)
    _, sums = sums_by_patient(np.stack([apart, np.ones_like(apart)], -1), patients)
    per_patient = ratio(sums).round(12)  # so that rounding errors make or break no tie
    p = float(stats.wilcoxon(per_patient).pvalue) if per_patient.any() else 1.0
    return Comparison(difference, p)


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's (1979) correction for several tests, (m,) in 0..1 -> (m,): reject where it is at most alpha.

    It bounds the chance of one false rejection or more among all tests, however they depend on each other.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)  # the smallest times m, the next times m - 1, ...
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(np.minimum(steps, 1))
    return corrected


def sums_by_patient(terms: np.ndarray, patients: Patients) -> tuple[np.ndarray, np.ndarray]:
    """Add up the rows of each patient, (N, K), all finite: sorted names (P,) and sums (P, K) float64."""
    terms, patients = np.asarray(terms, dtype=np.float64), np.asarray(patients)
    if terms.ndim != 2 or patients.shape != terms.shape[:1]:
        raise ValueError(f"terms must be (N, K) and patients (N,), not {terms.shape} and {patients.shape}")
    if not np.isfinite(terms).all():
        raise ValueError("a term is not finite: count a missing result as what it is, do not drop it")
    names, which = np.unique(patients, return_inverse=True)
    sums = np.zeros((len(names), terms.shape[1]))
    np.add.at(sums, which, terms)
    return names, sums

"""Intervals that cover what they promise, and tests that equal scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from strokegan_lib.evaluation.statistics import Interval, bootstrap, holm, mean, paired


def clustered(patients: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores with mean 0 of patients with 2 to 12 slices each, which resemble each other."""
    ids = np.repeat(np.arange(patients), rng.integers(2, 13, patients))
    return rng.normal(0, 0.2, patients)[ids] + rng.normal(0, 0.15, len(ids)), ids


def test_one_slice_a_patient_is_the_plain_bootstrap_of_scipy():
    one, other = np.random.default_rng(0).normal((0.5, 0.52), 0.2, (80, 2)).T
    found = bootstrap(np.stack([one, other], -1), np.arange(80), draws=20_000)
    how = {"paired": True, "n_resamples": 20_000, "method": "percentile", "rng": 1}
    ratio = stats.bootstrap((one, other), lambda x, y, axis: x.sum(axis) / y.sum(axis), **how)
    theirs = ratio.confidence_interval
    near = pytest.approx([theirs.low, theirs.high], abs=0.03 * (found.high - found.low))
    assert [found.low, found.high] == near


def test_whole_patients_are_drawn():
    """Against a resample made slice by slice, in a loop, with the same random numbers."""
    values, ids = clustered(7, np.random.default_rng(5))
    drawn = np.random.default_rng(3).integers(7, size=(200, 7))
    means = [np.concatenate([values[ids == k] for k in row]).mean() for row in drawn]
    ours = mean(values, ids, draws=200, seed=3)
    assert [ours.low, ours.high] == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())
    assert ours.low != mean(values, ids, draws=200, seed=4).low


@pytest.mark.parametrize(("patients", "least", "most"), [(40, 0.90, 0.98), (10, 0.80, 0.93)])
def test_the_interval_covers_the_truth_and_one_over_slices_does_not(patients, least, most):
    rng, hits = np.random.default_rng(patients), []
    for seed in range(300):
        values, ids = clustered(patients, rng)
        found = [mean(values, units, draws=300, seed=seed) for units in (ids, np.arange(len(ids)))]
        hits.append([interval.low <= 0 <= interval.high for interval in found])
    by_patient, by_slice = np.mean(hits, 0)
    assert least <= by_patient <= most and by_slice < 0.70


@given(seed=st.integers(0, 2**32), patients=st.integers(2, 10))
def test_an_interval_depends_on_the_data_and_the_seed_alone(seed, patients):
    rng = np.random.default_rng(seed)
    values, ids = clustered(patients, rng)
    first, order = mean(values, ids, draws=50, seed=seed), rng.permutation(len(ids))
    other = mean(values[order], ids[order].astype(str), draws=50, seed=seed)
    assert [other.mean, other.low, other.high] == pytest.approx([first.mean, first.low, first.high])
    assert values.min() - 1e-12 <= first.low <= first.high <= values.max() + 1e-12


@pytest.mark.parametrize(
    ("terms", "patients", "expected"),
    [
        (np.zeros((0, 2)), [], (None, None, None)),
        ([[0.25, 1], [0.25, 1]], "aa", (0.25, None, None)),
        (np.zeros((3, 2)), "abc", (None, None, None)),
        # only one of three patients has a denominator: every draw that holds it gives 1/2
        ([[1, 2], [0, 0], [0, 0]], "abc", (0.5, 0.5, 0.5)),
    ],
)
def test_what_does_not_exist_is_none(terms, patients, expected):
    found = bootstrap(np.array(terms), [*patients])
    assert (found.mean, found.low, found.high) == expected
    assert (found.n, found.patients) == (len(patients), len({*patients}))


@pytest.mark.parametrize(
    ("numbers", "spec", "text"),
    [
        ((0.4464, 0.4331, 0.4589), ".3f", ".446 (.433 to .459)"),
        ((-0.012, -0.5, 10.5), "+.2f", "-.01 (-.50 to +10.50)"),
        ((0.452, 0.304, 1.0), ".0%", "45% (30% to 100%)"),
        ((0.4464, None, None), "", ".446 (too few patients)"),
        ((None, None, None), ".3f", "too few patients"),
    ],
)
def test_an_interval_prints_itself(numbers, spec, text):
    assert format(Interval(*numbers, 9, 3), spec) == text
    assert str(Interval(*numbers, 9, 3)) == format(Interval(*numbers, 9, 3), ".3f")


@pytest.mark.parametrize(
    ("terms", "patients"),
    [(np.ones((3, 2)), ["a", "b"]), (np.ones(3), ["a", "b", "c"]), (np.array([[1.0, np.nan]]), ["a"])],
)
def test_bad_terms_are_refused(terms, patients):
    with pytest.raises(ValueError, match="term"):
        bootstrap(terms, patients)


def test_wilcoxon_is_scipys_on_the_patients_means_and_the_other_way_round_the_sign_changes():
    values, ids = clustered(30, np.random.default_rng(8))
    other = values + np.random.default_rng(9).normal(0.03, 0.1, len(values))
    means = np.array([(other - values)[ids == k].mean() for k in range(30)])
    one, two = paired(other, values, ids), paired(values, other, ids)
    assert one.p == two.p == pytest.approx(stats.wilcoxon(means).pvalue)
    assert one.p != pytest.approx(stats.wilcoxon(other - values).pvalue)  # slices are not the unit
    assert one.difference == mean(other - values, ids)
    assert two.difference.low == pytest.approx(-one.difference.high)


def test_wilcoxon_leaves_out_patients_without_a_difference():
    a = np.array([0.1 + 0.2, 0.0, 0.5, 0.6, 0.75, 0.9])
    b = np.array([0.3, 0.0, 0.4, 0.4, 0.35, 0.1])
    result = paired(a, b, list("abcdef"))  # a rounding error is no difference
    assert result.p == pytest.approx(2 / 2**4) and result.difference.patients == 6
    same, none = paired(a, a, list("abcdef")), paired([], [], [])
    assert (same.p, same.difference.low, same.difference.high) == (1, 0, 0)
    assert none.p is None and none.difference.mean is None


@given(st.lists(st.floats(0, 1), max_size=12), st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_as_the_step_down_procedure_does(p, alpha):
    rejected = np.zeros(len(p), bool)
    for step, k in enumerate(np.argsort(p, kind="stable")):
        if p[k] * (len(p) - step) > alpha:
            break
        rejected[k] = True
    assert (holm(p) <= alpha).tolist() == rejected.tolist()


def test_holm_by_hand():
    # sorted .005, .01, .03, .04: times 4, 3, 2, 1 = .02, .03, .06, .04; the last may not fall below .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

"""Intervals that cover what they promise, and tests that equal scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from strokegan_lib.evaluation.statistics import bootstrap, holm, mean, paired, ratio, sums_by_patient

rng = np.random.default_rng(0)
ALIKE = rng.normal(0.5, 0.2, 80)  # one slice a patient
OTHER = ALIKE + rng.normal(0.02, 0.1, 80)
ALONE = np.arange(80)


def clustered(patients: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores with mean 0 of patients with 2 to 12 slices each, which resemble each other."""
    ids = np.repeat(np.arange(patients), rng.integers(2, 13, patients))
    return rng.normal(0, 0.2, patients)[ids] + rng.normal(0, 0.15, len(ids)), ids


def width(interval) -> float:
    return interval.high - interval.low


def test_one_slice_a_patient_is_the_plain_bootstrap_of_scipy():
    ours = mean(ALIKE, ALONE, draws=20_000)
    theirs = stats.bootstrap((ALIKE,), np.mean, n_resamples=20_000, method="percentile", rng=1)
    assert ours.mean == pytest.approx(ALIKE.mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.03 * width(ours))
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.03 * width(ours))
    assert (ours.n, ours.patients) == (80, 80)


def test_patients_of_equal_size_have_the_interval_of_their_means():
    """In closed form: the standard error is that of the patients' means."""
    values = rng.normal(0, 0.2, (60, 1)) + rng.normal(0, 0.1, (60, 5))
    ours = mean(values.ravel(), np.repeat(np.arange(60), 5), draws=20_000)
    expected = 2 * 1.96 * values.mean(1).std() / np.sqrt(60)
    assert width(ours) == pytest.approx(expected, rel=0.05)
    assert (ours.n, ours.patients) == (300, 60)


def test_a_ratio_of_sums_is_the_paired_bootstrap_of_scipy():
    top = rng.gamma(2, 1, 100)
    bottom = top + rng.gamma(2, 1, 100)
    ours = bootstrap(np.stack([top, bottom], -1), np.arange(100), draws=20_000)
    theirs = stats.bootstrap(
        (top, bottom),
        lambda x, y, axis: x.sum(axis) / y.sum(axis),
        paired=True,
        n_resamples=20_000,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert ours.mean == pytest.approx(top.sum() / bottom.sum())
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.03 * width(ours))


def test_weights_are_whole_patients():
    """Against a resample made slice by slice, in a loop, with the same random numbers."""
    values, ids = clustered(7, np.random.default_rng(5))
    drawn = np.random.default_rng(3).integers(7, size=(200, 7))
    means = [np.concatenate([values[ids == k] for k in row]).mean() for row in drawn]
    ours = mean(values, ids, draws=200, seed=3)
    assert [ours.low, ours.high] == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())


@pytest.mark.parametrize(("patients", "least", "most"), [(40, 0.90, 0.98), (10, 0.80, 0.93)])
def test_the_interval_covers_the_truth_and_one_over_slices_does_not(patients, least, most):
    rng, hits, hits_of_slices = np.random.default_rng(patients), 0, 0
    for seed in range(400):
        values, ids = clustered(patients, rng)
        by_patient = mean(values, ids, draws=500, seed=seed)
        by_slice = mean(values, np.arange(len(ids)), draws=500, seed=seed)
        hits += by_patient.low <= 0 <= by_patient.high
        hits_of_slices += by_slice.low <= 0 <= by_slice.high
    assert least <= hits / 400 <= most
    assert hits_of_slices / 400 < 0.70


@given(seed=st.integers(0, 2**32), patients=st.integers(2, 12))
def test_an_interval_depends_on_the_data_and_the_seed_alone(seed, patients):
    rng = np.random.default_rng(seed)
    values, ids = clustered(patients, rng)
    first = mean(values, ids, draws=50, seed=seed)
    assert first == mean(values, ids, draws=50, seed=seed)
    order = rng.permutation(len(ids))
    shuffled = mean(values[order], ids[order].astype(str), draws=50, seed=seed)
    assert shuffled.mean == pytest.approx(first.mean)
    if patients <= 10:  # beyond, names sort differently from numbers
        assert [shuffled.low, shuffled.high] == pytest.approx([first.low, first.high])
    assert values.min() - 1e-12 <= first.low <= first.high <= values.max() + 1e-12


def test_seeds_differ():
    assert mean(ALIKE, ALONE, seed=0).low != mean(ALIKE, ALONE, seed=1).low


def test_what_does_not_exist_is_none():
    nothing, single = mean(np.array([]), []), mean(np.array([0.2, 0.4]), ["a", "a"])
    assert (nothing.mean, nothing.low, nothing.high, nothing.n, nothing.patients) == (None, None, None, 0, 0)
    assert single.mean == pytest.approx(0.3)
    assert (single.low, single.high, single.n, single.patients) == (None, None, 2, 1)
    undefined = bootstrap(np.zeros((3, 2)), ["a", "b", "c"])
    assert (undefined.mean, undefined.low, undefined.n) == (None, None, 3)


def test_draws_without_the_statistic_are_left_out():
    """Only one of three patients has a denominator: every draw that holds it gives 1/2."""
    ours = bootstrap(np.array([[1, 2], [0, 0], [0, 0]]), ["a", "b", "c"])
    assert (ours.mean, ours.low, ours.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("terms", "patients"),
    [(np.ones((3, 2)), ["a", "b"]), (np.ones(3), ["a", "b", "c"]), (np.array([[1.0, np.nan]]), ["a"])],
)
def test_bad_terms_are_refused(terms, patients):
    with pytest.raises(ValueError, match="term"):
        bootstrap(terms, patients)


def test_sums_by_patient():
    names, sums = sums_by_patient([[1, 10], [2, 20], [4, 40]], ["b", "a", "b"])
    assert names.tolist() == ["a", "b"]
    assert sums.tolist() == [[2, 20], [5, 50]]
    assert ratio(np.array([[1.0, 4.0]])).tolist() == [0.25]


def test_paired_interval_is_that_of_the_differences():
    result = paired(OTHER, ALIKE, ALONE, draws=20_000)
    theirs = stats.bootstrap(
        (OTHER, ALIKE),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        paired=True,
        n_resamples=20_000,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert result.difference.mean == pytest.approx(OTHER.mean() - ALIKE.mean())
    assert [result.difference.low, result.difference.high] == pytest.approx(
        [theirs.low, theirs.high], abs=0.03 * width(result.difference)
    )
    assert width(result.difference) < width(mean(OTHER, ALONE))  # what is hard for both cancels


def test_wilcoxon_is_scipys_on_the_patients_means():
    values, ids = clustered(30, np.random.default_rng(8))
    other = values + np.random.default_rng(9).normal(0.03, 0.1, len(values))
    means = np.array([(other - values)[ids == k].mean() for k in range(30)])
    p = paired(other, values, ids).p
    assert p == pytest.approx(stats.wilcoxon(means).pvalue)
    assert p != pytest.approx(stats.wilcoxon(other - values).pvalue)  # slices are not the unit


def test_wilcoxon_leaves_out_patients_without_a_difference():
    a = np.array([0.0, 0.0, 0.5, 0.6, 0.75, 0.9])
    b = np.array([0.0, 0.0, 0.4, 0.4, 0.35, 0.1])
    result = paired(a, b, list("abcdef"))
    assert result.p == pytest.approx(2 / 2**4)  # four patients, all in favour of a
    assert result.difference.patients == 6


def test_a_rounding_error_is_no_difference():
    a, b = np.array([0.1 + 0.2, 0.5, 0.6, 0.75, 0.9]), np.array([0.3, 0.4, 0.4, 0.35, 0.1])
    assert a[0] != b[0]
    assert paired(a, b, list("abcde")).p == pytest.approx(2 / 2**4)


def test_equal_methods_do_not_differ():
    result = paired(ALIKE, ALIKE, ALONE)
    assert (result.p, result.difference.mean, result.difference.low, result.difference.high) == (1, 0, 0, 0)
    assert paired([], [], []).p is None and paired([], [], []).difference.mean is None


@given(st.integers(0, 2**32))
def test_the_other_way_round_only_the_sign_changes(seed):
    rng = np.random.default_rng(seed)
    values, ids = clustered(8, rng)
    other = values + rng.normal(0, 0.1, len(values))
    one, two = paired(values, other, ids, draws=200), paired(other, values, ids, draws=200)
    assert one.p == pytest.approx(two.p)
    d, e = one.difference, two.difference
    assert [d.mean, d.low, d.high] == pytest.approx([-e.mean, -e.high, -e.low])


def test_the_test_errs_as_often_as_it_says_and_one_over_slices_far_more_often():
    rng, errors, errors_of_slices = np.random.default_rng(4), 0, 0
    for _ in range(400):
        difference, ids = clustered(20, rng)  # two equal methods that suit different patients
        score = rng.uniform(size=len(ids))
        errors += paired(score + difference, score, ids, draws=2).p < 0.05
        errors_of_slices += stats.wilcoxon(difference).pvalue < 0.05
    assert 0.02 <= errors / 400 <= 0.08
    assert errors_of_slices / 400 > 0.25


def test_paired_refuses_other_slices():
    with pytest.raises(ValueError, match="same slices"):
        paired([0.1, 0.2], [0.1], ["a", "b"])


def test_holm_by_hand():
    # sorted .005, .01, .03, .04: times 4, 3, 2, 1 = .02, .03, .06, .04; the last may not fall below .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])
    assert holm([0.02]) == pytest.approx([0.02])
    assert holm([]).tolist() == []


p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p_lists, st.randoms())
def test_holm_lies_between_none_and_bonferroni_and_keeps_the_order(p, random):
    corrected = holm(p)
    assert (corrected >= p).all() and (corrected <= np.minimum(np.array(p) * len(p), 1) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()
    order = list(range(len(p)))
    random.shuffle(order)
    assert holm(np.array(p)[order]) == pytest.approx(corrected[order])


@given(p_lists, st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_as_the_step_down_procedure_does(p, alpha):
    rejected = np.zeros(len(p), bool)
    for step, k in enumerate(np.argsort(p, kind="stable")):
        if p[k] * (len(p) - step) > alpha:
            break
        rejected[k] = True
    assert (holm(p) <= alpha).tolist() == rejected.tolist()


@pytest.mark.parametrize("bad", [[0.5, 1.1], [-0.1], [np.nan], [[0.1]]])
def test_holm_refuses_what_is_no_probability(bad):
    with pytest.raises(ValueError, match="p-values"):
        holm(bad)

"""Plans of strokes: the statistics of SOOP, in any number of patients."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.phantom.comparison import GROUPED, SOOP_TERRITORY, SOOP_VOLUME, compare_with_soop
from strokegan_lib.phantom.epidemiology import SMALLEST, STROKE_PATIENTS, SUPPLIES, Plan, plan_stroke
from strokegan_lib.phantom.territories import NAMES

PATIENTS = 440


@pytest.fixture(scope="module", params=[0, 1, 2, 3])
def plans(request) -> list[Plan]:
    """The strokes of a default set."""
    return [plan for k in range(PATIENTS) if (plan := plan_stroke(k, request.param))]


def test_a_set_beyond_the_shortest_sequence_keeps_its_first_patients():
    early = [plan_stroke(k, 3) for k in range(30)]
    plan_stroke(5000, 3)  # draws a longer sequence
    assert [plan_stroke(k, 3) for k in range(30)] == early


@settings(max_examples=100)
@given(st.integers(0, 3000), st.integers(0, 2**32 - 1))
def test_every_plan_can_be_grown(patient, seed):
    plan = plan_stroke(patient, seed)
    assert plan == plan_stroke(patient, seed)
    if plan is None:
        return
    assert plan.territory in NAMES and plan.side in (-1, 1)
    assert SMALLEST <= plan.volume <= SUPPLIES[plan.territory].largest
    assert 1 <= plan.pieces <= 12 and plan.pieces <= max(1, plan.volume / 0.1)
    assert plan.other_side == 0 or (plan.pieces > 1 and 0.1 < plan.other_side < 0.5)


@pytest.mark.parametrize("n", [8, 40, 440])
def test_small_groups_have_their_share_of_strokes(n):
    strokes = sum(plan_stroke(k, 0) is not None for k in range(n))
    assert strokes == pytest.approx(STROKE_PATIENTS * n, abs=2)


def test_plans_follow_the_real_strokes(plans):
    low, median, high = np.percentile([plan.volume for plan in plans], (25, 50, 75))
    assert low == pytest.approx(SOOP_VOLUME[25], rel=0.5)  # a logarithm's tail: it scatters more
    assert median == pytest.approx(SOOP_VOLUME[50], rel=0.25)
    assert high == pytest.approx(SOOP_VOLUME[75], rel=0.25)
    found = Counter(GROUPED.get(plan.territory, plan.territory) for plan in plans)
    for name, share in SOOP_TERRITORY.items():
        assert 100 * found[name] / len(plans) == pytest.approx(share, abs=5), name
    middle = sum(n for name, n in found.items() if name.startswith(("middle", "lateral")))
    assert 100 * middle / len(plans) == pytest.approx(65, abs=5)
    assert np.mean([plan.side > 0 for plan in plans]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([plan.other_side > 0 for plan in plans]) == pytest.approx(0.17, abs=0.05)
    pieces = [plan.pieces for plan in plans]
    assert np.mean(np.equal(pieces, 1)) == pytest.approx(0.36, abs=0.05)
    assert np.abs(np.percentile(pieces, (25, 50, 75, 90)) - [1, 2, 5, 8]).max() <= 1
    left, right = ([plan.volume for plan in plans if plan.side == side] for side in (-1, 1))
    assert np.median(left) / np.median(right) == pytest.approx(1, abs=0.6)


def test_the_comparison_is_computed_from_the_patients():
    names = ("stroke", "volume_ml", "territory", "pieces", "right_share")
    strokes = [(True, 4.0, "basilar", 1, 0.0), (True, 8.0, "posterior cerebral", 3, 0.8)]
    facts = [dict(zip(names, values, strict=True)) for values in strokes]
    rows = {row["what"]: row for row in compare_with_soop([*facts, {"stroke": False}])}
    assert rows["volume, percentile 50, mL"]["soop"] == SOOP_VOLUME[50]
    assert sum(rows[f"{name}, %"]["phantom"] for name in SOOP_TERRITORY) == 100
    for what, value in {
        "volume, percentile 50, mL": 6,
        "vertebrobasilar and cerebellar, %": 50,
        "posterior cerebral and thalamoperforating, %": 50,
        "one piece, %": 50,
        "pieces, median": 2,
        "more on the right, %": 50,
        "over a tenth on the other side, %": 50,  # 0.2 of the second
    }.items():
        assert rows[what]["phantom"] == value, what
    assert compare_with_soop([{"stroke": False}]) == []

"""Plans of strokes: the statistics of SOOP, in any number of patients."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.phantom import epidemiology
from strokegan_lib.phantom.epidemiology import SOOP_TERRITORY, SOOP_VOLUME, compare_with_soop, plan_stroke
from strokegan_lib.phantom.territories import NAMES


def test_small_groups_are_typical():
    for n in (8, 40, 440):
        strokes = sum(plan_stroke(k, 0) is not None for k in range(n))
        assert strokes == pytest.approx(epidemiology.STROKE_PATIENTS * n, abs=2)


@settings(max_examples=100)
@given(st.integers(0, 3000), st.integers(0, 2**32 - 1))
def test_every_plan_can_be_grown(patient, seed):
    plan = plan_stroke(patient, seed)
    plan_stroke(5000, seed)  # draws a longer sequence, which begins with the same patients
    assert plan == plan_stroke(patient, seed)
    if plan is None:
        return
    assert plan.territory in NAMES and plan.side in (-1, 1)
    assert epidemiology.SMALLEST <= plan.volume <= epidemiology.SUPPLIES[plan.territory].largest
    assert 1 <= plan.pieces <= 12 and plan.pieces <= max(1, plan.volume / 0.1)
    assert plan.other_side == 0 or (plan.pieces > 1 and 0.1 < plan.other_side < 0.5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_plans_follow_the_real_strokes(seed):
    plans = [plan for k in range(440) if (plan := plan_stroke(k, seed))]  # of a default set
    quartiles = np.percentile([plan.volume for plan in plans], (25, 50, 75))
    for found, p, reach in zip(quartiles, (25, 50, 75), (0.5, 0.25, 0.25), strict=True):
        assert found == pytest.approx(SOOP_VOLUME[p], rel=reach)  # a logarithm's tail scatters more
    found = Counter(epidemiology.GROUPED.get(plan.territory, plan.territory) for plan in plans)
    for name, share in SOOP_TERRITORY.items():
        assert 100 * found[name] / len(plans) == pytest.approx(share, abs=5), name
    assert np.mean([plan.side > 0 for plan in plans]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([plan.other_side > 0 for plan in plans]) == pytest.approx(0.17, abs=0.05)
    pieces = [plan.pieces for plan in plans]
    assert np.mean(np.equal(pieces, 1)) == pytest.approx(0.36, abs=0.05)
    assert np.abs(np.percentile(pieces, (25, 50, 75, 90)) - [1, 2, 5, 8]).max() <= 1


def test_the_comparison_is_computed_from_the_patients():
    names = ("stroke", "volume_ml", "territory", "pieces", "right_share")
    strokes = [(True, 4.0, "basilar", 1, 0.0), (True, 8.0, "posterior cerebral", 3, 0.8)]
    facts = [dict(zip(names, stroke, strict=True)) for stroke in strokes]
    rows = {row["what"]: row["phantom"] for row in compare_with_soop([*facts, {"stroke": False}])}
    assert rows["volume, percentile 50, mL"] == 6 and rows["pieces, median"] == 2
    assert sum(rows[f"{name}, %"] for name in SOOP_TERRITORY) == 100
    for what in ("vertebrobasilar and cerebellar", "one piece", "over a tenth on the other side"):
        assert rows[f"{what}, %"] == 50
    assert compare_with_soop([{"stroke": False}]) == []

"""The monitor of collapses: NaN ends the run, each collapse is reported once, and every GAN can be monitored."""

from __future__ import annotations

import math

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.training.collapse import CRITIC_LOSS_FLOOR, FLAT, PATIENCE, CollapseMonitor

SOUND = {"critic": 0.3, "spread": 0.1, "segmentor": 1.0}


def warnings(*rows: dict[str, float]) -> list[tuple[int, str]]:
    monitor = CollapseMonitor()
    return [(step, warning) for step, row in enumerate(rows) for warning in monitor.look(step, row)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_ends_the_run(value):
    with pytest.raises(BadInput, match=r"step 7: the loss 'segmentor' is .*--rate"):
        CollapseMonitor().look(7, {**SOUND, "segmentor": value})


@pytest.mark.parametrize(
    ("sign", "change", "words"),
    [
        ("silent", {"critic": -CRITIC_LOSS_FLOOR / 2}, "critic's loss has been 0"),  # SegAN's is negative
        ("flat", {"spread": FLAT / 2}, "flat grey"),
        ("logistic", {"critic": 2 * math.log(2) + 0.005}, "critic's logistic loss has been 1.39"),
        ("hinge", {"critic": 1.995}, "critic's hinge loss has been 2.00"),
    ],
)
def test_a_collapse_is_reported_once(sign, change, words):
    bad, patience = {**SOUND, **change}, PATIENCE[sign]
    # a critic's start counts only until it has learnt something, and SOUND says that it has
    before = [{"spread": 0.1}] * 3 if sign in ("logistic", "hinge") else [SOUND] * 3
    ((step, warning),) = warnings(*before, *[bad] * (3 * patience))
    assert step == 3 + patience - 1 and words in warning and "\n" not in warning
    assert not warnings(
        *[bad] * (patience - 1), SOUND, *[bad] * (patience - 1)
    )  # one good step starts it anew


def test_two_collapses_in_one_step_are_both_reported():
    assert len(warnings(*[{"critic": 0.0, "spread": 0.0}] * 200)) == 2


def test_no_warning_without_a_critic_or_in_an_even_game():
    """A game in which nobody can tell real from fake has the loss of a critic that says nothing."""
    assert not warnings(*[{"segmentor": 0.0}] * 200)
    assert not warnings({"critic": 1.2}, *[{"critic": 2 * math.log(2)}] * 600)

"""The monitor of collapses: NaN ends the run, and each collapse is reported once."""

import math

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.training.collapse import CRITIC_LOSS_FLOOR, FLAT, PATIENCE, CollapseMonitor

SOUND = {"critic": 0.3, "spread": 0.1, "segmentor": 1.0}


def warnings(*rows: dict[str, float]) -> list[tuple[int, str]]:
    monitor = CollapseMonitor()
    return [(step, said) for step, row in enumerate(rows) for said in monitor.look({"step": step, **row})]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_ends_the_run(value):
    with pytest.raises(BadInput, match=r"step 1: the loss 'segmentor' is .*--rate"):
        warnings(SOUND, {**SOUND, "segmentor": value})


@pytest.mark.parametrize(
    ("sign", "change", "words"),
    [
        ("silent", {"critic": -CRITIC_LOSS_FLOOR / 2}, "critic's loss has been 0"),  # SegAN's is negative
        ("flat", {"spread": FLAT / 2}, "flat grey"),
        ("logistic", {"critic": 2 * math.log(2) + 0.005}, "logistic loss has been 1.39"),
        ("hinge", {"critic": 1.995}, "hinge loss has been 2.00"),
    ],
)
def test_a_collapse_is_reported_once(sign, change, words):
    bad, patience = {**SOUND, **change}, PATIENCE[sign]
    # a critic's start counts only until it has learnt something, and SOUND says that it has
    before = [{"spread": 0.1}] * 3 if sign in ("logistic", "hinge") else [SOUND] * 3
    ((step, warning),) = warnings(*before, *[bad] * (3 * patience))
    assert step == 3 + patience - 1 and words in warning and str(patience) in warning and "\n" not in warning
    short = [bad] * (patience - 1)
    assert not warnings(*short, SOUND, *short)  # one good step starts it anew


def test_no_warning_without_a_critic_or_in_an_even_game():
    """A game in which nobody can tell real from fake has the loss of a critic that says nothing."""
    assert not warnings(*[{"segmentor": 0.0}] * 200)
    assert not warnings({"critic": 1.2}, *[{"critic": 2 * math.log(2)}] * 600)

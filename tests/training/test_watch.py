"""Early warnings: NaN ends a run, a collapse is told once."""

from __future__ import annotations

import math

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.training.watch import ASLEEP, FLAT, PATIENCE, Watch

SOUND = {"critic": 0.3, "spread": 0.1, "segmentor": 1.0}


def warnings(*values: dict[str, float]) -> list[tuple[int, str]]:
    watch = Watch()
    said = [(step, watch.look(step, losses)) for step, losses in enumerate(values)]
    return [(step, warning) for step, warning in said if warning]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["critic", "segmentor", "anything"])
def test_a_loss_that_is_no_number_ends_the_run(name, value):
    with pytest.raises(BadInput) as error:
        Watch().look(7, {**SOUND, name: value})
    text = str(error.value)
    assert "step 7" in text and f"'{name}'" in text and "--rate" in text and "\n" not in text


@pytest.mark.parametrize(("name", "bound", "word"), [("critic", ASLEEP, "critic"), ("spread", FLAT, "grey")])
def test_a_collapse_is_told_once(name, bound, word):
    asleep = {**SOUND, name: -bound / 2}  # SegAN's critic has negative losses
    told = warnings(*[SOUND] * 3, *[asleep] * (3 * PATIENCE))
    assert [step for step, _ in told] == [3 + PATIENCE - 1]
    assert word in told[0][1] and "\n" not in told[0][1]
    assert not warnings(*[asleep] * (PATIENCE - 1))
    assert not warnings(
        *[asleep] * (PATIENCE - 1), SOUND, *[asleep] * (PATIENCE - 1)
    )  # a blip starts it anew


def test_both_collapses_are_told_even_in_the_same_step():
    told = " ".join(warning for _, warning in warnings(*[{"critic": 0.0, "spread": 0.0}] * (2 * PATIENCE)))
    assert told.count("critic's loss") == 1 and told.count("flat grey") == 1


def test_a_gan_without_a_critic_is_not_warned_of_it():
    assert not warnings(*[{"segmentor": 0.0}] * (2 * PATIENCE))

"""Early warnings: NaN ends a run, a collapse is told once."""

from __future__ import annotations

import math
import re

import pytest
import tiny
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.training.family import MEMBERS
from strokegan_lib.training.masks import MaskGAN
from strokegan_lib.training.options import parser
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.styled import StyledGAN, StyledRecipe
from strokegan_lib.training.synthesis import Recipe, SynthesisGAN
from strokegan_lib.training.watch import ASLEEP, FLAT, NOTHING_LEARNT, PATIENCE, Watch

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


@pytest.mark.parametrize(("start", "word"), [(2 * math.log(2), "logistic"), (2.0, "hinge")])
def test_a_critic_that_never_learns_is_told_once(start, word):
    still = [{**SOUND, "critic": start + 0.005 * (-1) ** k} for k in range(2 * NOTHING_LEARNT)]
    told = warnings(*still)
    assert [step for step, _ in told] == [NOTHING_LEARNT - 1]
    assert word in told[0][1] and "learnt nothing" in told[0][1] and "\n" not in told[0][1]
    assert not warnings(*still[: NOTHING_LEARNT - 1], SOUND, *still[: NOTHING_LEARNT - 1])


def test_a_critic_that_has_learnt_may_come_back_to_its_start():
    """An even game, in which nobody can tell real from fake, has the loss of a critic that says nothing."""
    even = [{**SOUND, "critic": 2 * math.log(2)}] * (2 * NOTHING_LEARNT)
    assert not warnings({**SOUND, "critic": 1.2}, *even)


@pytest.mark.parametrize("name", METHODS)
def test_every_segmentation_records_its_critic_if_it_has_one(name, slices):
    torch.manual_seed(0)
    (row,) = tiny.make_loop(SegmentationGAN(METHODS[name], width=4), slices, steps=1).run().rows
    assert ("critic" in row) == METHODS[name].has_critic and row.get("critic", -1) < 0
    assert row["spread"] > FLAT


def test_a_warning_names_the_task_of_an_option_that_not_every_task_has(capsys):
    said = " ".join(text for _, text in warnings(*[{"critic": 2.0, "spread": 0.0}] * NOTHING_LEARNT))
    helps = {}
    for task in ("segmentation", "synthesis", "family", "masks"):
        with pytest.raises(SystemExit):
            parser().parse_args([task, "--help"])
        helps[task] = capsys.readouterr().out
    named = re.findall(r"--[\w-]+", said)
    assert named
    for option in named:
        knowing = [task for task, text in helps.items() if option in text]
        assert len(knowing) == len(helps) or any(f"in {task}" in said for task in knowing), option


@pytest.mark.parametrize("name", ["synthesis", "styled", *MEMBERS, "masks"])
def test_every_gan_of_the_kit_records_its_critic(name, slices):
    torch.manual_seed(0)
    others = {
        "synthesis": lambda: SynthesisGAN(Recipe(), width=4),
        "styled": lambda: StyledGAN(StyledRecipe(style=4), width=4),
        "masks": lambda: MaskGAN(8, width=4),
    }
    gan = others[name]() if name in others else MEMBERS[name].make(4, 4)
    (row,) = tiny.make_loop(gan, slices, steps=1).run().rows
    assert row["spread"] > FLAT
    start = 2.0 if name in ("sagan", "pix2pixhd", "masks") else 2 * math.log(2)
    # a sum over places makes large numbers, of nothing as of something
    room = 6 if name == "sagan" else 0.6
    assert row["critic"] == pytest.approx(start, abs=room), "a critic knows nothing yet"

"""The explorer of pulls: its losses against PyTorch, its sentence, its picture, how quickly it answers."""

from __future__ import annotations

import io
import re
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from strokegan_lib.classroom.widgets.loss_explorer import GREYS, LOSSES, LossExplorer, expected

GREY = st.floats(0.01, 0.99)


@pytest.fixture
def explorer() -> LossExplorer:
    return LossExplorer()


def said(explorer: LossExplorer) -> dict[str, tuple[float, float]]:
    """What the sentence tells of each loss: its pull, and the grey that it wants."""
    found = re.findall(r"(L1|divergence) pulls ([+-]\d\.\d+) and wants (\d\.\d+)", explorer.words.value)
    return {name: (float(pull), float(wanted)) for name, pull, wanted in found}


@given(painted=GREY, true=st.one_of(GREY, st.just(0.0)))
def test_losses_and_pulls_are_pytorchs(painted: float, true: float):
    t = torch.tensor(true, dtype=torch.float64)
    cross = F.binary_cross_entropy_with_logits
    theirs = {
        "L1": lambda a: (a.sigmoid() - t).abs(),
        "divergence": lambda a: cross(a, t) - F.binary_cross_entropy(t, t),
    }
    for name, (loss, pull, _) in LOSSES.items():
        logit = torch.logit(torch.tensor(painted, dtype=torch.float64)).requires_grad_()
        value = theirs[name](logit)
        value.backward()
        assert loss(np.array(painted), true) == pytest.approx(value.item(), abs=1e-9)
        if painted != true:  # L1 has a corner there
            assert pull(np.array(painted), true) == pytest.approx(-logit.grad.item(), abs=1e-9)


@given(grey=st.floats(0.1, 0.9), chance=st.floats(0.0, 1.0))
def test_l1_wants_the_median_and_the_divergence_the_mean(grey: float, chance: float):
    if abs(chance - 0.5) < 0.01:
        return  # every grey between is a median
    valleys = {name: expected(loss, GREYS, grey, chance) for name, (loss, _, _) in LOSSES.items()}
    wanted = {name: GREYS[valley.argmin()] for name, valley in valleys.items()}
    assert wanted["L1"] == pytest.approx(grey if chance > 0.5 else 0.0, abs=0.0011)
    assert wanted["divergence"] == pytest.approx(grey * chance, abs=0.0011)


def test_the_sentence_says_what_is_seen(explorer: LossExplorer):
    explorer.set(painted=0.02, grey=0.7, chance=1.0)
    assert said(explorer) == {"L1": (0.02, 0.7), "divergence": (0.68, 0.7)}
    explorer.set(chance=0.4)
    assert said(explorer) == {"L1": (-0.004, 0.0), "divergence": (0.26, 0.28)}


def test_the_picture_follows_and_comes_back(explorer: LossExplorer):
    before = explorer.image.value
    assert Image.open(io.BytesIO(before)).size == (768, 256)
    assert explorer.set(chance=0.3).image.value != before
    assert explorer.set(painted=0.6).image.value != before
    assert explorer.set(chance=1.0, painted=0.02).image.value == before


def test_the_curves_stay_on_the_axes(explorer: LossExplorer):
    for painted, grey, chance in ((0.01, 0.05, 0.0), (0.99, 0.95, 1.0), (0.5, 0.5, 0.5)):
        explorer.set(painted=painted, grey=grey, chance=chance)
        for line, dot, force in explorer.drawn.values():
            assert np.isfinite(line.get_ydata()).all() and np.abs(force.get_ydata()).max() <= 1
            assert 0 <= dot.get_ydata()[0] < 2


@pytest.mark.parametrize(
    ("values", "error"),
    [({"painted": 1.0}, ValueError), ({"chance": -0.1}, ValueError), ({"size": 1}, KeyError)],
)
def test_set_refuses_what_the_controls_do_not_offer(explorer: LossExplorer, values: dict, error: type):
    with pytest.raises(error):
        explorer.set(**values)


def test_set_answers_quickly(explorer: LossExplorer):
    seconds = []
    for step in range(1, 11):
        start = time.process_time()  # its own work: a busy machine says nothing about the widget
        explorer.set(painted=step / 20)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.2

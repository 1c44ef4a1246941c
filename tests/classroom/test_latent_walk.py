"""The walk through latent space: its ends, its way, its sentence, how quickly it answers."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from strokegan_lib.classroom.widgets.latent_walk import WAYS, LatentWalk, Walker, between
from strokegan_lib.classroom.widgets.pixels import SCALE
from strokegan_lib.models.family.dcgan import DCGAN


@pytest.fixture(scope="module")
def walkers() -> dict[str, Walker]:
    """Untrained, their weights made large: as they are drawn every picture is grey."""
    torch.manual_seed(0)
    made = {}
    for name, width in (("a", 4), ("b", 8)):
        network = DCGAN(width, 8).eval()
        for weights in network.parameters():
            weights.data.mul_(10 if weights.ndim == 4 else 1)
        made[name] = Walker(network, torch.randn(4, 8))
    return made


def panels(walk: LatentWalk) -> list[np.ndarray]:
    shown = np.array(Image.open(io.BytesIO(walk.image.value)))[::SCALE, ::SCALE, 0]  # (128, 384)
    return [shown[:, left : left + 128] for left in (0, 128, 256)]


@given(share=st.floats(0, 1), seed=st.integers(0, 99))
def test_on_the_sphere_the_length_is_kept(share: float, seed: int):
    chance = torch.Generator().manual_seed(seed)
    a, b = F.normalize(torch.randn(2, 16, generator=chance, dtype=torch.float64), dim=1)
    there = between(a, b, share)
    assert float(there.norm()) == pytest.approx(1)
    angle, part = (torch.arccos((a @ x).clamp(-1, 1)) for x in (b, there))
    assert float(part) == pytest.approx(share * float(angle), abs=1e-5), "at an even pace"


@pytest.mark.parametrize("way", WAYS)
def test_every_way_leads_from_one_end_to_the_other(way: str):
    a, b = torch.randn(2, 16, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(between(a, b, 0.0, way), a, atol=1e-6)
    assert torch.allclose(between(a, b, 1.0, way), b, atol=1e-6)


def test_the_middle_of_a_straight_way_is_short_and_on_the_sphere_it_is_not():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert float(between(a, b, 0.5, "straight").norm()) == pytest.approx(0.5**0.5)
    assert float(between(a, b, 0.5).norm()) == pytest.approx(1)
    assert torch.allclose(between(a, -a, 0.25), 0.5 * a), "opposite ends have no one way"


def test_the_ends_are_the_codes_own_pictures(walkers: dict[str, Walker]):
    walk = LatentWalk(walkers).set(generator="b", start=2, end=3, share=0.0)
    left, middle, right = panels(walk)
    with torch.inference_mode():
        own = 255 * walkers["b"].paint(walkers["b"].codes[2:])[:, 0].numpy()
    assert np.array_equal(left, middle) and not np.array_equal(left, right)
    assert np.abs(left - own[0]).max() <= 0.51 and np.abs(right - own[1]).max() <= 0.51
    assert "code 2, 0% of the way, code 3" in walk.words.value and "0.000 from the left" in walk.words.value
    assert np.array_equal(panels(walk.set(share=1.0))[1], right)


def test_the_same_values_give_the_same_picture(walkers: dict[str, Walker]):
    walk = LatentWalk(walkers)
    before = walk.set(share=0.4).image.value
    assert walk.set(way="straight").image.value != before
    assert walk.set(way=WAYS[0], generator="b").image.value != before
    assert walk.set(generator="a", share=0.4).image.value == before


@pytest.mark.parametrize(
    ("values", "error"),
    [({"start": 4}, ValueError), ({"way": "round"}, ValueError), ({"share": 1.5}, ValueError), ({"z": 0}, KeyError)],
)  # fmt: skip
def test_set_refuses_what_the_controls_do_not_offer(walkers, values: dict, error: type):
    with pytest.raises(error):
        LatentWalk(walkers).set(**values)


def test_walkers_need_as_many_codes_as_each_other(walkers: dict[str, Walker]):
    with pytest.raises(ValueError, match="as many"):
        LatentWalk({})
    with pytest.raises(ValueError, match="as many"):
        LatentWalk({**walkers, "c": Walker(walkers["a"].paint, walkers["a"].codes[:2])})


def test_set_answers_quickly_at_the_shipped_width():
    torch.manual_seed(0)
    walk = LatentWalk({"dcgan": Walker(DCGAN().eval(), torch.randn(3, 64))})
    seconds, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for step in range(1, 8):
            start = time.process_time()  # its own work: a busy machine says nothing about the widget
            walk.set(share=step / 10)
            seconds.append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    assert min(seconds) < 0.2

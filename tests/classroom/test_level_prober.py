"""The prober's bars against the loss, its mask against NumPy, and how quickly it answers."""

from __future__ import annotations

import io
import re
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from torch import Tensor

from strokegan_lib.classroom.widgets.level_prober import LevelProber, spoilt
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.losses import multi_scale_l1
from strokegan_lib.models.critic import Critic


def blob() -> Tensor:
    """A mask (1, 1, 64, 64) that no shift or turn maps on itself."""
    mask = torch.zeros(1, 1, 64, 64)
    mask[0, 0, 20:30, 25:45] = 1
    mask[0, 0, 24:40, 25:29] = 1
    return mask


@pytest.fixture(scope="module")
def critic() -> Critic:
    torch.manual_seed(0)
    return Critic(1, width=8, attention=False).eval()


@pytest.fixture(scope="module")
def slice_and_stroke(phantom: SliceSet) -> tuple[Tensor, Tensor]:
    """The slice with the largest lesion: (1, 128, 128) each."""
    row = int(phantom.stroke.sum((1, 2), dtype=np.int64).argmax())
    return torch.tensor(phantom.images[row]) / 255, torch.tensor(phantom.stroke[row])[None].float()


def percent(prober: LevelProber) -> list[int]:
    """What the caption says of picture and levels."""
    return [int(number) for number in re.findall(r"(\d+) %", prober.words.value)]


@given(down=st.integers(-16, 16), across=st.integers(-16, 16))
def test_a_mask_moves_and_does_not_come_back_on_the_other_side(down: int, across: int):
    expected = ndimage.shift(blob()[0, 0].numpy(), (down, across), order=0)
    assert np.array_equal(spoilt(blob(), down, across)[0, 0].numpy(), expected)


@given(grow=st.integers(1, 4))
def test_growing_and_shrinking_move_the_edge(grow: int):
    square, mask = np.ones((2 * grow + 1,) * 2, bool), blob()[0, 0].numpy() > 0
    assert np.array_equal(spoilt(blob(), grow=grow)[0, 0].numpy() > 0, ndimage.binary_dilation(mask, square))
    assert np.array_equal(spoilt(blob(), grow=-grow)[0, 0].numpy() > 0, ndimage.binary_erosion(mask, square))


@given(blur=st.floats(0.5, 4.0))
def test_blur_is_scipys_gaussian(blur: float):
    ours = spoilt(blob(), blur=blur)[0, 0].numpy()
    theirs = ndimage.gaussian_filter(blob()[0, 0].numpy(), blur, mode="constant", truncate=3.0)
    assert np.allclose(ours, theirs, atol=1e-5)
    assert ours.min() >= 0 and ours.max() <= 1


def test_untouched_masks_stay_themselves():
    masks = torch.rand(3, 1, 32, 32)
    assert torch.equal(spoilt(masks), masks)


def test_untouched_nothing_is_noticed(critic: Critic, slice_and_stroke: tuple[Tensor, Tensor]):
    assert percent(LevelProber(critic, *slice_and_stroke)) == [0, 0, 0, 0]


def test_an_empty_mask_is_a_hundred_per_cent(critic: Critic, slice_and_stroke: tuple[Tensor, Tensor]):
    image, stroke = slice_and_stroke
    dot = torch.zeros_like(stroke)  # three pixels wide: shrunk by two, nothing is left
    row, column = (int(place[len(place) // 2]) for place in stroke[0].nonzero(as_tuple=True))
    dot[:, row - 1 : row + 2, column - 1 : column + 2] = 1
    assert percent(LevelProber(critic, image, dot).set(grow=-2)) == [100, 100, 100, 100]


def test_the_bars_are_the_loss_of_the_library(critic: Critic, slice_and_stroke: tuple[Tensor, Tensor]):
    image, stroke = (tensor[None] for tensor in slice_and_stroke)
    prober = LevelProber(critic, image[0], stroke[0]).set(down=5, across=-3, grow=1, blur=1.5)
    with torch.no_grad():
        seen, empty, true = (
            critic(image * mask) for mask in (spoilt(stroke, 5, -3, 1, 1.5), 0 * stroke, stroke)
        )
    each = [
        100 * multi_scale_l1([s], [t]).item() / multi_scale_l1([e], [t]).item()
        for s, e, t in zip(seen, empty, true, strict=True)
    ]
    assert percent(prober) == [round(value) for value in each]
    assert [bar.get_width() for bar in prober.bars] == pytest.approx(each, rel=1e-4)
    assert min(each) > 5  # the comparison above says something


def test_the_spoilt_masked_image_is_shown(critic: Critic, slice_and_stroke: tuple[Tensor, Tensor]):
    image, stroke = slice_and_stroke
    prober = LevelProber(critic, image, stroke)
    before = prober.image.value
    assert prober.set(down=6).image.value != before
    shown = np.asarray(prober.masked.get_array())
    assert np.allclose(shown, (image * spoilt(stroke[None], down=6)[0])[0])
    assert Image.open(io.BytesIO(before)).size == Image.open(io.BytesIO(prober.image.value)).size
    assert prober.set(down=0).image.value == before


def test_it_takes_several_channels_and_attention(slice_and_stroke: tuple[Tensor, Tensor]):
    image, stroke = slice_and_stroke
    torch.manual_seed(0)
    prober = LevelProber(Critic(2, width=8).eval(), torch.cat([image, image.flip(-1)]), stroke)
    assert min(percent(prober.set(across=8))) > 0


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"down": 17}, ValueError),
        ({"blur": -1.0}, ValueError),
        ({"grow": "a"}, ValueError),
        ({"left": 1}, KeyError),
    ],
)
def test_set_refuses_what_the_controls_do_not_offer(
    critic: Critic, slice_and_stroke: tuple[Tensor, Tensor], values: dict, error: type
):
    with pytest.raises(error):
        LevelProber(critic, *slice_and_stroke).set(**values)


def test_it_refuses_a_critic_that_changes_and_a_mask_of_nothing(
    critic: Critic, slice_and_stroke: tuple[Tensor, Tensor]
):
    image, stroke = slice_and_stroke
    with pytest.raises(ValueError, match="eval"):
        LevelProber(Critic(1, width=8).train(), image, stroke)
    with pytest.raises(ValueError, match="no difference"):
        LevelProber(critic, image, 0 * stroke)


def test_an_error_of_the_critic_is_shown(slice_and_stroke: tuple[Tensor, Tensor]):
    torch.manual_seed(0)
    broken = Critic(1, width=8, attention=False).eval()
    prober = LevelProber(broken, *slice_and_stroke)
    broken.levels[2] = torch.nn.Conv2d(5, 5, 3)  # no longer fits
    with pytest.raises(RuntimeError):
        prober.set(down=1)
    assert prober.words.value.startswith("RuntimeError")


def test_set_answers_quickly(critic: Critic, slice_and_stroke: tuple[Tensor, Tensor]):
    prober = LevelProber(critic, *slice_and_stroke)
    seconds = []
    for down in range(1, 11):
        start = time.process_time()  # its own work: a busy machine says nothing about the widget
        prober.set(down=down)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.2

"""Image and masks are changed together, and as little as asked."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from brains import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import affine_transform
from torch import Tensor

from strokegan_lib.data.augment import UNCHANGED, Augmentation, Draw, augment, noise_bank
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.data.windows import DARKEST


def slices(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noise of two channels, (n, 2, 128, 128), and stroke, (n, 128, 128), uint8."""
    images, stroke, _ = noise(n, seed)
    return torch.from_numpy(images), torch.from_numpy(stroke.astype(np.uint8))


def draw(augmentation: Augmentation, n: int, channels: int, seed: int = 0) -> Draw:
    return augmentation.draw(np.random.default_rng(seed), n, channels)


# far enough to push a slice out of the picture
FAR = {"rotation": 180, "scale": 1, "shear": 0.5, "shift": 80, "gain": 3, "gamma": 3, "bias": 2, "noise": 1}
reaches = st.builds(
    Augmentation,
    mirror=st.sampled_from([0.0, 0.5, 1.0]),
    **{name: st.floats(0, most) for name, most in FAR.items()},
)


@settings(max_examples=40)
@given(augmentation=reaches, seed=st.integers(0, 2**32), channels=st.integers(1, 2))
def test_what_comes_out_keeps_the_form(augmentation, seed, channels):
    images, stroke = (array[..., :32, :32] for array in slices(5, seed))
    images = images[:, :channels]
    image, lesion, foreground = augment(images, stroke, draw(augmentation, 5, channels, seed))
    assert image.shape == (5, channels, 32, 32) and lesion.shape == foreground.shape == (5, 1, 32, 32)
    assert image.dtype == lesion.dtype == foreground.dtype == torch.float32
    assert image.is_contiguous() and lesion.is_contiguous() and foreground.is_contiguous()
    assert set(lesion.unique().tolist()) | set(foreground.unique().tolist()) <= {0.0, 1.0}
    assert (lesion <= foreground).all()
    inside = foreground.bool().expand_as(image)
    assert (image[~inside] == 0).all()
    assert (image[inside] >= DARKEST / 255 * (1 - 1e-6)).all() and (image <= 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_geometry_equals_scipy_in_every_channel(seed):
    images, stroke = slices(2, seed)
    geometry = replace(Augmentation(), gain=0, gamma=0, bias=0, noise=0)
    d = draw(geometry, 2, 2, seed)
    image, lesion, foreground = augment(images, stroke, d)
    middle = np.array([63.5, 63.5])
    for i in range(2):
        matrix = d.matrix[i, ::-1, 1::-1]  # to (row, column), as NumPy counts
        offset = middle + d.matrix[i, ::-1, 2] - matrix @ middle
        planes = (images[i, 0] > 0, stroke[i], *images[i] / 255)
        share, lesion_share, *grey = (
            affine_transform(plane.double().numpy(), matrix, offset, order=1, mode="grid-constant")
            for plane in planes
        )
        clear = np.minimum(abs(share - 0.5), abs(lesion_share - 0.5)) > 1e-3  # float32 decides the rest
        inside = share >= 0.5
        assert clear.mean() > 0.99
        assert np.array_equal(foreground[i, 0].bool().numpy()[clear], inside[clear])
        assert np.array_equal(lesion[i, 0].bool().numpy()[clear], (lesion_share >= 0.5)[clear])
        expected = grey / np.maximum(share, 0.5)
        assert np.abs(image[i].numpy() - expected)[:, clear & inside].max() < 1e-3


def test_each_intensity_change_is_what_it_says():
    images, stroke = slices(1)
    inside = images[0, 0] > 0
    before = (images[0, 0] / 255)[inside]

    def after(**change) -> torch.Tensor:
        """The first channel; the other one stays as it is."""
        drawn = draw(UNCHANGED, 1, 2)
        for name, value in change.items():
            getattr(drawn, name)[:, :1] = value
        changed, same = augment(images, stroke, drawn)[0][0]
        assert torch.equal(same, images[0, 1] / 255)
        return changed

    assert torch.allclose(after(gain=np.array([[0.5]]))[inside], (before * 0.5).clamp(8 / 255))
    assert torch.allclose(after(gamma=np.array([[0.7]]))[inside], before**0.7)
    x = (torch.arange(128) + 0.5) / 64 - 1
    ramp = (1 + 0.1 * x[None, :] - 0.2 * x[:, None])[inside]
    assert torch.allclose(after(bias=np.array([[[0.1, -0.2]]]))[inside], (before * ramp).clamp(8 / 255, 1))
    noisy = after(noise=np.array([[0.1]]), start=np.array([[777]]))[inside]
    grain = noise_bank(torch.device("cpu"), 128 * 128)[777].view(128, 128)[inside]
    assert abs(grain.mean()) < 0.04 and abs(grain.std() - 1) < 0.04
    assert torch.allclose(noisy, (before + 0.1 * grain).clamp(8 / 255, 1))


def test_draws_stay_within_reach_and_use_it():
    a = Augmentation()
    d = draw(a, 4000, 2)
    parts = d.matrix[:, :, :2]
    assert abs((np.linalg.det(parts) < 0).mean() - a.mirror) < 0.03
    ranges = {"gain": (1 / 1.1, 1.1), "gamma": (1 / 1.2, 1.2), "bias": (-0.1, 0.1), "noise": (0, 0.02)}
    found = {name: (getattr(d, name), *reach) for name, reach in ranges.items()} | {
        "size": (np.sqrt(np.abs(np.linalg.det(parts))), 1 / 1.1, 1.1),
        "angle": (np.rad2deg(np.arctan2(parts[:, 1, 0], np.abs(parts[:, 0, 0]))), -10, 10),
        "shift": (d.matrix[:, :, 2], -4, 4),
        "shear": ((parts[:, :, 0] * parts[:, :, 1]).sum(1) / (parts[:, :, 0] ** 2).sum(1), -0.05, 0.05),
    }
    for name, (values, low, high) in found.items():
        slack = 0.05 * (high - low)
        assert low - 1e-9 <= values.min() < low + slack and high - slack < values.max() <= high + 1e-9, name
    assert (d.gain[:, 0] != d.gain[:, 1]).all()  # each channel has a brightness of its own


def test_a_batch_is_its_slices_bit_for_bit_with_any_number_of_threads():
    images, stroke = slices(7)
    d = draw(Augmentation(), 7, 2)
    whole = augment(images, stroke, d)
    with one_thread_each():  # puts their number back in the end
        for i in range(7):
            torch.set_num_threads(1 + i % 3)
            one = Draw(**{f.name: getattr(d, f.name)[i : i + 1] for f in fields(Draw)})
            for batch, single in zip(whole, augment(images[i : i + 1], stroke[i : i + 1], one), strict=True):
                assert torch.equal(batch[i], single[0])

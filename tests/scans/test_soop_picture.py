"""What is recovered from SOOP's pictures, and that it does not tell the label."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion
from trees import ball, overlaid, soop_subject

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.soop_picture import read_picture, recover_flair


def leaks(planes: list[np.ndarray], lesions: list[np.ndarray]) -> set[str]:
    """Which low bits are set more often in the lesion, or in the ring at its edge, than in tissue of any brightness."""
    pixels: dict[str, list] = {"lesion": [], "ring": [], "tissue": []}
    for plane, lesion in zip(planes, lesions, strict=True):
        middle = (plane >= 24) & (plane < 224)  # where all three low bits vary
        ring = binary_dilation(lesion) & ~binary_erosion(lesion)
        for name, where in (("lesion", lesion), ("ring", ring), ("tissue", ~lesion & ~ring)):
            pixels[name].append(plane[where & middle].astype(np.int64))
    values = {name: np.concatenate(parts) for name, parts in pixels.items()}
    rate = {(name, bit): ((v >> bit) & 1).mean() for name, v in values.items() for bit in (0, 1, 2)}
    return {f"bit {bit}, {name}" for name, bit in rate if abs(rate[name, bit] - rate["tissue", bit]) > 0.04}


def overlay(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A plane of tissue, a lesion in it and its picture, a fifth of the lesion's edge blended."""
    rng = np.random.default_rng(seed)
    brain = ball((189, 157), (94, 78), (85, 68))
    lesion = ball((189, 157), (94 + rng.integers(-30, 30), 60), (25, 20))
    flair = (rng.integers(20, 230, (189, 157)) * brain).astype(np.uint8)
    edge = lesion & ~binary_erosion(lesion) & (rng.random(lesion.shape) < 0.2)
    return flair, lesion, overlaid(flair, np.where(edge, 0.25, 0.5) * lesion)


def test_recovered_flair_differs_by_the_bits_that_are_lost_and_no_more():
    flair, lesion, picture = overlay(0)
    recovered, red = recover_flair(picture, seed=0)
    error = np.abs(recovered.astype(int) - flair)
    blended = lesion & ~red
    assert blended.any() and not (red & ~lesion).any() and not (recovered & 1).any()
    assert error[~blended].max() <= 1 and error[blended].max() <= 3


def test_low_bits_do_not_tell_the_label_and_would_without_the_remedy():
    """Doubling alone leaves the lowest bit; not drawing at random leaves bit 1 of blended pixels."""
    recovered, naive, lesions = [], [], []
    for seed in range(8):
        _, lesion, picture = overlay(seed)
        recovered.append(recover_flair(picture, seed)[0])
        green = picture[..., 1].astype(int)
        tint = picture[..., 0] - green
        naive.append(np.where(tint == 64, green * 4 // 3, np.where(tint > 64, 2 * green, green)))
        lesions.append(lesion)
    assert leaks(recovered, lesions) == set()
    assert {"bit 0, lesion", "bit 0, ring"} <= leaks(naive, lesions)
    assert "bit 1, ring" in leaks([plane // 2 * 2 for plane in naive], lesions)


def test_pictures_of_another_kind_and_damaged_ones(tmp_path):
    soop_subject(tmp_path, 1, np.zeros((157, 189, 136)))
    path = tmp_path / "PNG" / "rsub-1_lesion.nii.png"
    assert read_picture(path).shape == (189, 157, 3)
    raw = path.read_bytes()
    for damaged in (raw[: len(raw) // 3], raw[:9000] + bytes([raw[9000] ^ 4]) + raw[9001:]):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match="cannot be read as PNG"):
            read_picture(path)
    greenish, too_red, bluish = (50, 90, 50), (250, 10, 10), (200, 73, 80)
    for mode, size, colour in (
        *(("RGB", (692, 189), colour) for colour in (greenish, too_red, bluish)),
        *(("RGB", (30, 30), 9), ("L", (692, 189), 9)),
    ):
        Image.new(mode, size, colour).save(path)
        with pytest.raises(BadInput, match="is not 692x189 pixels of grey with a red overlay"):
            read_picture(path)

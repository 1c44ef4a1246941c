"""What is recovered from SOOP's pictures, and that it does not tell the label."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion
from trees import ball, overlaid, soop_subject

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.soop import dice
from strokegan_lib.scans.soop_picture import read_picture, recover_flair


def auc_of_bit(bit: int, inside: np.ndarray, outside: np.ndarray) -> float:
    """AUC of one bit for telling two sets of pixels apart at the same intensity.

    Args:
        inside, outside: values; those outside are weighted so that the bits above *bit*
            are as frequent as inside.
    """
    upper = 2 ** (bit + 1)
    a, b = np.bincount(inside // upper, minlength=128), np.bincount(outside // upper, minlength=128)
    weight = np.divide(a, b, out=np.zeros(128), where=b > 0)[outside // upper]
    one_in = ((inside >> bit) & 1)[b[inside // upper] > 0].mean()
    one_out = np.average((outside >> bit) & 1, weights=weight)
    return 0.5 + (one_in - one_out) / 2  # of a value that is 0 or 1


def leaks(planes: list[np.ndarray], lesions: list[np.ndarray]) -> set[str]:
    """Which low bits tell the lesion, or the ring at its edge, from tissue."""
    pixels: dict[str, list] = {"lesion": [], "ring": [], "tissue": []}
    for plane, lesion in zip(planes, lesions, strict=True):
        middle = (plane >= 8) & (plane < 248)  # where all three low bits can vary
        ring = binary_dilation(lesion) & ~binary_erosion(lesion)
        for name, where in (("lesion", lesion), ("ring", ring), ("tissue", ~lesion & ~ring)):
            pixels[name].append(plane[where & middle].astype(np.int64))
    values = {name: np.concatenate(parts) for name, parts in pixels.items()}
    return {
        f"bit {bit}, {name}"
        for bit in (0, 1, 2)
        for name in ("lesion", "ring")
        if abs(auc_of_bit(bit, values[name], values["tissue"]) - 0.5) > 0.02
    }


def painted(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A plane of tissue, a lesion in it and its picture, a fifth of the lesion's edge blended."""
    rng = np.random.default_rng(seed)
    brain = ball((189, 157), (94, 78), (85, 68))
    lesion = ball((189, 157), (94 + rng.integers(-30, 30), 60), (25, 20))
    flair = (rng.integers(20, 230, (189, 157)) * brain).astype(np.uint8)
    edge = lesion & ~binary_erosion(lesion) & (rng.random(lesion.shape) < 0.2)
    return flair, lesion, overlaid(flair, np.where(edge, 0.25, 0.5) * lesion)


def test_recovered_flair_differs_by_the_bits_that_are_lost_and_no_more():
    flair, lesion, picture = painted(0)
    recovered, red = recover_flair(picture, seed=0)
    error = np.abs(recovered.astype(int) - flair)
    blended = lesion & ~red
    assert blended.any() and not (red & ~lesion).any() and not (recovered & 1).any()
    assert error[~blended].max() <= 1 and error[blended].max() <= 3


def test_low_bits_do_not_tell_the_label_and_would_without_the_remedy():
    """Doubling alone leaves the lowest bit; not drawing lots leaves bit 1 of blended pixels."""
    recovered, naive, lesions = [], [], []
    for seed in range(8):
        _, lesion, picture = painted(seed)
        recovered.append(recover_flair(picture, seed)[0])
        green = picture[..., 1].astype(int)
        tint = picture[..., 0] - green
        naive.append(np.where(tint == 64, green * 4 // 3, np.where(tint > 64, 2 * green, green)))
        lesions.append(lesion)
    assert leaks(recovered, lesions) == set()
    assert {"bit 0, lesion", "bit 0, ring"} <= leaks(naive, lesions)
    assert "bit 1, ring" in leaks([plane // 2 * 2 for plane in naive], lesions)


@pytest.mark.parametrize("colour", [(50, 90, 50), (250, 10, 10), (200, 73, 80)])
def test_colours_that_the_overlay_cannot_make(colour):
    _, _, picture = painted(0)
    picture[90, 60] = colour
    with pytest.raises(BadInput, match="is not grey with a red overlay"):
        recover_flair(picture, 0, "a.png")


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "size", "grey"])
def test_pictures_that_lie(tmp_path, damage):
    from PIL import Image

    soop_subject(tmp_path, 1)
    path = tmp_path / "PNG" / "rsub-1_lesion.nii.png"
    raw = bytearray(path.read_bytes())
    if damage in ("size", "grey"):
        Image.new(*(("RGB", (30, 30)) if damage == "size" else ("L", (692, 189)))).save(path)
    else:
        raw[len(raw) // 2] ^= 4
        path.write_bytes({"cut": raw[: len(raw) // 3], "flip": raw, "text": b"not found"}[damage])
    with pytest.raises(BadInput, match=r"is (RGB|L) |cannot be read as PNG"):
        read_picture(path)


def test_dice_counts_two_empty_masks_as_equal():
    empty, full = np.zeros(4, bool), np.ones(4, bool)
    assert (dice(empty, empty), dice(full, full), dice(empty, full)) == (1, 1, 0)

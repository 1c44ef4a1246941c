"""Five corruptions of a slice, by known amounts: what generators get wrong.

They teach an encoder what bad pictures look like (training/encoder.py), and show which
measure of realism notices which corruption. Taught in notebook 07.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from strokegan_lib.data.windows import DARKEST

# each at the amount 1: plain to see, and the brain still to be recognised
SIGMA = 3.0  # pixels, of the Gaussian
GRAIN = 0.15  # standard deviation of the noise, of the full range
SQUARES = 0.10  # height of the checkerboard, of the full range
FLATTENED = 0.8  # share of the contrast that is lost


def blur(image: Tensor, foreground: Tensor, amount: Tensor) -> Tensor:
    """Gaussian blur of up to SIGMA pixels, within the foreground: what pixel losses lead to."""
    b, c, h, w = image.shape
    reach = int(3 * SIGMA)
    offset = torch.arange(-reach, reach + 1, device=image.device)  # (K,)
    sigma = (SIGMA * amount).clamp(min=0.1)[:, None]  # (B, 1); at .1 the Gaussian is a single pixel
    line = torch.softmax(-0.5 * (offset / sigma) ** 2, dim=1)  # (B, K)
    planes = torch.cat([image, foreground], 1)  # (B, C+1, H, W): the foreground tells how much fell on air
    line = line.repeat_interleave(c + 1, 0)[:, None, None]  # (B (C+1), 1, 1, K)
    planes = planes.reshape(1, b * (c + 1), h, w)
    planes = F.conv2d(planes, line, padding=(0, reach), groups=b * (c + 1))
    planes = F.conv2d(planes, line.transpose(2, 3), padding=(reach, 0), groups=b * (c + 1))
    planes = planes.reshape(b, c + 1, h, w)
    return _in_range(planes[:, :c] / planes[:, c:].clamp(min=1e-6), foreground)


def noise(image: Tensor, foreground: Tensor, amount: Tensor) -> Tensor:
    """Independent normal noise in every pixel, of up to GRAIN."""
    return _in_range(image + GRAIN * _each(amount) * torch.randn_like(image), foreground)


def checkerboard(image: Tensor, foreground: Tensor, amount: Tensor) -> Tensor:
    """Pixels lighter and darker by turns, by up to SQUARES: what transposed convolutions leave."""
    rows, columns = (torch.arange(n, device=image.device) for n in image.shape[2:])
    sign = 1 - 2 * ((rows[:, None] + columns) % 2)  # (H, W), +1 and -1
    return _in_range(image + SQUARES * _each(amount) * sign, foreground)


def flatten(image: Tensor, foreground: Tensor, amount: Tensor) -> Tensor:
    """All tissue nearer to the slice's mean, by a share of up to FLATTENED."""
    inside = foreground.sum((2, 3), keepdim=True).clamp(min=1)
    middle = image.sum((2, 3), keepdim=True) / inside  # (B, C, 1, 1); the image is 0 outside
    return _in_range(middle + (1 - FLATTENED * _each(amount)) * (image - middle), foreground)


def copy_half(image: Tensor, foreground: Tensor, amount: Tensor) -> Tensor:
    """The right half mixed with the left one mirrored; at 1 a brain without a left and a right."""
    width = image.shape[-1]
    mirrored = image.flip(-1)
    right = torch.arange(width, device=image.device) >= width // 2  # (W,)
    share = _each(amount) * (right & (mirrored > 0))  # (B, C, H, W): nothing to copy from where there is air
    return _in_range(image + share * (mirrored - image), foreground)


# in the order in which they are applied together: noise is never blurred away
CORRUPTIONS = {
    "blur": blur, "copied half": copy_half, "flattened": flatten, "checkerboard": checkerboard, "noise": noise,
}  # fmt: skip


def corrupt(image: Tensor, foreground: Tensor, amounts: Tensor) -> Tensor:
    """Corrupt each slice of a batch in several ways at once.

    Args:
        image: (B, C, H, W), 8/255..1 in the foreground (B, 1, H, W), 0 elsewhere, as is the result.
        amounts: (B, 5), 0..1, of each of CORRUPTIONS, in their order.
    """
    for change, amount in zip(CORRUPTIONS.values(), amounts.unbind(1), strict=True):
        image = change(image, foreground, amount)
    return image


def _in_range(image: Tensor, foreground: Tensor) -> Tensor:
    """8/255..1 in the foreground, 0 elsewhere."""
    return image.clamp(DARKEST / 255, 1) * foreground


def _each(amount: Tensor) -> Tensor:
    return amount[:, None, None, None]  # (B,) -> (B, 1, 1, 1)

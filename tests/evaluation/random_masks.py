"""Random pairs of masks on which own metrics meet their oracles, and counts as rows."""

import torch
from scipy import ndimage
from torch import Tensor

from strokegan_lib.evaluation.overlap import Counts


def rows(counts: Counts) -> Tensor:
    """tp, fp and fn, (..., N, 3)."""
    return torch.stack([counts.tp, counts.fp, counts.fn], -1)


def blobs(n: int, seed: int, size: tuple[int, int] = (20, 24)) -> tuple[Tensor, Tensor]:
    """n pairs of masks, (n, H, W) bool, of some lesions each that partly overlap.

    Every combination of empty and full is among the first nine, grains of noise among the rest.
    """
    g = torch.Generator().manual_seed(seed)
    noise = torch.randn(3, n, *size, generator=g)
    common, *own = (ndimage.gaussian_filter(part.numpy(), (0, 1.5, 1.5)) for part in noise)
    level = 0.15 + 0.35 * torch.rand(2, n, 1, 1, generator=g).numpy()
    masks = [torch.from_numpy(0.7 * common + part > cut) for part, cut in zip(own, level, strict=True)]
    grains = torch.rand(2, n, *size, generator=g) < 0.01
    grains[:, ::2] = False
    predicted, truth = (mask ^ grain for mask, grain in zip(masks, grains, strict=True))
    for k, (p, t) in enumerate((p, t) for p in (0, 1, None) for t in (0, 1, None)):
        if p is not None:
            predicted[k] = bool(p)
        if t is not None:
            truth[k] = bool(t)
    return predicted, truth

"""Figures as people without red or without green cones see them.

The simulation is that of G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, A physiologically-based
model for simulation of color vision deficiency, IEEE TVCG 15:1291-1298, 2009: a matrix for linear RGB,
here at severity 1. Differences of colours are CIEDE2000.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

DEFICIENCIES = {
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
CHROMA = 20  # of a colour that means something: greys are told apart by lightness, which everybody sees
SHARE = 3e-4  # of a figure's pixels: fewer are the frayed edge of a line
SAME = 8  # nearer colours count as one
CLEAR, LOST = 20, 10  # a pair that far apart must not come nearer than this


class Confusion(NamedTuple):
    """Two colours, (r, g, b) of 255, that a deficiency brings together, and their distances."""

    first: tuple[int, ...]
    second: tuple[int, ...]
    deficiency: str
    before: float
    after: float


def simulated(rgb: np.ndarray, deficiency: str) -> np.ndarray:
    """Colours (..., 3), 0..1, as seen with a deficiency; sRGB in and out."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ DEFICIENCIES[deficiency].T, 0, 1)
    return np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Colours (n, 3), 0..1, in CIE Lab."""
    return rgb2lab(rgb[None])[0]


def palette(png: bytes) -> np.ndarray:
    """The saturated colours of a figure, (n, 3) of 255, the most frequent first."""
    pixels = np.array(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3)
    packed, counts = np.unique(
        pixels @ [65536, 256, 1], return_counts=True
    )  # one number a colour: quick to sort
    colours = np.stack([packed // 65536, packed // 256 % 256, packed % 256], axis=1)  # (n, 3)
    saturated = np.linalg.norm(lab(colours / 255)[:, 1:], axis=1) > CHROMA
    kept = saturated & (counts >= max(20, SHARE * len(pixels)))
    colours = colours[kept][np.argsort(-counts[kept], kind="stable")]
    places = lab(colours / 255)
    apart = deltaE_ciede2000(places[:, None], places[None])  # (n, n)
    chosen: list[int] = []
    for i in range(len(colours)):
        if (apart[i, chosen] >= SAME).all():
            chosen.append(i)
    return colours[chosen]


def confusions(png: bytes) -> list[Confusion]:
    """Pairs of a figure's colours that are plainly different, and nearly alike without red or green cones."""
    colours = palette(png)
    if len(colours) < 2:
        return []
    first, second = np.triu_indices(len(colours), 1)
    places = lab(colours / 255)
    before = deltaE_ciede2000(places[first], places[second])
    found = []
    for deficiency in DEFICIENCIES:
        seen = lab(simulated(colours / 255, deficiency))
        after = deltaE_ciede2000(seen[first], seen[second])
        for k in np.flatnonzero((before >= CLEAR) & (after < LOST)):
            pair = (tuple(map(int, colours[i])) for i in (first[k], second[k]))
            found.append(Confusion(*pair, deficiency, round(float(before[k]), 1), round(float(after[k]), 1)))
    return found

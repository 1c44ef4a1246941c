"""The picture at the top of the README: masks from noise, and what two generators make of them.

``python -m experiments.readme_picture`` writes docs/synthesis.png: the first masks and styles of one seed, none chosen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from experiments.pictures import named_rows
from strokegan_lib.training.weights import load_weights, shipped

COUNT, SEED = 6, 3


@torch.inference_mode()
def rows() -> dict[str, np.ndarray]:
    """Slices (COUNT, 128, 128) uint8 by the name of their row."""
    masks, _ = load_weights(shipped("masks-soop"), "mask generator")
    paper, _ = load_weights(shipped("synthesis-soop"), "generator")
    styled, _ = load_weights(shipped("styled-soop"), "styled generator")
    stroke, foreground = masks.sample(COUNT, SEED)
    asked = [torch.from_numpy(mask).float()[:, None] for mask in (stroke, foreground)]  # (COUNT, 1, 128, 128)
    torch.manual_seed(SEED)
    made = {
        "the paper's generator": paper(*asked),
        "with styles": styled(*asked),
        "with other styles": styled(*asked),
    }
    grey = {name: (255 * pictures[:, 0]).round().byte().numpy() for name, pictures in made.items()}
    return {"two masks": 90 * foreground + 165 * stroke, **grey}


if __name__ == "__main__":
    named_rows(rows()).save(Path(__file__).parents[1] / "docs/synthesis.png", optimize=True)

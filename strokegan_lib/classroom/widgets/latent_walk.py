"""Walk from one code to another, and watch the brain that a generator makes of every code between."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import outlined

WAYS = ("on the sphere", "straight")


class Walker(NamedTuple):
    """A generator and the codes that one may walk between."""

    # codes (1, Z) to a picture (1, 1, H, W), 0..1; always the same for one code, so a network in eval mode;
    # for a generator that needs masks, with the masks filled in
    paint: Callable[[Tensor], Tensor]
    codes: Tensor  # (K, Z), two or more


class LatentWalk(Interactive):
    """Two codes' pictures, left and right, and that of a code between. Used in notebook 11."""

    def __init__(self, walkers: dict[str, Walker]) -> None:
        self.walkers = walkers
        last = min(len(walker.codes) for walker in walkers.values()) - 1
        super().__init__(
            generator=widgets.Dropdown(options=list(walkers), description="generator"),
            start=widgets.IntSlider(0, 0, last, description="from code"),
            end=widgets.IntSlider(1, 0, last, description="to code"),
            share=widgets.FloatSlider(0.5, min=0.0, max=1.0, step=0.05, description="share of the way"),
            way=widgets.Dropdown(options=WAYS, description="way"),
        )

    @torch.inference_mode()
    def draw(self, generator: str, start: int, end: int, share: float, way: str) -> tuple[np.ndarray, str]:
        walker = self.walkers[generator]
        a, b = walker.codes[start], walker.codes[end]  # (Z,)
        middle = interpolate(a, b, share, way)
        left, between, right = (walker.paint(code[None])[0, 0] for code in (a, middle, b))  # (H, W) each
        grey = (255 * torch.cat([left, between, right], 1)).round().byte().cpu().numpy()  # (H, 3 W)
        return outlined(grey), (
            f"{generator}, {way}: code {start}, {share:.0%} of the way, code {end}; length of the code "
            f"{middle.norm():.1f} (ends {a.norm():.1f} and {b.norm():.1f}); mean change "
            f"{(between - left).abs().mean():.3f} from the left picture, "
            f"{(between - right).abs().mean():.3f} from the right"
        )


def interpolate(a: Tensor, b: Tensor, share: float, way: str = WAYS[0]) -> Tensor:
    """A code on the way from one to another.

    Straight is (1 - t) a + t b. On the sphere, with w the angle between the two (Shoemake 1985)::

        sin((1 - t) w) / sin(w) * a  +  sin(t w) / sin(w) * b

    which keeps the length of two codes that have one length. Normal codes of many numbers nearly
    have; the middle of a straight way is shorter than any code that a generator has met.

    Args:
        a, b: (Z,), neither of length 0.
        share: t, 0..1.
    """
    angle = torch.arccos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    if way == "straight" or angle.sin() < 1e-3:  # two equal or opposite directions define no arc
        return (1 - share) * a + share * b
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / angle.sin()

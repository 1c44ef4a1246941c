"""Corrupt a mask and see which level of a critic notices."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from scipy import ndimage
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE_HEX, ORANGE_HEX, png, rendered
from strokegan_lib.models.critic import Critic

REACH = 200  # the bars' axis ends here, %; what is beyond is written beside them all the same


class LevelProber(Interactive):
    """The masked image of a corrupted mask, and a bar for each level of a critic. Used in notebook 03.

    A bar is the mean absolute difference of that level's features from those of the true
    masked image, in per cent of the difference that an empty mask makes there. Levels thereby
    share one scale, whatever the size of their numbers.

    Args:
        critic: in eval mode.
        image: (C, H, W) in [0, 1], where the critic is; the first channel is shown.
        stroke: (1, H, W), 0/1, likewise; not empty.

    Example:
        ``LevelProber(critic, image, stroke).set(down=4, grow=-1, blur=1.5)``

    Raises:
        ValueError: a critic in training mode, whose spectral norms (or batch statistics)
            change with every look; or a level that cannot tell this mask from an empty one.
    """

    def __init__(self, critic: Critic, image: Tensor, stroke: Tensor) -> None:
        if critic.training:
            raise ValueError("the critic must be in eval mode: call critic.eval()")
        self.critic, self.slice, self.stroke = critic, image[None], stroke[None]  # (1, C, H, W), (1, 1, H, W)
        self.truth = self.features(self.stroke)
        self.empty = self.distances(torch.zeros_like(self.stroke))  # (L,)
        if not self.empty.all():
            raise ValueError("a level sees no difference between this mask and none: give another mask")
        super().__init__(
            down=widgets.IntSlider(0, -16, 16, description="moved down (pixels)"),
            across=widgets.IntSlider(0, -16, 16, description="moved right (pixels)"),
            grow=widgets.IntSlider(0, -4, 4, description="grown by (pixels)"),
            blur=widgets.FloatSlider(0.0, min=0.0, max=4.0, step=0.5, description="blurred by (pixels)"),
        )

    @torch.inference_mode()
    def features(self, mask: Tensor) -> list[Tensor]:
        """What the critic sees of the image under a mask (1, 1, H, W): a tensor a level."""
        return self.critic(self.slice * mask)

    def distances(self, mask: Tensor) -> np.ndarray:
        """Mean absolute difference from the true masked image, (L,), one number a level."""
        pairs = zip(self.features(mask), self.truth, strict=True)
        return np.array([F.l1_loss(seen, true).item() for seen, true in pairs])

    def draw(self, down: int, across: int, grow: int, blur: float) -> tuple[bytes, str]:
        mask = corrupted(self.stroke, down, across, grow, blur)
        percent = 100 * self.distances(mask) / self.empty  # (L,)
        sizes = [f"{f.shape[-2]}x{f.shape[-1]}" for f in self.truth]
        names = ["picture", *(f"level {n} ({size})" for n, size in enumerate(sizes[1:], 1))]

        figure = Figure(figsize=(9.6, 3.2), dpi=80)
        figure.subplots_adjust(left=0.01, right=0.98, bottom=0.2, top=0.9, wspace=0.04)
        *pictures, _, bars = figure.subplots(1, 4, width_ratios=(1, 1, 0.4, 1.1))
        _.set_visible(False)  # room for the names of the levels
        for axes, shown, title in zip(
            pictures, (self.stroke, mask), ("true masked image", "corrupted"), strict=True
        ):
            axes.imshow(
                (self.slice * shown)[0, 0].cpu().numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest"
            )
            axes.contour(
                self.stroke[0, 0].cpu().numpy(), [0.5], colors=[ORANGE_HEX], linewidths=1.2
            )  # the truth, on both
            axes.set_title(title, fontsize=10)
            axes.set(xticks=[], yticks=[])
        drawn = bars.barh(names, percent.clip(max=REACH), color=BLUE_HEX)
        bars.bar_label(drawn, [f"{value:.0f} %" for value in percent], padding=3, fontsize=9)
        bars.axvline(100, color="black", lw=1, ls="--", zorder=0)
        bars.set(
            xlim=(0, REACH * 1.2), xticks=(0, 100, 200), xlabel="difference seen,\n% of that of an empty mask"
        )
        bars.invert_yaxis()

        seen = ", ".join(f"{name} {value:.0f} %" for name, value in zip(names, percent, strict=True))
        return png(rendered(figure)), (
            f"mask moved {down} down and {across} across, grown by {grow}, blurred by {blur}: "
            f"in per cent of an empty mask, {seen}"
        )


def corrupted(mask: Tensor, down: int = 0, across: int = 0, grow: int = 0, blur: float = 0.0) -> Tensor:
    """Masks moved, then grown or shrunk, then blurred; what leaves the picture is lost.

    Args:
        mask: (B, 1, H, W), 0..1.
        down, across: pixels, towards higher rows and columns.
        grow: pixels by which the edge moves outwards, inwards if negative.
        blur: standard deviation of a Gaussian, pixels; 0 for none.

    Returns:
        (B, 1, H, W), 0..1.
    """
    found = ndimage.shift(mask.cpu().numpy(), (0, 0, down, across), order=0)
    if grow:
        move_edge = ndimage.maximum_filter if grow > 0 else ndimage.minimum_filter
        found = move_edge(found, (1, 1, 2 * abs(grow) + 1, 2 * abs(grow) + 1))
    if blur:
        found = ndimage.gaussian_filter(found, (0, 0, blur, blur), mode="constant", truncate=3)
    return torch.from_numpy(found).to(mask)

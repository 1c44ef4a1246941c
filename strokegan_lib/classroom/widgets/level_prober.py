"""Spoil a mask and see which level of a critic notices."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, png
from strokegan_lib.models.critic import Critic

REACH = 200  # the bars' axis ends here, %: what is beyond is written beside them all the same


class LevelProber(Interactive):
    """The masked image of a spoilt mask, and a bar for each level of a critic that looks at it.

    A bar is the mean absolute difference of that level's features from those of the true
    masked image, in per cent of what an empty mask would cost there: at 100 % the level
    finds the spoilt mask as bad as no answer at all. Levels thereby share one scale,
    whatever the size of their numbers.

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
        self._prepare()
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
        mask = spoilt(self.stroke, down, across, grow, blur)
        percent = 100 * self.distances(mask) / self.empty  # (L,)
        self.masked.set_data((self.slice * mask)[0, 0].cpu().numpy())
        for bar, label, value in zip(self.bars, self.labels, percent, strict=True):
            bar.set_width(min(value, REACH))
            label.set_text(f"{value:.0f} %")
            label.set_x(min(value, REACH) + 3)
        self.canvas.restore_region(self.still)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        shown = np.asarray(self.canvas.buffer_rgba())[..., :3]
        seen = ", ".join(f"{name} {value:.0f} %" for name, value in zip(self.names, percent, strict=True))
        return png(shown), (
            f"mask moved {down} down and {across} across, grown by {grow}, blurred by {blur}: "
            f"in per cent of an empty mask, {seen}"
        )

    def _prepare(self) -> None:
        """Draw once what stays: four bars and a picture are quick, all the words around them are not."""
        sizes = [f"{f.shape[-2]}x{f.shape[-1]}" for f in self.truth]
        self.names = ["picture", *(f"level {n} ({size})" for n, size in enumerate(sizes[1:], 1))]
        self.figure = Figure(figsize=(9.6, 3.2), dpi=80, layout="constrained")
        self.canvas = FigureCanvasAgg(self.figure)
        *pictures, axes = self.figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
        _, self.masked = (
            ax.imshow(self.truth[0][0, 0].cpu().numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            for ax in pictures
        )
        for ax, title in zip(pictures, ("true masked image", "spoilt"), strict=True):
            outline = ax.contour(  # of the truth, on both
                self.stroke[0, 0].cpu().numpy(), [0.5], colors=[np.array(ORANGE) / 255], linewidths=1.2
            )
            ax.set_title(title, fontsize=10)
            ax.set(xticks=[], yticks=[])
        self.bars = axes.barh(self.names, np.zeros(len(self.names)), color=np.array(BLUE) / 255)
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # over the dashed line
        self.labels = [
            axes.text(0, n, "", va="center", fontsize=9, bbox=white) for n in range(len(self.names))
        ]
        hundred = axes.axvline(100, color="black", lw=1, ls="--")
        axes.set(xlim=(0, REACH * 1.2), xlabel="difference seen,\n% of that of an empty mask")
        axes.invert_yaxis()
        self.moving = [self.masked, outline, *self.bars, hundred, *self.labels]  # the last outline is there
        for artist in self.moving:
            artist.set_animated(True)  # left out when the canvas is drawn
        self.canvas.draw()
        self.still = self.canvas.copy_from_bbox(self.figure.bbox)


def spoilt(mask: Tensor, down: int = 0, across: int = 0, grow: int = 0, blur: float = 0.0) -> Tensor:
    """Masks moved, then grown or shrunk, then blurred; what leaves the picture is lost.

    Args:
        mask: (B, 1, H, W), 0..1.
        down, across: pixels, towards higher rows and columns.
        grow: pixels by which the edge moves outwards, inwards if negative.
        blur: standard deviation of a Gaussian, pixels; 0 for none.

    Returns:
        (B, 1, H, W), 0..1.
    """
    moved = F.pad(mask, (across, -across, down, -down))  # zeros come in on one side
    if grow > 0:
        moved = F.max_pool2d(moved, 2 * grow + 1, stride=1, padding=grow)
    elif grow < 0:
        moved = -F.max_pool2d(-moved, 1 - 2 * grow, stride=1, padding=-grow)
    if blur > 0:
        reach = int(3 * blur + 0.5)
        bell = torch.exp(-(torch.arange(-reach, reach + 1, device=mask.device) ** 2) / (2 * blur**2))
        bell = (bell / bell.sum()).to(mask.dtype)  # (2 * reach + 1,)
        moved = F.conv2d(moved, bell.view(1, 1, -1, 1), padding=(reach, 0))
        moved = F.conv2d(moved, bell.view(1, 1, 1, -1), padding=(0, reach))
    return moved.clamp(0, 1)

"""Corrupt a mask and see which level of a critic notices."""

import ipywidgets as widgets
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE_HEX, ORANGE, chart, outlined, rendered
from strokegan_lib.models.critic import Critic

REACH = 200  # the bars' axis ends here, %; what is beyond is written beside them all the same


class LevelProber(Interactive):
    """True and corrupted masked image, and a bar for each level of a critic. Used in notebook 03.

    A bar is the mean absolute difference between the level's features of the two, in per cent of the
    difference that an empty mask makes there, so that levels share one scale.

    Args:
        critic: in eval mode, else ValueError: its batch statistics would change with every look.
        image: (C, H, W) in [0, 1], where the critic is; the first channel is shown.
        stroke: (1, H, W), 0/1, likewise; not empty.
    """

    def __init__(self, critic: Critic, image: Tensor, stroke: Tensor) -> None:
        if critic.training:
            raise ValueError("the critic must be in eval mode: call critic.eval()")
        self.critic, self.slice, self.stroke = critic, image[None], stroke[None]  # (1, C, H, W), (1, 1, H, W)
        super().__init__(
            down=widgets.IntSlider(0, -16, 16, description="moved down (pixels)"),
            across=widgets.IntSlider(0, -16, 16, description="moved right (pixels)"),
            grow=widgets.IntSlider(0, -4, 4, description="grown by (pixels)"),
            blur=widgets.FloatSlider(0.0, min=0.0, max=4.0, step=0.5, description="blurred by (pixels)"),
        )

    @torch.inference_mode()
    def draw(self, down: int, across: int, grow: int, blur: float) -> tuple[np.ndarray, str]:
        mask = corrupted(self.stroke, down, across, grow, blur)
        masked = self.slice * torch.cat([self.stroke, mask, torch.zeros_like(mask)])  # (3, C, H, W)
        grey = (255 * torch.cat([masked[0, 0], masked[1, 0]], dim=1)).round().byte()  # (H, 2 W)
        outline = np.tile(self.stroke[0, 0].cpu().numpy(), 2)  # (H, 2 W)
        pictures = outlined(grey.cpu().numpy(), (outline, ORANGE))

        percent = {}
        for n, (true, seen, empty) in enumerate(self.critic(masked)):
            name = f"level {n} ({true.shape[-2]}x{true.shape[-1]})" if n else "picture"
            percent[name] = 100 * ((seen - true).abs().mean() / (empty - true).abs().mean()).item()
        figure, axes = chart((5, len(pictures) / 96), left=0.28, right=0.98, bottom=0.15, top=0.97)
        bars = axes.barh(list(percent), np.clip([*percent.values()], 0, REACH), color=BLUE_HEX)
        axes.bar_label(bars, [f"{value:.0f} %" for value in percent.values()], padding=3, fontsize=9)
        axes.axvline(100, color="black", lw=1, ls="--", zorder=0)
        axes.set(xlim=(0, REACH * 1.2), xticks=(0, 100, 200))
        axes.set(xlabel="difference seen, % of that of an empty mask")
        axes.invert_yaxis()

        seen = ", ".join(f"{name} {value:.0f} %" for name, value in percent.items())
        return np.concatenate([pictures, rendered(figure)], axis=1), (
            f"left the true masked image, right with its mask moved {down} down and {across} across, grown by "
            f"{grow}, blurred by {blur}: in per cent of an empty mask, {seen}"
        )


def corrupted(mask: Tensor, down: int = 0, across: int = 0, grow: int = 0, blur: float = 0.0) -> Tensor:
    """Masks, (B, 1, H, W) in 0..1, moved, then grown or shrunk, then blurred; what leaves the picture is lost.

    Args:
        down, across: pixels, towards higher rows and columns.
        grow: pixels by which the edge moves outwards, inwards if negative.
        blur: standard deviation of a Gaussian, pixels; 0 for none.
    """
    found = ndimage.shift(mask.cpu().numpy(), (0, 0, down, across), order=0)
    if grow:
        move_edge = ndimage.maximum_filter if grow > 0 else ndimage.minimum_filter
        found = move_edge(found, (1, 1, 2 * abs(grow) + 1, 2 * abs(grow) + 1))
    if blur:
        found = ndimage.gaussian_filter(found, (0, 0, blur, blur), mode="constant", truncate=3)
    return torch.from_numpy(found).to(mask)

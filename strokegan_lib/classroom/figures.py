"""Figures that a class can read from the back of the room: how every lesson draws its slices."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# told apart by colour-blind eyes too: ORANGE and SKY on grey slices, ORANGE and BLUE on white
ORANGE, SKY, BLUE, PINK, GREY = "#e69f00", "#56b4e9", "#0072b2", "#cc79a7", "#777777"
STYLE = {
    "font.size": 13, "axes.titlesize": 14, "axes.spines.top": False, "axes.spines.right": False,
    "lines.linewidth": 2, "legend.frameon": False, "figure.constrained_layout.use": True,
}  # fmt: skip


def draw(axes: Axes, image: np.ndarray, mask: np.ndarray | None = None, title: str = "", **style) -> None:
    """A slice (H, W) without ticks: bytes, 0..1, or a mask; *mask* is outlined, in orange or ``colour=``."""
    colour, top = style.pop("colour", ORANGE), 255 if image.dtype == np.uint8 and image.max() > 1 else 1
    axes.imshow(image, **{"cmap": "gray", "vmin": 0, "vmax": top, "interpolation": "nearest"} | style)
    if mask is not None and np.any(mask):
        axes.contour(mask, [0.5], colors=[colour], linewidths=1.6)
    axes.set(title=title, xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def gallery(
    rows: Mapping[str, Sequence[np.ndarray]],
    masks: Sequence[np.ndarray] | Mapping[str, Sequence[np.ndarray]] = (),
    side: float = 1.9,
) -> Figure:
    """A row of slices (n, H, W) for each name, *side* inches each.

    *masks* (n, H, W) are outlined in every row, or those of a row's name in that row.
    """
    count = max(map(len, rows.values()))
    size = (side * count + 0.5, side * len(rows))
    figure, axes = plt.subplots(len(rows), count, figsize=size, squeeze=False)
    for (name, pictures), line in zip(rows.items(), axes, strict=True):
        outlines = masks.get(name, ()) if isinstance(masks, Mapping) else masks
        for place, ax in enumerate(line):
            if place < len(pictures):
                draw(ax, pictures[place], outlines[place] if place < len(outlines) else None)
            else:
                ax.axis("off")
        line[0].set_ylabel(name)
    return figure


def side_by_side(
    pictures: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray] | None = None, side: float = 3.0
) -> Figure:
    """One slice (H, W) beside the other, titled by their names; some with a mask that is outlined."""
    figure, axes = plt.subplots(1, len(pictures), figsize=(side * len(pictures), side + 0.4), squeeze=False)
    for (name, picture), ax in zip(pictures.items(), axes[0], strict=True):
        draw(ax, picture, (masks or {}).get(name), name)
    return figure

"""Figures that a class can read from the back of the room: how every lesson draws its slices."""

from collections.abc import Mapping, Sequence
from typing import Any

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


def forest(
    axes: Axes, rows: Mapping[str, Sequence[float | None]], said: Mapping[str, str] | None = None
) -> None:
    """A dot and its interval for each name, the first on top: (mean, low, high), None where there is no such number.

    With *said*, rows are gains, grey where the interval holds 0, and an area behind some says what was expected:
    'gains' right of 0, 'stays' around it.
    """
    ends = [abs(end) for row in rows.values() for end in row if end is not None]
    edge = 1.1 * max(ends, default=1)
    for place, (name, (mean, low, high)) in enumerate(rows.items()):
        left, width, shade = {"gains": (0, edge, SKY), "stays": (-edge / 8, edge / 4, ORANGE)}.get(
            (said or {}).get(name, ""), (0, 0, GREY)
        )
        axes.barh(place, width, left=left, color=shade, alpha=0.4)
        known = low is not None and high is not None
        colour = GREY if said is not None and known and low <= 0 <= high else "black"
        if known:
            axes.plot([low, high], [place, place], color=colour)
        if mean is not None:
            axes.plot(mean, place, "o", color=colour, markersize=8)
    if said is not None:
        axes.axvline(0, color="black", linewidth=1)
        axes.set(xlim=(-edge, edge), xlabel="worse < 0 > better")
    axes.set(ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)), yticklabels=list(rows))


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


def rivals(comparison: Any, verdicts: Mapping[str, str]) -> Figure:
    """Gain in Dice of each arm of a saved comparison against the first, and how many more false positives.

    Both paired, with their intervals; the gain is blue where the verdict on an arm is 'better', orange where it is 'worse'.
    """
    reference, *arms = comparison.lines
    figure, axes = plt.subplots(1, 2, figsize=(12, 0.5 * len(arms) + 1.4), sharey=True)
    for place, line in enumerate(arms):
        colour = {"better": BLUE, "worse": ORANGE}.get(verdicts[line["arm"]], GREY)
        # the table holds the first less the arm
        for ax, name, look in zip(
            axes, ("minus_arm", "minus_arm_false_positives"), (colour, "black"), strict=True
        ):
            ax.plot([-line[f"{name}_high"], -line[f"{name}_low"]], [place, place], color=look)
            ax.plot(-line[name], place, "o", color=look, markersize=9)
    titles = "gain in Dice", "more empty slices with a false positive"
    for ax, title in zip(axes, titles, strict=True):
        ax.axvline(0, color=GREY, linestyle=":")
        ax.set(title=f"{comparison.card['setting']}: {title}", xlabel=f"against {reference['arm']}")
        ax.locator_params(axis="x", nbins=5)
    axes[0].set(yticks=range(len(arms)), yticklabels=[line["arm"] for line in arms])
    axes[0].invert_yaxis()
    return figure

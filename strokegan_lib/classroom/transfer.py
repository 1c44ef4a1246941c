"""From the phantom to real slices: the shipped networks on a reader's data, and a figure of their scores."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from strokegan_lib.classroom.figures import ORANGE
from strokegan_lib.classroom.hardware import best_device
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import measure
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.training.weights import SHIPPED, load_weights, shipped

ARMS = ("masked", "segan", "unet")
SHOWN = {
    "dice": "Dice, lesion slices",
    "pooled_dice": "pooled Dice",
    "empty_false_positive_rate": "false positives, empty",
}


def phantom_to_real(slices: SliceSet) -> list[dict]:
    """Scores on test patients, a line a network, named as in ``table_of("phantom_to_real")``; *slices* of one channel.

    Networks that were trained on this very data set stand beside, where the kit has them.
    """
    rows, lines, device = slices.of_split("test"), [], best_device()
    batches = Batches(slices, rows, size=64, device=device)
    for origin in dict.fromkeys(("phantom", slices.card["name"])):
        for arm in ARMS:
            if not (SHIPPED / f"{arm}-{origin}.safetensors").is_file():
                continue
            network, about = load_weights(shipped(f"{arm}-{origin}"), "segmentor")
            network.to(device, memory_format=torch.channels_last)
            threshold = float(about["threshold"])
            counts = measure(network, batches, torch.tensor([threshold]))
            line = {"arm": arm, "trained_on": origin, "threshold": threshold}
            for name, found in summary(counts, slices.table["patient"][rows]).items():
                if isinstance(found, dict):
                    line |= {f"{name}_{end}": found[end] for end in ("mean", "low", "high")}
            lines.append(line)
    return lines


def draw_transfer(lines: Sequence[dict], where: str) -> Figure:
    """The scores of such lines with their intervals, phantom-trained networks in orange, on top."""
    lines = sorted(lines, key=lambda line: line["trained_on"] != "phantom")
    figure, axes = plt.subplots(1, len(SHOWN), figsize=(13, 1 + 0.5 * len(lines)), sharey=True)
    for ax, (metric, title) in zip(axes, SHOWN.items(), strict=True):
        for place, line in enumerate(lines):
            mean, low, high = (line[f"{metric}_{end}"] for end in ("mean", "low", "high"))
            colour = ORANGE if line["trained_on"] == "phantom" else "black"
            if mean is not None:  # None: no such slices
                ax.plot(mean, -place, "o", color=colour)
            if low is not None:
                ax.plot([low, high], [-place, -place], color=colour)
        ax.set(title=title, xlim=(-0.03, 1.03))
    axes[0].set_yticks(-np.arange(len(lines)), [f"{x['arm']}, {x['trained_on']}" for x in lines])
    axes[len(axes) // 2].set_xlabel(f"test patients of {where}, 95 % intervals")
    return figure

"""How quickly do the widgets answer? Those of the notebooks, with the shipped weights.

A control is set to ever other values, as a hand would, and each answer is timed: drawing, PNG and
sentence, as Python does them. The way to the browser is not in it. Aim: a median under 200 ms.

Run by ``make bench``. The slices are the quick profile's phantom. Fails where the aim is missed.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Iterator

import numpy as np
import torch
from turns import machine

from strokegan_lib import classroom as c
from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.evaluation.overlap import count_masks
from strokegan_lib.models.critic import Critic
from strokegan_lib.profiles import profile
from strokegan_lib.training.weights import load_weights, shipped

TIMES = 50
AIM = 200  # ms


def widgets() -> Iterator[tuple[Interactive, str, list]]:
    """Each widget, the control that is moved, and its values."""
    slices = c.prepared(None, profile("quick"))
    generator, _ = load_weights(shipped("synthesis-phantom"), "generator")
    rows = np.argsort(-slices.foreground.sum((1, 2), dtype=np.int64))[:50]  # large ones first
    largest = int(slices.stroke.sum((1, 2), dtype=np.int64).argmax())
    image, lesion = torch.tensor(slices.images[largest]) / 255, slices.stroke[largest].astype(bool)
    stroke = torch.from_numpy(lesion)[None].float()
    critic = Critic(1, width=profile("full").width, attention=False).eval()
    scores = torch.from_numpy(slices.images[rows, 0]) / 255
    strokes = [[[(45, 80), (46 + k, 80)]] for k in range(40)]
    maps = {"even": torch.ones(1024, 1024)}
    yield c.PatientBrowser(slices), "plane", list(range(8))
    yield c.MaskComparison(slices.images[largest, 0], lesion, np.roll, np.vdot), "pixels", list(range(-3, 4))
    plane = 4.0 * slices.images[largest, 0]  # in some scanner's unit
    yield c.WindowExplorer(plane, lesion, slices.foreground[largest] == 1), "high", list(range(400, 2000, 50))
    yield c.AttentionExplorer(slices.images[largest, 0], maps), "column", list(range(128))
    yield c.LevelProber(critic, image, stroke), "down", list(range(-16, 17))
    yield c.LesionMover(generator, slices, rows, lesion), "row", list(range(50, 90))
    yield c.LesionPainter(generator, slices, rows), "strokes", strokes
    yield c.ThresholdExplorer(slices, rows, {"grey": scores}), "threshold", [k / 100 for k in range(1, 100)]
    yield c.RealOrSynthetic(slices.images[:50, 0], slices.images[50:, 0]), "number", list(range(1, 13))
    yield c.LossExplorer(), "painted", [k / 100 for k in range(1, 100)]
    truth = torch.from_numpy(slices.stroke[rows]) == 1
    counts = {"grey": count_masks(scores > 0.5, truth), "black": count_masks(scores > 1, truth)}
    yield c.AverageExplorer(counts, slices.table["patient"][rows], {}), "share", [k / 100 for k in range(96)]
    yield c.RatioExplorer(c.saved_comparisons()), "score", ["pooled Dice", "precision"]


def main() -> int:
    print(f"Widgets, {TIMES} answers each: {machine()}\n{'':20} median, ms   aim: {AIM} ms")
    missed = 0
    for widget, control, values in widgets():
        times = []
        for value in itertools.islice(itertools.cycle(values), TIMES):
            start = time.process_time()  # its own work: what else the machine does is no fault of the widget
            widget.set(**{control: value})
            times.append(1000 * (time.process_time() - start))
        print(f"{type(widget).__name__:20} {statistics.median(times):10.1f}", flush=True)
        missed += statistics.median(times) > AIM
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

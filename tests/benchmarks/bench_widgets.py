"""How quickly do the widgets answer? Every widget of the notebooks, with the shipped weights.

A control is set to ever other values, as a hand would, and each answer is timed: drawing, PNG and
sentence, as Python does them in the reader's kernel, which has all cores. The way to the browser
is not in it. Aim: a median under 200 ms, which still feels like the hand's own doing.
The level prober's critic is an untrained one of full width, as no critic is shipped.

Run by ``make bench``, or ``python tests/benchmarks/bench_widgets.py``. The slices are the quick
profile's phantom, made once and kept. Fails where the aim is missed.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np
import torch
from scipy import ndimage
from turns import machine

from strokegan_lib.classroom.datasets import prepared
from strokegan_lib.classroom.widgets.attention_explorer import AttentionExplorer
from strokegan_lib.classroom.widgets.browsers import MaskComparison, PatientBrowser
from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.lesion_mover import LesionMover
from strokegan_lib.classroom.widgets.lesion_painter import LesionPainter, brushed
from strokegan_lib.classroom.widgets.level_prober import LevelProber
from strokegan_lib.classroom.widgets.loss_explorer import LossExplorer
from strokegan_lib.classroom.widgets.ratio_explorer import RatioExplorer, saved_comparisons
from strokegan_lib.classroom.widgets.real_or_synthetic import RealOrSynthetic
from strokegan_lib.classroom.widgets.threshold_explorer import CUTS, ThresholdExplorer
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.critic import Critic
from strokegan_lib.profiles import profile
from strokegan_lib.training.weights import load_weights, shipped

TIMES = 50
AIM = 200  # ms
Change = Callable[[Interactive, int], object]  # sets the k-th value


def setting(name: str, values: Iterable) -> Change:
    """Set a control to one value after the other, from the start again after the last."""
    rounds = itertools.cycle(values)
    return lambda widget, _: widget.set(**{name: next(rounds)})


def attention(slices: SliceSet) -> AttentionExplorer:
    """The trained layer's map of the slice with the largest lesion."""
    segmentor, _ = load_weights(shipped("masked-phantom"), "segmentor")
    layer, caught = segmentor.unet.attention, []
    layer.register_forward_hook(lambda _, given, __: caught.append(given[0]))
    image = slices.images[slices.stroke.sum((1, 2), dtype=np.int64).argmax(), 0]
    with torch.inference_mode():
        segmentor(torch.from_numpy(image / np.float32(255))[None, None])
        return AttentionExplorer(image, {"trained": layer.map(caught[0])[0]})


def thresholds(slices: SliceSet) -> ThresholdExplorer:
    """45 validation slices, scored by one network."""
    segmentor, _ = load_weights(shipped("masked-phantom"), "segmentor")
    has_stroke = slices.table["has_stroke"][validation := slices.of_split("validation")] == 1
    rows = np.concatenate([validation[has_stroke][:40], validation[~has_stroke][:5]])
    images = torch.from_numpy(slices.images[rows] / np.float32(255))
    with torch.inference_mode():
        return ThresholdExplorer(
            slices, rows, {"masked": segmentor.read(segmentor(images), images).score.clone()}
        )


def prober(slices: SliceSet) -> LevelProber:
    row = int(slices.stroke.sum((1, 2), dtype=np.int64).argmax())
    image, stroke = (torch.from_numpy(a[row].copy()).float() for a in (slices.images, slices.stroke))
    critic = Critic(len(image), width=profile("full").width, attention=False)
    return LevelProber(critic.eval(), image / 255, stroke[None])


def comparison(slices: SliceSet) -> MaskComparison:
    row = int(slices.stroke.sum((1, 2), dtype=np.int64).argmax())

    def redraw(mask: np.ndarray, pixels: int) -> np.ndarray:
        far = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
        return far <= pixels

    return MaskComparison(
        slices.images[row, 0], slices.stroke[row].astype(bool), redraw, lambda a, b: (a & b).sum() / a.sum()
    )


def widgets(slices: SliceSet) -> dict[str, tuple[Interactive, Change]]:
    """Each widget, and what is changed about it."""
    generator, _ = load_weights(shipped("synthesis-phantom"), "generator")
    held_out = np.concatenate([slices.of_split("validation"), slices.of_split("test")])
    rows = held_out[np.argsort(-slices.foreground[held_out].sum((1, 2), dtype=np.int64))]  # large ones first
    lesion = slices.stroke[slices.stroke.sum((1, 2), dtype=np.int64).argmax()]

    def paint(painter: Interactive, k: int) -> None:
        painter.set(mask=brushed([[(45, 80), (46 + k % 40, 80)]], 9, lesion.shape))

    half = len(slices) // 2
    kinds = slices.images[:half, 0], slices.images[half:, 0]
    made = {
        "patient browser": (PatientBrowser(slices), setting("plane", range(len(slices.of_patient(slices.patients[0]))))),
        "mask comparison": (comparison(slices), setting("pixels", range(-3, 4))),
        "attention explorer": (attention(slices), setting("column", range(0, 128, 3))),
        "level prober": (prober(slices), setting("down", range(-16, 17))),
        "lesion mover": (LesionMover(generator, slices, rows, lesion), setting("row", range(50, 90))),
        "lesion painter": (LesionPainter(generator, slices, rows), paint),
        "threshold explorer": (thresholds(slices), setting("threshold", CUTS)),
        "real or synthetic": (RealOrSynthetic(*kinds), setting("number", range(1, 13))),
        "pull explorer": (LossExplorer(), setting("painted", [k / 100 for k in range(1, 100)])),
    }  # fmt: skip
    if saved := saved_comparisons():
        explorer = RatioExplorer(saved)
        shares = next(iter(saved.values())).shares()
        made["ratio explorer"] = (explorer, setting("share", shares))
    return made


def milliseconds(widget: Interactive, change: Change) -> list[float]:
    """Time of each of the answers, those to the first few values left out."""
    times = []
    for k in range(TIMES + 3):
        start = time.perf_counter()
        change(widget, k)
        times.append(1000 * (time.perf_counter() - start))
    return times[3:]


def main() -> int:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    print(f"Widgets, {TIMES} answers each: {machine()}")
    print(f"{'':20} median, ms  slowest, ms   aim: {AIM} ms")
    missed = []
    for name, (widget, change) in widgets(prepared(None, profile("quick"))).items():
        times = milliseconds(widget, change)
        print(f"{name:20} {statistics.median(times):10.1f} {max(times):12.1f}", flush=True)
        if statistics.median(times) > AIM:
            missed.append(name)
    if missed:
        print(f"missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

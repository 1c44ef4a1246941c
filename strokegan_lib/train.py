"""Train a GAN: ``python -m strokegan_lib.train segmentation --data DIR --out DIR``.

Or ``synthesis``, or ``family``: one of the GANs they descend from, or ``masks``: the masks themselves
from noise. Or ``encoder``: the network by which realism is measured, no GAN.

Run it by ``accelerate launch -m strokegan_lib.train ...`` for several devices or machines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from strokegan_lib.command_line import run
from strokegan_lib.data.batches import Batches, Mixed
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.measure import validation_score
from strokegan_lib.evaluation.synthetic import kernel_validation, with_stroke
from strokegan_lib.files import hold, write_whole
from strokegan_lib.profiles import profile
from strokegan_lib.training.checkpoint import checkpoints
from strokegan_lib.training.loop import Loop, Settings
from strokegan_lib.training.options import PROG, parser
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.tasks import RECORD, augmentation, begin, build, settle
from strokegan_lib.training.weights import save_weights, shipped_encoder


def train(given: dict[str, Any]) -> None:
    """Train as the options say and leave weights.safetensors, metrics.csv and settings.json in --out.

    Raises:
        BadInput: bad use, bad data, or training that diverged.
    """
    out, settings = given["out"], settle(given)
    size = replace(profile(settings["profile"]), **{k: given[k] for k in ("threads",) if k in given})
    size.use_threads()
    encoder = settings["task"] == "encoder"
    sets = [SliceSet.open(folder) for folder in (given["data"] if encoder else [given["data"]])]
    slices = sets[0]
    machine = accelerator(settings["precision"])
    how = {"device": machine.device, "seed": settings["seed"]}
    fold = settings["fold"]
    for data in sets:
        if settings["task"] in ("encoder", "family") and len(data.channels) != 1:
            raise BadInput(data.folder, "holds several channels", "give slices of one channel")
    parts = [
        Batches(
            data, data.of_split("train", fold), size=max(1, settings["batch_size"] // len(sets)), **how,
            augmentation=augmentation(settings), lesion_share=settings["lesion_share"],
        ) for data in sets
    ]  # fmt: skip
    batches = Mixed(parts) if len(parts) > 1 else parts[0]
    gan = build(settings, len(slices.channels))
    if "start" in given:
        begin(gan, given["start"])
    elif settings["start"] and not checkpoints(out):
        raise BadInput(out, "holds no checkpoint yet", f"give --start {settings['start']['file']} again")
    validate = None
    if settings["task"] == "segmentation":
        rows = slices.of_split("validation", fold)
        if not slices.table["has_stroke"][rows].any():
            raise BadInput(
                slices.folder, "holds no slice with stroke in its validation part",
                "choose a data set with more patients",
            )  # fmt: skip
        validate = partial(validation_score, batches=Batches(slices, rows, size=64, **how))
    # the encoder of the kernel distance knows one channel
    if settings["task"] in ("synthesis", "family") and len(slices.channels) == 1:
        stroke_alone = settings["lesion_share"] == 1
        rows = (
            with_stroke(slices, "validation", fold) if stroke_alone else slices.of_split("validation", fold)
        )
        validate = (
            kernel_validation(shipped_encoder(), slices, rows) if len(rows) > 1 else None
        )  # a distance asks for two
    if given.get("compile") and (settings.get("r1") or settings.get("member") == "progressive"):
        remedy = "leave it out, or give --r1 0" if settings.get("r1") else "leave it out"
        raise BadInput("--compile", "cannot follow R1, a slope of a slope", remedy)
    if machine.num_processes > 1 and settings.get("member") == "progressive":
        raise BadInput("--member progressive", "learns in one process only", "start it without accelerate")
    local = {k: given[k] for k in ("checkpoint_seconds", "compile") if k in given}
    loop = Loop(
        gan, batches,
        Settings(settings["steps"], settings["seed"], rate=settings["rate"], average=settings["average"], **local),
        machine, validate, out, {**settings, "data": each(sets, "sha256")},
    )  # fmt: skip
    with _alone(out) if machine.is_main_process else nullcontext():
        if machine.is_main_process and settle(given) != settings:
            raise BadInput(out, "was begun by another process meanwhile", "choose another --out")
        if machine.is_main_process and not (out / RECORD).exists():
            write_whole(out / RECORD, json.dumps(settings, indent=1) + "\n")
        done = loop.run(given.get("resume", False))
        if done.step < settings["steps"]:
            machine.print(
                f"stopped after step {done.step}; the same command with --resume goes on from there"
            )
            raise KeyboardInterrupt
        if machine.is_main_process:
            finish(out, settings, sets, done)


def finish(out: Path, settings: dict[str, Any], sets: list[SliceSet], done: Any) -> None:
    """Write the averaged network with what made it, and say where it lies."""
    about = {"settings": settings, "data": each(sets, "name"), "data_sha256": each(sets, "sha256")}
    kept = done.kept
    if kept:
        about["kept_step"] = kept["step"]
    if "validation threshold" in kept:
        about["threshold"] = kept["validation threshold"]
        about["validation_dice"] = kept["validation dice"]
    if "validation kernel" in kept:
        about["validation_kernel"] = kept["validation kernel"]
    save_weights(out / "weights.safetensors", done.network, about)
    for leftover in checkpoints(out)[1:]:
        leftover.unlink()
    print(
        f"{out / 'weights.safetensors'}: the averaged network after {kept.get('step', done.step)} of {done.step} steps"
    )
    if "threshold" in about:
        print(f"validation Dice {about['validation_dice']:.3f} at threshold {about['threshold']:.2f}")


def each(sets: list[SliceSet], entry: str) -> Any:
    """An entry of the data's card; a list of them where there are several data sets."""
    found = [slices.card[entry] for slices in sets]
    return found if len(found) > 1 else found[0]


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the run: a second process would mix its steps and its record with this one's."""
    lock = hold(out / ".lock", out)
    try:
        yield
    finally:
        lock.release()


def main() -> None:
    given = vars(parser().parse_args())
    sys.exit(run(partial(train, given), PROG))


if __name__ == "__main__":
    main()

"""Train a GAN: ``python -m strokegan_lib.train segmentation --data DIR --out DIR``, or another task of training/tasks.py.

Run it by ``accelerate launch -m strokegan_lib.train ...`` for several devices or machines.
"""

import json
import sys
from argparse import SUPPRESS
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.command_line import Parser, add_options, integer, path, run
from strokegan_lib.data.batches import Batches, Mixed
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.measure import validation_score
from strokegan_lib.evaluation.synthetic import kernel_validation, with_stroke
from strokegan_lib.files import hold, write_whole
from strokegan_lib.profiles import profile
from strokegan_lib.training import tasks
from strokegan_lib.training.checkpoint import check_same, checkpoints
from strokegan_lib.training.loop import Loop, Trained
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.weights import save_weights, shipped_encoder

PROG = "python -m strokegan_lib.train"


def parser() -> Parser:
    options = Parser(prog=PROG, description="Train a GAN on a prepared data set.")
    several = options.add_subparsers(dest="task", required=True, metavar="|".join(tasks.TASKS))
    for name, task in tasks.TASKS.items():
        one = several.add_parser(name, help=task.help)
        folder = {"type": path, "required": True, "metavar": "DIR"}
        one.add_argument("--data", nargs="+" if name == "encoder" else None, help="a prepared set", **folder)
        one.add_argument("--out", help="where the run is kept", **folder)
        one.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
        one.add_argument("--start", type=path, metavar="FILE", help="weights to begin with")
        one.add_argument("--threads", type=integer(1, 1024), help="CPU threads (default: the profile's)")
        if len(task.rows) > 1:
            help = f"what to begin from (default: {next(iter(task.rows))}, whose values are shown below)"
            one.add_argument(f"--{task.choice}", choices=list(task.rows), default=SUPPRESS, help=help)
        # the row with the most options, so that the command line offers them all
        add_options(one, max(task.rows.values(), key=lambda row: len(fields(row))))
    return options


def train(
    settings: Settings, *, data: Path | Sequence[Path], out: Path, resume: bool = False,
    threads: int | None = None, start: Path | None = None,
) -> None:  # fmt: skip
    """Train and leave weights.safetensors, metrics.csv and settings.json in the folder *out*.

    BadInput for bad use, bad data, or training that diverged.

    Args:
        settings: of a task, see training/tasks.py.
        data: a prepared data set; the encoder learns from several, in equal shares.
        resume: go on with the run in it, if there is one.
        threads: CPU threads; the profile's by default.
        start: weights to start from.
    """
    if start:
        settings = replace(settings, start=tasks.fingerprint(start))
    if threads := threads or profile(settings.profile).threads:
        torch.set_num_threads(threads)
    sets = [SliceSet.open(folder) for folder in ([data] if isinstance(data, Path) else data)]
    for slices in sets:
        if settings.task in ("encoder", "family") and len(slices.channels) != 1:
            raise BadInput(slices.folder, "holds several channels", "give slices of one channel")
    machine = accelerator(settings.precision)
    if machine.num_processes > 1 and getattr(settings, "member", "") == "progressive":
        raise BadInput("--member progressive", "learns in one process only", "start it without accelerate")
    how = {"device": machine.device, "seed": settings.seed}
    parts = [
        Batches(
            slices, slices.of_split("train", settings.fold), size=max(1, settings.batch_size // len(sets)),
            augmentation=tasks.TASKS[settings.task].augmentation, lesion_share=settings.lesion_share, **how,
        ) for slices in sets
    ]  # fmt: skip
    gan = tasks.build(settings, len(sets[0].channels))
    if start:
        tasks.load_initial_weights(gan, start)
    elif settings.start and not checkpoints(out):
        raise BadInput(out, "holds no checkpoint yet", f"give --start {settings.start['file']} again")
    # the precision asked for, not the one that auto gave: the run may go on where that is another
    about = {"data": each(sets, "sha256"), "precision": settings.precision}
    batches, validate = Mixed(parts) if len(parts) > 1 else parts[0], _validation(settings, sets[0], how)
    loop = Loop(gan, batches, settings, machine, validate, out, about)
    with ExitStack() as stack:
        if machine.is_main_process:
            # a second process would mix its steps and its record with this one's
            stack.callback(hold(out / ".lock", out).release)
            before = tasks.settings_in(out)
            if before and not resume:
                raise BadInput(out, "holds a run already", "give --resume to go on, or choose another --out")
            if before:
                check_same(out, before.record(), settings.record())
            else:
                write_whole(out / tasks.RECORD, json.dumps(settings.record(), indent=1) + "\n")
        done = loop.run(resume)
        if done.step < settings.steps:
            machine.print(f"stopped after step {done.step}; the same command with --resume goes on from it")
            raise KeyboardInterrupt
        if machine.is_main_process:
            _finish(out, settings, sets, done)


def _validation(settings: Settings, slices: SliceSet, how: dict[str, Any]) -> Callable | None:
    """What scores a network while it learns: Dice of a segmentor, the kernel distance of a generator."""
    rows = slices.of_split("validation", settings.fold)
    if settings.task == "segmentation":
        if not slices.table["has_stroke"][rows].any():
            what = "holds no slice with stroke in its validation part"
            raise BadInput(slices.folder, what, "choose a data set with more patients")
        return partial(validation_score, batches=Batches(slices, rows, size=64, **how))
    if settings.lesion_share == 1:
        rows = with_stroke(slices, "validation", settings.fold)
    # the encoder of the kernel distance knows one channel, and a distance asks for two slices
    if settings.task in ("synthesis", "family") and len(slices.channels) == 1 and len(rows) > 1:
        return kernel_validation(shipped_encoder(), slices, rows)
    return None


def _finish(out: Path, settings: Settings, sets: list[SliceSet], done: Trained) -> None:
    """Write the averaged network with what made it, and say where it lies."""
    about = {"settings": settings.record(), "data": each(sets, "name"), "data_sha256": each(sets, "sha256")}
    names = {
        "step": "kept_step", "validation threshold": "threshold", "validation dice": "validation_dice",
        "validation kernel": "validation_kernel",
    }  # fmt: skip
    about |= {name: done.kept[found] for found, name in names.items() if found in done.kept}
    file = out / "weights.safetensors"
    save_weights(file, done.network, about)
    print(f"{file}: the averaged network after {done.kept.get('step', done.step)} of {done.step} steps")
    if "threshold" in about:
        print(f"validation Dice {about['validation_dice']:.3f} at threshold {about['threshold']:.2f}")


def each(sets: list[SliceSet], entry: str) -> Any:
    """An entry of the data's card; a list of them where there are several data sets."""
    found = [slices.card[entry] for slices in sets]
    return found if len(found) > 1 else found[0]


def main() -> None:
    given = vars(parser().parse_args())
    sys.exit(run(partial(_train, **given), PROG))


def _train(task: str, data: Any, out: Path, resume: bool, threads: int, start: Path, **given: Any) -> None:
    settings = tasks.resolve_settings(task, given, out if resume else None)
    train(settings, data=data, out=out, resume=resume, threads=threads, start=start)


if __name__ == "__main__":
    main()

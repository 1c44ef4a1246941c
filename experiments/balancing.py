"""Does synthesis help? ``python -m experiments.balancing --data DIR --out DIR --setting soop-18``.

Rivals learn from the same few training patients (with --start the generator brings more along): the slices as they are, lesion slices shown
more often, lesions pasted by CarveMix, lesions painted by a GAN, and painted slices alone.
Every arm gets the same segmentor, steps, batches, augmentation, threshold search and seed,
and is scored on test patients that neither segmentor nor generator nor any mask came from.
What is there already is not made again; an interrupted run goes on.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.balancing_arms import REFERENCE, Arm, arms, painters
from experiments.comparison import compare_arms
from experiments.thin_lesions import PAPER_SHARE, thin_lesions
from strokegan_lib.balance.derived import thin_patients
from strokegan_lib.command_line import LARGEST_SEED, Parser, integer, number, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import FOLDS
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.measure import measure
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.synthesise import parser as synthesis_parser
from strokegan_lib.synthesise import synthesise
from strokegan_lib.train import train
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.segmentation import METHODS
from strokegan_lib.training.tasks import fingerprint, resolve_settings
from strokegan_lib.training.weights import GENERATORS, load_weights

PROG = "python -m experiments.balancing"
SETTINGS = ("soop-18", "tenth", "whole")
RATIOS = {"few": (0.35, 0.5), "many": (0.7, 0.8)}  # where stroke is in less or more than a third already
TRAINED = "weights.safetensors"
RECORD = "options.json"  # in --out: what the runs there were made with


def parser() -> Parser:
    options = Parser(prog=PROG, description="Train and compare the ways to balance, at equal budgets.")
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument(
        "--out", type=path, required=True, metavar="DIR", help="a folder for data sets, runs and tables"
    )
    options.add_argument(
        "--setting", choices=SETTINGS, default="soop-18",
        help=f"thin the training part of lesions to {PAPER_SHARE:.2%}% of its slices, to a tenth of its "
        "patients, or not (default: %(default)s)",
    )  # fmt: skip
    options.add_argument(
        "--ratios", type=number(0, 1, within=True), nargs=2, metavar=("LOW", "HIGH"),
        help=f"shares of stroke to reach (default: {RATIOS['few']} or, where a third is stroke, {RATIOS['many']})",
    )  # fmt: skip
    options.add_argument("--method", choices=list(METHODS), default="unet", help="default: %(default)s")
    steps, width = integer(1, 10**9), integer(4, 1024)
    for name, kind, default in (
        ("steps", steps, 1200), ("generator-steps", steps, 1200), ("width", width, 16), ("generator-width", width, 16),
        ("batch-size", integer(2, 4096), 16), ("threads", integer(1, 1024), 1),
    ):  # fmt: skip
        options.add_argument(
            f"--{name}", type=kind, default=default, metavar="N", help="default: %(default)s"
        )
    options.add_seed(largest=LARGEST_SEED - FOLDS)  # every fold adds one
    options.add_argument(
        "--start", type=path, metavar="FILE", help="generator to start from (default: from scratch)"
    )
    options.add_argument(
        "--painters", type=path, nargs="+", metavar="FILE",
        help="generators that were trained on the very training part of the setting: an arm each beside "
        "oversampling, in place of the arms above",
    )  # fmt: skip
    options.add_argument(
        "--mask-weights", type=path, metavar="FILE",
        help="with --painters: an arm more for each, with strokes from this mask generator",
    )  # fmt: skip
    options.add_argument(
        "--folds", type=integer(0, FOLDS - 1), nargs="+", default=[], metavar="K",
        help="folds of a five-fold cross-validation, scored together (default: the plain split)",
    )  # fmt: skip
    return options


def compare(options: Namespace) -> None:
    """Make what is not made yet, score all on the test patients, write balancing.csv and balancing.json.

    Raises:
        BadInput: bad use, bad data, or --out holds runs made with other options.
    """
    slices = SliceSet.open(options.data)
    _note(options, slices)
    folds = options.folds or [None]
    counts: dict[str, list[Counts]] = {}
    facts: dict[str, list[dict[str, float]]] = {}
    for fold in folds:
        folder = options.out if fold is None else options.out / f"fold-{fold}"
        batches = Batches(slices, slices.of_split("test", fold), size=64)
        for name, trained, data in _trained(options, slices, folder, fold):
            segmentor, about = load_weights(trained, "segmentor")
            found = measure(segmentor, batches, torch.tensor([about["threshold"]]))[0]
            counts.setdefault(name, []).append(found)
            facts.setdefault(name, []).append(_facts(data, fold, about))
    patients = slices.table["patient"][np.concatenate([slices.of_split("test", fold) for fold in folds])]
    table = compare_arms({name: Counts.cat(parts) for name, parts in counts.items()}, patients)
    for line in table:
        of_arm = facts[line["arm"]]
        line |= {name: float(np.mean([fact[name] for fact in of_arm])) for name in of_arm[0]}
        print(
            "{arm:16} Dice {dice_mean:.3f}  pooled {pooled_dice_mean:.3f}  "
            "{synthetic_slices:6.0f} made, stroke in {stroke_share_in_batches:.0%} of what it saw".format(
                **line
            )
        )
    write_csv(options.out / "balancing.csv", table)
    lesions = int(sum(part.lesion().sum() for part in counts[REFERENCE]))
    size = {"slices": len(patients), "lesion_slices": lesions, "patients": len(set(patients.tolist()))}
    write_json(options.out / "balancing.json", _card(options, slices, size))


def _trained(
    options: Namespace, slices: SliceSet, folder: Path, fold: int | None
) -> Iterator[tuple[str, Path, SliceSet]]:
    """Yield the name, weights and data of each arm, trained."""
    data = _thinned(options, slices, folder, fold)
    rows = data.of_split("train", fold)
    share = float(data.table["has_stroke"][rows].mean())
    low, high = options.ratios or RATIOS["few" if share < 1 / 3 else "many"]
    seed = options.seed + (fold or 0)  # another chance in each fold
    common = {
        "profile": "quick", "seed": seed, "batch_size": options.batch_size, "fold": fold,
    }  # fmt: skip
    if options.painters:
        for file in filter(None, (*options.painters, options.mask_weights)):
            _check_painter(file, data, fold)
        rivals = painters(high, options.painters, options.mask_weights)
    else:
        _train_generator(options, folder / "generator", data, common)
        rivals = arms(low, high)
    for name, arm in rivals.items():
        part = data
        if arm.synthesis:
            part = _balanced(data, folder, name, arm, seed, fold)
        out = folder / name
        if not (out / TRAINED).is_file():
            print(f"{out}: learning to segment", flush=True)
            given = {
                **common, "method": options.method, "steps": options.steps, "width": options.width,
                "lesion_share": arm.lesion_share,
            }  # fmt: skip
            settings = resolve_settings("segmentation", given, out)
            train(settings, data=part.folder, out=out, resume=True, threads=options.threads)
        yield name, out / TRAINED, part


def _train_generator(options: Namespace, out: Path, data: SliceSet, common: dict[str, Any]) -> None:
    if not (out / TRAINED).is_file():
        print(f"{out}: learning to paint", flush=True)
        given = {**common, "steps": options.generator_steps, "width": options.generator_width}
        settings = resolve_settings("synthesis", given, out)
        train(settings, data=data.folder, out=out, resume=True, threads=options.threads, start=options.start)


def _check_painter(file: Path, data: SliceSet, fold: int | None) -> None:
    """A generator that saw other slices could bring along what the other arms never saw.

    Raises:
        BadInput: it was trained on other data, or on another split of them.
    """
    _, about = load_weights(file, (*GENERATORS, "mask generator"))
    if about.get("data_sha256") != data.card["sha256"] or about["settings"].get("fold") != fold:
        raise BadInput(
            file, "was trained on other slices than the segmentors are", f"train it on {data.folder}"
        )


def _thinned(options: Namespace, slices: SliceSet, folder: Path, fold: int | None) -> SliceSet:
    """The data of the setting, made once."""
    out = folder / "data"
    if options.setting == "whole":
        return slices
    if out.exists():
        return SliceSet.open(out)
    how = {"name": f"{slices.card['name']}, {options.setting}", "made_by": PROG, "fold": fold}
    if options.setting == "tenth":
        return thin_patients(slices, out, 0.1, **how)
    return thin_lesions(slices, out, **how)


def _balanced(data: SliceSet, folder: Path, name: str, arm: Arm, seed: int, fold: int | None) -> SliceSet:
    """The data of an arm with synthetic slices, made once."""
    out = folder / "sets" / name
    if not out.exists():
        words = ["--data", str(data.folder), "--out", str(out), "--seed", str(seed), *arm.synthesis]
        if not {"carvemix", "--weights"} & {*words}:
            words += ["--weights", str(folder / "generator" / TRAINED)]
        if fold is not None:
            words += ["--fold", str(fold)]
        synthesise(synthesis_parser().parse_args(words), f"{PROG}: {' '.join(arm.synthesis)} --seed {seed}")
    return SliceSet.open(out)


def _facts(data: SliceSet, fold: int | None, about: dict[str, Any]) -> dict[str, float]:
    """What an arm learnt from; *about* is what its weight file says."""
    rows = data.of_split("train", fold)
    share, shown = float(data.table["has_stroke"][rows].mean()), about["settings"]["lesion_share"]
    return {
        "training_slices": len(rows),
        "synthetic_slices": int(data.table["synthetic"][rows].sum()),
        "stroke_share": share,
        "stroke_share_in_batches": share if shown is None else shown,
        "threshold": about["threshold"],
        "validation_dice": about["validation_dice"],
    }


def _note(options: Namespace, slices: SliceSet) -> None:
    """Keep the options in --out, or compare them with those that the runs there were made with.

    Raises:
        BadInput: ratios that are none, or other options or data than before.
    """
    if options.mask_weights and not options.painters:
        raise BadInput("--mask-weights", "goes with --painters", "name generators too, or leave it out")
    if options.ratios and not options.ratios[0] < options.ratios[1]:
        raise BadInput("--ratios", "are no two rising shares", "give the smaller one first")
    files = ("start", "painters", "mask_weights")  # known by their contents
    local = ("data", "out", "threads", "folds", *files)
    told = {k: v for k, v in vars(options).items() if k not in local}
    told |= {
        "start": fingerprint(options.start) if options.start else None,
        "data_sha256": slices.card["sha256"],
    }
    if options.painters:
        told["painters"] = [
            fingerprint(file) for file in filter(None, (*options.painters, options.mask_weights))
        ]
    file = options.out / RECORD
    if not file.is_file():
        write_json(file, told)
    elif json.loads(file.read_text(encoding="utf-8")) != told:
        raise BadInput(
            options.out, "holds runs made with other options or other data", "choose another --out"
        )


def _card(options: Namespace, slices: SliceSet, size: dict[str, int]) -> dict[str, Any]:
    words = [f"--folds {' '.join(map(str, options.folds))}"] if options.folds else []
    words += [f"--ratios {options.ratios[0]:g} {options.ratios[1]:g}"] if options.ratios else []
    words += [f"--start {options.start.name}"] if options.start else []
    words += [f"--painters {' '.join(file.name for file in options.painters)}"] if options.painters else []
    words += [f"--mask-weights {options.mask_weights.name}"] if options.mask_weights else []
    return {
        "what": "Overlap on test patients at the threshold that validation chose; 95 % patient bootstrap; "
        "differences of Dice over lesion slices, oversampling less the arm, paired; p: Wilcoxon signed-rank "
        "over patients, Holm-corrected; what an arm learnt from: means over folds",
        "setting": options.setting,
        "command": f"{PROG} --data DIR --out DIR --setting {options.setting} --method {options.method} "
        f"--steps {options.steps} --generator-steps {options.generator_steps} --width {options.width} "
        f"--generator-width {options.generator_width} --batch-size {options.batch_size} "
        + " ".join([f"--seed {options.seed} --threads {options.threads}", *words]),
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "counts": size,
        "seeds": [options.seed + fold for fold in options.folds or [0]],
        **provenance(options.threads, arithmetic()),
    }


def main() -> None:
    sys.exit(run(partial(compare, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()

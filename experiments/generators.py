"""Score generators side by side: ``python -m experiments.generators --data DIR --weights FILE ... --out DIR``."""

from __future__ import annotations

import copy
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.fidelity import SAMPLES, lesion_fidelity, variety
from experiments.realism_measures import FEWEST, synthetic_scores
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import SPLITS
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.synthetic import with_stroke
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.files import sha256
from strokegan_lib.models.styled import StyledGenerator
from strokegan_lib.training.weights import GENERATORS, load_weights, shipped, steps_made

PROG = "python -m experiments.generators"
REALISM = ("kernel", "coverage", "recall", "precision", "density", "ms_ssim", "memorisation", "error")
LESIONS = ("painted_dice", "fidelity", "agreement", "same_masks")
REAL = "true slices"


def parser() -> Parser:
    options = Parser(prog=PROG, description="Score generators side by side, with 95 % intervals.")
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument(
        "--weights", type=path, required=True, nargs="+", metavar="FILE",
        help="weights of generators that were trained on this set's training patients",
    )  # fmt: skip
    options.add_argument(
        "--names", nargs="+", metavar="NAME", help="what the table calls them (default: the files' names)"
    )
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="for table.csv and card.json")
    options.add_argument(
        "--segmentor", type=path, metavar="FILE",
        help="weights of the segmentor that looks for the lesions (default: the shipped unet-soop)",
    )  # fmt: skip
    options.add_argument(
        "--split", choices=SPLITS[1:], default="test", help="of the slices (default: %(default)s)"
    )
    options.add_argument(
        "--parts", action="store_true",
        help="score generators with styles once more with each of their sources of chance changed",
    )  # fmt: skip
    return options


def compare(options: Namespace) -> None:
    """Score every generator on the slices with a stroke, write the table and print it.

    The first line is what chance and truth give: the true slices' halves against each other, their
    own MS-SSIM, the Dice of what the segmentor finds in them.

    Raises:
        BadInput: bad use, bad data, weights of another network or of other channels.
    """
    names = options.names or [file.stem for file in options.weights]
    if len(names) != len(options.weights) or len({*names}) < len(names) or REAL in names:
        raise BadInput(
            f"--names {' '.join(names)}", "is not a different name for each file", "give --names, one a file"
        )
    if (table := options.out / "table.csv").exists():
        raise BadInput(table, "exists already", "choose another --out or delete it first")
    slices = SliceSet.open(options.data)
    if len(slices.channels) != 1:
        raise BadInput(slices.folder, "holds several channels", "give slices of one channel")
    seeker = options.segmentor or shipped("unet-soop")
    segmentor, about = load_weights(seeker, "segmentor")
    if "threshold" not in about or segmentor.config["channels"] != 1:
        raise BadInput(seeker, "names no threshold, or is for several channels", "name another --segmentor")
    loaded = {name: load_weights(file, GENERATORS) for name, file in zip(names, options.weights, strict=True)}
    for file, (generator, _) in zip(options.weights, loaded.values(), strict=True):
        if generator.config.get("channels", 1) != 1:
            raise BadInput(file, "paints several channels", "name weights of one channel")
    if options.parts:
        for name, (generator, made) in [*loaded.items()]:
            loaded |= {f"{name}, {part}": (other, made) for part, other in parts(generator).items()}
    rows = with_stroke(slices, options.split)
    if len(rows) < FEWEST:
        raise BadInput(
            slices.folder, f"holds {len(rows)} {options.split} slices with stroke", f"give a set with {FEWEST} or more"
        )  # fmt: skip
    lines: list[dict[str, Any]] = []
    for name, (generator, made) in loaded.items():
        scores = _scores(generator, segmentor, about["threshold"], slices, rows, options.split)
        if not lines:
            lines.append(_true_line(scores))
        steps = steps_made(made) if "settings" in made else None
        size = {"steps": steps, "parameters": sum(p.numel() for p in generator.parameters())}
        lines.append(_line(name, {n: scores[n] for n in (*REALISM, *LESIONS)}) | size)
    write_csv(table, lines)
    write_json(options.out / "card.json", _card(options, slices, rows, seeker, loaded, names))
    print(as_text(lines))


@torch.no_grad()
def parts(generator: nn.Module) -> dict[str, nn.Module]:
    """A generator with styles whose chance comes from elsewhere, without new training; nothing for others.

    This tells what each source gives to the pictures of the trained network, not what a network
    would have learnt without it.
    """
    if not isinstance(generator, StyledGenerator):
        return {}
    mean, normal, smooth = (copy.deepcopy(generator) for _ in range(3))
    mean.second.copy_(torch.outer(mean.first, mean.first))  # a covariance of 0
    normal.first.zero_()
    normal.second.copy_(torch.eye(len(normal.first)))
    for name, parameter in smooth.named_parameters():
        if name.endswith(".grain"):
            parameter.zero_()
    return {"mean style": mean, "styles from N(0, 1)": normal, "no grain": smooth}


def _scores(
    generator: nn.Module,
    segmentor: nn.Module,
    threshold: float,
    slices: SliceSet,
    rows: np.ndarray,
    split: str,
) -> dict[str, Any]:
    return {
        **synthetic_scores(generator, slices, split),
        **lesion_fidelity(generator, segmentor, threshold, slices, rows),
        **variety(generator, slices, rows),
    }


def _true_line(scores: dict[str, Any]) -> dict[str, Any]:
    """The true slices' own line, from what stands beside the scores of any generator."""
    bare = {name: {"mean": scores[name].get("halves")} for name in REALISM if name in scores}
    bare["error"] = scores["mean_picture_error"]  # of the mean training slice: what a painter must beat
    return _line(
        REAL, bare | {"painted_dice": scores["real_dice"], "fidelity": {"mean": 1.0}, "same_masks": scores["real_pairs"]}
    )  # fmt: skip


def _line(name: str, scores: dict[str, Any]) -> dict[str, Any]:
    parts = ("mean", "low", "high")
    return {"generator": name} | {f"{n}_{part}": s.get(part) for n, s in scores.items() for part in parts}


def _card(
    options: Namespace,
    slices: SliceSet,
    rows: np.ndarray,
    seeker: Path,
    loaded: dict[str, Any],
    names: list[str],
) -> dict[str, Any]:
    files = " ".join(file.name for file in options.weights)
    return {
        "what": f"Generators on the {len(rows)} {options.split} slices with a stroke; 95 % intervals over patients. "
        f"'{REAL}': halves of them against each other; under error the mean training slice; under painted_dice what "
        "the segmentor finds in them; under same_masks pairs of them, whose masks differ. fidelity: painted_dice over "
        f"that of the true slices; agreement: between pictures of the same masks; {SAMPLES} pictures each.",
        "command": f"{PROG} --data DIR --weights {files} --out DIR --split {options.split}" + " --parts" * options.parts,
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "weights_sha256": {
            name: sha256(file) for name, file in zip(names, options.weights, strict=True)
        },
        "made_by": {name: loaded[name][1].get("command", loaded[name][1].get("settings")) for name in names},
        "segmentor": {"name": seeker.name, "sha256": sha256(seeker)},
        **provenance(torch.get_num_threads(), "fp32"),
    }  # fmt: skip


def as_text(lines: list[dict[str, Any]]) -> str:
    """The table as lines of text, means only."""
    columns = ("kernel", "coverage", "recall", "precision", "ms_ssim", "fidelity", "same_masks")
    text = [f"{'':24}" + "".join(f"{name:>12}" for name in columns)]
    for line in lines:
        values = (line.get(f"{name}_mean") for name in columns)
        text.append(
            f"{line['generator']:24}" + "".join(f"{'' if v is None else f'{v:.3f}':>12}" for v in values)
        )
    return "\n".join(text)


def main() -> None:
    sys.exit(run(partial(compare, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()

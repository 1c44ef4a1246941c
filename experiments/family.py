"""The family side by side: ``python -m experiments.family --data DIR --weights DIR --out DIR``.

From DCGAN to the kit's own generators: what each costs, and what its pictures are worth.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.fidelity import lesion_fidelity, variety
from experiments.pace import step_seconds
from experiments.realism_measures import FEWEST, Sample, compare_with_real, truth_of
from experiments.sheet import sheet
from strokegan_lib.classroom.saved import RESULTS, table_of
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.synthetic import paint, sample, with_stroke
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.files import sha256
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.tasks import build, settings_of
from strokegan_lib.training.weights import GENERATORS, NETWORKS, kind_of, load_weights, shipped, steps_made

PROG = "python -m experiments.family"
BATCH = 16  # slices of the step that is timed
COLUMNS = 6  # slices of each member in the picture
REALISM = ("kernel", "precision", "coverage", "recall", "ms_ssim", "memorisation")
LESIONS = ("painted_dice", "fidelity", "same_masks")
SEEKER = "unet-soop"  # the shipped segmentor that looks for lesions in painted slices
SEGMENTORS = ("table1_soop", "new_loss_soop")  # the kit's tables of segmentors, cross-validated
REAL = "true slices"
FROM_NOISE = ("dcgan", "progressive", "sagan")  # kinds of network, see training/weights.py
MASK_MAKER = "mask generator"
MADE = "made masks"
Truth = Callable[[], tuple[Sample, Sample]]
Masks = tuple[np.ndarray, np.ndarray]  # stroke and foreground, (n, 128, 128) uint8 each


@dataclass(frozen=True)
class Step:
    """A step of the history.

    Attributes:
        title: its name.
        year: of its first publication, preprints counted; None for what came into this kit without a paper.
    """

    title: str
    year: int | None


# in the order of the table; a weight file is known by its name, MEMBER-DATA.safetensors
HISTORY = {
    "dcgan": Step("DCGAN", 2015),
    "dcgan-pyramid": Step("DCGAN, pyramid pooling", 2015),
    "pix2pix": Step("pix2pix", 2016),
    "segan": Step("SegAN", 2017),
    "progressive": Step("progressive growing", 2017),
    "pix2pixhd": Step("pix2pixHD", 2017),
    "sagan": Step("SAGAN", 2018),
    "synthesis": Step("paper: synthesis", 2019),
    "masked": Step("paper: masked image", 2019),
    "styled": Step("style code", None),
    "masked-divergence": Step("masked image, divergence", None),
}
MASKS = "masks"  # no line of its own: it makes what the others may be asked for


def parser() -> Parser:
    options = Parser(prog=PROG, description="The family of GANs side by side, with 95 % intervals.")
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument(
        "--weights", type=path, nargs="+", required=True, metavar="PATH",
        help=f"files MEMBER-DATA.safetensors, or folders of them; members: {', '.join(HISTORY)}, {MASKS}",
    )  # fmt: skip
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="for table, card and picture")
    return options


def compare(options: Namespace) -> None:
    """Write table.csv, card.json and family.png, and print the table.

    The scores of each file are kept in --out/scored: what is scored is not scored again.

    Raises:
        BadInput: bad use, bad data, or weights of another network or of other channels.
    """
    slices = SliceSet.open(options.data)
    if len(slices.channels) != 1:
        raise BadInput(slices.folder, "holds several channels", "give slices of one channel")
    if (count := len(with_stroke(slices, "test"))) < FEWEST:
        raise BadInput(
            slices.folder, f"holds {count} test slices with stroke", f"give a set with {FEWEST} or more"
        )
    files = found_in(options.weights, slices.card["name"])
    loaded = {name: load_weights(file, tuple(NETWORKS)) for name, file in files.items()}
    for name, (network, about) in loaded.items():
        if network.config.get("channels", 1) != 1 or "settings" not in about:
            raise BadInput(files[name], "is of several channels, or of no training run", "name other weights")
        if (name == MASKS) != (kind_of(network) == MASK_MAKER):
            raise BadInput(files[name], f"holds a {kind_of(network)}", f"call no other file {MASKS}-DATA")
    try:
        made = loaded.pop(MASKS)[0].sample(count) if MASKS in loaded else None  # (count, 128, 128) twice
    except ValueError:
        raise BadInput(files[MASKS], "makes no strokes", "train it longer") from None
    masks = {MASKS: sha256(files[MASKS])} if MASKS in files else {}
    batches = Batches(slices, slices.of_split("train"), size=BATCH, lesion_share=0.5)
    truth = cache(partial(truth_of, slices))  # described once, and only if something is scored
    lines: list[dict[str, Any]] = []
    beside: dict[str, Any] = {}  # what stands beside the scores is the same for all
    alone: dict[str, np.ndarray] = {}  # what is painted from noise
    asked = {MADE: outlines(made)} if made else {}  # made masks, and what is painted for them
    with one_thread_each():
        for name, (network, about) in loaded.items():
            told = {"member": name, **vars(HISTORY[name])}
            price = cost(about, batches)
            print(f"{told['title']}: {price['step_seconds']:.3f} s a step", flush=True)
            ways = judged(network, slices, truth, made)
            for source, judge in ways.items():
                of = {name: sha256(files[name]), "data": slices.card["sha256"]}
                of |= masks if source == MADE else {}
                scores = kept(options.out / "scored" / f"{name}, {source}.json", of, judge)
                beside |= scores
                lines.append({**told, "source": source, **spread(scores), **price})
            if not ways:
                lines.append({**told, **dice_of(name), **price})
            elif (painted := shown(network, made)) is not None:
                (asked if MADE in ways else alone)[told["title"]] = painted
    lines = ([true_line(beside)] if beside else []) + lines
    write_csv(options.out / "table.csv", lines)
    write_json(options.out / "card.json", card(slices, files, count))
    if rows := alone | asked:
        with writing(options.out):
            sheet(rows).save(options.out / "family.png", optimize=True)
    print(as_text(lines))


def found_in(paths: Sequence[Path], data: str) -> dict[str, Path]:
    """Member -> its file, in the order of the history; the masks last.

    Args:
        paths: files, or folders whose files for that data set are taken.
        data: name of the data set.

    Raises:
        BadInput: a file that is not there or of no member, or no file at all.
    """
    names, found = (*HISTORY, MASKS), {}
    for place in paths:
        if place.is_dir():
            there = {name: place / f"{name}-{data}.safetensors" for name in names}
            found |= {name: file for name, file in there.items() if file.is_file()}
        elif (name := place.stem.rpartition("-")[0]) in names:
            found[name] = place
        else:
            raise BadInput(place, "is no folder, and no member's name stands before its dash", "rename it")
    if not {*found} - {MASKS}:
        raise BadInput(paths[0], f"holds no MEMBER-{data}.safetensors", f"members: {', '.join(HISTORY)}")
    return {name: found[name] for name in names if name in found}


def kept(path: Path, of: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What was made *of* the same files before and lies at a path; else it is made and put there."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if (found := json.loads(path.read_text(encoding="utf-8")))["of"] == of:
            return found["made"]
    write_json(path, {"of": of, "made": (made := make())})
    return made


class Steady(nn.Module):
    """A generator that leaves nothing to chance, asked but once for the same masks.

    Args:
        generator: from two masks, without a code.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator
        self.known: dict[bytes, Tensor] = {}

    def forward(self, stroke: Tensor, foreground: Tensor) -> Tensor:
        """(B, 1, H, W) twice, 0/1, to what the generator paints, (B, 1, H, W)."""
        key = torch.cat([stroke, foreground]).byte().numpy().tobytes()
        if key not in self.known:
            self.known[key] = self.generator(stroke, foreground)
        return self.known[key]


def judged(
    network: nn.Module, slices: SliceSet, truth: Truth, made: Masks | None
) -> dict[str, Callable[[], dict[str, Any]]]:
    """What it can be asked by -> how its scores are made; nothing for what paints no slices."""
    rows = with_stroke(slices, "test")
    nobody = np.array([f"nobody {number}" for number in range(len(rows))])
    if kind_of(network) in FROM_NOISE:
        return {"noise": lambda: compare_with_real(sample(network, len(rows)), nobody, truth())}
    if kind_of(network) not in GENERATORS:
        return {}
    ways = {"test masks": partial(from_test_masks, network, slices, truth, rows)}
    return ways | ({MADE: lambda: compare_with_real(paint(network, *made), nobody, truth())} if made else {})


def from_test_masks(generator: nn.Module, slices: SliceSet, truth: Truth, rows: np.ndarray) -> dict[str, Any]:
    """Realism, lesion fidelity and variety of what is painted for test patients' masks."""
    segmentor, about = load_weights(shipped(SEEKER), "segmentor")
    painter = generator if generator.config.get("style") else Steady(generator)
    painted = paint(painter, slices.stroke[rows], slices.foreground[rows])
    return {
        **compare_with_real(painted, slices.table["patient"][rows], truth()),
        **lesion_fidelity(painter, segmentor, about["threshold"], slices, rows),
        **variety(painter, slices, rows),
    }


def shown(network: nn.Module, made: Masks | None) -> np.ndarray | None:
    """A row of the picture, (COLUMNS, 128, 128) uint8; None where only real people's masks could ask."""
    if kind_of(network) in FROM_NOISE:
        return sample(network, COLUMNS)[:, 0]
    return paint(network, *(mask[:COLUMNS] for mask in made))[:, 0] if made else None


def cost(about: dict[str, Any], batches: Batches) -> dict[str, Any]:
    """Parameters of generator (or segmentor) and critic, steps made, and what one of them takes."""
    gan = build(settings_of(about["settings"]))
    first, *others = (sum(p.numel() for p in network.parameters()) for network in gan.networks.values())
    size = {"parameters_generator": first, "parameters_critic": sum(others)}
    return {
        **size,
        "steps": steps_made(about),
        "step_seconds": step_seconds(gan, batches),
    }


def dice_of(name: str) -> dict[str, Any]:
    """A segmentor's Dice, from the kit's own tables; nothing where it is not in there."""
    ends = ("mean", "low", "high")
    tables = [table_of(table)[0] for table in SEGMENTORS[::-1] if (RESULTS / f"{table}.csv").is_file()]
    arms = {line["arm"]: line for lines in tables for line in lines}
    return {f"dice_{end}": arms[name][f"dice_{end}"] for end in ends} if name in arms else {}


def true_line(scores: dict[str, Any]) -> dict[str, Any]:
    """What chance and truth give, from what stands beside the scores of generators."""
    bare = {name: {"mean": scores[name]["halves"]} for name in REALISM}
    beside = {"painted_dice": scores.get("real_dice", {}), "same_masks": scores.get("real_pairs", {})}
    return {"member": "", "title": REAL, "year": None, "source": "patients", **spread({**bare, **beside})}


def spread(scores: dict[str, Any]) -> dict[str, Any]:
    """One column for each mean and end of an interval."""
    ends = ("mean", "low", "high")
    return {f"{name}_{end}": scores.get(name, {}).get(end) for name in (*REALISM, *LESIONS) for end in ends}


def outlines(masks: Masks) -> np.ndarray:
    """Masks as pictures, (COLUMNS, 128, 128) uint8: stroke white, the rest of the foreground grey."""
    stroke, foreground = (mask[:COLUMNS] for mask in masks)
    return (90 * foreground + 165 * stroke).astype(np.uint8)


def card(slices: SliceSet, files: dict[str, Path], count: int) -> dict[str, Any]:
    return {
        "what": f"The family of GANs. Realism: as many painted slices as there are test slices with a stroke ({count}), "
        f"held against these; '{REAL}': their halves against each other, and for MS-SSIM, same_masks and painted_dice "
        "they themselves. From made masks: the masks come from noise as well. fidelity: Dice of what "
        f"{SEEKER} finds in painted slices (painted_dice) over that in true ones; same_masks: MS-SSIM of pictures of the "
        f"same masks. dice: of segmentors, from {' and '.join(SEGMENTORS)}, cross-validated. step_seconds: median for {BATCH} slices, "
        "seconds of one processor, progressive growing when it has grown. 95 % intervals: jackknife over groups of "
        "patients for kernel, else bootstrap over patients.",
        "command": f"{PROG} --data DIR --weights {' '.join(file.name for file in files.values())} --out DIR",
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "weights_sha256": {name: sha256(file) for name, file in files.items()},
        **provenance(1, arithmetic()),
    }


def as_text(lines: list[dict[str, Any]]) -> str:
    """The table as lines of text, means only."""
    columns = ("kernel", "precision", "coverage", "recall", "ms_ssim", "fidelity", "same_masks", "dice")
    text = [f"{'':24}{'from':>18}" + "".join(f"{name:>11}" for name in columns)]
    for line in lines:
        values = (line.get(f"{name}_mean") for name in columns)
        text.append(
            f"{line['title']:24}{line.get('source', ''):>18}"
            + "".join(f"{'' if v is None else f'{v:.3f}':>11}" for v in values)
        )
    return "\n".join(text)


def main() -> None:
    sys.exit(run(partial(compare, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()

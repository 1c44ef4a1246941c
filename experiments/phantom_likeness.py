"""The command line of data_scripts/compare_phantom.py."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from experiments.phantom_comparison import (
    TARGET,
    Slices,
    compare,
    differences,
    grow_slices,
    middle_height,
    slices_at,
)
from experiments.phantom_pictures import contact_sheet, plot
from strokegan_lib.command_line import Parser, integer, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput, writing


def parser() -> Parser:
    options = Parser(
        prog="compare_phantom.py",
        description="Compare phantom FLAIR slices with real ones of the same height: distances, their curves "
        "and a contact sheet for a blinded reader.",
    )
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a SliceSet of real slices")
    options.add_argument(
        "--phantom", type=path, metavar="DIR", help="a phantom SliceSet (default: patients are made here)"
    )
    options.add_argument(
        "--slices", type=integer(1, 10**6), metavar="N",
        help="phantom slices, one a patient, against twice as many real ones (default: as many as there are)",
    )  # fmt: skip
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="the folder to make")
    options.add_seed_and_workers()
    return options


def door(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parser().parse_args(argv)
    return run(partial(_main, options), "compare_phantom.py")


def _main(options) -> None:
    with _whole(options.out) as folder:
        data = SliceSet.open(options.data)
        height = middle_height(data)
        real, phantom = _take(options, data, height)
        yardsticks = compare(real, phantom)
        print(
            f"{len(phantom)} phantom slices against {len(real)} slices of {data.card['name']}, "
            f"at z = {height:+.0f} mm"
        )
        for y in yardsticks:
            print(
                f"{y.name:16s} phantom to half of the real {y.phantom:7.4f}  between halves {y.halves:7.4f}  "
                f"({y.unit})  ratio {y.ratio:.2f}: {'within' if y.ratio <= TARGET else 'beyond'} {TARGET:g}"
            )
        report = {
            "data": data.card["name"],
            "height_mm": height,
            "phantom_slices": len(phantom),
            "real_slices": len(real),
            "seed": options.seed,
            "target": TARGET,
            "distances": [
                {"of": y.name, "unit": y.unit, "phantom": y.phantom, "halves": y.halves, "ratio": y.ratio}
                for y in yardsticks
            ],
            "differences": differences(*yardsticks),
        }
        picture, key = contact_sheet(real, phantom, options.seed)
        with writing(options.out):
            plot(*yardsticks).savefig(folder / "curves.png", dpi=110, metadata={"Software": None})
            picture.save(folder / "contact_sheet.png")
            (folder / "key.txt").write_text("\n".join(key) + "\n", encoding="utf-8")
            (folder / "likeness.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"Curves, contact sheet and its key: {options.out}")


def _take(options, data: SliceSet, height: float) -> tuple[Slices, Slices]:
    """The real and the phantom slices to compare, two to one."""
    real = slices_at(data, height)
    n = options.slices or max(1, len(real) // 2)
    grown = None
    if options.phantom:
        grown = slices_at(SliceSet.open(options.phantom), height, with_stroke=True)
        n = options.slices or max(1, min(n, len(grown)))
        _enough(options.phantom, grown, n, "slices of patients with a stroke")
    _enough(options.data, real, 2 * n, "slices")
    chosen = np.random.default_rng(options.seed).permutation(len(real))[: 2 * n]
    if grown is None:
        grown = grow_slices(n, height, seed=options.seed, workers=options.workers)
    return real[np.sort(chosen)], grown[np.arange(n)]


def _enough(folder: Path, slices: Slices, wanted: int, what: str) -> None:
    if len(slices) < wanted:
        raise BadInput(
            folder,
            f"holds {len(slices)} {what} at this height, not {wanted}",
            "lower --slices or give a larger set",
        )


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A folder to fill beside *out*, which becomes *out* once it is whole; else nothing is left."""
    filled = out.parent / f".{out.name}.partial"
    with writing(out):
        if out.exists():
            raise BadInput(out, "exists already", "choose another --out or delete it first")
        shutil.rmtree(filled, ignore_errors=True)  # of a process that was killed
        filled.mkdir(parents=True)
    try:
        yield filled
        with writing(out):
            filled.rename(out)
    finally:
        shutil.rmtree(filled, ignore_errors=True)

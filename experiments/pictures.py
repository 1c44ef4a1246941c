"""Pictures: rows of slices with names, the README's, and possible copies of training slices.

``python -m experiments.pictures`` writes docs/synthesis.png: the first masks and styles of one seed, none chosen.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from experiments.realism import Sample, truth_of
from experiments.runner import Place, Result
from strokegan_lib.evaluation.manifold import distances
from strokegan_lib.evaluation.synthetic import paint, with_stroke
from strokegan_lib.training.weights import GENERATORS, load_weights, shipped

GAP = 4  # pixels between slices
MARGIN = 176  # to the left, for the names
GREYS = 32  # that are kept: a third of the bytes, and the eye sees no difference
SHOWN, SEED = 6, 3  # of the README's picture
PAIRS = 10  # of a synthetic slice and the nearest training slice


def named_rows(rows: dict[str, np.ndarray]) -> Image.Image:
    """A row of slices, (n, H, W) uint8, for each name; a row with fewer slices ends earlier."""
    height, width = next(iter(rows.values())).shape[1:]
    most = max(map(len, rows.values()))
    sheet = Image.new("L", (MARGIN + most * (width + GAP), len(rows) * (height + GAP) - GAP), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for line, (name, slices) in enumerate(rows.items()):
        top = line * (height + GAP)
        pen.text((4, top + height // 2 - 8), name, fill=0, font=font)
        for k, plane in enumerate(slices):
            sheet.paste(Image.fromarray(plane), (MARGIN + k * (width + GAP), top))
    return sheet.quantize(GREYS, dither=Image.Dither.NONE)


@torch.inference_mode()
def readme_rows() -> dict[str, np.ndarray]:
    """Masks from noise, and what two generators make of them."""
    masks, _ = load_weights(shipped("masks-soop"), "mask generator")
    paper, _ = load_weights(shipped("synthesis-soop"), "generator")
    styled, _ = load_weights(shipped("styled-soop"), "styled generator")
    stroke, foreground = masks.sample(SHOWN, SEED)
    asked = [torch.from_numpy(mask).float()[:, None] for mask in (stroke, foreground)]  # (SHOWN, 1, 128, 128)
    torch.manual_seed(SEED)
    made = {
        "the paper's generator": paper(*asked),
        "with styles": styled(*asked),
        "with other styles": styled(*asked),
    }
    grey = {name: (255 * pictures[:, 0]).round().byte().numpy() for name, pictures in made.items()}
    return {"two masks": 90 * foreground + 165 * stroke, **grey}


def copies(place: Place) -> Result:
    """nearest.png, which shows people's slices: the synthetic ones nearest to a training slice, and that."""
    _, train = truth_of(place.data)
    rows, apart, shown = with_stroke(place.data, "test"), {}, {}
    for name in ("synthesis-soop", "styled-soop"):
        generator, _ = load_weights(shipped(name), GENERATORS)
        images = paint(generator, place.data.stroke[rows], place.data.foreground[rows])
        fake = Sample.of(images, place.data.table["patient"][rows])
        away, which = distances(fake.features, train.features).min(1)  # (n,) each
        first = away.argsort(stable=True)[:PAIRS]
        apart[name] = away[first].tolist()
        shown[name] = images[first][:, 0]
        shown[f"nearest to {name}"] = train.images[which[first]][:, 0].numpy()
    named_rows(shown).save(place.runs / "nearest.png")
    what = "distances in features of the pairs in nearest.png, from left to right"
    return Result(what, {}, {"distances": apart})


if __name__ == "__main__":
    named_rows(readme_rows()).save(Path(__file__).parents[1] / "docs/synthesis.png", optimize=True)

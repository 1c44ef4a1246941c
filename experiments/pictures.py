"""Pictures: rows of slices with names, the README's, the family's, and possible copies of training slices.

``python -m experiments.pictures`` writes docs/synthesis.png and docs/family.png: the first masks and styles of one seed,
none chosen.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from experiments.family import HISTORY
from experiments.masks import MASKS
from experiments.realism import Sample, truth_of
from experiments.runner import Place, Result
from strokegan_lib.evaluation.manifold import distances
from strokegan_lib.evaluation.synthetic import paint, sample, with_stroke
from strokegan_lib.training.weights import GENERATORS, NETWORKS, kind_of, load_weights, shipped

GAP = 4  # pixels between slices
MARGIN = 176  # to the left, for the names
GREYS = 32  # that are kept: a third of the bytes, and the eye sees no difference
SHOWN, SEED = 6, 3  # of the pictures of the pages
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


def readme_rows() -> dict[str, np.ndarray]:
    """Masks from noise, and what two generators make of them."""
    masks = made_masks()
    paper, styled = (load_weights(shipped(f"{name}-soop"), GENERATORS)[0] for name in ("synthesis", "styled"))
    return {
        "two masks": together(*masks),
        "the paper's generator": paint(paper, *masks)[:, 0],
        "with styles": paint(styled, *masks, seed=SEED)[:, 0],
        "with other styles": paint(styled, *masks, seed=SEED + 1)[:, 0],
    }


def family_rows() -> dict[str, np.ndarray]:
    """What the members of the family that paint make of noise, and what they make of masks from noise."""
    masks = made_masks()
    free, asked = {}, {"made masks": together(*masks)}
    for name, title in HISTORY.items():
        network, _ = load_weights(shipped(f"{name}-soop"), tuple(NETWORKS))
        if hasattr(network, "latent"):
            free[title] = sample(network, SHOWN, SEED)[:, 0]
        elif kind_of(network) in GENERATORS:
            asked[title] = paint(network, *masks, seed=SEED)[:, 0]
    return free | asked


def made_masks() -> tuple[np.ndarray, np.ndarray]:
    """Strokes and foregrounds from noise, (SHOWN, 128, 128) each, 0/1."""
    return load_weights(shipped(MASKS), "mask generator")[0].sample(SHOWN, SEED)


def together(stroke: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Two masks as one picture: the stroke white, the rest of the brain grey."""
    return 90 * foreground + 165 * stroke


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
    for name, rows in {"synthesis": readme_rows(), "family": family_rows()}.items():
        named_rows(rows).save(Path(__file__).parents[1] / f"docs/{name}.png", optimize=True)

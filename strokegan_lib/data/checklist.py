"""What to ask of a new data set before a number on it is trusted. Taught in notebook 09."""

from typing import NamedTuple

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import SPLITS
from strokegan_lib.data.windows import DARKEST


class Answer(NamedTuple):
    """One question to a data set, put as what one hopes for."""

    hope: str
    good: bool  # False: look at it; it need not be wrong
    found: str


def look_over(slices: SliceSet, most: int = 1500) -> list[Answer]:
    """Ask a data set what code can ask, on *most* slices spread over all of it. It cannot say that a set is good."""
    rows = np.arange(len(slices))[:: -(-len(slices) // most)]
    images, card, patients = slices.images[rows].swapaxes(0, 1), slices.card, slices.table["patient"]
    stroke, head = slices.stroke[rows] == 1, slices.foreground[rows] == 1
    inside, outside = images[:, head], images[:, ~head]  # (C, pixels)
    share = float(slices.table["has_stroke"].mean())
    ml = [volume for volume in slices.lesion_ml().values() if volume > 0] or [0.0]
    white, black = (inside == 255).mean(), (inside == DARKEST).mean()
    apart = [
        np.median(image[stroke]) - np.median(image[head & ~stroke]) if stroke.any() else 0.0
        for image in images
    ]
    left = stroke[..., :64].sum() / max(stroke.sum(), 1)
    owners: dict[bytes, set[str]] = {}  # a picture -> its patients
    for row in rows:
        owners.setdefault(slices.images[row].tobytes(), set()).add(str(patients[row]))
    twice = sum(len(names) > 1 for names in owners.values())
    people = {split: len(set(patients[slices.of_split(split)])) for split in SPLITS}
    stated = all(card.get(name) for name in ("licence", "citation", "limits"))
    quantiles = "/".join(f"{volume:.1f}" for volume in np.percentile(ml, [10, 50, 90]))
    contrast = ", ".join(f"{c} {v:+.0f}" for c, v in zip(slices.channels, apart, strict=True))
    return [
        Answer("licence, citation and limits are stated", stated, card.get("licence", "")[:40]),
        Answer(
            "tissue is 8 or more, air 0",
            inside.min() >= DARKEST and not outside.any(),
            f"from {inside.min()}",
        ),
        Answer("little is saturated", max(white, black) < 0.03, f"{white:.1%} white, {black:.1%} black"),
        Answer("slices of both kinds", 0 < share < 1, f"{share:.0%} show a lesion"),
        Answer("volumes are believable", 0 < max(ml) < 500, f"10/50/90 %: {quantiles} mL"),
        Answer("lesions differ from tissue", max(map(abs, apart)) > 10, contrast),
        Answer("left as often as right", 0.3 < left < 0.7, f"{left:.0%} of the lesion on the left"),
        Answer("no picture of two patients", not twice, f"{twice} pictures"),
        Answer("five patients in every split", min(people.values()) >= 5, f"{people}"),
    ]

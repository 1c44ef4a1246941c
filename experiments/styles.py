"""What each source of chance gives to the pictures of the generator with styles, as it was trained."""

import copy

import torch

from experiments.family import LESIONS, REALISM, SEEKER
from experiments.realism import lesion_scores, synthetic_scores
from experiments.runner import Place, Result, flat
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.evaluation.synthetic import with_stroke
from strokegan_lib.files import sha256
from strokegan_lib.models.styled import StyledGenerator
from strokegan_lib.training.weights import load_weights, shipped

NAME = "styled-soop"
WHAT = (
    f"{NAME} on the test slices with a stroke, as it is and with parts switched off that it was trained with; columns as in the "
    "table of the family"
)


def styles(place: Place) -> Result:
    """A line for the generator as it is, and one without each part."""
    slices, rows = place.data, with_stroke(place.data, "test")
    generator, _ = load_weights(shipped(NAME), "styled generator")
    seeker, seen = load_weights(shipped(SEEKER), "segmentor")
    lines = []
    with one_thread_each():
        for name, network in {"as trained": generator, **without_parts(generator)}.items():
            found = synthetic_scores(network, slices)
            found |= lesion_scores(network, seeker, seen["threshold"], slices, rows)
            lines.append({"generator": name, **flat({key: found[key] for key in (*REALISM, *LESIONS)})})
    facts = {
        "weights_sha256": {name: sha256(shipped(name)) for name in (NAME, SEEKER)},
        "counts": {"lesion_slices": len(rows)},
    }
    return Result(WHAT, {"": lines}, facts)


@torch.no_grad()
def without_parts(generator: StyledGenerator) -> dict[str, StyledGenerator]:
    """Copies whose styles or grain come from elsewhere, without new training.

    They tell what a part gives to the pictures of this network, not what one would have learnt without it.
    """
    mean, normal, smooth = (copy.deepcopy(generator) for _ in range(3))
    mean.second.copy_(torch.outer(mean.first, mean.first))  # a covariance of 0
    normal.first.zero_()
    normal.second.copy_(torch.eye(len(normal.first)))
    for modulation in smooth.modulations:
        if modulation.grain is not None:
            modulation.grain.zero_()
    return {"mean style": mean, "styles from N(0, 1)": normal, "no grain": smooth}

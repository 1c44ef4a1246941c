"""Generators side by side on the test slices with a stroke: realism, lesion fidelity, variety, and the price of a step."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.cards import steps_made
from experiments.fidelity import lesion_fidelity, variety
from experiments.pictures import named_rows
from experiments.realism_measures import compare_with_real, synthetic_scores, truth_of
from experiments.runner import RESULTS, Line, Place, Result, cached, flat
from strokegan_lib.classroom.saved import table_of
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.evaluation.synthetic import paint, sample, with_stroke
from strokegan_lib.files import sha256
from strokegan_lib.models.family.progressive import PHASES, Growing
from strokegan_lib.models.styled import StyledGenerator
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.tasks import build, settings_of
from strokegan_lib.training.weights import GENERATORS, NETWORKS, kind_of, load_weights, shipped

REALISM = ("kernel", "coverage", "recall", "precision", "density", "ms_ssim", "memorisation", "error")
LESIONS = ("painted_dice", "fidelity", "agreement", "same_masks")
TRUE = "true slices"
SEEKER = "unet-soop"  # the segmentor that looks for lesions in synthetic slices
FROM_MASKS = ("synthesis-soop", "styled-soop", "pix2pix-soop", "pix2pixhd-soop")
FROM_NOISE = ("dcgan", "progressive", "sagan")  # kinds of network
MASKS = "masks-soop"
# file: title, and year of the first publication, preprints counted; None for what came into this kit without a paper
HISTORY: dict[str, tuple[str, int | None]] = {
    "dcgan-soop": ("DCGAN", 2015),
    "dcgan-pyramid-soop": ("DCGAN, pyramid pooling", 2015),
    "pix2pix-soop": ("pix2pix", 2016),
    "segan-soop": ("SegAN", 2017),
    "progressive-soop": ("progressive growing", 2017),
    "pix2pixhd-soop": ("pix2pixHD", 2017),
    "sagan-soop": ("SAGAN", 2018),
    "synthesis-soop": ("paper: synthesis", 2019),
    "masked-soop": ("paper: masked image", 2019),
    "styled-soop": ("style code", None),
    "masked-divergence-soop": ("masked image, divergence", None),
}
COLUMNS = 6  # slices of each member in the picture
BATCH, STEPS = 16, 8  # slices and steps that are timed
WHAT = (
    f"Synthetic slices, as many as there are test slices with a stroke, against these; 95 % intervals over patients (kernel: "
    f"jackknife). '{TRUE}': halves of them against each other; under error the mean training slice; under painted_dice what "
    f"{SEEKER} finds in them; under same_masks pairs of them, whose masks differ. fidelity: painted_dice over that of the true "
    "slices; agreement and same_masks: between four pictures of the same masks. Family: dice of segmentors, cross-validated; "
    f"step_seconds: mean of {STEPS} steps of {BATCH} slices, seconds of one processor"
)


def generators(place: Place) -> Result:
    """Generators that are given masks, and the one with styles without each of its sources of chance."""
    lines: list[Line] = []
    for name in FROM_MASKS:
        network, about = load_weights(shipped(name), GENERATORS)
        size = {"steps": steps_made(about), "parameters": sum(p.numel() for p in network.parameters())}
        for label, variant in {name: network, **without_parts(name, network)}.items():
            scores = scored(place, label, name, partial(from_test_masks, variant, place.data))
            if not lines:
                lines.append({"generator": TRUE, **reference(scores)})
            lines.append({"generator": label, **columns(scores), **size})
    return Result(WHAT, {"": lines}, facts(place.data, FROM_MASKS))


def family(place: Place) -> Result:
    """Every member of the family; what is given masks once with test masks and once with masks made from noise."""
    slices, lines = place.data, []
    rows = with_stroke(slices, "test")
    made = load_weights(shipped(MASKS), "mask generator")[0].sample(len(rows))  # two of (n, 128, 128)
    some = [mask[:COLUMNS] for mask in made]
    shown = {"made masks": (90 * some[1] + 165 * some[0]).astype(np.uint8)}
    beside: dict[str, Any] = {}  # what stands beside the scores is the same for all
    with one_thread_each():
        for name, (title, year) in HISTORY.items():
            network, about = load_weights(shipped(name), tuple(NETWORKS))
            told = {"member": name.removesuffix("-soop"), "title": title, "year": year}
            price = cost(about, slices)
            ways: dict[str, Callable] = {}
            if kind_of(network) in FROM_NOISE:
                ways["noise"] = partial(nobodys, slices, partial(sample, network, len(rows)))
                shown = {title: sample(network, COLUMNS)[:, 0], **shown}
            elif kind_of(network) in GENERATORS:
                ways["test masks"] = partial(from_test_masks, network, slices)
                ways["made masks"] = partial(nobodys, slices, partial(paint, network, *made))
                shown[title] = paint(network, *some)[:, 0]
            else:
                lines.append({**told, **dice_of(told["member"]), **price})
            for source, evaluate in ways.items():
                scores = scored(
                    place, name if source == "test masks" else f"{name}, {source}", name, evaluate
                )
                beside |= scores
                lines.append({**told, "source": source, **columns(scores), **price})
    named_rows(shown).save(place.runs / "family.png", optimize=True)
    truth = {"member": "", "title": TRUE, "source": "patients", **reference(beside)}
    return Result(WHAT, {"": [truth, *lines]}, facts(slices, (*HISTORY, MASKS)))


def from_test_masks(generator: nn.Module, slices: SliceSet) -> dict[str, Any]:
    """All scores of what a generator makes of test patients' masks."""
    segmentor, about = load_weights(shipped(SEEKER), "segmentor")
    rows = with_stroke(slices, "test")
    return {
        **synthetic_scores(generator, slices),
        **lesion_fidelity(generator, segmentor, about["threshold"], slices, rows),
        **variety(generator, slices, rows),
    }


def nobodys(slices: SliceSet, make: Callable[[], np.ndarray]) -> dict[str, Any]:
    """Realism of slices that no patient's masks asked for, each of a patient of its own."""
    synthetic = make()
    names = np.array([f"nobody {number}" for number in range(len(synthetic))])
    return compare_with_real(synthetic, names, truth_of(slices))


def scored(place: Place, label: str, name: str, evaluate: Callable[[], dict]) -> dict[str, Any]:
    """The scores of a file, kept beside the runs and shared by all tables of generators."""
    of = {
        "weights": sha256(shipped(name)),
        "masks": sha256(shipped(MASKS)),
        "data": place.data.card["sha256"],
    }
    return cached(place.runs.with_name("scored") / f"{label}.json", of, evaluate)


def columns(scores: dict[str, Any]) -> Line:
    """A column for each mean and end; empty where a source of slices has no such score."""
    return flat({name: scores.get(name, {}) for name in (*REALISM, *LESIONS)})


def reference(scores: dict[str, Any]) -> Line:
    """The true slices' own line, from what stands beside the scores of any generator."""
    found = {name: {"mean": scores[name].get("halves")} for name in REALISM if name in scores}
    found |= {"error": scores["mean_picture_error"], "painted_dice": scores["real_dice"]}
    return columns(found | {"fidelity": {"mean": 1.0}, "same_masks": scores["real_pairs"]})


def facts(slices: SliceSet, names: tuple[str, ...]) -> dict[str, Any]:
    """Which files were scored on how many slices."""
    files = {name: sha256(shipped(name)) for name in (*names, SEEKER)}
    return {"weights_sha256": files, "counts": {"lesion_slices": len(with_stroke(slices, "test"))}}


@torch.no_grad()
def without_parts(name: str, generator: nn.Module) -> dict[str, nn.Module]:
    """A generator with styles whose chance comes from elsewhere, without new training; nothing for others.

    This tells what each source gives to the pictures of the trained network, not what a network would have learnt
    without it.
    """
    if not isinstance(generator, StyledGenerator):
        return {}
    mean, normal, smooth = (copy.deepcopy(generator) for _ in range(3))
    mean.second.copy_(torch.outer(mean.first, mean.first))  # a covariance of 0
    normal.first.zero_()
    normal.second.copy_(torch.eye(len(normal.first)))
    for key, parameter in smooth.named_parameters():
        if key.endswith(".grain"):
            parameter.zero_()
    return {f"{name}, mean style": mean, f"{name}, styles from N(0, 1)": normal, f"{name}, no grain": smooth}


def dice_of(arm: str) -> Line:
    """A segmentor's cross-validated Dice, from the tables; nothing where it is not in there."""
    lines = {
        line["arm"]: line for name in ("new_loss_soop", "table1_soop") for line in table_of(name, RESULTS)[0]
    }
    return {
        name: value
        for name, value in lines.get(arm, {}).items()
        if name in ("dice_mean", "dice_low", "dice_high")
    }


def cost(about: dict[str, Any], slices: SliceSet) -> Line:
    """Parameters of generator (or segmentor) and critic, steps made, and the seconds that one of them takes."""
    gan = build(settings_of(about["settings"]))
    for network in gan.networks.values():
        if isinstance(network, Growing):
            network.grow(PHASES)
    first, *others = (sum(p.numel() for p in network.parameters()) for network in gan.networks.values())
    batches = Batches(slices, slices.of_split("train"), size=BATCH, lesion_share=0.5)
    loop = Loop(gan, batches, Settings(steps=STEPS), bar=False)
    start = time.process_time()  # other work on the machine does not count
    loop.run()
    seconds = (time.process_time() - start) / STEPS
    size = {"parameters_generator": first, "parameters_critic": sum(others)}
    return {**size, "steps": steps_made(about), "step_seconds": seconds}

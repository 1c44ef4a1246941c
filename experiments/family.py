"""The family of GANs side by side: realism, lesion fidelity, variety, and the price of a step."""

import time
from typing import Any

import numpy as np
from torch import nn

from experiments.realism import Sample, Scores, lesion_scores, realism, synthetic_scores, truth_of
from experiments.recipes import steps_made
from experiments.runner import Line, Place, Result, flat
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.evaluation.synthetic import paint, sample, with_stroke
from strokegan_lib.files import sha256
from strokegan_lib.models.family.progressive import PHASES, Growing
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.tasks import build, settings_of
from strokegan_lib.training.weights import GENERATORS, NETWORKS, kind_of, load_weights, shipped

REALISM = ("kernel", "coverage", "recall", "precision", "ms_ssim", "memorisation", "error")
LESIONS = ("painted_dice", "fidelity", "same_masks")
MASKS = "masks-soop"  # the generator of masks
SEEKER = "unet-soop"  # the segmentor that looks for lesions in synthetic slices
HISTORY = {  # in the order of first publication, preprints counted
    "dcgan": "DCGAN", "dcgan-pyramid": "DCGAN, pyramid pooling", "pix2pix": "pix2pix", "segan": "SegAN",
    "progressive": "progressive growing", "pix2pixhd": "pix2pixHD", "sagan": "SAGAN",
    "synthesis": "paper: synthesis", "masked": "paper: masked image", "styled": "style code",
    "masked-divergence": "masked image, divergence",
}  # fmt: skip
BATCH, STEPS = 16, 8  # slices and steps that are timed
WHAT = (
    "Synthetic slices, as many as there are test slices with a stroke, against these; 95 % intervals over patients (kernel: "
    "jackknife). 'true slices': halves of them against each other; under error the mean training slice; under painted_dice what "
    f"{SEEKER} finds in them; under same_masks pairs of them, whose masks differ. fidelity: painted_dice over that of the true "
    f"slices; same_masks: between four pictures of the same masks. step_seconds: mean of {STEPS} steps of {BATCH} slices, one core"
)


def family(place: Place) -> Result:
    """Every member of the family; what is given masks once with test masks and once with masks made from noise."""
    slices, lines = place.data, []
    count = len(with_stroke(slices, "test"))
    masks = load_weights(shipped(MASKS), "mask generator")[0].sample(count)  # two of (n, 128, 128)
    with one_thread_each():
        for name, title in HISTORY.items():
            network, about = load_weights(shipped(f"{name}-soop"), tuple(NETWORKS))
            found: dict[str, Scores] = {"": {}}  # by where the masks come from; a segmentor makes no slices
            if kind_of(network) in GENERATORS:
                truth = from_test_masks(network, slices)  # beside all scores stand those of the true slices
                found = {"test masks": truth, "made masks": without_patients(paint(network, *masks), slices)}
            elif hasattr(network, "latent"):
                found = {"noise": without_patients(sample(network, count), slices)}
            told, price = {"member": name, "title": title}, cost(about, slices)
            lines += [{**told, "source": of, **columns(scores), **price} for of, scores in found.items()]
    first = {"member": "", "title": "true slices", "source": "patients", **columns(true_slices(truth))}
    files = (*(f"{name}-soop" for name in HISTORY), MASKS, SEEKER)
    hashes = {name: sha256(shipped(name)) for name in files}
    facts = {"weights_sha256": hashes, "counts": {"lesion_slices": count}}
    return Result(WHAT, {"": [first, *lines]}, facts)


def from_test_masks(generator: nn.Module, slices: SliceSet) -> Scores:
    """All scores of what a generator makes of test patients' masks."""
    segmentor, about = load_weights(shipped(SEEKER), "segmentor")
    found = lesion_scores(generator, segmentor, about["threshold"], slices, with_stroke(slices, "test"))
    return synthetic_scores(generator, slices) | found


def without_patients(synthetic: np.ndarray, slices: SliceSet) -> Scores:
    """Realism of slices that no patient's masks asked for, each of a patient of its own."""
    names = np.array([f"nobody {number}" for number in range(len(synthetic))])
    return realism(Sample.of(synthetic, names), *truth_of(slices))


def columns(scores: Scores) -> Line:
    """A column for each mean and end; empty where a source of slices has no such score."""
    return flat({name: scores.get(name, {}) for name in (*REALISM, *LESIONS)})


def true_slices(scores: Scores) -> Scores:
    """The true slices' own scores, from what stands beside those of any generator that is given test masks."""
    found = {name: {"mean": score.get("halves")} for name, score in scores.items()}
    found |= {"error": scores["mean_picture_error"], "painted_dice": scores["real_dice"]}
    return found | {"fidelity": {"mean": 1.0}, "same_masks": scores["real_pairs"]}


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

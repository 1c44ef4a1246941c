"""The family of GANs side by side: realism, lesion fidelity, variety, and the price of a step."""

import time
from typing import Any

import numpy as np

from experiments.masks import MASKS
from experiments.realism import Sample, Scores, lesion_scores, realism, synthetic_scores, truth_of
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
    slices, rows, measured = place.data, with_stroke(place.data, "test"), []
    masks = load_weights(shipped(MASKS), "mask generator")[0].sample(len(rows))  # two of (n, 128, 128)
    seeker, seen = load_weights(shipped(SEEKER), "segmentor")
    with one_thread_each():
        for name, title in HISTORY.items():
            network, about = load_weights(shipped(f"{name}-soop"), tuple(NETWORKS))
            found: dict[str, Scores] = {"": {}}  # by where the masks come from; a segmentor makes no slices
            if kind_of(network) in GENERATORS:
                truth = synthetic_scores(network, slices)
                truth |= lesion_scores(network, seeker, seen["threshold"], slices, rows)
                found = {"test masks": truth, "made masks": without_patients(paint(network, *masks), slices)}
            elif hasattr(network, "latent"):
                found = {"noise": without_patients(sample(network, len(rows)), slices)}
            labels, price = {"member": name, "title": title}, cost(about, slices)
            measured += [({**labels, "source": of}, scores, price) for of, scores in found.items()]
    # the true slices' own scores stand beside those of any generator that is given test masks
    own: Scores = {name: {"mean": score.get("halves")} for name, score in truth.items()}
    own |= {"error": truth["mean_picture_error"], "painted_dice": truth["real_dice"]}
    own |= {"fidelity": {"mean": 1.0}, "same_masks": truth["real_pairs"]}
    labels = {"member": "", "title": "true slices", "source": "patients"}
    lines = [
        # a column for each mean and end; empty where a source of slices has no such score
        {**labels, **flat({name: scores.get(name, {}) for name in (*REALISM, *LESIONS)}), **price}
        for labels, scores, price in [(labels, own, {}), *measured]
    ]
    files = (*(f"{name}-soop" for name in HISTORY), MASKS, SEEKER)
    hashes = {name: sha256(shipped(name)) for name in files}
    facts = {"weights_sha256": hashes, "counts": {"lesion_slices": len(rows)}}
    return Result(WHAT, {"": lines}, facts)


def without_patients(synthetic: np.ndarray, slices: SliceSet) -> Scores:
    """Realism of slices that no patient's masks asked for, each of a patient of its own."""
    names = np.array([f"nobody {number}" for number in range(len(synthetic))])
    return realism(Sample.of(synthetic, names), *truth_of(slices))


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
    return {**size, "steps": about["settings"]["steps"], "step_seconds": seconds}

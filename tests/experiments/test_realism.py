"""All measures together: what each set of fakes does to them, their intervals, and lesions that are asked for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from brains import brain, brains
from torch import nn

from experiments import realism as module
from experiments.realism import Sample, jackknife, lesion_scores, mean_over_pairs, realism, synthetic_scores
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.diversity import pairs
from strokegan_lib.evaluation.features import features
from strokegan_lib.models.encoder import Encoder
from strokegan_lib.models.segmentation import Prediction


@pytest.fixture(autouse=True)
def _few_halvings(monkeypatch):
    monkeypatch.setattr(module, "HALVINGS", 4)


def sample(n: int, seed: int) -> Sample:
    """Discs, two a patient, described by a random encoder."""
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(np.stack([brain(rng, lesion=False)[0] for _ in range(n)]))
    torch.manual_seed(0)
    patients = np.array([f"{seed}-{k // 2}" for k in range(n)])
    return Sample(features(Encoder(4, width=4).eval(), images), images, patients)


@pytest.fixture(scope="module")
def real() -> Sample:
    return sample(60, 0)


@pytest.fixture(scope="module")
def train() -> Sample:
    return sample(80, 1)


def test_honest_slices_are_as_near_as_halves(real, train):
    honest = sample(60, 2)
    found = realism(honest, real, train)
    for name in ("kernel", "precision", "recall", "coverage"):
        assert found[name]["fake_as_many"] == pytest.approx(found[name]["halves"], rel=1.0, abs=0.2), name
    assert found["kernel"]["low"] < 0.05 and found["memorisation_close"]["low"] <= 0.05
    assert found["memorisation"]["low"] < 1 < found["memorisation"]["high"]
    assert found["precision"]["patients"] == 30 and found["kernel"]["patients"] == 60
    assert realism(honest, real, train) == found


def test_copies_please_all_but_memorisation_and_one_picture_covers_little(real, train):
    copies = Sample(train.features[:60], train.images[:60], train.patients[:60])
    found = realism(copies, real, train)
    assert found["precision"]["mean"] > 0.8 and found["coverage"]["mean"] > 0.8
    for name in ("memorisation", "memorisation_pixels"):
        assert found[name]["mean"] == 0 and found[f"{name}_close"]["mean"] == 1
    rows = np.arange(60) % 2
    found = realism(replace(copies, features=copies.features[rows], images=copies.images[rows]), real, train)
    assert found["coverage"]["mean"] < 0.5 < found["coverage"]["halves"]
    assert found["ms_ssim"]["mean"] > found["ms_ssim"]["halves"] + 0.1


def test_the_jackknife_error_of_a_mean_is_the_textbook_one():
    """Of a difference of means, each patient one row: the variance of the difference of two means."""
    a = torch.randn(60, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    people = np.array([f"p{k}" for k in range(20)] * 3)
    found = jackknife(lambda x, y: float(x.mean() - y.mean()), a, torch.zeros_like(a), people, people)
    expected = 1.96 * float(a.view(3, 20).mean(0).std()) / np.sqrt(20)
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=1e-6)
    assert found.mean == pytest.approx(float(a.mean())) and found.patients == 20


def test_pairs_that_share_a_patient_count_together():
    """The same by its definition: products of residuals over all two pairs that share a patient."""
    rng = np.random.default_rng(0)
    both = np.array([(a, b) for a in range(9) for b in range(a)])[rng.permutation(36)[:20]]  # no pair twice
    values = rng.random(20)
    r = values - values.mean()
    shared = (both[:, None, :, None] == both[None, :, None, :]).any((2, 3))
    found = mean_over_pairs(values, both.astype(str))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.sqrt((r[:, None] * r * shared).sum()) / 20)
    assert (found.mean, found.n, found.patients) == (pytest.approx(values.mean()), 20, 9)


def test_intervals_over_pairs_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        both = pairs(np.arange(80), 300, int(rng.integers(1 << 30)))
        values = rng.normal(size=80)[both].sum(1) + rng.normal(size=300)
        found = mean_over_pairs(values, both)
        held += found.low < 0 < found.high
    assert 0.92 < held / 400 < 0.98  # resampling one side of each pair holds it in about 80 %


def test_scores_of_a_generator_that_knows_the_truth_and_of_one_that_does_not(slices):
    class ByHeart(nn.Module):
        """Knows the slices of a split by their masks; the others are grey."""

        def __init__(self, split: str) -> None:
            super().__init__()
            self.known = {slices.foreground[k].tobytes(): slices.images[k] for k in slices.of_split(split)}

        def forward(self, stroke, foreground):
            pictures = (0.55 + 0.35 * stroke) * foreground
            for n, mask in enumerate(foreground.byte().numpy()):
                if (image := self.known.get(mask.tobytes())) is not None:
                    pictures[n] = torch.from_numpy(image / 255)
            return pictures

    truth, copies = (synthetic_scores(ByHeart(split), slices) for split in ("all", "train"))
    assert truth["error"]["mean"] == truth["training_error"]["mean"] == 0 and truth["kernel"]["mean"] < 1e-6
    assert truth["mean_picture_error"]["mean"] > 0.01
    assert truth["error"]["n"] == slices.table["has_stroke"][slices.of_split("test")].sum()
    assert copies["training_error"]["mean"] == 0 < 0.02 < copies["error"]["mean"]
    assert copies["kernel"]["mean"] > 0.01 and copies["memorisation"]["mean"] > 0


class Painter(nn.Module):
    """Grey tissue that varies by chance, from slice to slice or not at all; a bright stroke, or none."""

    def __init__(self, stroke: float, chance: float) -> None:
        super().__init__()
        self.stroke, self.chance = stroke, chance

    def forward(self, stroke, foreground):
        spots = nn.functional.interpolate(torch.randn(len(stroke), 1, 8, 8), size=stroke.shape[2:])
        return (0.5 + self.stroke * stroke + self.chance * spots).clamp(0.05, 0.95) * foreground


class Bright(nn.Module):
    """A segmentor that takes brightness for stroke."""

    def forward(self, image):
        return image

    def predict(self, logits, image):
        return Prediction(image, logits, logits)


@pytest.mark.parametrize(
    ("stroke", "chance", "fidelity", "same"),
    [(0.35, 0, (1, 1), (1, 1)), (0, 0, (0, 0), (1, 1)), (0.35, 0.2, (0.01, 0.9), (0, 0.9))],
)
def test_a_lesion_is_painted_or_not_and_chance_shows(tmp_path, stroke, chance, fidelity, same):
    slices: SliceSet = brains(tmp_path / "set", patients=12, each=1, every=2)
    before = torch.get_rng_state()
    ill = np.flatnonzero(slices.table["has_stroke"])
    scores = lesion_scores(Painter(stroke, chance), Bright(), 0.8, slices, ill)
    assert torch.equal(torch.get_rng_state(), before), "torch's own chance is left alone"
    assert scores["real_dice"]["mean"] == 1 and scores["real_pairs"]["mean"] < 0.9
    assert fidelity[0] <= scores["fidelity"]["mean"] == scores["painted_dice"]["mean"] <= fidelity[1]
    assert same[0] - 1e-6 <= scores["same_masks"]["mean"] <= same[1] + 1e-6
    assert {score["patients"] for score in scores.values()} == {6}

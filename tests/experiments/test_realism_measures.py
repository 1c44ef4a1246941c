"""All yardsticks together: what each set of fakes does to them, and their intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from brains import brains

from experiments.realism_measures import (
    Sample,
    distances,
    jackknife,
    likeness_within,
    realism,
    synthetic_scores,
)  # fmt: skip
from strokegan_lib.models.encoder import Encoder


def sample(n: int, seed: int, start: int = 0, per_patient: int = 2) -> Sample:
    """Slices with a round blob each, described by a random encoder."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:128, :128]
    images = np.zeros((n, 1, 128, 128), np.uint8)
    for image in images:
        row, column, size = rng.uniform(50, 78, 3) * (1, 1, 0.6)
        inside = (down - row) ** 2 + (across - column) ** 2 < size**2
        image[0] = np.where(inside, rng.uniform(60, 200) + rng.normal(0, 8, inside.shape), 0).clip(0, 255)
        image[0][inside] = image[0][inside].clip(8)
    torch.manual_seed(0)
    people = np.array([f"p{start + k // per_patient}" for k in range(n)])
    return Sample.of(Encoder(4, width=4).eval(), images, people)


@pytest.fixture(scope="module")
def real() -> Sample:
    return sample(60, 0)


@pytest.fixture(scope="module")
def train() -> Sample:
    return sample(80, 1, start=1000)


@pytest.fixture(scope="module")
def honest() -> Sample:
    return sample(60, 2, start=2000)


def test_honest_slices_are_as_near_as_halves(real: Sample, honest: Sample, train: Sample):
    found = realism(real, honest, train)
    for name in ("frechet", "kernel", "spectrum", "grey", "precision", "coverage"):
        entry = found[name]
        assert entry["fake_as_many"] == pytest.approx(entry["halves"], rel=1.0, abs=0.2), name
    assert found["kernel"]["low"] < 0.05
    assert found["memorisation"]["low"] < 1 < found["memorisation"]["high"]
    assert found["memorisation_close"]["low"] <= 0.05
    assert found["precision"]["patients"] == 30 and found["frechet"]["patients"] == 60


def test_copies_please_all_but_memorisation(real: Sample, train: Sample):
    found = realism(real, train[np.arange(60)], train)
    assert found["precision"]["mean"] > 0.8 and found["coverage"]["mean"] > 0.8
    for name in ("memorisation", "memorisation_pixels"):
        assert found[name]["mean"] == 0 and found[f"{name}_close"]["mean"] == 1


def test_one_picture_is_precise_and_covers_little(real: Sample, honest: Sample, train: Sample):
    rows = np.arange(60) % 2
    one = replace(honest[rows], patients=honest.patients)
    found = realism(real, one, train)
    assert found["coverage"]["mean"] < 0.5 < found["coverage"]["halves"]
    assert found["ms_ssim"]["mean"] > found["ms_ssim"]["halves"] + 0.1
    assert found["frechet"]["fake_as_many"] > 2 * found["frechet"]["halves"]


def test_the_same_seed_gives_the_same_numbers(real: Sample, honest: Sample, train: Sample):
    assert realism(real, honest, train, seed=3) == realism(real, honest, train, seed=3)


def test_distances_of_a_set_to_itself(real: Sample):
    found = distances(real, real)
    assert found["frechet"] == pytest.approx(0, abs=1e-6) and found["spectrum"] == found["grey"] == 0
    assert found["precision"] == found["recall"] == found["coverage"] == 1


def test_the_jackknife_error_of_a_mean_is_the_textbook_one():
    """Of a difference of means, each patient one row: the variance of the difference of two means."""
    a = torch.randn(60, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    b = torch.zeros(60, 1, dtype=torch.float64)
    people = [f"p{k}" for k in range(20)] * 3
    found = jackknife(lambda x, y: float(x.mean() - y.mean()), a, b, np.array(people), np.array(people))
    per_patient = a.view(3, 20).mean(0)
    expected = 1.96 * float(per_patient.std()) / np.sqrt(20)
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=1e-6)
    assert found.mean == pytest.approx(float(a.mean())) and found.patients == 20


def test_the_jackknife_interval_holds_the_truth():
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        a = torch.from_numpy(rng.standard_normal((80, 1)))
        b = torch.from_numpy(rng.standard_normal((80, 1)) + 1)
        found = jackknife(
            lambda x, y: float((x.mean() - y.mean()) ** 2), a, b,
            np.array([f"a{k}" for k in range(80)]), np.array([f"b{k}" for k in range(80)]),
        )  # fmt: skip
        held += found.low < 1 < found.high
    assert held >= 52  # 95 % of 60 are 57; fewer than 52 come once in a hundred


def test_likeness_within_counts_patients(real: Sample):
    found = likeness_within(real)
    assert 0 < found.low < found.mean < found.high < 1 and found.patients == 30


def test_scores_of_a_generator_that_knows_the_truth_and_of_one_that_does_not(tmp_path):
    slices = brains(tmp_path / "set", patients=150, each=1, every=2)
    known = {s.tobytes() + f.tobytes(): k for k, (s, f) in enumerate(zip(slices.stroke, slices.foreground, strict=True))}  # fmt: skip

    class ByHeart(torch.nn.Module):
        """Knows the slices of some splits by their masks; the others are grey."""

        def __init__(self, *splits: str) -> None:
            super().__init__()
            self.rows = np.concatenate([slices.of_split(split) for split in splits])

        def forward(self, stroke, foreground):
            pictures = (0.55 + 0.35 * stroke) * foreground
            for n, (s, f) in enumerate(zip(stroke.byte().numpy(), foreground.byte().numpy(), strict=True)):
                if (row := known[s.tobytes() + f.tobytes()]) in self.rows:
                    pictures[n] = torch.from_numpy(slices.images[row]).float() / 255
            return pictures

    truth, copies = (synthetic_scores(ByHeart(*splits), slices) for splits in (("all",), ("train",)))
    assert truth["error"]["mean"] == truth["training_error"]["mean"] == 0 and truth["kernel"]["mean"] < 1e-6
    assert truth["mean_picture_error"]["mean"] > 0.01
    assert truth["error"]["n"] == slices.table["has_stroke"][slices.of_split("test")].sum()
    assert copies["training_error"]["mean"] == 0 < 0.02 < copies["error"]["mean"]
    assert copies["kernel"]["mean"] > 0.01 and copies["memorisation"]["mean"] > 0

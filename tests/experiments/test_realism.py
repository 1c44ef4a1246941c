"""The door of realism: a report from two data sets, and wrong use in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments import realism
from experiments import realism_measures as measures
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.evaluation import features
from strokegan_lib.training import weights


def made(out: Path, seed: int, patients: int = 60, synthetic: str = "none", channels: int = 1) -> SliceSet:
    """A slice a patient: a rectangle of noise. Synthetic are 'none', 'all' or, with black ones beside, 'half'."""
    rng = np.random.default_rng(seed)
    names = tuple("abc"[:channels])
    with SliceSetWriter(out, About(out.name, "made up", "none", "nobody", names, "pytest")) as writer:
        for number in range(patients):
            foreground = np.zeros((1, 128, 128), bool)
            foreground[:, 20 : 90 + number % 20, 28:100] = True
            painted = synthetic == "all" or (synthetic == "half" and number % 2 == 0)
            top = 200 if painted or synthetic == "none" else 9
            image = rng.integers(8, top, (1, channels, 128, 128)) * foreground[:, None]
            writer.add(
                image.astype(np.uint8), np.zeros_like(foreground), foreground, patient=f"p{number}", case="c",
                plane=np.zeros(1), z=np.zeros(1), spacing=(1.5, 1.5, 5.0), source="t", synthetic=painted,
            )  # fmt: skip
    return SliceSet.open(out)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("data")
    return {
        "real": made(place / "real", 0, 150).folder,
        "painted": made(place / "painted", 1, synthetic="all").folder,
        "half": made(place / "half", 2, synthetic="half").folder,
        "few": made(place / "few", 3, 12).folder,
        "two": made(place / "two", 4, 30, channels=2).folder,
    }


@pytest.fixture
def door(monkeypatch, capsys):
    monkeypatch.setattr(measures, "PAIRS", 8)
    monkeypatch.setattr(measures, "HALVINGS", 2)

    def call(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", [realism.PROG, *map(str, words)])
        with pytest.raises(SystemExit) as end:
            realism.main()
        return end.value.code or 0, *capsys.readouterr()

    return call


def test_a_report_from_two_data_sets(door, folders, tmp_path):
    out, drawn = tmp_path / "deep" / "report.json", tmp_path / "deep" / "pairs.png"
    words = ("--real", folders["real"], "--fake", folders["painted"])
    code, said, complaint = door(*words, "--out", out, "--pairs", drawn)
    with Image.open(drawn) as picture:
        assert picture.size == (10 * 132 - 4, 260) and picture.mode == "L"
    assert code == 0, complaint
    report = json.loads(out.read_text())
    tested = [k for k in range(150) if split_of(f"p{k}") == "test"]
    assert report["slices"] == {"real": len(tested), "fake": 60}
    assert (
        report["encoder"]["sha256"] == weights.ENCODER_SHA256 and "no independent judge" in report["caution"]
    )
    assert list(report["measures"]) == list(measures.AIMS)
    for name in ("frechet", "kernel", "precision", "spectrum", "grey"):
        entry = report["measures"][name]
        assert all(np.isfinite([entry["mean"], entry["halves"], entry["fake_as_many"]])), name
    assert report["measures"]["frechet"]["reliable"] is False, "60 slices are too few for the features' width"
    assert "unreliable" in said and "memorisation" in said and realism.CAUTION in said
    assert not list(out.parent.glob(".*"))


def test_only_painted_slices_count_where_some_are_marked(door, folders, tmp_path):
    out = tmp_path / "r.json"
    assert door("--real", folders["real"], "--fake", folders["half"], "--out", out, "--split", "all")[0] == 0
    report = json.loads(out.read_text())
    assert report["slices"] == {"real": 150, "fake": 30}
    assert "memorisation" not in report["measures"], "with all patients nobody is held out"


def test_wrong_use_is_one_line(door, folders, tmp_path, monkeypatch):
    out = tmp_path / "r.json"

    def refused(real: str, fake: str, *words: str) -> None:
        code, _, complaint = door(
            "--real", folders.get(real, real), "--fake", folders.get(fake, fake), "--out", out
        )
        assert code == 2 and complaint.count("\n") == 1 and "Traceback" not in complaint, complaint
        for word in words:
            assert word in complaint, complaint

    refused("real", "few", "few", "12 slices")
    refused("two", "painted", "channels")  # asked before the slices are counted
    refused("real", "nowhere", "SliceSet")
    assert not out.exists()
    out.write_text("{}")
    refused("real", "painted", "exists already")
    out.unlink()
    monkeypatch.setattr(weights, "ENCODER_SHA256", "0" * 64)
    refused("real", "painted", "encoder.safetensors", "sha256")
    assert not out.exists()


def test_the_shipped_encoder_is_the_one_in_the_code_and_notices_faults(phantom):
    """Held-out phantom patients: every fault moves the features further, the more the worse."""
    import torch

    from strokegan_lib.data.corruptions import CORRUPTIONS
    from strokegan_lib.evaluation.frechet import frechet_distance

    encoder = weights.shipped_encoder()
    assert encoder.config["features"] <= 64 and not encoder.training
    rows = np.concatenate([phantom.of_split("validation"), phantom.of_split("test")])
    reference = features.features(encoder, torch.from_numpy(phantom.images[phantom.of_split("train")][::2]))
    image = torch.from_numpy(phantom.images[rows]).float() / 255
    tissue = torch.from_numpy(phantom.foreground[rows]).float()[:, None]
    torch.manual_seed(0)
    for name in ("blur", "noise", "checkerboard", "flattened"):
        found = [
            frechet_distance(
                reference,
                features.features(encoder, CORRUPTIONS[name](image, tissue, torch.full((len(rows),), a))),
            )
            for a in (0.0, 0.25, 0.5, 1.0)
        ]
        assert found == sorted(found) and found[-1] > 4 * found[0], (name, found)
    halves = CORRUPTIONS["copied half"](image, tissue, torch.ones(len(rows)))
    described, copied = (features.features(encoder, x) for x in (image, halves))
    order = torch.randperm(len(rows))
    parts = [order < share * len(rows) for share in (0, 0.5, 1)]
    found = [frechet_distance(described, torch.where(part[:, None], copied, described)) for part in parts]
    assert found == sorted(found) and found[-1] > found[0]
    collapse = [
        frechet_distance(reference, described[order[torch.arange(len(rows)) % (len(rows) // repeats)]])
        for repeats in (1, 4, 84)
    ]
    assert collapse[-1] > 2 * max(collapse[:2]), collapse  # repeats by four are within chance

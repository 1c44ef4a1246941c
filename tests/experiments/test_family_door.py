"""The table of the family: a line a member and source of masks, every number beside chance, bad use in one line."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
import torch
from brains import brains
from PIL import Image

from experiments import family
from experiments import realism_measures as realism
from experiments.sheet import MARGIN
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.training.tasks import build, resolve_settings
from strokegan_lib.training.weights import save_weights, shipped

MEMBERS = {
    "dcgan": {"task": "family", "member": "dcgan"},
    "progressive": {"task": "family", "member": "progressive"},
    "pix2pix": {"task": "family", "member": "pix2pix"},
    "segan": {"task": "segmentation", "method": "segan"},
}


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "discs", patients=150, each=1, every=2)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A folder of untrained networks, four channels wide."""
    folder = tmp_path_factory.mktemp("weights")
    for name, asked in MEMBERS.items():
        given = {key: value for key, value in asked.items() if key != "task"}
        settings = resolve_settings(asked["task"], {**given, "steps": 9, "width": 4})
        first = next(iter(build(settings, 1).networks.values()))
        save_weights(folder / f"{name}-discs.safetensors", first, {"settings": settings.record()})
    masks = MaskGenerator(4, width=4)
    with torch.no_grad():  # a brain everywhere, and stroke in all of it
        masks.head.bias[:] = 4.0
    save_weights(folder / "masks-discs.safetensors", masks, {"settings": {"task": "masks", "steps": 9}})
    return folder


@pytest.fixture
def door(monkeypatch, capsys):
    monkeypatch.setattr(realism, "PAIRS", 8)
    monkeypatch.setattr(realism, "HALVINGS", 2)

    def call(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", [family.PROG, *map(str, words)])
        with pytest.raises(SystemExit) as end:
            family.main()
        return end.value.code or 0, *capsys.readouterr()

    return call


def test_a_line_for_every_member_and_source(door, discs, weights, tmp_path):
    out = tmp_path / "deep" / "out"
    code, said, complaint = door("--data", discs.folder, "--weights", weights, "--out", out)
    assert code == 0, complaint
    with open(out / "table.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [(line["member"], line["source"]) for line in lines] == [
        ("", "patients"), ("dcgan", "noise"), ("pix2pix", "test masks"), ("pix2pix", "made masks"),
        ("segan", ""), ("progressive", "noise"),
    ]  # fmt: skip
    real, noise, asked, made, segmentor, grown = lines
    for line in (noise, asked, made, grown):
        for name in family.REALISM:
            low, value, high = (float(line[f"{name}_{end}"]) for end in ("low", "mean", "high"))
            assert low <= value <= high
    assert float(real["kernel_mean"]) < float(noise["kernel_mean"]), "untrained pictures are no brains"
    assert 0 < float(real["painted_dice_mean"]) <= 1 and float(asked["fidelity_mean"]) >= 0
    assert float(asked["same_masks_mean"]) == pytest.approx(1), "pix2pix leaves nothing to chance"
    assert noise["fidelity_mean"] == made["fidelity_mean"] == segmentor["kernel_mean"] == ""
    assert float(segmentor["dice_low"]) < float(segmentor["dice_mean"]) and noise["dice_mean"] == ""
    for line in lines[1:]:
        assert float(line["step_seconds"]) > 0 and line["steps"] == "9"
        given = {key: value for key, value in MEMBERS[line["member"]].items() if key != "task"}
        settings = resolve_settings(MEMBERS[line["member"]]["task"], {**given, "steps": 9, "width": 4})
        sizes = [sum(p.numel() for p in n.parameters()) for n in build(settings, 1).networks.values()]
        assert [int(line["parameters_generator"]), int(line["parameters_critic"])] == sizes
    assert "pix2pix" in said and "0.0" in said
    about = json.loads((out / "card.json").read_text(encoding="utf-8"))
    assert set(about["weights_sha256"]) == {*MEMBERS, "masks"} and about["data"] == "discs"
    with Image.open(out / "family.png") as drawn:  # DCGAN, progressive growing, made masks, pix2pix
        assert drawn.size == (MARGIN + family.COLUMNS * 132, 4 * 132 - 4)


def test_a_steady_generator_is_asked_once_for_the_same_masks():
    calls = []

    class Painter(torch.nn.Module):
        def forward(self, stroke, foreground):
            calls.append(1)
            return 0.5 * foreground + 0.5 * stroke

    steady = family.Steady(Painter())
    foreground = torch.ones(2, 1, 8, 8)
    stroke = torch.zeros(2, 1, 8, 8)
    stroke[0, 0, 3, 3] = 1
    first = steady(stroke, foreground)
    assert torch.equal(steady(stroke, foreground), first) and len(calls) == 1
    assert not torch.equal(steady(stroke.flip(0), foreground), first) and len(calls) == 2


def test_what_is_scored_is_kept_until_its_file_changes(tmp_path):
    calls = []

    def make() -> dict:
        calls.append(1)
        return {"noise": {"kernel": {"mean": len(calls)}}}

    path = tmp_path / "scored" / "dcgan.json"
    first = family.kept(path, {"dcgan": "a"}, make)
    assert family.kept(path, {"dcgan": "a"}, make) == first and len(calls) == 1
    assert family.kept(path, {"dcgan": "b"}, make) != first and len(calls) == 2
    path.write_text("{", encoding="utf-8")
    family.kept(path, {"dcgan": "b"}, make)
    assert len(calls) == 3


def test_single_files_and_no_masks(door, discs, weights, tmp_path):
    out = tmp_path / "out"
    file = weights / "pix2pix-discs.safetensors"
    assert door("--data", discs.folder, "--weights", file, "--out", out)[0] == 0
    with open(out / "table.csv", newline="", encoding="utf-8") as table:
        assert [line["source"] for line in csv.DictReader(table)] == ["patients", "test masks"]
    assert not (out / "family.png").exists(), "pictures for real people's masks are not drawn"


def test_wrong_use_is_one_line(door, discs, weights, tmp_path):
    def refused(data: Path, files: list[Path], *words: str) -> None:
        code, _, complaint = door("--data", data, "--weights", *files, "--out", tmp_path / "out")
        assert code == 2 and complaint.count("\n") == 1 and "Traceback" not in complaint, complaint
        for word in words:
            assert word in complaint, complaint

    refused(discs.folder, [tmp_path], "holds no MEMBER-discs")
    refused(discs.folder, [weights / "other.safetensors"], "other.safetensors", "dash")
    refused(discs.folder, [weights / "dcgan-gone.safetensors"], "is not there")
    refused(discs.folder, [shipped("encoder").with_name("masks-soop.txt")], "MEMBER")
    few = brains(tmp_path / "few", patients=30)
    refused(few.folder, [weights], "test slices with stroke")
    wrong = tmp_path / "masks-discs.safetensors"
    wrong.write_bytes((weights / "dcgan-discs.safetensors").read_bytes())
    refused(discs.folder, [weights / "pix2pix-discs.safetensors", wrong], "holds a dcgan")
    blank = MaskGenerator(4, width=4)
    save_weights(wrong, blank, {"settings": {"steps": 9}})
    refused(discs.folder, [weights / "pix2pix-discs.safetensors", wrong], "makes no strokes")
    assert not (tmp_path / "out" / "table.csv").exists()

"""The weights that come with the kit: whole, small, and as their cards say."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch
from brains import brains

from experiments import remake, ship, transfer
from experiments.recipes import KINDS, RECIPES, Recipe
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.files import sha256
from strokegan_lib.training.weights import SHIPPED, load_weights, shipped_encoder

FILES = sorted(SHIPPED.glob("*.safetensors"))
# files whose recipe was lengthened since; to be emptied
BEHIND = ["dcgan-soop", "dcgan-pyramid-soop", "progressive-soop"]
TINY = {"width": 4, "batch_size": 4, "threads": 1, "seed": 0, "steps": 2}


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=150, every=2)


def end_of(module, monkeypatch, capsys, *words) -> tuple[int, str]:
    """Exit code and stderr of a door."""
    monkeypatch.setattr(sys, "argv", [module.PROG, *map(str, words)])
    with pytest.raises(SystemExit) as end:
        module.main()
    return end.value.code, capsys.readouterr().err


def test_they_are_small():
    sizes = [file.stat().st_size for file in FILES]
    assert max(sizes) <= 6e6 and sum(sizes) <= 40e6


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_has_a_card_that_is_about_it(file):
    card = file.with_suffix(".md").read_text(encoding="utf-8")
    for word in (sha256(file), "never for clinical use", "licence", "limits", "python -m strokegan_lib."):
        assert word in card, f"{file.name}: {word}"
    assert f"({file.stem}.md)" in (SHIPPED / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_made_its_file(name):
    """With its steps too, but for the family, whose recipes were lengthened: its files are still behind them."""
    recipe = RECIPES[name]
    _, about = load_weights(SHIPPED / f"{name}.safetensors", KINDS[recipe.task])
    settings = {key: value for key, value in recipe.settings.items() if key not in ("threads", "steps")}
    assert {key: about["settings"][key] for key in settings} == settings
    steps = about["settings"]["steps"]
    behind = steps < recipe.settings["steps"]
    assert behind == (name in BEHIND) and steps <= recipe.settings["steps"]
    made = replace(recipe, settings={**recipe.settings, "steps": steps})
    assert about.get("command", made.command) == made.command
    assert made.command in (SHIPPED / f"{name}.md").read_text(encoding="utf-8")


def test_the_encoder_is_the_one_that_figures_were_made_with():
    assert shipped_encoder().training is False


def test_a_file_is_trained_scored_and_described(slices, tmp_path, monkeypatch):
    recipes = {
        "unet-phantom": Recipe("segmentation", ("phantom",), {**TINY, "method": "unet"}),
        "unet-soop": Recipe("segmentation", ("soop",), {**TINY, "method": "unet"}),
        "synthesis-phantom": Recipe("synthesis", ("phantom",), TINY),
    }
    monkeypatch.setattr(ship, "RECIPES", recipes)
    out = tmp_path / "weights"
    out.mkdir()
    words = ["--phantom", slices.folder, "--runs", tmp_path / "runs", "--out", out]
    ship.ship(ship.parser().parse_args([*map(str, words)]))
    assert sorted(file.name for file in out.iterdir()) == [
        "synthesis-phantom.md", "synthesis-phantom.safetensors", "unet-phantom.md", "unet-phantom.safetensors",
    ]  # fmt: skip
    ship.ship(ship.parser().parse_args(["unet-soop", *map(str, words), "--soop", str(slices.folder)]))
    _, about = load_weights(out / "unet-soop.safetensors", "segmentor")
    assert 0 <= about["scores"]["dice"]["low"] <= about["scores"]["dice"]["mean"] <= 1
    assert sha256(out / "unet-soop.safetensors") in (out / "unet-soop.md").read_text(encoding="utf-8")
    _, about = load_weights(out / "synthesis-phantom.safetensors", "generator")
    assert about["scores"]["error"]["mean"] > 0 and about["scores"]["kernel"]["halves"] is not None


def test_what_a_run_has_reached_so_far_is_written_and_said(slices, tmp_path, monkeypatch):
    monkeypatch.setattr(
        ship, "RECIPES", {"unet-phantom": Recipe("segmentation", ("phantom",), {**TINY, "method": "unet"})}
    )
    out, run = tmp_path / "weights", tmp_path / "runs" / "unet-phantom"
    out.mkdir()
    words = ["--phantom", str(slices.folder), "--runs", str(run.parent), "--out", str(out)]
    ship.ship(ship.parser().parse_args(["--so-far", *words]))
    assert not [*out.iterdir()], "nothing has begun"
    ship.ship(ship.parser().parse_args(words))
    ended, about = load_weights(out / "unet-phantom.safetensors", "segmentor")
    assert "so_far" not in about and "NOT FINISHED" not in (out / "unet-phantom.md").read_text(
        encoding="utf-8"
    )
    (run / "weights.safetensors").unlink()  # as if it had been stopped before
    ship.ship(ship.parser().parse_args(["--so-far", *words]))
    network, about = load_weights(out / "unet-phantom.safetensors", "segmentor")
    assert about["so_far"] == 2 and "NOT FINISHED" in (out / "unet-phantom.md").read_text(encoding="utf-8")
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), ended.parameters(), strict=True))


def test_what_was_made_otherwise_is_not_shipped(slices, tmp_path, monkeypatch, capsys):
    recipe = Recipe("segmentation", ("phantom",), {**TINY, "method": "unet"})
    monkeypatch.setattr(ship, "RECIPES", {"unet-phantom": recipe})
    out = tmp_path / "weights"
    out.mkdir()
    words = ("--runs", tmp_path / "runs", "--out", out)
    ship.ship(ship.parser().parse_args([*map(str, ("--phantom", slices.folder, *words))]))
    for file in out.iterdir():
        file.unlink()
    other = brains(tmp_path / "other", patients=60, every=2)
    code, error = end_of(ship, monkeypatch, capsys, "--phantom", other.folder, *words)
    assert code == 2 and "another data set" in error and error.count("\n") == 1
    recipe.settings["steps"] = 3
    for so_far in ((), ("--so-far",)):
        code, error = end_of(ship, monkeypatch, capsys, "--phantom", slices.folder, *words, *so_far)
        assert code == 2 and "steps was 2, now 3" in error and error.count("\n") == 1
    assert not [*out.iterdir()]


def test_bad_use_of_ship(slices, tmp_path, monkeypatch, capsys):
    words = ("--phantom", slices.folder, "--runs", tmp_path / "runs")
    for name, said in (("nothing", "are not known"), ("unet-soop", "is missing for unet-soop")):
        code, error = end_of(ship, monkeypatch, capsys, name, *words)
        assert code == 2 and said in error and error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_bad_use_of_remake_and_transfer(slices, tmp_path, monkeypatch, capsys):
    words = ("--soop", slices.folder, "--runs", tmp_path / "runs")
    code, error = end_of(remake, monkeypatch, capsys, "nothing", *words)
    assert code == 2 and "are not known" in error and error.count("\n") == 1
    code, error = end_of(transfer, monkeypatch, capsys, "--data", tmp_path / "no", "--out", tmp_path / "out")
    assert code == 2 and error.count("\n") == 1 and not (tmp_path / "out").exists()


def test_every_experiment_is_one_that_its_door_understands():
    for parse, _, words, _ in remake.EXPERIMENTS.values():
        parse().parse_args(["--data", "DIR", "--out", "DIR", *words.split()])

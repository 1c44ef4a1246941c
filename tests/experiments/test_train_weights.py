"""The weights that come with the kit: whole, small, as their cards say, and made by their recipes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from brains import brains

from experiments import train_weights
from experiments.recipes import KINDS, RECIPES, Recipe
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.training.weights import SHIPPED, load_weights

ROOT = Path(__file__).parents[2]
FILES = sorted(SHIPPED.glob("*.safetensors"))
TINY = {"width": 4, "batch_size": 4, "threads": 1, "seed": 0, "steps": 2}


def make(*words) -> None:
    train_weights.make(train_weights.parser().parse_args([str(word) for word in words]))


def test_they_are_small():
    sizes = [file.stat().st_size for file in FILES]
    assert max(sizes) <= 6e6 and sum(sizes) <= 40e6 and {file.stem for file in FILES} == {*RECIPES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_has_a_card_that_is_about_it(file):
    card = file.with_suffix(".md").read_text(encoding="utf-8")
    for word in (sha256(file), "never for clinical use", "licence", "limits", "python -m strokegan_lib."):
        assert word in card, word
    assert f"({file.stem}.md)" in (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert f"/{file.stem}.md)" in (ROOT / "docs/ethics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_made_its_file(name):
    recipe = RECIPES[name]
    _, about = load_weights(SHIPPED / f"{name}.safetensors", KINDS[recipe.task])
    options = {key: value for key, value in recipe.options.items() if key != "threads"}
    assert {key: about["settings"][key] for key in options} == options
    assert about.get("command", recipe.command) == recipe.command
    assert recipe.command in (SHIPPED / f"{name}.md").read_text(encoding="utf-8")


def test_a_file_is_trained_scored_and_described(slices, tmp_path, monkeypatch):
    recipes = {
        "unet-phantom": Recipe("segmentation", ("phantom",), {**TINY, "method": "unet"}),
        "synthesis-phantom": Recipe("synthesis", ("phantom",), TINY),
        "unet-soop": Recipe("segmentation", ("soop",), {**TINY, "method": "unet"}),
    }
    monkeypatch.setattr(train_weights, "RECIPES", recipes)
    out, runs = tmp_path / "weights", tmp_path / "runs"
    out.mkdir()
    words = ("--phantom", slices.folder, "--runs", runs, "--out", out)
    make(*words)
    names = {f"{name}-phantom{end}" for name in ("synthesis", "unet") for end in (".md", ".safetensors")}
    assert {file.name for file in out.iterdir()} == names
    _, about = load_weights(out / "unet-phantom.safetensors", "segmentor")
    card = (out / "unet-phantom.md").read_text(encoding="utf-8")
    assert 0 <= about["scores"]["dice"]["low"] <= about["scores"]["dice"]["mean"] <= 1 and about["hours"] >= 0
    assert sha256(out / "unet-phantom.safetensors") in card
    _, about = load_weights(out / "synthesis-phantom.safetensors", "generator")
    assert about["scores"]["error"]["mean"] > 0 and about["scores"]["kernel"]["halves"] is not None

    trained = runs / "unet-phantom" / "weights.safetensors"
    stamp, record = trained.stat().st_mtime_ns, trained.with_name("settings.json")
    settings = json.loads(record.read_text(encoding="utf-8"))
    del settings["warm_up"]  # as an earlier version left it
    record.write_text(json.dumps(settings), encoding="utf-8")
    make("unet-phantom", *words)
    assert trained.stat().st_mtime_ns == stamp

    before = {file: file.read_bytes() for file in out.iterdir()}
    other = brains(tmp_path / "other", patients=60, every=2)
    longer = Recipe("segmentation", ("phantom",), {**TINY, "method": "unet", "steps": 3})
    for name, complaint, folder, recipe in (
        ("nothing", "is not known", slices.folder, None),
        ("unet-soop", "is missing for unet-soop", slices.folder, None),
        ("unet-phantom", "another data set", other.folder, None),
        ("unet-phantom", "steps was 2 and is now 3", slices.folder, longer),
    ):
        monkeypatch.setattr(train_weights, "RECIPES", recipes | ({name: recipe} if recipe else {}))
        with pytest.raises(BadInput, match=complaint):
            make(name, "--phantom", folder, "--runs", runs, "--out", out)
    assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_one_failed_run_does_not_hold_back_the_others(slices, tmp_path, monkeypatch):
    good = Recipe("segmentation", ("phantom",), {**TINY, "method": "unet"})
    recipes = {"bad": replace(good, task="nothing"), "good": good}
    monkeypatch.setattr(train_weights, "RECIPES", recipes)
    monkeypatch.setattr(train_weights, "settings_for", lambda *_: None)
    words = ("--phantom", slices.folder, "--runs", tmp_path / "runs", "--out", tmp_path / "weights")
    with pytest.raises(BadInput, match="ended without weights"):
        make(*words)
    assert {file.name for file in (tmp_path / "weights").iterdir()} == {"good.md", "good.safetensors"}

"""The runner: arms x turns end to end, nothing trained twice, tables that follow from their slices."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from brains import brains
from scipy import stats

from experiments import balancing
from experiments.ensemble import Ensemble, with_mirror
from experiments.recipes import words
from experiments.runner import Arm, Experiment, Place, Result, run, score
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.groups import groups_of
from strokegan_lib.evaluation.measure import predict, validation_score
from strokegan_lib.evaluation.overlap import Counts, count_masks
from strokegan_lib.training.weights import load_weights

BUDGET = {"steps": 4, "width": 4, "batch_size": 4, "threads": 1}
ARMS = {"unet": Arm({"method": "unet"}), "segan": Arm({"method": "segan", "attention": True})}
TINY = Experiment(ARMS, BUDGET, turns=((0, 0), (3, 1)))


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    data = brains(tmp_path_factory.mktemp("data") / "set", patients=40, each=1, every=2)
    return Place(data, tmp_path_factory.mktemp("runs") / "tiny", scores=tmp_path_factory.mktemp("scores"))


@pytest.fixture(scope="module")
def result(place) -> Result:
    return run(TINY, place)


def stamps(place: Place) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in place.runs.rglob("weights.safetensors")}


def test_every_cell_is_trained_by_a_network_that_never_saw_its_test_patients(place, result):
    cells = []
    for file in stamps(place):
        settings = load_weights(file, "segmentor")[1]["settings"]
        cells.append((settings["method"], settings["fold"], settings["seed"]))
        assert settings["steps"] == 4 and settings["attention"] == (settings["method"] == "segan")
    assert sorted(cells) == [(arm, *turn) for arm in ("segan", "unet") for turn in TINY.turns]
    assert result.facts["seeds"] == [0, 1]


def of_slices(place: Place, arm: str) -> pandas.DataFrame:
    """The kept scores of an arm, all turns."""
    return pandas.concat(
        [pandas.read_csv(place.scores / f"tiny/fold-{f}-seed-{s}/{arm}.csv") for f, s in TINY.turns]
    )


def as_scored(place: Place, segmentor, name: str) -> bool:
    """Are the kept counts of the first turn those of this segmentor at the kept threshold?"""
    file, rows = place.scores / "tiny/fold-0-seed-0" / name, place.data.of_split("test", 0)
    threshold = json.loads(file.with_suffix(".json").read_text())["threshold"]
    found, table = (
        predict(segmentor, Batches(place.data, rows, size=8)),
        pandas.read_csv(file.with_suffix(".csv")),
    )
    counts = count_masks(found.masks(threshold), found.truth)
    return table["row"].tolist() == rows.tolist() and all(
        table[f"counts_{of}"].tolist() == getattr(counts, of).tolist() for of in ("tp", "fp", "fn")
    )


def test_the_table_follows_from_its_slices_and_the_test_is_scipys(place, result):
    first, second = result.tables[""]
    patients = place.data.table["patient"][of_slices(place, "unet")["row"]]
    dice = {}
    for line in (first, second):
        lines = of_slices(place, line["arm"])
        assert (
            lines["row"].tolist()
            == np.concatenate([place.data.of_split("test", fold) for fold in (0, 3)]).tolist()
        )
        counts = Counts(*(torch.tensor(lines[f"counts_{name}"].tolist()) for name in ("tp", "fp", "fn")))
        dice[line["arm"]] = counts[counts.lesion()].dice().numpy()
        assert line["dice_mean"] == pytest.approx(dice[line["arm"]].mean())
        assert line["pooled_dice_mean"] == pytest.approx(float(counts.pool().dice()))
        assert line["dice_low"] <= line["dice_mean"] <= line["dice_high"]
    gap, ill = dice["unet"] - dice["segan"], patients[counts.lesion().numpy()]
    assert second["minus_arm"] == pytest.approx(gap.mean()) and "minus_arm" not in first
    by_patient = [gap[ill == patient].mean() for patient in np.unique(ill)]
    assert second["wilcoxon_holm_p"] == pytest.approx(stats.wilcoxon(by_patient).pvalue)
    pooled = first["pooled_dice_mean"] - second["pooled_dice_mean"]
    assert second["minus_arm_pooled"] == pytest.approx(pooled)
    false = first["empty_false_positive_rate_mean"] - second["empty_false_positive_rate_mean"]
    assert second["minus_arm_false_positives"] == pytest.approx(false)
    share = second["dice_mean"] / first["dice_mean"] if first["dice_mean"] else None
    assert second["share_of_first"] == (share and pytest.approx(share))
    assert second["minus_arm_pooled_low"] <= pooled <= second["minus_arm_pooled_high"]
    assert {line["group"] for line in result.tables["groups"]} > {"lesion slices", "empty slices"}
    cards = [
        json.loads((place.scores / f"tiny/fold-{f}-seed-{s}/unet.json").read_text()) for f, s in TINY.turns
    ]
    assert first["validation_dice"] == pytest.approx(np.mean([card["validation_dice"] for card in cards]))
    assert first["thresholds"] == " ".join(f"{card['threshold']:.2f}" for card in cards)
    inside = groups_of(place.data, of_slices(place, "unet")["row"].to_numpy())["faint"]
    (faint,) = (line for line in result.tables["groups"] if line["group"] == "faint")
    assert faint["first"] == pytest.approx(dice["unet"][inside[counts.lesion().numpy()]].mean())


def test_kept_scores_do_without_trainings_but_for_other_options(place, result, tmp_path):
    bare = replace(place, runs=tmp_path / "tiny")
    for line, again in zip(result.tables[""], run(TINY, bare).tables[""], strict=True):
        assert again == pytest.approx(line, abs=1e-3)  # mm are kept with four digits
    assert not stamps(bare)
    card = place.scores / "tiny/fold-0-seed-0/unet.json"
    settings = json.loads(card.read_text())["settings"]
    assert (settings["method"], settings["fold"], settings["batch_size"]) == ("unet", 0, 4)
    about = json.loads(card.read_text())
    card.write_text(json.dumps({**about, "settings": {**settings, "gone since": 1}}))
    run(TINY, bare)
    assert not stamps(bare), "a setting that is no more changes no network"
    first = replace(TINY, arms={"unet": ARMS["unet"]}, turns=TINY.turns[:1])
    other = replace(bare, scores=tmp_path / "scores")
    for there, experiment in (
        (replace(other, anew=True), first),
        (other, replace(first, budget={**BUDGET, "batch_size": 5})),
        (other, replace(first, split="validation")),
        (other, replace(first, arms={"unet": replace(ARMS["unet"], made_by={"ratio": 0.5})})),
        (replace(other, data=brains(tmp_path / "discs", patients=40, each=1, every=2, seed=1)), first),
    ):
        shutil.copytree(place.scores, other.scores)
        run(experiment, there)
        assert stamps(there)
        for folder in (other.scores, there.runs):
            shutil.rmtree(folder)


def test_seeds_that_score_the_same_slices_and_patients_left_out(place, result):
    seeds = replace(TINY, turns=((3, 1), (3, 2)), leave_out=(("validation", None),))
    found, data = run(seeds, place), place.data
    rows = np.setdiff1d(data.of_split("test", 3), data.of_split("validation"))
    assert 0 < len(rows) < len(data.of_split("test", 3)) and found.facts["seeds"] == [1, 2]
    ill = int((data.lesion_pixels[rows] > 0).sum())
    assert found.facts["counts"] == {"slices": len(rows), "lesion_slices": ill, "patients": len(rows)}
    for line in found.tables[""]:
        parts = [
            pandas.read_csv(place.scores / f"tiny/fold-3-seed-{seed}/{line['arm']}.csv") for seed in (1, 2)
        ]
        scores = pandas.concat([part[part["row"].isin(rows)] for part in parts])
        counts = Counts(*(torch.tensor(scores[f"counts_{name}"].tolist()) for name in ("tp", "fp", "fn")))
        assert line["dice_mean"] == pytest.approx(float(counts[counts.lesion()].dice().mean()))
        one_by_one = [float(word) for word in line["dice_by_turn"].split()]
        assert np.mean(one_by_one) == pytest.approx(line["dice_mean"], abs=1e-3), (
            "of the counted slices alone"
        )
    weights = [place.runs / f"fold-3-seed-{seed}/unet/weights.safetensors" for seed in (1, 2)]
    assert weights[0].read_bytes() != weights[1].read_bytes(), "another seed is another network"


def test_asked_twice_it_answers_alike_for_both_sides_and_nothing_is_trained_for_it(place, result):
    before = stamps(place)
    arms = {**ARMS, "unet-twice": replace(ARMS["unet"], networks=("unet",), combine=with_mirror)}
    line = run(replace(TINY, arms=arms), place).tables[""][2]
    assert line["arm"] == "unet-twice" and stamps(place) == before
    file, rows = place.runs / "fold-0-seed-0/unet/weights.safetensors", place.data.of_split("validation", 0)
    alone = load_weights(file, "segmentor")[0]
    segmentor = with_mirror(alone)
    x = torch.from_numpy(place.data.images[rows]) / 255
    both = [segmentor.predict(segmentor(side), side) for side in (x, x.flip(3))]
    for said, mirrored, once in zip(*both, alone.predict(alone(x), x), strict=True):
        assert torch.allclose(said, mirrored.flip(3), atol=1e-6) and not torch.equal(said, once)
    assert as_scored(place, segmentor, "unet-twice") and as_scored(place, alone, "unet")
    best = validation_score(segmentor, Batches(place.data, rows, size=8))
    card = json.loads((place.scores / "tiny/fold-0-seed-0/unet-twice.json").read_text())
    assert card["threshold"] == best["validation threshold"] and card["hours"] == 0
    assert card["validation_dice"] == pytest.approx(best["validation dice"])


def test_finished_runs_are_not_repeated_and_may_be_shared(place, result):
    before, place = stamps(place), replace(place, scores=None)
    shared = run(replace(TINY, runs="tiny"), replace(place, runs=place.runs.with_name("other")))
    assert shared.tables == result.tables
    one = run(replace(TINY, turns=TINY.turns[1:]), place)
    assert result.tables[""][0]["dice_by_turn"].split()[1:] == [one.tables[""][0]["dice_by_turn"]]
    assert stamps(place) == before
    other = replace(place, data=brains(place.runs.parent / "discs", patients=40, each=1, every=2, seed=1))
    for tiny, there, complaint in (
        (replace(TINY, budget={**BUDGET, "steps": 5}), place, "steps was 4 and is now 5"),
        (TINY, other, "learnt from other data"),
    ):
        with pytest.raises(BadInput, match=complaint):
            run(tiny, there)


def test_options_as_words():
    assert words({"batch_size": 8, "attention": False, "rate": 2.0, "lesion_share": None}) == [
        "--batch-size", "8", "--no-attention", "--rate", "2", "--lesion-share", "data",
    ]  # fmt: skip


def test_balancing_learns_from_training_patients_alone(tmp_path, monkeypatch):
    discs = brains(tmp_path / "set", patients=60, each=1)
    monkeypatch.setattr(balancing, "THIN_BUDGET", {"method": "unet", **BUDGET, "steps": 1})
    tiny = {**BUDGET, "width": 32, "steps": 1}
    monkeypatch.setattr(balancing, "GENERATOR", {**balancing.GENERATOR, **tiny})
    place = Place(discs, tmp_path / "runs" / "balancing")
    result = balancing.balancing(balancing.SOOP_18, place)
    lines = {line["arm"]: line for line in result.tables[""]}
    assert [*lines] == ["oversampling", "real", "carvemix", "gan-35", "gan-50", "synthetic-only"]
    assert [*balancing.TENTH.arms()][3:5] == ["gan-70", "gan-80"] and result.facts["setting"] == "soop-18"
    folder = place.runs / "plain-split-seed-0"
    thin = SliceSet.open(folder / "data")
    assert lines["oversampling"]["stroke_share_in_batches"] == 0.5
    assert lines["gan-50"]["stroke_share_in_batches"] == pytest.approx(0.5, abs=0.03)
    for arm in ("carvemix", "gan-35", "gan-50", "synthetic-only"):
        made = SliceSet.open(folder / "sets" / arm)
        new = set(made.table["patient"][made.table["synthetic"] == 1].tolist())
        assert new and {split_of(patient) for patient in new} == {"train"}
        assert new <= set(thin.table["patient"].tolist())
        train = made.of_split("train")
        assert lines[arm]["synthetic_slices"] == made.table["synthetic"][train].sum()
        assert arm != "synthetic-only" or made.table["synthetic"][train].all()
    about = load_weights(folder / "generator" / "weights.safetensors", "styled generator")[1]
    assert about["data_sha256"] == thin.card["sha256"]
    assert not (place.runs / "plain-split-seed-1" / "generator").exists(), "all seeds paint with one"
    assert about["settings"]["start"] is None, "what it paints was learnt from the thinned part alone"
    with pytest.raises(BadInput, match="made from other data"):
        other = brains(tmp_path / "other", patients=9)
        balancing.derived(other, folder / "data", thin.card["made_by"], lambda *_: None)
    shorter = replace(balancing.SOOP_18, options={"share": 0.1})
    with pytest.raises(BadInput, match="with other options"):
        shorter.data(place.turn(None, 0))
    assert [arm.made_by["thin"] for arm in shorter.arms().values()] == [{"share": 0.1}] * 6


def test_an_ensemble_averages_its_members_which_differ_by_their_seeds(place, result):
    arms = {**ARMS, "unet-second": Arm({"method": "unet", "seed": 7})}
    arms["both"] = Arm({"method": "unet"}, networks=("unet", "unet-second"), combine=Ensemble)
    run(replace(TINY, arms=arms), place)
    before = stamps(place)
    folder, rows = place.runs / "fold-0-seed-0", place.data.of_split("validation", 0)
    files = [folder / name / "weights.safetensors" for name in ("unet", "unet-second")]
    members, about = zip(*(load_weights(file, "segmentor") for file in files), strict=True)
    assert [of["settings"]["seed"] for of in about] == [0, 7] and not (folder / "both").exists()
    x = torch.from_numpy(place.data.images[rows]) / 255
    ensemble = Ensemble(*members)
    one, other = (network.predict(network(x), x) for network in members)
    assert not torch.equal(one.score, other.score)
    for a, b, mean in zip(one, other, ensemble.predict(ensemble(x), x), strict=True):
        assert torch.allclose(mean, (a + b) / 2, atol=1e-6)
    card = json.loads((place.scores / "tiny/fold-0-seed-0/both.json").read_text())
    best = validation_score(ensemble, Batches(place.data, rows, size=8))
    assert card["threshold"] == best["validation threshold"] and [*card["networks"]] == [
        "unet",
        "unet-second",
    ]
    assert card["kept_step"] == "+".join(str(of["kept_step"]) for of in about)
    assert as_scored(place, ensemble, "both") and not as_scored(place, members[0], "both")
    arms["unet-second"] = Arm({"method": "unet", "seed": 8})  # another member is another ensemble
    with pytest.raises(BadInput, match="seed was 7 and is now 8"):
        run(replace(TINY, arms=arms), place)
    assert stamps(place) == before
    with pytest.raises(ValueError, match="combined"):
        score(files, place.data, rows)

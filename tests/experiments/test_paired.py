"""Old and new comparisons joined slice by slice, and weights held against each other."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from brains import brains

from experiments import paired
from experiments.compare import by_slice
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.tables import write_csv
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.training.weights import save_weights


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=60, every=2)


@pytest.fixture(scope="module")
def counts(slices) -> dict[str, Counts]:
    """Made-up outcomes of three arms on every slice: 'new' finds most, 'masked' less, 'unet' least."""
    area = torch.from_numpy(slices.stroke[:].sum((1, 2)).astype(np.int64))  # (N,)
    chance = np.random.default_rng(0)

    def arm(share: float) -> Counts:
        tp = torch.from_numpy(chance.binomial(area.numpy(), share))
        return Counts(tp, torch.from_numpy(chance.integers(0, 9, len(area))), area - tp)

    return {"new": arm(0.9), "masked": arm(0.6), "unet": arm(0.5)}


@pytest.fixture(scope="module")
def files(slices, counts, tmp_path_factory) -> list[Path]:
    """slices.csv of a comparison of the new arm alone, in one order, and of the two old ones, in another."""
    folder = tmp_path_factory.mktemp("comparisons")
    rows = np.arange(len(slices))
    found = []
    for name, arms, order in (("new", ("new",), rows), ("old", ("masked", "unet"), rows[::-1].copy())):
        found.append(folder / name / "slices.csv")
        write_csv(found[-1], list(by_slice({arm: counts[arm][order] for arm in arms}, slices, order)))
    return found


def compared(*words) -> None:
    paired.compare(paired.parser().parse_args([str(word) for word in words]))


def table_of(file: Path) -> list[dict[str, str]]:
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_new_arm_joins_an_old_comparison(slices, counts, files, tmp_path):
    compared("--data", slices.folder, "--out", tmp_path, "--slices", *files)
    joined = {line["arm"]: line for line in table_of(tmp_path / "table.csv")}
    assert list(joined) == ["new", "masked", "unet"]
    dice = {arm: c[c.lesion()].dice().mean().item() for arm, c in counts.items()}
    for arm, line in joined.items():
        assert float(line["dice_mean"]) == pytest.approx(dice[arm], abs=1e-4)
    assert float(joined["unet"]["minus_arm"]) == pytest.approx(dice["new"] - dice["unet"], abs=1e-4)
    groups = table_of(tmp_path / "groups.csv")
    of_all = {line["arm"]: line for line in groups if line["group"] == "lesion slices"}
    assert set(of_all) == {"masked", "unet"} and float(of_all["masked"]["gain_low"]) > 0
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert card["counts"]["slices"] == len(slices) and "--arms new,masked,unet" in card["command"]


def test_the_first_of_arms_is_held_against_the_others(slices, files, tmp_path):
    compared("--data", slices.folder, "--out", tmp_path, "--slices", *files, "--arms", "unet,new")
    assert {line["arm"] for line in table_of(tmp_path / "groups.csv")} == {"new"}


def test_patients_on_whom_candidates_were_chosen_can_be_left_out(slices, files, tmp_path):
    compared("--data", slices.folder, "--out", tmp_path, "--slices", *files, "--leave-out", "validation")
    rows = [int(line["row"]) for line in table_of(tmp_path / "slices.csv")]
    assert sorted(rows) == sorted(set(range(len(slices))) - set(slices.of_split("validation").tolist()))


def weights(folder: Path, channels: int = 1) -> list[Path]:
    made = []
    for seed, name in enumerate(("first", "second")):
        torch.manual_seed(seed)
        made.append(folder / f"{name}.safetensors")
        save_weights(made[-1], Segmentor(channels, width=4), {"threshold": 0.05})
    return made


def test_weights_are_scored_on_test_patients(slices, tmp_path):
    compared("--data", slices.folder, "--out", tmp_path / "out", "--weights", *weights(tmp_path))
    rows = [int(line["row"]) for line in table_of(tmp_path / "out" / "slices.csv")]
    assert np.array_equal(rows, slices.of_split("test"))
    assert [line["arm"] for line in table_of(tmp_path / "out" / "table.csv")] == ["first", "second"]


def test_weights_of_other_channels(slices, tmp_path):
    with pytest.raises(BadInput, match="other channels"):
        compared(
            "--data", slices.folder, "--out", tmp_path / "out", "--weights", *weights(tmp_path, channels=2)
        )


def test_weights_that_cannot_be_told_apart_or_name_no_threshold(slices, tmp_path):
    first, _ = weights(tmp_path)
    bare = tmp_path / "bare.safetensors"
    save_weights(bare, Segmentor(width=4), {})
    for files, complaint in (((first, first), "name of another"), ((first, bare), "no threshold")):
        with pytest.raises(BadInput, match=complaint):
            compared("--data", slices.folder, "--out", tmp_path / "out", "--weights", *files)


@pytest.mark.parametrize("arms", ["unet", "unet,unet", "unet,nonsense"])
def test_arms_that_cannot_be_compared(slices, files, tmp_path, arms):
    with pytest.raises(BadInput, match="choose of new, masked, unet"):
        compared("--data", slices.folder, "--out", tmp_path, "--slices", *files, "--arms", arms)


def test_files_of_other_slices(slices, files, tmp_path):
    with open(files[0], newline="", encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    lines[1][0] = "somebody-else"
    other = tmp_path / "slices.csv"
    with open(other, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)
    with pytest.raises(BadInput, match="other slices"):
        compared("--data", slices.folder, "--out", tmp_path / "out", "--slices", other)
    other.write_text("not,a\ncomparison,file\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"no slices\.csv"):
        compared("--data", slices.folder, "--out", tmp_path / "out", "--slices", other)
    assert not (tmp_path / "out").exists()

"""Old and new comparisons joined slice by slice, and shipped weights held against each other."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from brains import brains

from strokegan_lib import compare, paired
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput

TINY = ("--steps", "2", "--width", "4", "--batch-size", "4", "--cross-validate")


def door(module, *words) -> None:
    module.compare(module.parser().parse_args([str(word) for word in words]))


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=60, every=2)


@pytest.fixture(scope="module")
def earlier(slices, tmp_path_factory):
    """Two comparisons: of a U-Net and the paper's loss, and of another loss alone."""
    folder = tmp_path_factory.mktemp("runs")
    door(compare, "--data", slices.folder, "--out", folder / "old", "--arms", "masked,unet", *TINY)
    door(compare, "--data", slices.folder, "--out", folder / "new", "--arms", "masked-divergence", *TINY)
    return folder


def table_of(file) -> list[dict[str, str]]:
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def files(earlier) -> list:
    return [earlier / name / "slices.csv" for name in ("new", "old")]


def test_a_new_arm_joins_an_old_comparison(slices, earlier, tmp_path):
    door(paired, "--data", slices.folder, "--out", tmp_path, "--slices", *files(earlier))
    joined = {line["arm"]: line for line in table_of(tmp_path / "table.csv")}
    assert list(joined) == ["masked-divergence", "masked", "unet"]
    for name in ("new", "old"):
        for line in table_of(earlier / name / "table.csv"):
            for score in ("dice", "pooled_dice", "empty_false_positive_rate"):
                assert joined[line["arm"]][f"{score}_mean"] == line[f"{score}_mean"]
    groups = table_of(tmp_path / "groups.csv")
    assert {line["arm"] for line in groups} == {"masked", "unet"}
    of_all = next(line for line in groups if line["arm"] == "unet" and line["group"] == "lesion slices")
    assert float(of_all["gain"]) == pytest.approx(float(joined["unet"]["minus_arm"]), abs=1e-4)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert (
        card["counts"]["slices"] == len(slices) and "--arms masked-divergence,masked,unet" in card["command"]
    )


def test_patients_on_whom_candidates_were_chosen_can_be_left_out(slices, earlier, tmp_path):
    door(
        paired,
        "--data",
        slices.folder,
        "--out",
        tmp_path,
        "--slices",
        *files(earlier),
        "--leave-out",
        "validation",
    )
    rows = [int(line["row"]) for line in table_of(tmp_path / "slices.csv")]
    assert sorted(rows) == sorted(set(range(len(slices))) - set(slices.of_split("validation").tolist()))


def test_weights_are_scored_on_test_patients(slices, earlier, tmp_path):
    weights = [earlier / "old" / arm / "fold-0" / "weights.safetensors" for arm in ("masked", "unet")]
    copies = [tmp_path / f"{arm}.safetensors" for arm in ("masked", "unet")]
    for weight, copy in zip(weights, copies, strict=True):
        copy.write_bytes(weight.read_bytes())
    door(paired, "--data", slices.folder, "--out", tmp_path / "out", "--weights", *copies)
    rows = [int(line["row"]) for line in table_of(tmp_path / "out" / "slices.csv")]
    assert np.array_equal(rows, slices.of_split("test"))
    assert [line["arm"] for line in table_of(tmp_path / "out" / "table.csv")] == ["masked", "unet"]


@pytest.mark.parametrize("arms", ["unet", "unet,unet", "unet,nonsense"])
def test_arms_that_cannot_be_compared(slices, earlier, tmp_path, arms):
    with pytest.raises(BadInput, match="choose of masked-divergence, masked, unet"):
        door(paired, "--data", slices.folder, "--out", tmp_path, "--slices", *files(earlier), "--arms", arms)


def test_files_of_other_slices(slices, earlier, tmp_path):
    with open(files(earlier)[0], newline="", encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    lines[1][0] = "somebody-else"
    other = tmp_path / "slices.csv"
    with open(other, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)
    with pytest.raises(BadInput, match="other slices"):
        door(paired, "--data", slices.folder, "--out", tmp_path, "--slices", other)
    other.write_text("not,a\ncomparison,file\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"no slices\.csv"):
        door(paired, "--data", slices.folder, "--out", tmp_path, "--slices", other)
    assert not (tmp_path / "table.csv").exists()

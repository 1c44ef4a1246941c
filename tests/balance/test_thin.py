"""Thinned sets: fewer training patients, the same validation and test patients."""

import numpy as np
import pytest
from brains import brains
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.thin_lesions import PAPER_SHARE, thin_lesions
from strokegan_lib.balance.thin import thin_patients
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput

NAMED = {"name": "less", "made_by": "pytest"}


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set")


def names(slices: SliceSet, part: str, fold: int | None = None) -> set[str]:
    return set(slices.table["patient"][slices.of_split(part, fold)].tolist())


def share(slices: SliceSet, fold: int | None = None) -> float:
    return slices.table["has_stroke"][slices.of_split("train", fold)].mean()


@settings(max_examples=8)
@given(wanted=st.floats(0.05, 0.3), fold=st.sampled_from([None, 0, 4]))
def test_the_share_is_reached_as_nearly_as_whole_patients_allow(discs, tmp_path_factory, wanted, fold):
    thin = thin_lesions(discs, tmp_path_factory.mktemp("thin") / "set", wanted, fold=fold, **NAMED)
    n = len(thin.of_split("train", fold))
    least = 2 / n  # one patient always stays
    assert abs(share(thin, fold) - max(wanted, least)) <= 2 / n
    for part in ("validation", "test"):
        assert names(thin, part, fold) == names(discs, part, fold)
    lost = names(discs, "train", fold) - names(thin, "train", fold)
    ill = set(discs.table["patient"][discs.table["has_stroke"] == 1].tolist())
    assert lost and lost <= ill


def test_a_smaller_share_keeps_a_subset(discs, tmp_path):
    some = thin_lesions(discs, tmp_path / "a", 0.25, **NAMED)
    few = thin_lesions(discs, tmp_path / "b", PAPER_SHARE, **NAMED)
    assert names(few, "train") < names(some, "train")
    before, after = few.card["thinned"]["training_slices_with_stroke"]
    assert before > after == few.table["has_stroke"][few.of_split("train")].sum()


@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_a_fraction_of_the_training_patients(discs, tmp_path, fraction):
    thin = thin_patients(discs, tmp_path / "set", fraction, **NAMED)
    assert len(names(thin, "train")) == round(fraction * len(names(discs, "train")))
    assert names(thin, "train") < names(discs, "train")
    assert names(thin, "test") == names(discs, "test")
    assert names(thin, "validation") == names(discs, "validation")


def test_slices_are_copied_as_they_are(discs, tmp_path):
    thin = thin_patients(discs, tmp_path / "set", 0.3, **NAMED)
    key = [f"{p} {n}" for p, n in zip(thin.table["patient"], thin.table["plane"], strict=True)]
    old = [f"{p} {n}" for p, n in zip(discs.table["patient"], discs.table["plane"], strict=True)]
    rows = [old.index(k) for k in key]
    for name in ("images", "stroke", "foreground"):
        assert np.array_equal(getattr(thin, name), getattr(discs, name)[rows])
    for name in set(discs.table) - {"index"}:
        assert np.array_equal(thin.table[name], discs.table[name][rows]), name
    assert thin.card["name"] == "less" and thin.card["made_from"]["name"] == "discs"
    assert thin.card["licence"] == discs.card["licence"]


@pytest.mark.parametrize("wanted", [0.0, 0.9])
def test_a_share_out_of_reach(discs, tmp_path, wanted):
    with pytest.raises(BadInput, match="out of reach"):
        thin_lesions(discs, tmp_path / "set", wanted, **NAMED)
    assert not list(tmp_path.iterdir())


def test_too_few_patients(discs, tmp_path):
    with pytest.raises(BadInput, match="too few"):
        thin_patients(discs, tmp_path / "set", 0.01, **NAMED)

"""Thinned sets: fewer training patients, the same validation and test patients."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.balancing import thin_lesions
from strokegan_lib.balance.derived import thin_patients
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput

NAMED = {"name": "less", "made_by": "pytest"}


def names(slices: SliceSet, part: str, fold: int | None = None) -> set[str]:
    return set(slices.table["patient"][slices.of_split(part, fold)].tolist())


@settings(max_examples=6)
@given(wanted=st.floats(0.05, 0.3), fold=st.sampled_from([None, 0, 4]))
def test_the_share_is_reached_as_nearly_as_whole_patients_allow(discs, tmp_path_factory, wanted, fold):
    thin = thin_lesions(discs, tmp_path_factory.mktemp("thin") / "set", wanted, fold=fold, **NAMED)
    train = thin.of_split("train", fold)
    step = 2 / len(train)  # of one patient, who always stays
    assert abs(thin.table["has_stroke"][train].mean() - max(wanted, step)) <= step
    for part in ("validation", "test"):
        assert names(thin, part, fold) == names(discs, part, fold)
    lost = names(discs, "train", fold) - names(thin, "train", fold)
    before, after = thin.card["thinned"]["training_slices_with_stroke"]
    assert before > after == thin.table["has_stroke"][train].sum()
    assert lost and lost <= set(discs.table["patient"][discs.table["has_stroke"] == 1].tolist())


def test_a_fraction_of_the_training_patients_is_copied_as_it_is(discs, tmp_path):
    discs = replace(discs, table=discs.table | {"synthetic": np.arange(len(discs)) % 2})
    thin = thin_patients(discs, tmp_path / "set", 0.3, **NAMED)
    assert len(names(thin, "train")) == round(0.3 * len(names(discs, "train")))
    rows = np.flatnonzero(np.isin(discs.table["patient"], thin.patients))
    assert np.isin(np.setdiff1d(discs.of_split("all"), rows), discs.of_split("train")).all()
    for name in ("images", "stroke", "foreground"):
        assert np.array_equal(getattr(thin, name), getattr(discs, name)[rows])
    for name in set(discs.table) - {"index"}:
        assert np.array_equal(thin.table[name], discs.table[name][rows]), name
    assert thin.card["name"] == "less" and thin.card["made_from"]["name"] == "discs"
    assert thin.card["licence"] == discs.card["licence"]


@pytest.mark.parametrize(
    ("thin", "wanted", "complaint"),
    [(thin_lesions, 0.0, "reach"), (thin_lesions, 0.9, "reach"), (thin_patients, 0.01, "too few")],
)
def test_what_cannot_be_thinned(discs, tmp_path, thin, wanted, complaint):
    with pytest.raises(BadInput, match=complaint):
        thin(discs, tmp_path / "set", wanted, **NAMED)
    assert not list(tmp_path.iterdir())

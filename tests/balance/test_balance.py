"""Balanced sets: the share is reached, every synthetic slice can be traced, the seed alone decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.balance.carvemix import CarveMix
from strokegan_lib.balance.dataset import balance, missing_strokes, provenance
from strokegan_lib.balance.transplant import Transplanter
from strokegan_lib.data.slices import ARRAYS, SliceSet
from strokegan_lib.errors import BadInput


class White(CarveMix):
    """Makes the stroke white on the slice as it is: a generator that needs no network."""

    def plan(self, slices, background, rng):
        return self.donors.place(background, rng)

    def make(self, slices, plans):
        whitened = [np.where(p.stroke, 255, slices.images[p.background]) for p in plans]
        return np.stack(whitened).astype(np.uint8)


class Nowhere(CarveMix):
    def plan(self, *_):
        return None


@pytest.fixture
def make(discs, tmp_path):
    def call(ratio: float, kind: type[CarveMix] = White, out: str = "set", **options) -> SliceSet:
        augmenter = kind(Transplanter(discs, discs.of_split("train")))
        return balance(discs, tmp_path / out, ratio, augmenter, made_by="pytest", **options)

    return call


@given(with_stroke=st.integers(0, 500), free=st.integers(1, 500), ratio=st.floats(0.01, 0.95))
def test_as_many_as_the_ratio_needs(with_stroke, free, ratio):
    more = missing_strokes(with_stroke, with_stroke + free, ratio)
    reached = (with_stroke + more) / (with_stroke + free + more)
    assert reached >= ratio - 1 / (with_stroke + free)
    assert more == 0 or abs(reached - ratio) <= 1 / (with_stroke + free)


@pytest.mark.parametrize("fold", [None, 2])
def test_the_share_is_reached(discs, make, fold):
    made = make(0.6, fold=fold)
    n, train = len(discs), made.of_split("train", fold)
    assert abs(made.table["has_stroke"][train].mean() - 0.6) < 0.5 / len(train) + 1e-9
    new = np.flatnonzero(made.table["synthetic"])
    assert new.tolist() == list(range(n, len(made))) and np.isin(new, train).all()
    assert made.stroke[n:].any((1, 2)).all()


def test_every_synthetic_slice_can_be_traced_and_backgrounds_are_all_used_before_any_twice(discs, make):
    made = make(0.75, CarveMix)
    lines, train, patients = provenance(made), discs.of_split("train"), discs.table["patient"]
    assert [int(line["index"]) for line in lines] == np.flatnonzero(made.table["synthetic"]).tolist()
    for line in lines:
        index, background, donor = (int(line[k]) for k in ("index", "background", "donor"))
        assert background in train and donor in train
        assert not discs.table["has_stroke"][background] and discs.table["has_stroke"][donor]
        assert patients[background] == line["background_patient"] == made.table["patient"][index]
        assert patients[donor] == line["donor_patient"] and line["detail"].startswith("margin")
        assert not made.images[index, :, discs.foreground[background] == 0].any()
    assert made.card["made_from"]["sha256"] == discs.card["sha256"]
    assert made.card["balanced"]["synthetic"] == len(lines)
    used = np.bincount([int(line["background"]) for line in provenance(make(0.75, out="white"))])
    assert used[used > 0].max() - used[used > 0].min() <= 1

    path = made.folder / "provenance.csv"
    path.write_text(path.read_text().replace("disc-", "disk-", 1))
    for slices in (made, discs):
        with pytest.raises(BadInput, match=r"provenance.csv: is missing or has changed"):
            provenance(slices)


def test_the_seed_alone_decides(make):
    how = enumerate([(1, 1), (1, 3), (2, 1)])
    one, same, other = (make(0.6, out=str(n), seed=seed, workers=workers) for n, (seed, workers) in how)
    for name in (*ARRAYS, "slices.csv", "provenance.csv"):
        assert (one.folder / name).read_bytes() == (same.folder / name).read_bytes()
    assert not np.array_equal(one.images, other.images)


def test_only_synthetic(discs, make):
    made = make(0.4, only_synthetic=True)
    train = made.of_split("train")
    assert made.table["synthetic"][train].all() and len(train) == len(discs.of_split("train"))
    assert made.table["has_stroke"][train].sum() == round(0.4 * len(train))
    for part in ("validation", "test"):
        assert np.array_equal(made.images[made.of_split(part)], discs.images[discs.of_split(part)])


@pytest.mark.parametrize(
    ("kind", "ratio", "complaint"),
    [(CarveMix, 0.1, "already; give a higher --ratio"), (Nowhere, 0.6, "no place for a stroke")],
)
def test_what_cannot_be_balanced(make, kind, ratio, complaint, tmp_path):
    with pytest.raises(BadInput, match=complaint):
        make(ratio, kind)
    assert not list(tmp_path.iterdir())

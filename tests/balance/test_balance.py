"""Balanced sets: the share is reached, every made slice can be traced, the seed alone decides."""

import numpy as np
import pytest
from brains import brains
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.balance.carvemix import CarveMix
from strokegan_lib.balance.dataset import Augmenter, Plan, balance, missing_strokes, provenance
from strokegan_lib.balance.transplant import Transplanter
from strokegan_lib.data.slices import ARRAYS, SliceSet
from strokegan_lib.errors import BadInput


class Brush(Augmenter):
    """Paints the stroke white on the slice as it is: a generator that needs no network."""

    name = "brush"

    def __init__(self, slices: SliceSet) -> None:
        self.donors = Transplanter(slices, slices.of_split("train"))

    def plan(self, slices, background, rng):
        placed = self.donors.place(background, rng)
        return placed and Plan(background, placed.donor, placed.stroke)

    def make(self, slices, plans):
        return np.stack(
            [np.where(p.stroke, 255, slices.images[p.background]).astype(np.uint8) for p in plans]
        )


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=30)


def carve(slices: SliceSet) -> CarveMix:
    return CarveMix(Transplanter(slices, slices.of_split("train")))


def share(slices: SliceSet) -> float:
    return slices.table["has_stroke"][slices.of_split("train")].mean()


@given(with_stroke=st.integers(0, 500), free=st.integers(1, 500), ratio=st.floats(0.01, 0.95))
def test_as_many_as_the_ratio_needs(with_stroke, free, ratio):
    more = missing_strokes(with_stroke, with_stroke + free, ratio)
    reached = (with_stroke + more) / (with_stroke + free + more)
    assert reached >= ratio - 1 / (with_stroke + free)
    assert more == 0 or reached <= ratio + 1 / (with_stroke + free)


@settings(max_examples=6)
@given(ratio=st.floats(0.45, 0.8), seed=st.integers(0, 99), carved=st.booleans())
def test_the_share_is_reached_and_nothing_else_changes(discs, tmp_path_factory, ratio, seed, carved):
    maker = carve(discs) if carved else Brush(discs)
    out = tmp_path_factory.mktemp("balanced") / "set"
    made = balance(discs, out, ratio, maker, made_by="pytest", seed=seed)
    assert abs(share(made) - ratio) <= 1 / len(made.of_split("train"))
    n = len(discs)
    assert np.array_equal(made.images[:n], discs.images) and np.array_equal(made.stroke[:n], discs.stroke)
    assert not made.table["synthetic"][:n].any() and made.table["synthetic"][n:].all()
    new = np.arange(n, len(made))
    assert np.isin(new, made.of_split("train")).all()
    assert made.stroke[n:].any((1, 2)).all()
    assert not (made.stroke[n:] & ~made.foreground[n:]).any()


def test_every_made_slice_can_be_traced(discs, tmp_path):
    made = balance(discs, tmp_path / "set", 0.7, carve(discs), made_by="pytest")
    lines = provenance(made)
    assert [int(line["index"]) for line in lines] == np.flatnonzero(made.table["synthetic"]).tolist()
    train = discs.of_split("train")
    for line in lines:
        index, background, donor = (int(line[k]) for k in ("index", "background", "donor"))
        assert background in train and donor in train
        assert not discs.table["has_stroke"][background] and discs.table["has_stroke"][donor]
        assert (
            discs.table["patient"][background] == line["background_patient"] == made.table["patient"][index]
        )
        assert discs.table["patient"][donor] == line["donor_patient"]
        outside = ~np.isin(made.images[index], [0]) & (discs.foreground[background] == 0)
        assert not outside.any() and line["detail"].startswith("margin")
    assert made.card["made_from"]["sha256"] == discs.card["sha256"]
    assert made.card["balanced"]["synthetic"] == len(lines)


def test_backgrounds_are_all_used_once_before_any_twice(discs, tmp_path):
    made = balance(discs, tmp_path / "set", 0.75, Brush(discs), made_by="pytest")
    used = np.bincount([int(line["background"]) for line in provenance(made)], minlength=len(discs))
    train = discs.of_split("train")
    free = train[discs.table["has_stroke"][train] == 0]
    assert used[free].max() - used[free].min() <= 1


def test_the_seed_alone_decides(discs, tmp_path):
    sets = [
        balance(discs, tmp_path / f"{n}", 0.6, Brush(discs), made_by="pytest", seed=seed, workers=workers)
        for n, (seed, workers) in enumerate([(1, 1), (1, 3), (2, 1)])
    ]
    for name in (*ARRAYS, "slices.csv", "provenance.csv"):
        one, same, other = ((s.folder / name).read_bytes() for s in sets)
        assert one == same and (one != other or name in ("slices.csv",))


def test_only_synthetic(discs, tmp_path):
    made = balance(discs, tmp_path / "set", 0.4, Brush(discs), made_by="pytest", only_synthetic=True)
    train = made.of_split("train")
    assert made.table["synthetic"][train].all() and len(train) == len(discs.of_split("train"))
    assert made.table["has_stroke"][train].sum() == round(0.4 * len(train))
    for part in ("validation", "test"):
        assert np.array_equal(made.images[made.of_split(part)], discs.images[discs.of_split(part)])


def test_a_changed_provenance_is_found(discs, tmp_path):
    made = balance(discs, tmp_path / "set", 0.5, carve(discs), made_by="pytest")
    path = made.folder / "provenance.csv"
    path.write_text(path.read_text().replace("disc-", "disk-", 1))
    with pytest.raises(BadInput, match=r"provenance.csv: is missing or has changed"):
        provenance(made)
    with pytest.raises(BadInput, match=r"provenance.csv: is missing or has changed"):
        provenance(discs)


def test_enough_stroke_already(discs, tmp_path):
    with pytest.raises(BadInput, match="already; give a higher --ratio"):
        balance(discs, tmp_path / "set", 0.1, carve(discs), made_by="pytest")
    assert not list(tmp_path.iterdir())


def test_no_place_anywhere(discs, tmp_path):
    maker = Brush(discs)
    maker.plan = lambda *_: None
    with pytest.raises(BadInput, match="no place for a stroke"):
        balance(discs, tmp_path / "set", 0.6, maker, made_by="pytest")
    assert not list(tmp_path.iterdir())

"""The patient split: by the name alone, disjoint, in the shares that are promised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.data.split import SHARES, SPLITS, fold_of, part_of, position, split_of


@given(st.text())
def test_every_name_has_one_place_for_ever(name):
    u = position(name)
    assert 0 <= u < 1 and position(name) == u
    assert split_of(name) == SPLITS[sum(u >= edge for edge in (0.7, 0.8))]
    assert 0 <= fold_of(name) < 5


def test_known_names_never_move():
    assert [split_of(f"soop-{n}") for n in (1, 2, 3, 9)] == ["test", "train", "train", "train"]
    assert [fold_of(f"soop-{n}") for n in (1, 2, 3, 9)] == [4, 1, 1, 1]


def test_shares():
    names = [f"patient-{n}" for n in range(20_000)]
    for split, share in zip(SPLITS, SHARES, strict=True):
        assert sum(split_of(name) == split for name in names) / len(names) == pytest.approx(share, abs=0.01)
    for fold in range(5):
        assert sum(fold_of(name) == fold for name in names) / len(names) == pytest.approx(0.2, abs=0.01)


def test_parts_of_a_cross_validation():
    names = [f"patient-{n}" for n in range(20_000)]
    for fold in range(5):
        parts = [part_of(name, fold) for name in names]
        assert all(
            (part == "test") == (fold_of(name) == fold) for name, part in zip(names, parts, strict=True)
        )
        for split, share in zip(SPLITS, SHARES, strict=True):
            assert parts.count(split) / len(parts) == pytest.approx(share, abs=0.01)
    with pytest.raises(ValueError, match="no fold 5"):
        part_of("a", 5)

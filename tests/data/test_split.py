"""The patient split: by the name alone, disjoint, in the shares that are promised."""

import pytest

from strokegan_lib.data.split import SHARES, SPLITS, fold_of, position, split_of

NAMES = [f"patient-{n}" for n in range(5000)]


def test_known_names_never_move():
    assert [split_of(f"soop-{n}") for n in (1, 2, 3, 9)] == ["test", "train", "train", "train"]
    assert [fold_of(f"soop-{n}") for n in (1, 2, 3, 9)] == [4, 1, 1, 1]
    assert 0 <= position("") < 1 and 0 <= position("Gänge") < 1


@pytest.mark.parametrize("fold", [None, 0, 4])
def test_shares(fold):
    parts = [split_of(name, fold) for name in NAMES]
    for split, share in zip(SPLITS, SHARES, strict=True):
        assert parts.count(split) / len(parts) == pytest.approx(share, abs=0.02)
    if fold is not None:
        assert [part == "test" for part in parts] == [fold_of(name) == fold for name in NAMES]
    with pytest.raises(ValueError, match="no fold 5"):
        split_of("a", 5)

"""Lesion by lesion: against a plain loop over scikit-image's components, and by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_masks import blobs
from skimage.measure import label
from torch import Tensor

from strokegan_lib.evaluation.lesionwise import count_lesions
from strokegan_lib.evaluation.overlap import Counts


def plain(predicted: Tensor, truth: Tensor) -> list[tuple[int, int, int]]:
    """Found, false and missed lesions of each slice, one component at a time."""
    rows = []
    for p, t in zip(predicted.numpy(), truth.numpy(), strict=True):
        lesions, answers = (label(mask, connectivity=2) for mask in (t, p))
        found = sum(bool((p & (lesions == k)).any()) for k in range(1, lesions.max() + 1))
        right = sum(bool((t & (answers == k)).any()) for k in range(1, answers.max() + 1))
        rows.append((found, int(answers.max()) - right, int(lesions.max()) - found))
    return rows


def rows(counts: Counts) -> list[tuple[int, ...]]:
    return [tuple(row) for row in torch.stack([counts.tp, counts.fp, counts.fn], -1).tolist()]


def test_lesions_equal_those_of_scikit_image():
    predicted, truth = blobs(1000, 2)
    expected = plain(predicted, truth)
    assert rows(count_lesions(predicted, truth)) == expected
    for kind in range(3):  # found, false and missed ones are all there, and several in a slice
        assert max(row[kind] for row in expected) > 2


def picture(*lines: str) -> tuple[Tensor, Tensor]:
    """One slice: # in both, p predicted only, t truth only."""
    return tuple(torch.tensor([[[c in kind for c in line] for line in lines]]) for kind in ("#p", "#t"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["....", "...."], (0, 0, 0)),
        (["tt..", "tt.p"], (0, 1, 1)),
        (["#t..", "tt.p"], (1, 1, 0)),  # one pixel finds it
        (["t...", ".t..", "..#."], (1, 0, 0)),  # corners touch
        (["#.#.", "ttt."], (1, 0, 0)),  # found in two pieces, found once
        (["#pp#", "...."], (2, 0, 0)),  # one prediction over two lesions finds both
        (["tpt.", "...."], (0, 1, 2)),  # neighbours do not overlap
    ],
)
def test_by_hand(lines, expected):
    assert rows(count_lesions(*picture(*lines))) == [expected]


def test_a_lesion_ends_with_its_slice():
    """The same pixels in the next slice are another lesion."""
    truth = torch.zeros(300, 4, 4, dtype=torch.bool)  # more than are labelled at a time
    truth[:, 1:3, 1:3] = True
    predicted = truth.clone()
    predicted[1::2] = False
    assert rows(count_lesions(predicted, truth)) == [(1, 0, 0), (0, 0, 1)] * 150


@given(st.integers(0, 2**31))
def test_it_does_not_matter_how_the_slice_lies(seed):
    predicted, truth = blobs(12, seed)
    for turned in (predicted.flip(1), truth.flip(1)), (predicted.mT, truth.mT):
        assert rows(count_lesions(*turned)) == rows(count_lesions(predicted, truth))
    both, swapped = count_lesions(predicted, truth), count_lesions(truth, predicted)
    # what is false one way is missed the other way
    assert torch.equal(both.fp, swapped.fn) and torch.equal(both.fn, swapped.fp)
    assert torch.equal(both.tp > 0, swapped.tp > 0)


def test_masks_must_be_masks():
    with pytest.raises(ValueError, match="masks must be bool"):
        count_lesions(torch.zeros(2, 4, 4), torch.zeros(2, 4, 4))

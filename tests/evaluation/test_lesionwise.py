"""Lesion by lesion: a plain loop over scikit-image's components, and cases by hand."""

import pytest
import torch
from random_masks import blobs
from skimage.measure import label
from torch import Tensor

from strokegan_lib.evaluation.lesionwise import count_lesions


def found(predicted: Tensor, truth: Tensor) -> list[tuple[int, ...]]:
    counts = count_lesions(predicted, truth)
    return [tuple(row) for row in torch.stack([counts.tp, counts.fp, counts.fn], -1).tolist()]


def test_lesions_equal_those_of_scikit_image():
    predicted, truth = blobs(400, 2)
    expected = []
    for p, t in zip(predicted.numpy(), truth.numpy(), strict=True):
        lesions, answers = (label(mask, connectivity=2) for mask in (t, p))
        hit = sum(bool((p & (lesions == k)).any()) for k in range(1, lesions.max() + 1))
        right = sum(bool((t & (answers == k)).any()) for k in range(1, answers.max() + 1))
        expected.append((hit, int(answers.max()) - right, int(lesions.max()) - hit))
    assert found(predicted, truth) == expected
    assert all(max(row[kind] for row in expected) > 2 for kind in range(3))
    assert found(truth, predicted) != expected and found(predicted.mT, truth.mT) == expected


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
    """# in both, p predicted only, t truth only; the same pixels in the next slice are another lesion."""
    predicted, truth = (
        torch.tensor([[[c in kind for c in line] for line in lines]]) for kind in ("#p", "#t")
    )
    assert found(predicted.repeat(200, 1, 1), truth.repeat(200, 1, 1)) == [expected] * 200

"""Lesion by lesion: a plain loop over scikit-image's components."""

from random_masks import blobs, rows
from skimage.measure import label

from strokegan_lib.evaluation.lesionwise import count_lesions


def test_lesions_equal_those_of_scikit_image():
    predicted, truth = blobs(400, 2)
    expected = []
    for p, t in zip(predicted.numpy(), truth.numpy(), strict=True):
        lesions, answers = (label(mask, connectivity=2) for mask in (t, p))
        hit = sum(bool((p & (lesions == k)).any()) for k in range(1, lesions.max() + 1))
        right = sum(bool((t & (answers == k)).any()) for k in range(1, answers.max() + 1))
        expected.append([hit, int(answers.max()) - right, int(lesions.max()) - hit])
    assert rows(count_lesions(predicted, truth)).tolist() == expected
    assert all(max(row[kind] for row in expected) > 2 for kind in range(3))
    assert rows(count_lesions(truth, predicted)).tolist() != expected

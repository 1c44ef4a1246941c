"""Batches of a SliceSet: the right slices, the same each time, never the global generators."""

import numpy as np
import pytest
import torch
from brains import noise_set
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch, Batches, Mixed
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    """84 slices of 14 patients; every third patient has a stroke in half of them."""
    return noise_set(tmp_path_factory.mktemp("set") / "set", 14, 6, ill=3)


def equal(a: Batch, b: Batch) -> bool:
    return all(torch.equal(one, two) for one, two in zip(vars(a).values(), vars(b).values(), strict=True))


@pytest.mark.parametrize("size", [4, 5])
def test_in_order_shows_each_slice_once_as_it_is_stored(slices, size):
    rows = slices.of_split("test")
    shown = list(Batches(slices, rows, size=size, augmentation=Augmentation()).in_order())
    assert shown[0].image.shape == (size, 2, 128, 128) and shown[0].stroke.shape == (size, 1, 128, 128)
    image, stroke, foreground, index = (
        torch.cat(parts) for parts in zip(*(vars(b).values() for b in shown), strict=True)
    )
    assert index.tolist() == rows.tolist()
    assert np.array_equal(image.numpy(), slices.images[rows] / np.float32(255))
    assert np.array_equal(stroke[:, 0].numpy(), slices.stroke[rows])
    assert np.array_equal(foreground[:, 0].numpy(), slices.foreground[rows])


def test_batches_hold_the_chosen_slices_only_and_all_of_them(slices):
    rows = slices.of_split("train")
    batches = Batches(slices, rows, size=8)
    seen = torch.cat([batches.batch(t).index for t in range(len(batches))]).tolist()
    assert sorted(seen[: len(rows)]) == rows.tolist() and set(seen) == set(rows.tolist())
    assert len(batches) == -(-len(rows) // 8)
    assert (
        batches.planes.dtype == torch.uint8 and batches.planes.shape[1] == 3
    )  # channels and stroke, no more


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), step=st.integers(0, 100), share=st.sampled_from([None, 0.5]))
def test_a_resumed_run_gets_the_same_batch(slices, seed, step, share):
    setting = {"size": 4, "seed": seed, "augmentation": Augmentation(), "lesion_share": share}
    first, resumed = (Batches(slices, np.arange(0, 84, 2), **setting) for _ in range(2))
    for earlier in range(2):
        first.batch(earlier)
    torch.manual_seed(1)  # neither reads nor moves the global generators
    np.random.seed(1)
    a = first.batch(step)
    torch.manual_seed(2)
    np.random.seed(2)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    assert equal(a, resumed.batch(step))
    assert torch.equal(torch.get_rng_state(), before[0]) and np.random.get_state()[1].tolist() == before[1]


def test_another_step_or_seed_is_another_batch(slices):
    setting = {"size": 8, "augmentation": Augmentation()}
    batches = Batches(slices, slices.of_split("all"), **setting)
    assert not equal(batches.batch(0), batches.batch(1))
    assert not equal(batches.batch(0), Batches(slices, slices.of_split("all"), seed=1, **setting).batch(0))
    again = batches.batch(0).image, batches.batch(len(slices)).image  # a later visit is augmented afresh
    assert not torch.equal(*again)


def test_oversampling_reaches_its_share(slices):
    assert slices.table["has_stroke"].mean() < 0.2
    batches = Batches(slices, slices.of_split("all"), size=6, lesion_share=0.5)
    for t in range(5):
        batch = batches.batch(t)
        assert batch.stroke.flatten(1).any(1).sum() == 3
        assert (slices.table["has_stroke"][batch.index] == batch.stroke.flatten(1).any(1).numpy()).all()


def test_mixed_batches_hold_a_share_of_each_part(slices):
    parts = [Batches(slices, slices.of_split(split), size=n) for split, n in (("train", 3), ("test", 2))]
    mixed = Mixed(parts).batch(7)
    assert mixed.index.tolist() == [*parts[0].batch(7).index.tolist(), *parts[1].batch(7).index.tolist()]
    assert mixed.image.shape == (5, 2, 128, 128)


@pytest.mark.parametrize(
    ("choose", "share", "word"),
    [
        (lambda s: np.array([], dtype=int), None, "no slice to choose"),
        (lambda s: np.flatnonzero(s.table["has_stroke"] == 0), 0.5, "no slice with stroke"),
        (lambda s: np.flatnonzero(s.table["has_stroke"]), 0.5, "no slice without stroke"),
    ],
)
def test_data_that_lack_what_is_asked_for_are_named(slices, choose, share, word):
    with pytest.raises(BadInput, match=word) as error:
        Batches(slices, choose(slices), size=4, lesion_share=share)
    assert str(slices.folder) in str(error.value)

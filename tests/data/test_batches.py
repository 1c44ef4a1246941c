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
    return noise_set(tmp_path_factory.mktemp("set") / "set", 14, 6, every=3)


def equal(a: Batch, b: Batch) -> bool:
    return all(torch.equal(one, two) for one, two in zip(vars(a).values(), vars(b).values(), strict=True))


@pytest.mark.parametrize("size", [4, 5])
def test_in_order_shows_each_slice_once_as_it_is_stored(slices, size):
    rows = slices.of_split("test")
    shown = list(Batches(slices, rows, size=size, augmentation=Augmentation()).in_order())
    assert shown[0].image.shape == (size, 2, 128, 128)
    fields = zip(*(vars(batch).values() for batch in shown), strict=True)
    image, stroke, foreground, index = (torch.cat(parts).numpy() for parts in fields)
    assert np.array_equal(index, rows)
    assert np.array_equal(image, slices.images[rows] / np.float32(255))
    assert np.array_equal(stroke[:, 0], slices.stroke[rows])
    assert np.array_equal(foreground[:, 0], slices.foreground[rows])


def test_batches_hold_the_chosen_slices_only_and_all_of_them(slices):
    rows = slices.of_split("train")
    batches = Batches(slices, rows, size=8)
    seen = torch.cat([batches.batch(t).index for t in range(len(batches))]).tolist()
    assert sorted(seen[: len(rows)]) == rows.tolist() and set(seen) == set(rows.tolist())
    assert len(batches) == -(-len(rows) // 8)


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
    assert not equal(a, first.batch(step + 84))  # a later visit is augmented afresh


def test_oversampling_reaches_its_share_and_mixed_batches_join_their_parts(slices):
    assert slices.table["has_stroke"].mean() < 0.2
    parts = [Batches(slices, slices.of_split("all"), size=n, lesion_share=0.5) for n in (6, 2)]
    one, two, both = (batches.batch(7) for batches in (*parts, Mixed(parts)))
    has_stroke = one.stroke.flatten(1).any(1).numpy()
    assert has_stroke.sum() == 3 and (slices.table["has_stroke"][one.index] == has_stroke).all()
    assert both.index.tolist() == [*one.index.tolist(), *two.index.tolist()]
    assert both.image.shape == (8, 2, 128, 128)


@pytest.mark.parametrize(
    ("kinds", "share", "word"),
    [([], None, "slice to choose"), ([0], 0.5, "slice with stroke"), ([1], 0.5, "slice without stroke")],
)
def test_data_that_lack_what_is_asked_for_are_named(slices, kinds, share, word):
    rows = np.flatnonzero(np.isin(slices.table["has_stroke"], kinds))
    with pytest.raises(BadInput, match=word) as error:
        Batches(slices, rows, size=4, lesion_share=share)
    assert str(slices.folder) in str(error.value)

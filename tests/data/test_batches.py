"""Batches of a SliceSet: the right slices, the same each time, never the global generators."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.errors import BadInput

PATIENTS, PLANES = 14, 6


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    """84 two-channel slices of 14 patients; every third patient has a stroke in two planes."""
    rng = np.random.default_rng(0)
    about = About("test", "made by the tests", "none", "none", ("dwi", "flair"), "test_batches.py")
    foreground = np.zeros((PLANES, 128, 128), bool)
    foreground[:, 20:110, 30:100] = True
    with SliceSetWriter(tmp_path_factory.mktemp("set") / "set", about) as writer:
        for k in range(PATIENTS):
            images = np.where(foreground[:, None], rng.integers(8, 256, (PLANES, 2, 128, 128)), 0).astype(
                np.uint8
            )
            stroke = np.zeros_like(foreground)
            if k % 3 == 0:
                stroke[2:4, 50:60, 40 + k : 50 + k] = True
            writer.add(
                images, stroke, foreground, patient=f"p{k}", case="1", plane=np.arange(PLANES),
                z=np.arange(PLANES), spacing=(1.5, 1.5, 5.0), source="test",
            )  # fmt: skip
    return SliceSet.open(writer.out)


def equal(a: Batch, b: Batch) -> bool:
    names = ("image", "stroke", "foreground", "index")
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in names)


def test_unchanged_batches_hold_the_stored_bytes(slices):
    batches = Batches(slices, slices.of_split("train"), size=8)
    batch = batches.batch(3)
    rows = batch.index.numpy()
    assert np.array_equal(batch.image.numpy(), slices.images[rows] / np.float32(255))
    assert np.array_equal(batch.stroke[:, 0].numpy(), slices.stroke[rows])
    assert np.array_equal(batch.foreground[:, 0].numpy(), slices.foreground[rows])
    assert batch.image.shape == (8, 2, 128, 128) and batch.stroke.shape == (8, 1, 128, 128)


def test_batches_hold_the_chosen_slices_only_and_all_of_them(slices):
    rows = slices.of_split("train")
    batches = Batches(slices, rows, size=8)
    seen = torch.cat([batches.batch(t).index for t in range(len(batches))]).tolist()
    assert sorted(seen[: len(rows)]) == rows.tolist() and set(seen) == set(rows.tolist())
    assert len(batches) == -(-len(rows) // 8)


def test_in_order_shows_each_slice_once_and_unchanged(slices):
    rows = slices.of_split("test")
    for size in (4, 5):
        shown = list(Batches(slices, rows, size=size, augmentation=Augmentation()).in_order())
        assert torch.cat([batch.index for batch in shown]).tolist() == rows.tolist()
        images = torch.cat([batch.image for batch in shown])
        assert np.array_equal(images.numpy(), slices.images[rows] / np.float32(255))


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
    b = resumed.batch(step)
    assert equal(a, b)
    assert torch.equal(torch.get_rng_state(), before[0]) and np.random.get_state()[1].tolist() == before[1]


def test_another_step_or_seed_is_another_batch(slices):
    setting = {"size": 8, "augmentation": Augmentation()}
    batches = Batches(slices, slices.of_split("all"), **setting)
    assert not equal(batches.batch(0), batches.batch(1))
    assert not equal(batches.batch(0), Batches(slices, slices.of_split("all"), seed=1, **setting).batch(0))
    again = batches.batch(0).image, batches.batch(len(slices)).image  # a later visit is augmented afresh
    assert not torch.equal(*again)


def test_oversampling_reaches_its_share(slices):
    rows = slices.of_split("all")
    assert slices.table["has_stroke"].mean() < 0.15
    batches = Batches(slices, rows, size=6, lesion_share=0.5)
    for t in range(5):
        batch = batches.batch(t)
        assert batch.stroke.flatten(1).any(1).sum() == 3
        assert (slices.table["has_stroke"][batch.index] == batch.stroke.flatten(1).any(1).numpy()).all()


def test_slices_are_kept_as_bytes_without_their_foreground(slices):
    batches = Batches(slices, np.arange(10), size=2)
    assert batches.planes.dtype == torch.uint8 and batches.planes.nbytes == 10 * 3 * 128 * 128


@pytest.mark.parametrize(
    ("choose", "share", "word"),
    [
        (lambda s: np.array([], dtype=int), None, "no slice to"),
        (lambda s: np.flatnonzero(s.table["has_stroke"] == 0), 0.5, "no slice with stroke"),
        (lambda s: np.flatnonzero(s.table["has_stroke"]), 0.5, "no slice without stroke"),
    ],
)
def test_data_that_lack_what_is_asked_for_are_named(slices, choose, share, word):
    with pytest.raises(BadInput, match=word) as error:
        Batches(slices, choose(slices), size=4, lesion_share=share)
    assert str(slices.folder) in str(error.value)

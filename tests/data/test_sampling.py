"""Which slices come when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.data.sampling import Sampler, ShuffledIndices

numbers = st.integers(0, 2**32)


@given(n=st.integers(1, 20), key=numbers, first=st.integers(0, 60), count=st.integers(0, 60))
def test_every_index_once_an_epoch_in_one_go_or_many(n, key, first, count):
    together = ShuffledIndices(np.arange(n) * 3, (key,)).take(first, count)
    indices = ShuffledIndices(np.arange(n) * 3, (key,))
    singly = [int(indices.take(k, 1)[0]) for k in reversed(range(first, first + count))][::-1]
    assert together.tolist() == singly
    assert sorted(indices.take(n * (first // n), n).tolist()) == list(range(0, 3 * n, 3))
    one, other = (ShuffledIndices(np.arange(50), (key + i,)) for i in (0, 1))
    orders = [one.take(0, 50), one.take(50, 50), other.take(0, 50)]
    assert len(set(map(bytes, orders))) == 3  # epochs and seeds differ


@given(percent=st.integers(0, 100), size=st.integers(1, 40), steps=st.integers(1, 30), seed=numbers)
def test_oversampling_keeps_its_ratio_exactly(percent, size, steps, seed):
    has_stroke = np.arange(30) % 5 == 0  # 6 of 30
    sampler = Sampler(has_stroke, size, seed, percent / 100)
    seen = np.concatenate([sampler.draw(t) for t in reversed(range(steps))])  # whatever came before
    assert has_stroke[seen].sum() == percent * size * steps // 100
    for kind in (has_stroke, ~has_stroke):  # within a kind every slice comes equally often
        counts = np.bincount(seen, minlength=30)[kind]
        assert counts.max() - counts.min() <= 1


def test_oversampling_mixes_the_kinds_and_a_kind_that_is_not_asked_for_may_lack():
    has_stroke = np.arange(100) < 50
    sampler = Sampler(has_stroke, 20, 0, 0.5)
    first = np.mean([has_stroke[sampler.draw(t)][:10].mean() for t in range(200)])
    assert abs(first - 0.5) < 0.05
    assert len(Sampler(np.zeros(9), 4, lesion_share=0).draw(5)) == 4
    with pytest.raises(ValueError, match=r"0\.\.1"):
        Sampler(np.array([0, 1]), 4, lesion_share=1.5)

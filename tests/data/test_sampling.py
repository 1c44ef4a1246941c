"""Which slices come when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.data.sampling import Sampler, ShuffledIndices

numbers = st.integers(0, 2**32)


@given(n=st.integers(1, 40), key=numbers, epoch=st.integers(0, 5))
def test_deck_deals_every_card_once_an_epoch(n, key, epoch):
    cards = np.arange(n) * 3 + 1
    dealt = ShuffledIndices(cards, (key,)).take(epoch * n, n)
    assert sorted(dealt.tolist()) == cards.tolist()


@given(n=st.integers(1, 20), key=numbers, first=st.integers(0, 60), count=st.integers(0, 60))
def test_deck_deals_the_same_in_one_hand_or_many(n, key, first, count):
    together = ShuffledIndices(np.arange(n), (key,)).take(first, count)
    deck = ShuffledIndices(np.arange(n), (key,))
    singly = [int(deck.take(k, 1)[0]) for k in reversed(range(first, first + count))][::-1]
    assert together.tolist() == singly


def test_epochs_and_seeds_differ_in_order():
    deck, other = ShuffledIndices(np.arange(50), (0,)), ShuffledIndices(np.arange(50), (1,))
    assert deck.take(0, 50).tolist() != deck.take(50, 50).tolist()
    assert deck.take(0, 50).tolist() != other.take(0, 50).tolist()


@given(n=st.integers(1, 60), size=st.integers(1, 17), seed=numbers)
def test_plain_sampling_shows_every_slice_once_before_any_twice(n, size, seed):
    sampler = Sampler(np.zeros(n), size, seed)
    seen = np.concatenate([sampler.draw(t) for t in range(-(-2 * n // size))])
    assert sorted(seen[:n].tolist()) == list(range(n)) == sorted(seen[n : 2 * n].tolist())


@given(
    share=st.integers(0, 100).map(lambda k: k / 100),
    size=st.integers(1, 40),
    steps=st.integers(1, 30),
    seed=numbers,
)
def test_oversampling_keeps_its_ratio_exactly(share, size, steps, seed):
    has_stroke = np.arange(30) % 5 == 0  # 6 of 30
    sampler = Sampler(has_stroke, size, seed, share)
    seen = np.concatenate([sampler.draw(t) for t in range(steps)])
    assert has_stroke[seen].sum() == round(share * 100) * size * steps // 100
    for kind in (has_stroke, ~has_stroke):  # within a kind every slice comes equally often
        counts = np.bincount(seen, minlength=30)[kind]
        assert counts.max() - counts.min() <= 1


@given(share=st.sampled_from([None, 0.25, 0.5, 1.0]), step=st.integers(0, 1000), seed=numbers)
def test_a_batch_depends_on_seed_and_step_alone(share, step, seed):
    has_stroke = np.arange(23) % 3 == 0
    fresh, used = Sampler(has_stroke, 8, seed, share), Sampler(has_stroke, 8, seed, share)
    for earlier in range(3):
        used.draw(earlier)
    assert fresh.draw(step).tolist() == used.draw(step).tolist()


def test_oversampling_mixes_the_kinds_within_a_batch():
    has_stroke = np.arange(100) < 50
    sampler = Sampler(has_stroke, 20, 0, 0.5)
    first = np.mean([has_stroke[sampler.draw(t)][:10].mean() for t in range(200)])
    assert abs(first - 0.5) < 0.05


@pytest.mark.parametrize(
    ("has_stroke", "settings", "word"),
    [
        ([], {}, "no slice to choose"),
        ([0, 0], {"lesion_share": 0.5}, "no slice with stroke"),
        ([1, 1], {"lesion_share": 0.5}, "no slice without stroke"),
        ([0, 1], {"lesion_share": 1.5}, "0..1"),
    ],
)
def test_impossible_settings_are_refused(has_stroke, settings, word):
    with pytest.raises((LookupError, ValueError), match=word):
        Sampler(np.array(has_stroke), **{"size": 4, **settings})

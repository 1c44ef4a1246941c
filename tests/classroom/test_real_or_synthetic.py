"""The game: its truth, its score, and that nobody can correct an answer."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE
from strokegan_lib.classroom.widgets.real_or_synthetic import RealOrSynthetic

REAL = np.full((20, 16, 16), 50, np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None]
FAKE = np.full((20, 16, 16), 150, np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None]


def pixels(game: RealOrSynthetic) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(game.image.value)))


def test_the_picture_is_of_the_kind_that_the_truth_says():
    game = RealOrSynthetic(REAL, FAKE, rounds=15)
    assert set(game.truth) == {"real", "synthetic"}
    shades = []
    for number, truth in enumerate(game.truth, 1):
        shade = int(pixels(game.set(number=number))[SCALE * 8, SCALE * 8, 0])
        assert (shade >= 150) == (truth == "synthetic")
        shades.append(shade)
    assert len(set(shades)) == 15, "no picture comes twice"


def test_the_truth_is_hidden_until_the_answer_and_then_framed():
    game = RealOrSynthetic(REAL, FAKE)
    corner = pixels(game)[0, 0]
    assert corner[0] == corner[1] == corner[2] and "real or synthetic?" in game.words.value
    game.set(answer="real")
    assert tuple(pixels(game)[0, 0]) == (BLUE if game.truth[0] == "real" else ORANGE)
    assert f"it is {game.truth[0]}" in game.words.value


def test_the_first_answer_counts():
    game = RealOrSynthetic(REAL, FAKE)
    wrong = {"real": "synthetic", "synthetic": "real"}[game.truth[0]]
    game.set(answer=wrong)
    game.set(answer=game.truth[0])
    assert game.right() == 0 and "wrong" in game.words.value and "Score 0 of 1" in game.words.value
    game.set(answer="?")
    assert "Score 0 of 1" in game.words.value


def test_a_perfect_player_and_the_chance_of_a_coin():
    game = RealOrSynthetic(REAL, FAKE, rounds=9)
    for number, truth in enumerate(game.truth, 1):
        game.set(number=number, answer=truth)
    assert game.right() == 9
    chance = binomtest(9, 9, 0.5, alternative="greater").pvalue
    assert f"Score 9 of 9; a coin does as well or better with probability {chance:.2f}." in game.words.value


def test_every_picture_keeps_its_own_answer():
    game = RealOrSynthetic(REAL, FAKE)
    game.set(number=1, answer="real").set(number=2)
    assert game.answer.value == "?" and "real or synthetic?" in game.words.value
    game.set(number=2, answer="synthetic").set(number=1)
    assert game.answer.value == "real" and "you said real" in game.words.value
    assert game.answers == {1: "real", 2: "synthetic"}


def test_the_seed_decides():
    games = [RealOrSynthetic(REAL, FAKE, seed=seed) for seed in (1, 1, 2)]
    assert games[0].truth == games[1].truth and games[0].image.value == games[1].image.value
    assert any(np.any(a != b) for a, b in zip(games[0].pictures, games[2].pictures, strict=True))


@pytest.mark.parametrize(
    ("values", "error"),
    [({"number": 0}, ValueError), ({"answer": "maybe"}, ValueError), ({"x": 1}, KeyError)],
)
def test_set_refuses_what_the_controls_do_not_offer(values: dict, error: type):
    with pytest.raises(error):
        RealOrSynthetic(REAL, FAKE).set(**values)


def test_too_few_pictures_are_refused():
    with pytest.raises(ValueError, match="21 rounds"):
        RealOrSynthetic(REAL, FAKE, rounds=21)


def test_next_goes_to_a_picture_without_an_answer():
    game = RealOrSynthetic(REAL, FAKE, rounds=4)
    game.set(number=2, answer="real").set(number=1, answer="real").next()
    assert game.controls["number"].value == 3 and game.answer.value == "?"
    game.set(answer="real").next().set(answer="real").next()
    assert game.controls["number"].value == 1 and "you said real" in game.words.value


def test_it_can_be_played_again_with_other_pictures():
    game = RealOrSynthetic(REAL, FAKE)
    for number, truth in enumerate(game.truth, 1):
        game.set(number=number, answer=truth)
    before = [shown.copy() for shown in game.pictures]
    button = next(child for child in game.row.children if child.description == "Play again")
    button.click()
    assert game.answers == {} and game.controls["number"].value == 1 and game.answer.value == "?"
    assert (
        "No answer yet" in game.words.value
        and pixels(game)[8 * SCALE, 8 * SCALE, 0] == game.pictures[0][8, 8]
    )
    assert any(np.any(a != b) for a, b in zip(before, game.pictures, strict=True))
    fresh = RealOrSynthetic(REAL, FAKE, seed=1)
    assert game.truth == fresh.truth and game.image.value == fresh.image.value

"""Each explorer's picture and sentence against the numbers that it shows."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from pixels import GREY, pixels
from scipy.spatial import geometric_slerp
from scipy.stats import binomtest
from traitlets import TraitError

from strokegan_lib import classroom as c
from strokegan_lib.classroom.widgets.attention_explorer import DIM
from strokegan_lib.classroom.widgets.average_explorer import averages
from strokegan_lib.classroom.widgets.loss_explorer import GREYS, LOSSES, expected
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, outlined
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS
from strokegan_lib.evaluation.overlap import Counts, best_threshold, count
from strokegan_lib.losses import multi_scale_l1
from strokegan_lib.models.critic import Critic


def test_attention_is_orange_where_a_position_takes_from_and_the_position_is_framed():
    weights = torch.eye(16)  # 4 x 4 positions of 4 x 4 pixels
    weights[6, [1, 6, 15]] = torch.tensor([0.8, 0, 0.2])  # position (1, 2) takes from (0, 1) and (3, 3)
    maps = {"two": weights, "even": torch.full((64, 64), 1 / 64)}
    explorer = c.AttentionExplorer(GREY, maps).set(row=7, column=8)
    left, right = np.split(pixels(explorer), 2, axis=1)
    assert (right[11, 12] == ORANGE).all() and (right[11, 11] == round(DIM * 100)).all()
    assert np.abs(right[40, 40] - (0.25 * np.array(ORANGE) + 0.75 * DIM * 100)).max() <= 0.5
    frame = np.zeros((48, 48), bool)
    frame[10:26, 22:38] = True
    frame[12:24, 24:36] = False
    assert np.array_equal((left == BLUE).all(-1), frame)
    told = "(1, 2) of 4 x 4: takes from about 2 of 16 positions, 80 % from the other half of the picture"
    assert f"{told}, most from (0, 1)" in explorer.sentence
    assert "about 64 of 64 positions, 50 % from the other half" in explorer.set(layer="even").sentence


@given(share=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_walk_on_the_sphere_is_that_of_scipy(share: float, seed: int):
    a, b = F.normalize(torch.randn(2, 16, generator=torch.Generator().manual_seed(seed)).double(), dim=1)
    theirs = geometric_slerp(a.numpy(), b.numpy(), share)
    assert c.interpolate(a, b, share).numpy() == pytest.approx(theirs, abs=1e-6)
    assert torch.allclose(c.interpolate(a, b, share, "straight"), torch.lerp(a, b, share))
    assert torch.allclose(c.interpolate(a, -a, 0.25), 0.5 * a)  # opposite codes have no arc


def test_the_ends_of_a_walk_are_the_codes_own_pictures():
    codes = torch.rand(4, 8, generator=torch.Generator().manual_seed(0))
    walkers = {"a": c.Walker(lambda code: code.reshape(1, 1, 2, 4), codes)}  # a code is its own picture
    walk = c.LatentWalk(walkers).set(start=2, end=3, share=0.0)
    left, middle, right = np.split(pixels(walk)[::SCALE, ::SCALE, 0], 3, axis=1)
    assert np.array_equal(left, middle) and "0.000 from the left" in walk.sentence
    assert np.abs(np.stack([left, right]) - 255 * codes[2:].reshape(2, 2, 4).numpy()).max() <= 0.51
    assert "0.000 from the right" in walk.set(share=1.0).sentence
    walkers["b"] = walkers["a"]._replace(codes=codes[:2])
    assert c.LatentWalk(walkers).controls["end"].max == 1, "codes that every walker has"


def test_the_family_tree_shows_who_was_there_and_frames_who_is_new():
    members = {
        "old": c.Relative(2015, 0, np.full((8, 8), 70, np.uint8), (), "600 steps"),
        "young": c.Relative(2017, 1, np.full((8, 8), 140, np.uint8), ("old",), "500 steps"),
    }
    tree = c.FamilyTree(members)
    assert tree.controls["year"].options == (2015, 2017)
    frames = []
    for year, told in ((2015, "1 of 2: old (600 steps)"), (2017, "2 of 2: young (500 steps)")):
        shown = pixels(tree.set(year=year))
        assert tree.sentence == f"{year}, {told}"
        area = [(shown == grey).all(-1).sum() for grey in (70, 140)]  # letters have grey rims
        assert [a > 5000 for a in area] == [True, year == 2017]
        frames.append(np.argwhere((shown == ORANGE).all(-1)).mean(0))
    (below, left), (above, right) = frames
    assert above < below and left < right, "later to the right, row 1 above row 0"
    with pytest.raises(TraitError):
        tree.set(year=2016)


def test_the_bars_of_the_level_prober_are_the_loss_of_the_library(phantom: SliceSet):
    torch.manual_seed(0)
    largest = phantom.stroke.sum((1, 2), dtype=np.int64).argmax()
    critic = Critic(1, width=8, attention=False).eval()
    image = torch.tensor(phantom.images[largest]) / 255  # (1, 128, 128)
    stroke = torch.tensor(phantom.stroke[largest])[None].float()  # (1, 128, 128)
    prober = c.LevelProber(critic, image, stroke)
    before = prober.image.value
    assert prober.sentence.count(" 0 %") == 4
    assert prober.set(down=5, across=-3, grow=1, blur=1.5).image.value != before
    masks = c.corrupted(stroke[None], 5, -3, 1, 1.5), 0 * stroke[None], stroke[None]
    with torch.no_grad():
        levels = zip(*(critic(image[None] * mask) for mask in masks), strict=True)
    for seen, empty, true in levels:
        loss = 100 * multi_scale_l1([seen], [true]) / multi_scale_l1([empty], [true])
        assert loss > 5 and f" {loss:.0f} %" in prober.sentence
    with pytest.raises(ValueError, match="eval"):
        c.LevelProber(critic.train(), image, stroke)


def test_masks_are_moved_grown_and_blurred():
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:20, 12:18] = 1
    assert torch.equal(c.corrupted(mask, 4, -2), torch.roll(mask, (4, -2), (2, 3)))
    assert not c.corrupted(mask, down=30).any(), "what leaves does not come back"
    assert torch.equal(c.corrupted(mask, grow=2), F.max_pool2d(mask, 5, 1, 2))
    assert torch.equal(c.corrupted(mask, grow=-2), -F.max_pool2d(-mask, 5, 1, 2))
    blurred = c.corrupted(mask, blur=1.0)
    assert float(blurred.sum()) == pytest.approx(60, rel=1e-4) and 0.3 < blurred[0, 0, 10, 15] < 0.8


@settings(max_examples=30)
@given(grey=st.floats(0.1, 0.9), chance=st.floats(0, 0.49) | st.floats(0.51, 1))
def test_l1_has_its_minimum_at_the_median_and_the_divergence_at_the_mean(grey: float, chance: float):
    slopes = {  # of each loss in the logit of what is painted, for a true grey t
        "L1": lambda t: np.sign(GREYS - t) * GREYS * (1 - GREYS),
        "divergence": lambda t: GREYS - t,
    }
    minima = {"L1": grey if chance > 0.5 else 0.0, "divergence": grey * chance}
    beside = np.abs(GREYS - grey) > 1e-6  # L1 has a corner there
    for name, (loss, _) in LOSSES.items():
        height, gradient = expected(loss, GREYS, grey, chance)
        slope = chance * slopes[name](grey) + (1 - chance) * slopes[name](0)
        assert gradient[beside] == pytest.approx(slope[beside], abs=1e-9) and height.min() >= -1e-12
        assert GREYS[height.argmin()] == pytest.approx(minima[name], abs=0.0011)
    told = c.LossExplorer().set(painted=0.02, grey=0.7, chance=0.4).sentence
    assert "L1: minus gradient -0.004, minimum at 0.00" in told
    assert "divergence: minus gradient +0.260, minimum at 0.28" in told


def test_the_ratio_explorer_names_the_arms_that_saw_that_share_and_lights_them():
    saved = c.saved_comparisons()
    for title, comparison in saved.items():
        explorer = c.RatioExplorer(saved).set(comparison=title)
        for words, share in explorer.controls["share"].options:
            seen = [line for line in comparison.lines if round(line["stroke_share_in_batches"], 2) == share]
            told = "; ".join(f"{line['arm']} {line['pooled_dice_mean']:.3f}" for line in seen) or "by no arm"
            sentence = explorer.set(score="pooled Dice", share=share).sentence
            assert sentence == f"pooled Dice, {words} stroke seen: {told}"
            assert (pixels(explorer) == ORANGE).all(-1).any() == bool(seen)
            sentence = explorer.set(score="Dice, slices with a lesion").sentence
            for line in (line for line in seen if line["arm"] != "oversampling"):
                gain, low, high = (-line[key] for key in ("minus_arm", "minus_arm_high", "minus_arm_low"))
                assert f"({gain:+.3f} against oversampling, {low:+.3f} to {high:+.3f})" in sentence


def test_rivals_are_drawn_with_their_gain_their_false_positives_and_the_colour_of_the_verdict():
    verdicts = dict.fromkeys(("carvemix", "gan-50"), "better") | {"synthetic-only": "worse"}
    comparison = c.saved_comparisons()["soop, soop-18"]
    arms = comparison.lines[1:]
    gain, wrong = c.rivals(comparison, {line["arm"]: "undecided" for line in arms} | verdicts).axes
    dots = [line for line in gain.lines if line.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in dots] == [-line["minus_arm"] for line in arms]
    colours = {"better": c.BLUE, "worse": c.ORANGE}
    assert [dot.get_color() for dot in dots] == [
        colours.get(verdicts.get(line["arm"], ""), c.GREY) for line in arms
    ]
    dots = [dot.get_xdata()[0] for dot in wrong.lines if dot.get_marker() == "o"]
    assert dots == [-line["minus_arm_false_positives"] for line in arms]
    plt.close(gain.figure)


REAL = np.full((20, 16, 16), 50, np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None]
FAKE = REAL + 100


def test_pictures_of_the_game_are_of_the_kind_that_the_answers_are_judged_by():
    game = c.RealOrSynthetic(REAL, FAKE, rounds=9)
    shades = []
    for number, truth in enumerate(game.truth, 1):
        shown = pixels(game.set(number=number))
        assert "real or synthetic?" in game.sentence and (shown == shown[0, 0]).all(), "no frame yet"
        assert (shown[24, 24, 0] >= 150) == (truth == "synthetic")
        assert tuple(pixels(game.set(answer=truth))[0, 0]) == (BLUE if truth == "real" else ORANGE)
        shades.append(shown[24, 24, 0])
    chance = binomtest(9, 9, 0.5, alternative="greater").pvalue
    assert f"Score 9 of 9; a coin does as well or better with probability {chance:.2f}." in game.sentence
    assert len(set(shades)) == 9 and set(game.truth) == {"real", "synthetic"}
    (button,) = (child for child in game.row.children if child.description == "Play again")
    button.click()
    fresh = c.RealOrSynthetic(REAL, FAKE, rounds=9, seed=1)
    assert game.answers == {} and game.truth == fresh.truth and game.image.value == fresh.image.value


def test_the_first_answer_counts_and_each_picture_keeps_its_own():
    game = c.RealOrSynthetic(REAL, FAKE, rounds=4)
    wrong = {"real": "synthetic", "synthetic": "real"}[game.truth[0]]
    game.set(answer=wrong).set(answer=game.truth[0])
    assert "wrong" in game.sentence and "Score 0 of 1" in game.sentence
    game.controls["number"].value = 3  # as the mouse does it
    assert game.controls["answer"].value == "?" and "real or synthetic?" in game.sentence
    game.set(answer="real").next()
    assert game.controls["number"].value == 4
    assert "you said real" in game.set(number=3).sentence and game.controls["answer"].value == "real"


def test_the_threshold_explorer_shows_overlaps_and_the_curve_that_the_library_chooses_by(phantom: SliceSet):
    validation = phantom.of_split("validation")
    has_lesion = phantom.table["has_stroke"][validation] == 1
    rows = np.append(validation[has_lesion][:5], validation[~has_lesion][0])
    truth = torch.from_numpy(phantom.stroke[rows]).float()[:, None]  # (6, 1, 128, 128)
    score = 0.4 * truth + 0.5 * torch.rand(truth.shape, generator=torch.Generator().manual_seed(0))
    explorer = c.ThresholdExplorer(phantom, rows, {"noisy": score}).set(slice=2, threshold=0.3)
    true, predicted = phantom.stroke[rows[2]] == 1, score[2, 0].numpy() > np.float32(0.3)
    shown = outlined(phantom.images[rows[2], 0], (true, ORANGE), (predicted, BLUE))
    assert np.array_equal(pixels(explorer)[:, : 128 * SCALE], shown)
    both = (true & predicted).sum()
    dice, precision = 2 * both / (true.sum() + predicted.sum()), both / predicted.sum()
    told = f"Dice {dice:.2f}, precision {precision:.2f}, sensitivity {both / true.sum():.2f};"
    assert told in explorer.sentence and str(phantom.table["patient"][rows[2]]) in explorer.sentence
    outside = int((score[5] > 0.4).sum())
    assert f"{outside} false positive pixels" in explorer.set(slice=5, threshold=0.4).sentence
    chosen, _ = best_threshold(count(score, truth, THRESHOLDS), THRESHOLDS)
    best = count(score[:5], truth[:5], THRESHOLDS).dice().mean(-1).max()
    told = explorer.set(threshold=round(chosen, 2)).sentence
    assert told.endswith(f"over the 5 slices with a lesion {best:.3f}")


def test_the_average_explorer_counts_empty_slices_as_if_there_were_more_of_them():
    tp, fp, fn = torch.tensor([[6, 0, 0, 0], [2, 0, 5, 0], [2, 4, 0, 0]])  # Dice .75, 0, and two empty slices
    counts, patients = Counts(tp, fp, fn), np.array(["a", "b", "a", "b"])
    found = averages(counts, patients)
    alone = {"lesion slices": 0.375, "all slices, empty = 1": 1.75 / 4, "all slices, empty = 0": 0.75 / 4}
    rest = {"empty left out": 0.25, "pooled": 12 / 25, "patients": 12 / 21 / 2}
    assert found == pytest.approx(alone | rest)
    chosen = torch.tensor([0, 1, 2, 3, 2, 3, 2, 3])  # each empty slice three times: three in four are empty
    thrice = averages(counts[chosen], patients[chosen])
    assert averages(counts, patients, 3) == pytest.approx(thrice)
    explorer = c.AverageExplorer({"net": counts}, patients, {"paper": 0.7})
    assert explorer.controls["share"].value == 0.5 and "net 0.188 to 0.480" in explorer.sentence
    before = explorer.image.value
    told = f"75% empty slices, lowest to highest of six Dices: net {min(thrice.values()):.3f} to"
    assert explorer.set(share=0.75).sentence.startswith(told) and explorer.image.value != before

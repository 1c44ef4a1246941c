"""Each explorer's picture and sentence against the numbers that it shows."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import pixels
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from torch import Tensor

from strokegan_lib.classroom import (
    AttentionExplorer,
    LatentWalk,
    LevelProber,
    LossExplorer,
    RatioExplorer,
    RealOrSynthetic,
    ThresholdExplorer,
    Walker,
    corrupted,
    interpolate,
    saved_comparisons,
)
from strokegan_lib.classroom.saved import Comparison
from strokegan_lib.classroom.widgets.attention_explorer import DIM
from strokegan_lib.classroom.widgets.latent_walk import WAYS
from strokegan_lib.classroom.widgets.loss_explorer import GREYS, LOSSES, expected
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, outlined
from strokegan_lib.classroom.widgets.ratio_explorer import SCORES
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS
from strokegan_lib.evaluation.overlap import best_threshold, count
from strokegan_lib.losses import multi_scale_l1
from strokegan_lib.models.critic import Critic
from strokegan_lib.models.family.dcgan import DCGAN


class TestAttention:
    SIDE = 16
    IMAGE = np.full((SIDE, SIDE), 100, np.uint8)

    @settings(max_examples=15)
    @given(st.integers(0, 15), st.integers(0, 15), st.sampled_from([2, 4]), st.integers(0, 2**32 - 1))
    def test_orange_is_where_a_position_takes_from_and_blue_where_it_is(self, row, column, f, seed):
        n, block = self.SIDE // f, f * SCALE
        to = np.random.default_rng(seed).permutation(n * n)  # each position takes from one other
        explorer = AttentionExplorer(self.IMAGE, {"a": torch.eye(n * n)[to.tolist()]}).set(
            row=row, column=column
        )
        left, right = np.split(pixels(explorer), 2, axis=1)
        r, c = divmod(int(to[row // f * n + column // f]), n)
        assert (right[r * block + block // 2, c * block + block // 2] == ORANGE).all()
        assert f"about 1 of {n * n} positions" in explorer.sentence
        assert f"most from ({r}, {c})" in explorer.sentence
        top, start = row // f * block, column // f * block
        blue = (left == BLUE).all(-1)
        near = np.zeros_like(blue)
        near[max(0, top - 2) : top + block + 2, max(0, start - 2) : start + block + 2] = True
        near[top : top + block, start : start + block] = False
        assert np.array_equal(blue, near)

    def test_weights_shade_the_slice_and_the_sentence_measures_them(self):
        weights = torch.zeros(16, 16)  # 4 x 4 positions of 4 x 4 pixels
        weights[:, 0], weights[:, 15] = 0.8, 0.2
        explorer = AttentionExplorer(self.IMAGE, {"two": weights, "even": torch.full((64, 64), 1 / 64)})
        right = np.split(pixels(explorer.set(row=4, column=12)), 2, axis=1)[1]
        quarter = 0.25 * np.array(ORANGE) + 0.75 * DIM * 100
        assert (right[5, 5] == ORANGE).all() and np.abs(right[-5, -5] - quarter).max() <= 0.5
        assert (right[-5, 5] == round(DIM * 100)).all()
        assert "about 64 of 64 positions, 50 % from the other half" in explorer.set(layer="even").sentence


class TestLatentWalk:
    @given(share=st.floats(0, 1), seed=st.integers(0, 99))
    def test_on_the_sphere_length_and_pace_are_kept(self, share: float, seed: int):
        chance = torch.Generator().manual_seed(seed)
        a, b = F.normalize(torch.randn(2, 16, generator=chance, dtype=torch.float64), dim=1)
        middle = interpolate(a, b, share)
        assert float(middle.norm()) == pytest.approx(1)
        angle, part = (torch.arccos((a @ x).clamp(-1, 1)) for x in (b, middle))
        assert float(part) == pytest.approx(share * float(angle), abs=1e-5)
        for way in WAYS:
            assert torch.allclose(interpolate(a, b, 0.0, way), a)
            assert torch.allclose(interpolate(a, b, 1.0, way), b)

    def test_a_straight_way_is_shorter_in_the_middle_and_opposite_codes_have_no_arc(self):
        a, b = torch.eye(2)
        assert float(interpolate(a, b, 0.5, "straight").norm()) == pytest.approx(0.5**0.5)
        assert torch.allclose(interpolate(a, -a, 0.25), 0.5 * a)

    def test_the_ends_are_the_codes_own_pictures(self):
        torch.manual_seed(0)
        network = DCGAN(4, 8).eval()
        for weights in network.parameters():  # as they are drawn every picture is grey
            weights.data.mul_(10 if weights.ndim == 4 else 1)
        walker = Walker(network, torch.randn(4, 8))
        walk = LatentWalk({"a": walker}).set(start=2, end=3, share=0.0)
        left, middle, right = np.split(pixels(walk)[::SCALE, ::SCALE, 0], 3, axis=1)
        with torch.inference_mode():
            own = 255 * network(walker.codes[2:])[:, 0].numpy()
        assert np.array_equal(left, middle) and not np.array_equal(left, right)
        assert np.abs(left - own[0]).max() <= 0.51 and np.abs(right - own[1]).max() <= 0.51
        assert "0.000 from the left" in walk.sentence
        assert "0.000 from the right" in walk.set(share=1.0).sentence
        two = {"a": walker, "b": Walker(network, walker.codes[:2])}
        assert LatentWalk(two).controls["end"].max == 1, "codes that every walker has"


class TestLevelProber:
    def test_the_bars_are_the_loss_of_the_library(self, phantom: SliceSet, largest: int):
        torch.manual_seed(0)
        critic = Critic(1, width=8, attention=False).eval()
        image = torch.tensor(phantom.images[largest]) / 255  # (1, 128, 128)
        stroke = torch.tensor(phantom.stroke[largest])[None].float()  # (1, 128, 128)
        prober = LevelProber(critic, image, stroke)
        assert prober.sentence.count(" 0 %") == 4
        before = prober.image.value
        prober.set(down=5, across=-3, grow=1, blur=1.5)
        assert prober.image.value != before
        masks = corrupted(stroke[None], 5, -3, 1, 1.5), 0 * stroke[None], stroke[None]
        with torch.no_grad():
            levels = zip(*(critic(image[None] * mask) for mask in masks), strict=True)
        for seen, empty, true in levels:
            loss = 100 * multi_scale_l1([seen], [true]) / multi_scale_l1([empty], [true])
            assert loss > 5 and f" {loss:.0f} %" in prober.sentence
        with pytest.raises(ValueError, match="eval"):
            LevelProber(critic.train(), image, stroke)

    def test_masks_are_moved_grown_and_blurred(self):
        mask = torch.zeros(1, 1, 32, 32)
        mask[..., 10:20, 12:18] = 1
        assert torch.equal(corrupted(mask), mask)
        assert torch.equal(corrupted(mask, 4, -2), torch.roll(mask, (4, -2), (2, 3)))
        assert not corrupted(mask, down=30).any(), "what leaves does not come back"
        assert torch.equal(corrupted(mask, grow=2), F.max_pool2d(mask, 5, 1, 2))
        assert torch.equal(corrupted(mask, grow=-2), -F.max_pool2d(-mask, 5, 1, 2))
        blurred = corrupted(mask, blur=1.0)
        assert (
            float(blurred.sum()) == pytest.approx(60, rel=1e-4) and 0.3 < float(blurred[0, 0, 10, 15]) < 0.8
        )


class TestLosses:
    @given(
        grey=st.floats(0.1, 0.9), chance=st.floats(0.0, 1.0).filter(lambda chance: abs(chance - 0.5) > 0.01)
    )
    def test_l1_has_its_minimum_at_the_median_and_the_divergence_at_the_mean(
        self, grey: float, chance: float
    ):
        slopes = {  # of each loss in the logit of what is painted, for a true grey t
            "L1": lambda t: np.sign(GREYS - t) * GREYS * (1 - GREYS),
            "divergence": lambda t: GREYS - t,
        }
        minima, beside = {}, np.abs(GREYS - grey) > 1e-6  # L1 has a corner there
        for name, (loss, _) in LOSSES.items():
            height, gradient = expected(loss, GREYS, grey, chance)
            slope = chance * slopes[name](grey) + (1 - chance) * slopes[name](0)
            assert gradient[beside] == pytest.approx(slope[beside], abs=1e-9) and height.min() >= -1e-12
            minima[name] = GREYS[height.argmin()]
        assert minima["L1"] == pytest.approx(grey if chance > 0.5 else 0.0, abs=0.0011)
        assert minima["divergence"] == pytest.approx(grey * chance, abs=0.0011)

    def test_the_sentence_says_what_is_seen(self):
        explorer = LossExplorer().set(painted=0.02, grey=0.7, chance=0.4)
        assert "L1: minus gradient -0.004, minimum at 0.00" in explorer.sentence
        assert "divergence: minus gradient +0.260, minimum at 0.28" in explorer.sentence


class TestRatios:
    @pytest.fixture
    def explorer(self) -> RatioExplorer:
        """Two made-up results: every score is .4, .01 more for each further arm."""
        first = {"oversampling": 0.5, "real": 0.1838, "gan-35": 0.3506, "gan-50": 0.5}
        comparisons = {}
        for name, shares in {"a": first, "b": {"oversampling": 0.8, "real": 0.6}}.items():
            lines = []
            for k, (arm, share) in enumerate(shares.items()):
                line = {"arm": arm, "stroke_share_in_batches": share, "minus_arm": -k / 100 if k else None}
                line |= {"minus_arm_low": -0.05, "minus_arm_high": 0.02}
                for score in SCORES.values():
                    mean = 0.4 + k / 100
                    line |= {f"{score}_mean": mean, f"{score}_low": mean - 0.1, f"{score}_high": mean + 0.1}
                lines.append(line)
            comparisons[name] = Comparison(lines, {"data": "discs", "setting": name})
        return RatioExplorer(comparisons)

    def test_it_names_the_arms_that_saw_that_share_and_lights_them(self, explorer: RatioExplorer):
        told = "35% stroke seen: gan-35 0.420 (+0.020 against oversampling, -0.020 to +0.050)"
        assert explorer.set(share=0.35).sentence == f"Dice, slices with a lesion, {told}"
        one = (pixels(explorer) == ORANGE).all(-1).sum()
        explorer.set(score="pooled Dice", share=0.5)
        assert explorer.sentence == "pooled Dice, 50% stroke seen: oversampling 0.400; gan-50 0.430"
        assert 0 < one < (pixels(explorer) == ORANGE).all(-1).sum()

    def test_another_comparison_has_shares_of_its_own(self, explorer: RatioExplorer):
        assert explorer.controls["share"].value == 0.5
        assert "by no arm" in explorer.set(comparison="b").sentence
        assert "real 0.410" in explorer.set(share=0.6).sentence
        saved = saved_comparisons()  # those that come with the kit
        assert "oversampling" in RatioExplorer(saved).set(share=0.5).sentence
        assert all(comparison.title == title for title, comparison in saved.items())


class TestGame:
    REAL = np.full((20, 16, 16), 50, np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None]
    FAKE = REAL + 100

    def test_pictures_are_of_the_kind_that_the_answers_are_judged_by(self):
        game = RealOrSynthetic(self.REAL, self.FAKE, rounds=9)
        shades = []
        for number, truth in enumerate(game.truth, 1):
            shown = pixels(game.set(number=number))
            assert "real or synthetic?" in game.sentence and (shown == shown[0, 0]).all(), "no frame yet"
            assert (shown[24, 24, 0] >= 150) == (truth == "synthetic")
            assert tuple(pixels(game.set(answer=truth))[0, 0]) == (BLUE if truth == "real" else ORANGE)
            shades.append(int(shown[24, 24, 0]))
        chance = binomtest(9, 9, 0.5, alternative="greater").pvalue
        assert f"Score 9 of 9; a coin does as well or better with probability {chance:.2f}." in game.sentence
        assert len(set(shades)) == 9 and set(game.truth) == {"real", "synthetic"}

    def test_the_first_answer_counts_and_each_picture_keeps_its_own(self):
        game = RealOrSynthetic(self.REAL, self.FAKE, rounds=4)
        wrong = {"real": "synthetic", "synthetic": "real"}[game.truth[0]]
        game.set(answer=wrong).set(answer=game.truth[0])
        assert "wrong" in game.sentence and "Score 0 of 1" in game.sentence
        game.controls["number"].value = 3  # as the mouse does it
        assert game.controls["answer"].value == "?" and "real or synthetic?" in game.sentence
        game.set(answer="real").next()
        assert game.controls["number"].value == 4
        assert "you said real" in game.set(number=3).sentence and game.controls["answer"].value == "real"

    def test_play_again_shows_other_pictures(self):
        game, fresh = (RealOrSynthetic(self.REAL, self.FAKE, seed=seed) for seed in (0, 1))
        game.set(answer="real")
        (button,) = (child for child in game.row.children if child.description == "Play again")
        button.click()
        assert game.answers == {} and game.truth == fresh.truth and game.image.value == fresh.image.value


class TestThresholds:
    @pytest.fixture
    def rows(self, phantom: SliceSet) -> np.ndarray:
        """Five validation slices with a lesion and one without."""
        validation = phantom.of_split("validation")
        sick = phantom.table["has_stroke"][validation] == 1
        return np.append(validation[sick][:5], validation[~sick][0])

    @pytest.fixture
    def score(self, phantom: SliceSet, rows: np.ndarray) -> Tensor:
        """Noise around the truth, (6, 1, 128, 128)."""
        truth = torch.from_numpy(phantom.stroke[rows]).float()[:, None]
        return 0.4 * truth + 0.5 * torch.rand(truth.shape, generator=torch.Generator().manual_seed(0))

    def test_it_draws_truth_and_prediction_and_says_their_overlap(self, phantom, rows, score):
        explorer = ThresholdExplorer(phantom, rows, {"noisy": score}).set(slice=2, threshold=0.3)
        truth, predicted = phantom.stroke[rows[2]] == 1, score[2, 0].numpy() > np.float32(0.3)
        expected = outlined(phantom.images[rows[2], 0], (truth, ORANGE), (predicted, BLUE))
        assert np.array_equal(pixels(explorer)[:, : 128 * SCALE], expected)
        both = (truth & predicted).sum()
        dice, precision = 2 * both / (truth.sum() + predicted.sum()), both / predicted.sum()
        told = f"Dice {dice:.2f}, precision {precision:.2f}, sensitivity {both / truth.sum():.2f};"
        assert told in explorer.sentence and str(phantom.table["patient"][rows[2]]) in explorer.sentence
        alarms = int((score[5] > 0.4).sum())
        assert f"{alarms} false positive pixels" in explorer.set(slice=5, threshold=0.4).sentence

    def test_the_top_of_its_curve_is_the_threshold_that_the_library_chooses(self, phantom, rows, score):
        truth = torch.from_numpy(phantom.stroke[rows])[:, None]
        chosen, _ = best_threshold(count(score, truth, THRESHOLDS), THRESHOLDS)
        explorer = ThresholdExplorer(phantom, rows, {"noisy": score})
        mean = {}
        for cut in (0.01, 0.3, round(chosen, 2), 0.7):
            told = explorer.set(threshold=cut).sentence
            mean[cut] = float(re.search(r"over the 5 slices with a lesion (.+)$", told)[1])
        assert max(mean, key=mean.get) == round(chosen, 2) and mean[0.01] < mean[0.3]

"""The pictures with sliders, used with mouse and keyboard in the notebooks that show them."""

from __future__ import annotations

import re

from conftest import PICTURES
from notebook import OpenNotebook


class TestSelfAttention:
    NOTEBOOK = "02_self_attention.ipynb"
    RUN_TO = "explorer = AttentionExplorer(slices"

    def test_attention_explorer_follows_the_sliders_and_the_layer(self, notebook: OpenNotebook):
        explorer = notebook.output(self.RUN_TO)
        before = explorer.picture()
        row, column = int(explorer.drag("row", 0.5)), int(explorer.press("column", "ArrowRight"))
        block = 4  # pixels a side of a position of this map, 32 x 32
        explorer.says(f"position ({row // block}, {column // block}) of 32 x 32")
        moved = explorer.picture()
        assert (moved != before).any()
        # with the mouse in the picture itself, then with its keys
        explorer.click(10 * block + 1, 20 * block + 1)
        explorer.says("position (10, 20) of 32 x 32")
        assert (explorer.value("row"), explorer.value("column")) == (str(10 * block + 2), str(20 * block + 2))
        explorer.output.locator("img").press("ArrowDown")
        explorer.says("position (11, 20) of 32 x 32")
        moved = explorer.picture()
        explorer.choose("layer", "brightness")
        explorer.says("brightness, position (11, 20)")
        assert (explorer.picture() != moved).any()
        explorer.output.screenshot(path=PICTURES / "attention_explorer.png")


class TestMultiScaleL1:
    NOTEBOOK = "03_multi_scale_l1.ipynb"
    RUN_TO = "prober = LevelProber("

    def test_level_prober_measures_what_the_sliders_spoil(self, notebook: OpenNotebook):
        prober = notebook.output(self.RUN_TO)
        before, spoilt = prober.picture(), prober.sentence()
        prober.drag("moved down", 1.0)
        further = prober.says("mask moved 16 down")
        assert percents(further)[0] > percents(spoilt)[0]
        prober.output.screenshot(path=PICTURES / "level_prober.png")
        # back to the true mask, where no level sees a difference
        prober.press("moved down", *["ArrowLeft"] * 16)
        prober.press("moved right", *["ArrowRight"] * 6)
        prober.press("grown by", "ArrowRight")
        prober.press("blurred by", "Home")
        assert set(percents(prober.says("mask moved 0 down and 0 across, grown by 0, blurred by 0.0"))) == {0}
        assert (prober.picture() != before).any()


class TestMaskedImageSegmentation:
    NOTEBOOK = "05_masked_image_segmentation.ipynb"
    RUN_TO = "explorer = ThresholdExplorer("

    def test_threshold_explorer_cuts_where_the_slider_stands(self, notebook: OpenNotebook):
        explorer = notebook.output(self.RUN_TO)
        before = explorer.picture()
        low = explorer.drag("threshold", 0.0)
        assert low == "0.01"
        loose = explorer.says("threshold 0.01:")
        high = explorer.press("threshold", "End")
        assert high == "0.99"
        strict = explorer.says("threshold 0.99:")
        assert sensitivity(loose) >= sensitivity(strict)
        assert (explorer.picture() != before).any()
        explorer.output.screenshot(path=PICTURES / "threshold_explorer.png")


class TestRealismAndDiversity:
    NOTEBOOK = "07_realism_and_diversity.ipynb"
    RUN_TO = "game = RealOrSynthetic("

    def test_game_tells_and_counts_after_an_answer(self, notebook: OpenNotebook):
        game = notebook.output(self.RUN_TO)
        game.says("picture 1 of")
        game.says("No answer yet.")
        before = game.picture()
        game.output.get_by_role("button", name="synthetic").click()
        told = game.says("you said synthetic")
        assert (game.picture() != before).any()  # it has a frame now
        right = int(": right." in told)
        game.says(f"Score {right} of 1")
        game.output.get_by_role("button", name="Next picture").press("Space")
        game.says("picture 2 of")
        game.output.get_by_role("button", name="real", exact=True).press("Space")
        right += int(": right." in game.says("you said real"))
        game.says(f"Score {right} of 2")
        game.output.screenshot(path=PICTURES / "real_or_synthetic.png")


class TestClassBalancing:
    NOTEBOOK = "08_class_balancing.ipynb"
    RUN_TO = "explorer = RatioExplorer("

    def test_ratio_explorer_lights_the_arms_that_saw_the_share(self, notebook: OpenNotebook):
        explorer = notebook.output(self.RUN_TO)
        before = explorer.picture()
        share = explorer.drag("stroke seen", 0.0)
        explorer.says(f", {share} stroke seen:")
        first = explorer.picture()
        assert (first != before).any()
        explorer.choose("score", "precision")
        explorer.says(f"precision, {share} stroke seen:")
        assert explorer.picture().shape == first.shape and (explorer.picture() != first).any()
        explorer.output.screenshot(path=PICTURES / "ratio_explorer.png")


class TestANewLoss:
    NOTEBOOK = "10_a_new_loss.ipynb"
    RUN_TO = "LossExplorer().set("

    def test_pull_explorer_says_what_each_loss_wants(self, notebook: OpenNotebook):
        explorer = notebook.output(self.RUN_TO)
        before = explorer.picture()
        explorer.press("chance of stroke", "End")
        explorer.says("with a chance of 100%: L1 pulls")
        sure = explorer.picture()
        assert (sure != before).any()
        # a stroke that is surely there: both losses want its grey
        grey = explorer.value("grey of the stroke")
        explorer.says(f"and wants {grey}; divergence")
        # one that is rather not there: L1 wants black
        explorer.press("chance of stroke", "Home")
        explorer.says("with a chance of 0%: L1 pulls")
        assert (explorer.picture() != sure).any()
        explorer.drag("painted grey", 1.0)
        explorer.says("painted 0.99")
        explorer.output.screenshot(path=PICTURES / "pull_explorer.png")


class TestTheFamilyOfGANs:
    NOTEBOOK = "11_the_family_of_gans.ipynb"
    RUN_TO = "walk = LatentWalk("

    def test_latent_walk_goes_from_one_brain_to_another(self, notebook: OpenNotebook):
        walk = notebook.output(self.RUN_TO)
        before = walk.picture()
        walk.drag("share of the way", 0.0)
        walk.says("0.000 from the left picture")
        assert (walk.picture() != before).any()
        walk.press("share of the way", "End")
        walk.says("0.000 from the right")
        walk.choose("generator", "style code, one pair of masks")
        walk.says("style code, one pair of masks, on the sphere")
        walk.output.screenshot(path=PICTURES / "latent_walk.png")


def percents(sentence: str) -> list[int]:
    return [int(found) for found in re.findall(r"(\d+) %", sentence)]


def sensitivity(sentence: str) -> float:
    return float(re.search(r"sensitivity ([\d.]+)", sentence)[1])

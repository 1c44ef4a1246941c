"""The explorer of saved comparisons: what it reads, draws and says."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from strokegan_lib.classroom.widgets.ratio_explorer import SCORES, Chart, RatioExplorer, saved_comparisons

ARMS = {"oversampling": 0.5, "real": 0.1838, "carvemix": 0.5, "gan-35": 0.3506, "gan-50": 0.5}


def save(folder: Path, name: str, setting: str, shares: dict[str, float] = ARMS, mean: float = 0.4) -> None:
    """A made-up result: every score is *mean*, a little more for each further arm."""
    lines = []
    for k, (arm, share) in enumerate(shares.items()):
        line: dict[str, object] = {"arm": arm}
        for score in SCORES.values():
            line |= {f"{score}_mean": mean + k / 100, f"{score}_low": mean - 0.1, f"{score}_high": mean + 0.1}
        if k:
            line |= {"minus_arm": -k / 100, "minus_arm_low": -0.05, "minus_arm_high": 0.02}
        lines.append({**line, "stroke_share_in_batches": share})
    with open(folder / f"balancing_{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[-1]))
        writer.writeheader()
        writer.writerows(lines)
    card = {"data": "discs", "setting": setting}
    (folder / f"balancing_{name}.json").write_text(json.dumps(card))


@pytest.fixture
def explorer(tmp_path) -> RatioExplorer:
    save(tmp_path, "a", "soop-18")
    save(tmp_path, "b", "tenth", {"oversampling": 0.8, "real": 0.6, "gan-80": 0.8})
    (tmp_path / "other.csv").write_text("not,a,comparison\n")
    return RatioExplorer(saved_comparisons(tmp_path))


def test_several_settings_are_read(explorer):
    assert list(explorer.comparisons) == ["discs, soop-18", "discs, tenth"]
    first = explorer.comparisons["discs, soop-18"]
    assert first.shares() == [0.18, 0.35, 0.5]
    assert first.arm("real")["dice_mean"] == pytest.approx(0.41)
    assert first.arm("oversampling")["minus_arm"] is None
    with pytest.raises(KeyError):
        first.arm("vae")


def test_the_same_setting_twice_keeps_both(tmp_path):
    save(tmp_path, "a", "soop-18")
    save(tmp_path, "b", "soop-18", mean=0.3)
    assert list(saved_comparisons(tmp_path)) == ["discs, soop-18", "discs, soop-18 (b)"]


def test_nothing_saved(tmp_path):
    assert saved_comparisons(tmp_path) == {}
    with pytest.raises(ValueError, match="one comparison or more"):
        RatioExplorer({})


def test_it_names_the_arms_that_saw_that_share_and_their_difference(explorer):
    explorer.set(share=0.35)
    assert explorer.words.value == (
        "Dice, slices with a lesion, 35% stroke seen: gan-35 0.430 (+0.030 against oversampling, -0.020 to +0.050)"
    )
    explorer.set(score="pooled Dice", share=0.5)
    assert explorer.words.value == (
        "pooled Dice, 50% stroke seen: oversampling 0.400; carvemix 0.420; gan-50 0.440"
    )


def test_another_comparison_offers_its_own_shares(explorer):
    explorer.set(share=0.35)
    explorer.set(comparison="discs, tenth")
    assert explorer.share.value == 0.8 and "gan-80" in explorer.words.value
    explorer.set(share=0.6)
    assert "real 0.410" in explorer.words.value
    with pytest.raises(ValueError, match="share cannot be"):
        explorer.set(share=0.35)


def test_chosen_arms_are_orange(explorer):
    chart = Chart(explorer.comparisons["discs, soop-18"], "dice", "Dice, slices with a lesion")

    def orange(share: float | None) -> int:
        shown = np.asarray(Image.open(io.BytesIO(chart.draw(share))).convert("RGB")).astype(int)
        # between the chosen colour and white, where edges are smoothed; everything else is grey
        coloured = np.ptp(shown, axis=-1) > 8
        mixed = 255 - shown[coloured]
        assert np.allclose(mixed[:, 1] / mixed[:, 2], 96 / 255, atol=0.1), "no colour but orange"
        return int(coloured.sum())

    assert orange(None) == 0 < orange(0.35) < orange(0.5)
    assert orange(None) == 0, "and go out again"
    assert explorer.image.value == chart.draw(0.5)

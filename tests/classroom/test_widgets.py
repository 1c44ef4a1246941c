"""What all pictures with controls share: set from code, shown still, errors told, clicks taken."""

import base64
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from pixels import GREY, pixels

from strokegan_lib.classroom import AttentionExplorer, MaskComparison, PatientBrowser, WindowExplorer
from strokegan_lib.classroom.widgets.interactive import VIEW
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, outlined

MASK = np.zeros((16, 16), bool)
MASK[4:8, 4:8] = True


def compare(shift=lambda mask, n: np.roll(mask, n, axis=1)) -> MaskComparison:
    return MaskComparison(GREY, MASK, redraw=shift, score=lambda a, b: (a & b).sum() / 16)


def explore() -> AttentionExplorer:
    """Two maps: 8 x 8 positions of 2 x 2 pixels, and 4 x 4 of 4 x 4."""
    return AttentionExplorer(GREY, {"fine": torch.eye(64), "coarse": torch.eye(16)})


def test_masks_are_outlined():
    shown = outlined(GREY, (MASK, ORANGE))
    painted = (shown == ORANGE).all(axis=-1)
    assert shown.shape == (16 * SCALE, 16 * SCALE, 3) and painted[4 * SCALE, 4 * SCALE : 8 * SCALE].all()
    assert not painted[~np.kron(MASK, np.ones((SCALE, SCALE), bool))].any()  # not outside
    assert not painted[5 * SCALE, 5 * SCALE] and (shown[~painted] == 100).all()  # and not in the middle


def test_the_browser_shows_the_slice_that_was_asked_for_and_offers_the_planes_of_the_patient():
    stroke, planes = np.zeros((5, 16, 16), np.uint8), {"a": np.arange(2), "b": np.arange(2, 5)}
    stroke[3] = MASK
    images = np.stack([np.stack([GREY, GREY + k]) for k in range(5)])  # (5, 2, 16, 16)
    slices = SimpleNamespace(
        patients=["a", "b"], of_patient=planes.get, channels=["dwi", "flair"], stroke=stroke,
        images=images, table={"has_stroke": stroke.any((1, 2))},
    )  # fmt: skip
    browser = PatientBrowser(slices).set(channel="flair", plane=1, patient=1)
    assert np.array_equal(pixels(browser), outlined(GREY + 3, (MASK, ORANGE)))
    assert browser.sentence == "b, plane 1 (0 to 2), flair: 16 pixels of stroke, outlined in orange"
    assert "no stroke (this patient's lies between planes 1 and 1)" in browser.set(plane=2).sentence
    browser.controls["patient"].value = 0  # as the mouse does it
    assert (pixels(browser) == 101).all() and browser.sentence == "a, plane 1 (0 to 1), flair: no stroke"


def test_a_window_can_hide_the_lesion():
    plane = np.where(MASK, 900, 500)
    explorer = WindowExplorer(plane, MASK, np.ones((16, 16), bool)).set(low=0, high=1000)
    assert "tissue has the byte 132 and the lesion 230 (medians), 98 apart; 0 %" in explorer.sentence
    assert (pixels(explorer)[: 16 * SCALE, : 4 * SCALE] == 132).all()
    assert "255 and the lesion 255 (medians), 0 apart; 100 %" in explorer.set(high=450).sentence
    assert "from 1000 to 1001: tissue has the byte 8 and the lesion 8" in explorer.set(low=1000).sentence


def test_set_refuses_what_the_controls_do_not_offer():
    with pytest.raises(ValueError, match="pixels goes from"):
        compare().set(pixels=4)
    with pytest.raises(KeyError, match="size"):
        compare().set(size=1)


@pytest.mark.parametrize("make", [compare, explore])
def test_a_still_picture_with_words_stands_in_for_the_widget(make):
    widget, again = make(), make()
    bundle, metadata = widget._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == widget.image.value == again.image.value
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == widget.image.alt == widget.sentence
    assert widget.sentence and VIEW in bundle and VIEW not in metadata
    assert 'role="status"' in widget.words.value


def test_colab_is_told_which_manager_was_switched_on(monkeypatch: pytest.MonkeyPatch):
    url = "https://example.org/manager.js"
    output = ModuleType("google.colab.output")  # as in its source: the address is kept in _widgets
    output._widgets = SimpleNamespace(_installed_url=url)
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    assert compare()._repr_mimebundle_()[1][VIEW] == {"colab": {"custom_widget_manager": {"url": url}}}


def test_an_error_in_a_callback_is_shown_until_all_is_well():
    def redraw(mask: np.ndarray, by: int) -> np.ndarray:
        if by == 1:
            raise RuntimeError("the pencil broke")
        return np.roll(mask, by, axis=1)

    comparison = compare(redraw)
    with pytest.raises(RuntimeError, match="pencil"):
        comparison.set(pixels=1)
    words = comparison.words.value
    assert "RuntimeError: the pencil broke" in words and "strokegan-failed" in words
    words = comparison.set(pixels=2).words.value
    assert "edge moved by +2: Dice 0.500" in words and "strokegan-failed" not in words
    assert (pixels(comparison)[4 * SCALE, 6 * SCALE : 10 * SCALE] == BLUE).all()


def test_a_click_or_a_slider_chooses_the_place_which_is_drawn_once_and_not_echoed(monkeypatch):
    explorer = explore().set(layer="coarse")
    calls, draw = [], explorer.draw
    monkeypatch.setattr(explorer, "draw", lambda **values: calls.append(values) or draw(**values))
    explorer.image.set_state({"place": [5, 14]})  # as the browser sends it
    assert calls == [{"row": 5, "column": 14, "layer": "coarse"}]
    assert "position (1, 3) of 4 x 4" in explorer.sentence
    explorer.set(row=5, column=13)
    assert explorer.image.place == [5, 13] and explorer.image.step == 4 and explorer.image.shape == [16, 16]
    assert explorer.set(layer="fine").image.step == 2
    # an echo may be older than what has been done since, and would undo it
    assert explorer.image.traits()["place"].metadata == {"sync": True, "echo_update": False}

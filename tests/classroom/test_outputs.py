"""Figures come with words, once, and the same each time."""

import pytest
from matplotlib import pyplot as plt

from strokegan_lib.classroom import outputs, record, show


def test_a_figure_is_shown_with_its_words_and_closed(monkeypatch: pytest.MonkeyPatch):
    shown = []
    monkeypatch.setattr(
        outputs, "display", lambda data, metadata=None, raw=True: shown.append((data, metadata))
    )
    for _ in range(2):
        figure, axes = plt.subplots(figsize=(2, 2))
        axes.plot([0, 1], [1, 0])
        show(figure, "A line that\n   falls.", keep="line")
    record(dice=0.5)
    (data, metadata), again, (numbers, _) = shown
    assert data["image/png"].startswith(b"\x89PNG") and again[0] == data, "the same figure, the same bytes"
    assert data["text/plain"] == "A line that falls."
    assert metadata["image/png"] == {"alt": "A line that falls.", "keep": "line"}
    assert not plt.get_fignums()
    assert numbers == {outputs.MIME: {"dice": 0.5}, "text/plain": "recorded: dice"}

"""Figures come with words, once, and the same each time."""

from __future__ import annotations

import pytest
from matplotlib import pyplot as plt

from strokegan_lib.classroom import figures
from strokegan_lib.classroom.figures import show


def line():
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot([0, 1], [1, 0])
    return figure


def test_a_figure_is_shown_with_its_words_and_closed(monkeypatch: pytest.MonkeyPatch):
    shown = []
    monkeypatch.setattr(figures, "display", lambda data, metadata, raw: shown.append((data, metadata)))
    for _ in range(2):
        show(line(), "A line that\n   falls.", keep="line")
    (data, metadata), again = shown
    assert data["image/png"].startswith(b"\x89PNG") and again[0] == data, "the same figure, the same bytes"
    assert data["text/plain"] == "A line that falls."
    assert metadata["image/png"] == {"alt": "A line that falls.", "keep": "line"}
    assert not plt.get_fignums()


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="alternative text"):
        show(line(), "  ")
    plt.close("all")

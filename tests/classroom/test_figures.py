"""Figures come with words, once, and the same each time."""

from __future__ import annotations

import pytest
from IPython.utils.capture import RichOutput
from matplotlib import pyplot as plt

from strokegan_lib.classroom import figures
from strokegan_lib.classroom.figures import show


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[RichOutput]:
    """What reaches the notebook."""
    outputs: list[RichOutput] = []
    monkeypatch.setattr(
        figures,
        "display",
        lambda data, metadata, raw: outputs.append(RichOutput(data=data, metadata=metadata)),
    )
    return outputs


def figure():
    made, axes = plt.subplots(figsize=(2, 2))
    axes.plot([0, 1], [1, 0])
    return made


def test_a_figure_is_shown_with_its_words_and_closed(shown: list[RichOutput]):
    show(figure(), "A line that\n   falls.")
    (output,) = shown
    assert output.data["image/png"].startswith(b"\x89PNG")
    assert output.data["text/plain"] == output.metadata["image/png"]["alt"] == "A line that falls."
    assert not plt.get_fignums()


def test_the_same_figure_gives_the_same_bytes(shown: list[RichOutput]):
    show(figure(), "A line.")
    show(figure(), "A line.")
    assert shown[0].data["image/png"] == shown[1].data["image/png"]


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="alternative text"):
        show(figure(), "  ")
    plt.close("all")

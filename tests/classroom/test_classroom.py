"""What a lesson imports from the classroom itself: names, figures and records, and words about the machine."""

import subprocess
import sys
from types import ModuleType

import pytest
import torch
from matplotlib import pyplot as plt

from strokegan_lib import classroom
from strokegan_lib.classroom import hardware, outputs

HEAVY = (
    "import strokegan_lib.classroom, sys; print({'torch', 'ipywidgets', 'matplotlib'} & sys.modules.keys())"
)


def test_every_name_is_there_and_loaded_when_it_is_asked_for():
    for name in classroom.__all__:
        found = getattr(classroom, name)
        assert isinstance(found, str) or found.__name__ == name  # a colour has no name of its own
    with pytest.raises(AttributeError, match="chalk"):
        _ = classroom.chalk
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_figure_is_shown_with_its_words_the_same_each_time_and_closed(monkeypatch: pytest.MonkeyPatch):
    shown = []
    monkeypatch.setattr(outputs, "display", lambda data, metadata=None, **_: shown.append((data, metadata)))
    for _ in range(2):
        figure, axes = plt.subplots(figsize=(2, 2))
        axes.plot([0, 1], [1, 0])
        outputs.show(figure, "A line that\n   falls.", keep="line")
    outputs.record(dice=0.5)
    (data, metadata), again, (numbers, _) = shown
    assert data["image/png"].startswith(b"\x89PNG") and again[0] == data, "the same figure, the same bytes"
    assert data["text/plain"] == "A line that falls."
    assert metadata["image/png"] == {"alt": "A line that falls.", "keep": "line"}
    assert not plt.get_fignums()
    assert numbers == {outputs.MIME: {"dice": 0.5}, "text/plain": "recorded: dice"}


@pytest.mark.parametrize(
    ("device", "profile", "colab", "told", "not_told"),
    [
        ("cuda", "quick", True, 'Set PROFILE = "class"', "Runtime"),
        ("cuda", "class", True, "A GPU was found", "PROFILE"),
        ("cpu", "quick", True, '"Change runtime type", choose "T4 GPU"', "for long"),
        ("cpu", "full", False, 'PROFILE = "full" will train for long', "Runtime"),
    ],
)
def test_the_profile_that_suits_the_machine(monkeypatch, device, profile, colab, told, not_told):
    monkeypatch.setattr(hardware, "best_device", lambda: torch.device(device))
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    words = hardware.advice(profile)
    assert told in words and not_told not in words

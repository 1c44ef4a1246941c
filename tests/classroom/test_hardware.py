"""What the reader is told of the machine: the profile that suits it, and the way to a GPU."""

import sys
from types import ModuleType

import pytest
import torch

from strokegan_lib.classroom import hardware


@pytest.mark.parametrize(
    ("device", "profile", "colab", "told", "not_told"),
    [
        ("cuda", "quick", True, 'Set PROFILE = "class"', "Runtime"),
        ("cuda", "class", True, "A GPU was found", "PROFILE"),
        ("cpu", "quick", True, '"Change runtime type", choose "T4 GPU"', "for long"),
        ("cpu", "quick", False, 'PROFILE = "quick" is right here', "Runtime"),
        ("cpu", "full", False, 'PROFILE = "full" will train for long', "Runtime"),
    ],
)
def test_advice(monkeypatch, device: str, profile: str, colab: bool, told: str, not_told: str):
    monkeypatch.setattr(hardware, "best_device", lambda: torch.device(device))
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    words = hardware.advice(profile)
    assert told in words and not_told not in words


def test_the_machine_is_measured():
    rows = hardware.machine()
    assert rows["PyTorch"] == torch.__version__ and rows["convolution, float32"].endswith(" ms")

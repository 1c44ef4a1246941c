"""What the reader is told of the machine: the profile that suits it, and the way to a GPU."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch

from strokegan_lib.classroom import hardware


@pytest.mark.parametrize(
    ("device", "profile", "colab", "told", "not_told"),
    [
        ("cuda", "quick", True, ['Set PROFILE = "class"'], ["Runtime"]),
        ("cuda", "class", True, ["A GPU was found"], ["PROFILE"]),
        (
            "cpu",
            "quick",
            True,
            ['"Change runtime type"', "T4 GPU", 'stay with PROFILE = "quick"'],
            ["for long"],
        ),
        ("cpu", "quick", False, ['PROFILE = "quick" is right here'], ["Runtime"]),
        ("cpu", "full", False, ["for long", '"quick" is right here'], ["Runtime"]),
    ],
)
def test_advice(monkeypatch, device: str, profile: str, colab: bool, told: list[str], not_told: list[str]):
    monkeypatch.setattr(hardware, "best_device", lambda: torch.device(device))
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    words = hardware.advice(profile)
    assert all(part in words for part in told) and not any(part in words for part in not_told)


def test_the_machine_is_measured():
    rows = hardware.machine()
    assert rows["PyTorch"] == torch.__version__ and rows["convolution, float32"].endswith(" ms")

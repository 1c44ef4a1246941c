"""What the reader is told of the machine: the profile that suits it, and the way to a GPU."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import torch

from strokegan_lib.classroom import machine
from strokegan_lib.classroom.hardware import advice
from strokegan_lib.profiles import PROFILES

ROOT = Path(__file__).parents[2]
CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_a_gpu_is_for_the_class_profile():
    assert 'Set PROFILE = "class"' in advice("quick", GPU, on_colab=True)
    assert "PROFILE" not in advice("class", GPU, on_colab=True)  # it is chosen: nothing to do


def test_colab_without_a_gpu_names_the_menu_entry_and_what_to_do_meanwhile():
    words = advice("quick", CPU, on_colab=True)
    assert 'menu Runtime, entry "Change runtime type"' in words and "T4 GPU" in words
    assert 'PROFILE = "quick" is right' in words and 'stay with PROFILE = "quick"' in words


@pytest.mark.parametrize("name", PROFILES)
def test_a_laptop_is_not_sent_to_colabs_menus(name: str):
    words = advice(name, CPU, on_colab=False)
    assert "No GPU" in words and "quick" in words and "Runtime" not in words
    assert ("take long" in words) == (name != "quick")


def test_device_and_place_are_found_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "best_device", lambda: CPU)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert advice("quick") == advice("quick", CPU, on_colab=True)
    monkeypatch.setattr(machine, "best_device", lambda: GPU)
    assert advice("quick") == advice("quick", GPU, on_colab=True)


def test_what_it_advises_exists():
    for device in (CPU, GPU):
        for on_colab in (True, False):
            named = re.findall(r'PROFILE = "(\w+)"', advice("quick", device, on_colab))
            assert named and set(named) <= set(PROFILES)


@pytest.mark.parametrize("file", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda f: f.name)
def test_no_notebook_asks_for_one_kind_of_device(file: Path):
    cells = nbformat.read(file, as_version=4).cells
    assert not [cell.id for cell in cells if cell.cell_type == "code" and re.search(r"\bcuda\b", cell.source)]

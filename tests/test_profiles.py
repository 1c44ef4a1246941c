"""Profiles: found by name, growing, and their threads."""

from __future__ import annotations

import pytest
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.profiles import PROFILES, profile


def test_profiles_grow_and_have_their_names():
    quick, lesson, full = (profile(name) for name in ("quick", "class", "full"))
    assert quick.patients < lesson.patients < full.patients
    assert full.patients * full.slices_per_patient == 13_200  # the paper's data set
    assert all(p.name == name for name, p in PROFILES.items())
    with pytest.raises(BadInput, match="choose one of quick, class, full"):
        profile("huge")


def test_the_quick_profile_computes_on_one_thread():
    before = torch.get_num_threads()
    try:
        assert profile("quick").use_threads() == torch.get_num_threads() == 1
        torch.set_num_threads(2)
        assert profile("full").use_threads() == 2  # left as it was
    finally:
        torch.set_num_threads(before)

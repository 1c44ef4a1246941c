"""Profiles: found by name, and their threads."""

import pytest
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.profiles import PROFILES, profile


def test_profiles_have_their_names():
    assert all(profile(name) is known for name, known in PROFILES.items())
    with pytest.raises(BadInput, match="choose one of quick, class, full"):
        profile("huge")


def test_the_quick_profile_computes_on_one_thread(monkeypatch):
    monkeypatch.setattr(torch, "set_num_threads", asked := [].append)
    assert profile("quick").use_threads() == profile("full").use_threads() == torch.get_num_threads()
    assert asked.__self__ == [1]  # the full profile leaves them as they are

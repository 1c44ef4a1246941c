"""One set of discs for all tests of balancing."""

import pytest
from brains import brains

from strokegan_lib.data.slices import SliceSet


@pytest.fixture(scope="session")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=45)

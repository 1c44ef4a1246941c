"""One set of discs for several experiments."""

import pytest
from brains import brains

from strokegan_lib.data.slices import SliceSet


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> SliceSet:
    """A slice of each of 150 patients; every second patient has a stroke."""
    return brains(tmp_path_factory.mktemp("data") / "set", patients=150, each=1, every=2)

"""What the tests of several widgets share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator


@pytest.fixture(scope="session")
def generator() -> Generator:
    """Untrained, in eval mode: the widgets show whatever a generator paints."""
    torch.manual_seed(0)
    return Generator(width=8).eval()


@pytest.fixture(scope="session")
def rows(phantom: SliceSet) -> np.ndarray:
    """Three slices with a large foreground."""
    return np.argsort(phantom.foreground.sum((1, 2), dtype=np.int64))[-3:]

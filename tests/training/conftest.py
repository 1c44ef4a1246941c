"""What the tests of training share."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from brains import ABOUT, add

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import SliceSetWriter


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of floats, and so trained numbers, change with the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> SliceSet:
    """40 slices of ten patients: noisy tissue, in every other slice with a bright square for a stroke."""
    rng, out = np.random.default_rng(0), tmp_path_factory.mktemp("tiny") / "set"
    foreground = np.zeros((4, 128, 128), bool)
    foreground[:, 20:110, 30:100] = True
    with SliceSetWriter(out, ABOUT) as writer:
        for number in range(10):
            stroke = np.zeros_like(foreground)
            row, column = rng.integers(30, 80, 2)
            stroke[1::2, row : row + 14, column : column + 14] = True
            images = (rng.integers(60, 120, (4, 1, 128, 128)) + 110 * stroke[:, None]) * foreground[:, None]
            add(writer, (images.astype(np.uint8), stroke, foreground), f"p{number}")
    return SliceSet.open(out)

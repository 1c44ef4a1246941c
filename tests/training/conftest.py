"""What the tests of training share."""

from collections.abc import Iterator

import pytest
import torch
from brains import brains

from strokegan_lib.data.slices import SliceSet


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of floats, and so trained numbers, change with the number of threads, and with the seed."""
    torch.manual_seed(0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> SliceSet:
    """40 slices of ten patients, every other of whom has strokes."""
    return brains(tmp_path_factory.mktemp("tiny") / "set", patients=10, each=4, every=2)

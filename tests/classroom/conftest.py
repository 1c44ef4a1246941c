"""What the tests of several widgets share."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator


def pixels(widget: Interactive) -> np.ndarray:
    """The picture as it is shown, (h, w, 3)."""
    return np.array(Image.open(io.BytesIO(widget.image.value)).convert("RGB"))


@pytest.fixture(scope="session")
def generator() -> Generator:
    """Untrained, in eval mode: the widgets show whatever a generator makes."""
    torch.manual_seed(0)
    return Generator(width=8).eval()


@pytest.fixture(scope="session")
def rows(phantom: SliceSet) -> np.ndarray:
    """Three slices with a large foreground."""
    return np.argsort(phantom.foreground.sum((1, 2), dtype=np.int64))[-3:]


@pytest.fixture(scope="session")
def largest(phantom: SliceSet) -> int:
    """The slice with the largest lesion."""
    return int(phantom.stroke.sum((1, 2), dtype=np.int64).argmax())

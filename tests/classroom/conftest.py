"""What the tests of several widgets share."""

import io

import numpy as np
import pytest
from PIL import Image

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.data.slices import SliceSet

GREY = np.full((16, 16), 100, np.uint8)


def pixels(widget: Interactive) -> np.ndarray:
    """The picture as it is shown, (h, w, 3)."""
    return np.array(Image.open(io.BytesIO(widget.image.value)).convert("RGB"))


@pytest.fixture(scope="session")
def largest(phantom: SliceSet) -> int:
    """The slice with the largest lesion."""
    return int(phantom.stroke.sum((1, 2), dtype=np.int64).argmax())

"""What the tests of several widgets share."""

import io

import numpy as np
from PIL import Image

from strokegan_lib.classroom.widgets.interactive import Interactive

GREY = np.full((16, 16), 100, np.uint8)


def pixels(widget: Interactive) -> np.ndarray:
    """The picture as it is shown, (h, w, 3)."""
    return np.array(Image.open(io.BytesIO(widget.image.value)).convert("RGB"))

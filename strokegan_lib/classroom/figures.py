"""Figures that say in words what they show."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from IPython.display import display
from matplotlib import pyplot as plt
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 80  # a figure of 8 inches is 640 pixels wide: sharp enough, and a notebook stays small


def show(figure: Figure, alt: str, keep: str = "") -> None:
    """Display a figure once, with the words for those who cannot see it, and close it.

    Args:
        figure: a Matplotlib figure.
        alt: what it shows and what one should notice, in a sentence or two.
        keep: name under which the report keeps the picture as a file of its own, such as
            'figure_1'; '' for not at all.

    Raises:
        ValueError: no alternative text.
    """
    if not alt.strip():
        raise ValueError("a figure needs alternative text: say what it shows")
    drawn, picture = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight")
    plt.close(figure)
    # a palette halves the bytes of a brain slice, and the eye sees no difference; no metadata is
    # kept, so that the same figure gives the same bytes
    Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        picture, "png", optimize=True
    )
    alt = " ".join(alt.split())
    display(
        {"image/png": picture.getvalue(), "text/plain": alt},
        metadata={"image/png": {"alt": alt, "keep": keep} if keep else {"alt": alt}},
        raw=True,
    )

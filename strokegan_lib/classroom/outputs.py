"""What a notebook leaves behind: figures with words, and numbers for ``results.json``."""

import io
from typing import Any

from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

DPI = 80  # a figure of 8 inches is 640 pixels wide: sharp enough, and a notebook stays small
MIME = "application/vnd.strokegan.record+json"  # notebooks/run.py looks for it


def show(figure: Figure, alt: str, keep: str = "") -> None:
    """Display a figure once, with the words for those who cannot see it, and close it.

    Args:
        alt: what it shows and what one should notice, in a sentence or two.
        keep: name of a file of its own in the report, such as 'figure_1'; '' for none.
    """
    drawn, picture = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight")
    plt.close(figure)
    # a palette halves the bytes; without metadata the same figure gives the same bytes
    colours = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    colours.save(picture, "png", optimize=True)
    alt = " ".join(alt.split())
    display(
        {"image/png": picture.getvalue(), "text/plain": alt},
        metadata={"image/png": {"alt": alt, "keep": keep} if keep else {"alt": alt}},
        raw=True,
    )


def record(**values: Any) -> None:
    """Hand named results, anything JSON can hold, to ``results.json``, and show their names."""
    display({MIME: values, "text/plain": f"recorded: {', '.join(values)}"}, raw=True)

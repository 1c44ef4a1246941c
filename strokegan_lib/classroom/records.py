"""Numbers that a notebook hands to ``results.json``; notebooks/run.py reads them back after the run."""

from __future__ import annotations

from typing import Any

from IPython.display import display

MIME = "application/vnd.strokegan.record+json"


def record(**values: Any) -> None:
    """Hand named results, anything JSON can hold, to ``results.json``.

    Example:
        ``record(dice=0.71, patients=8)`` shows ``recorded: dice, patients``.
    """
    display({MIME: values, "text/plain": f"recorded: {', '.join(values)}"}, raw=True)

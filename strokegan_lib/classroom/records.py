"""Numbers that a notebook hands to the report: written beside its outputs, read back after the run."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from IPython.display import display

MIME = "application/vnd.strokegan.record+json"


def record(**values: Any) -> None:
    """Hand named results, anything JSON can hold, to ``results.json``.

    Example:
        ``record(dice=0.71, patients=8)`` shows ``recorded: dice, patients``.
    """
    display({MIME: values, "text/plain": f"recorded: {', '.join(values)}"}, raw=True)


def alt_of(output: dict) -> str:
    """The words for the picture in an output, on one line: its alternative text, or else its plain text."""
    words = output.get("metadata", {}).get("image/png", {}).get("alt")
    return " ".join((words or output["data"].get("text/plain", "")).split())


def pictures(notebook: dict) -> dict[str, bytes]:
    """PNG files, by name, that an executed notebook wants kept (``show(..., keep=name)``)."""
    found = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            name = output.get("metadata", {}).get("image/png", {}).get("keep")
            if name:
                found[name] = b64decode(output["data"]["image/png"])
    return found


def recorded(notebook: dict) -> dict[str, Any]:
    """Everything that :func:`record` was given in an executed notebook; later values win."""
    values: dict[str, Any] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            values |= output.get("data", {}).get(MIME, {})
    return values

"""Checkpoints: whole or absent, known by their own hash, the last two kept.

``step-0000400-1a2b3c4d5e6f.pt`` is what ``torch.load`` reads; the digits are the start of
the file's sha256, so a damaged file is known without trusting what it says of itself.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import sha256

NAME = re.compile(r"step-(\d{7,})-([0-9a-f]{12})\.pt")
KEPT = 2  # the newest, and the one before in case the newest is damaged


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write *state* after *step* steps and delete all but it and the KEPT - 1 before it.

    Checkpoints of later steps go too: they are damaged, or of a run that was given up.

    Raises:
        BadInput: the disk does not take it; the checkpoints before it are untouched.
    """
    partial = folder / ".checkpoint.partial"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            saved = io.BytesIO()  # torch.save would call a full disk a RuntimeError
            torch.save(state, saved)
            with open(partial, "wb") as file:
                file.write(saved.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            final = folder / f"step-{step:07}-{sha256(partial)[:12]}.pt"
            os.replace(partial, final)
        finally:
            partial.unlink(missing_ok=True)
        others = [path for path in checkpoints(folder) if path != final]
        before = [path for path in others if _step(path) < step]
        for old in {*others} - {*before[: KEPT - 1]}:
            old.unlink()
    return final


def checkpoints(folder: Path) -> list[Path]:
    """Files that bear a checkpoint's name, the newest first."""
    named = [path for path in folder.glob("*.pt") if NAME.fullmatch(path.name)]
    return sorted(named, key=lambda path: (_step(path), path.stat().st_mtime), reverse=True)


def load_checkpoint(folder: Path, about: dict[str, Any], say: Callable[[str], None]) -> dict[str, Any] | None:
    """The newest sound checkpoint of a run.

    Args:
        folder: where ``save_checkpoint`` wrote.
        about: what determines the run; it must equal ``state["about"]``.
        say: gets one line for every file that is refused.

    Returns:
        the state, on the CPU; None if there is no sound checkpoint.

    Raises:
        BadInput: the checkpoint belongs to a run with other settings.
    """
    for path in sorted(folder.glob("*.pt")):
        if not NAME.fullmatch(path.name):
            say(f"{path}: not a checkpoint of this kit; left alone")
    state = newest_checkpoint(folder, say)
    if state is None:
        return None
    differences = [
        f"{name} was {state['about'].get(name)} and is now {about.get(name)}"
        for name in sorted({*state["about"], *about})
        if state["about"].get(name) != about.get(name)
    ]
    if differences:
        raise BadInput(
            folder,
            f"holds a run with other settings ({'; '.join(differences)})",
            "resume with the same settings or choose another --out",
        )
    return state


def newest_checkpoint(folder: Path, say: Callable[[str], None] = print) -> dict[str, Any] | None:
    """The state in the newest sound checkpoint, on the CPU; None if there is none; *say* hears of damaged ones."""
    for path in checkpoints(folder):
        state = _sound(path)
        if state is not None:
            return state
        say(f"{path}: damaged or not a checkpoint of this kit; going back to the one before")
    return None


def _step(path: Path) -> int:
    return int(NAME.fullmatch(path.name)[1])


def _sound(path: Path) -> dict[str, Any] | None:
    try:
        if sha256(path)[:12] != NAME.fullmatch(path.name)[2]:
            return None
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # whatever a foreign file makes the unpickler say, it is no checkpoint
        return None
    needed = {"about", "step", "networks", "average", "optimisers", "scaler", "best"}
    return state if isinstance(state, dict) and set(state) == needed else None

"""Checkpoints: whole or absent, known by their own hash, the last two kept.

``step-0000400-1a2b3c4d5e6f.pt`` is what ``torch.load`` reads; the digits are the start of the file's sha256, so a
damaged file is recognised.
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

    Checkpoints of later steps are deleted too: they are damaged, or of a run that was given up.

    Raises:
        BadInput: it cannot be written; the checkpoints before it are untouched.
    """
    partial = folder / ".checkpoint.partial"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            saved = io.BytesIO()  # torch.save to a file would call a full disk a RuntimeError
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


def load_checkpoint(
    folder: Path, about: dict[str, Any] | None = None, say: Callable[[str], None] = print
) -> dict[str, Any] | None:
    """The state in the newest sound checkpoint, on the CPU; None if there is none.

    Args:
        folder: where ``save_checkpoint`` wrote.
        about: what determines the run; ``state["about"]`` must equal it. None takes any run.
        say: gets one line for every damaged file.

    Raises:
        BadInput: the checkpoint belongs to a run with other settings.
    """
    for path in checkpoints(folder):
        state = _sound(path)
        if state is None:
            say(f"{path}: damaged or not a checkpoint of this kit; going back to the one before")
            continue
        if about is not None and (differ := differences(state["about"], about)):
            raise BadInput(
                folder, f"holds a run with other settings ({differ})",
                "resume with the same settings or choose another --out",
            )  # fmt: skip
        return state
    return None


def differences(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Settings in which a run differs from what it was, in words; empty if in none."""
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return "; ".join(f"{name} was {before.get(name)} and is now {now.get(name)}" for name in names)


def _step(path: Path) -> int:
    return int(NAME.fullmatch(path.name)[1])


def _sound(path: Path) -> dict[str, Any] | None:
    """What a checkpoint holds; None where it is damaged or another program's."""
    if sha256(path)[:12] != NAME.fullmatch(path.name)[2]:
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # the unpickler may raise anything on a foreign file
        return None
    needed = {"about", "step", "networks", "average", "optimisers", "scaler", "best"}
    return state if isinstance(state, dict) and set(state) == needed else None

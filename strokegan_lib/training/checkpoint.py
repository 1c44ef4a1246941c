"""Checkpoints: whole or absent, known by their own hash, the last two kept.

``step-0000400-1a2b3c4d5e6f.pt`` is what ``torch.load`` reads; the digits are the start of the file's sha256, so a
damaged file is recognised.
"""

import io
import os
import re
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import sha256

NAME = re.compile(r"step-(\d{7,})-([0-9a-f]{12})\.pt")


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write *state* after *step* steps and delete all but it and the one before, in case this one is damaged.

    Checkpoints of later steps are deleted too: they are damaged, or of a run that was given up.
    Where it cannot be written, which is BadInput, those before it are untouched.
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
        before = [path for path in checkpoints(folder) if _step(path) < step]
        for old in {*checkpoints(folder)} - {final, *before[:1]}:
            old.unlink()
    return final


def checkpoints(folder: Path) -> list[Path]:
    """Files that bear a checkpoint's name, the newest first."""
    named = [path for path in folder.glob("*.pt") if NAME.fullmatch(path.name)]
    return sorted(named, key=lambda path: (_step(path), path.stat().st_mtime), reverse=True)


def load_checkpoint(folder: Path, about: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """The state in the newest sound checkpoint, on the CPU; None if there is none. Damaged ones are named on stdout.

    BadInput where it belongs to another run: ``state["about"]`` is not *about*. None takes any.
    """
    for path in checkpoints(folder):
        if sha256(path)[:12] != NAME.fullmatch(path.name)[2]:
            print(f"{path}: damaged; going back to the one before")
            continue
        state = torch.load(path, map_location="cpu", weights_only=True)
        if about is not None:
            check_same(folder, state["about"], about)
        return state
    return None


def check_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise BadInput where the settings of a run are not what they were in its *folder*."""
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    differ = "; ".join(f"{name} was {before.get(name)} and is now {now.get(name)}" for name in names)
    if differ:
        remedy = "resume with the same settings or choose another --out"
        raise BadInput(folder, f"holds a run with other settings ({differ})", remedy)


def _step(path: Path) -> int:
    return int(NAME.fullmatch(path.name)[1])

"""Training in a notebook that outlives its kernel: an interrupted run goes on where it stopped.

A run of the same networks on the same slices with the same settings and the same code is the same
run, whichever kernel makes it. Whatever differs, it starts afresh.
"""

from __future__ import annotations

import hashlib
import inspect
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import nn

import strokegan_lib
from strokegan_lib.classroom.datasets import home_folder, named_folder
from strokegan_lib.errors import BadInput
from strokegan_lib.files import FOR_ALL
from strokegan_lib.training.loop import Loop, Trained

DRIVE = Path("/content/drive/MyDrive")  # where Colab mounts Google Drive
SECONDS = 5.0  # between checkpoints: milliseconds each for networks of this size
SECONDS_ON_DRIVE = 30.0  # each old one goes to Drive's bin and counts there: 20 MB in the class profile
DIGITS = 12  # of a hash in the name of a folder or lock
REMEDY = "free some space, or set STROKEGAN_RUNS to another folder"
MOUNT = (
    "Checkpoints are lost with this Colab session. To keep them, mount your Google Drive: "
    "the folder symbol on the left, then the one with Drive's triangle."
)


def run_folder(name: str) -> Path:
    """Where the unfinished runs of a notebook lie.

    That is below ``STROKEGAN_RUNS`` where it is set, else on Google Drive where Colab has mounted
    it, else in the reader's own home, which a new Colab session does not keep. It is not in
    ``STROKEGAN_CACHE``: that may belong to a whole class.

    Args:
        name: of the notebook, such as '05'.
    """
    if chosen := named_folder("STROKEGAN_RUNS"):
        return chosen / name
    return (DRIVE / "strokegan" if DRIVE.is_dir() else home_folder("STROKEGAN_RUNS")) / "runs" / name


class Stopped(KeyboardInterrupt):
    """Training was interrupted between two steps and can go on; IPython shows one line, no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class KeptRuns:
    """The training runs of one cell, kept on disk until the last of them has ended.

    Example::

        with KeptRuns("05") as kept:
            for method in ("segan", "masked"):
                runs[method] = kept.run(Loop(...), method)

    If the kernel dies within the cell, or the reader presses Interrupt, then the same cell in the same or
    another kernel takes up the finished runs as they are and the unfinished one after its last
    checkpoint. When the cell has come to its end, all is deleted: run again, it trains afresh.

    Args:
        name: of the notebook, such as '05'.
    """

    def __init__(self, name: str) -> None:
        self.folder: Path | None = run_folder(name)
        self.on_drive = DRIVE in self.folder.parents

    def __enter__(self) -> KeptRuns:
        name = hashlib.sha256(str(self.folder.absolute()).encode()).hexdigest()[:DIGITS]
        locks = home_folder("STROKEGAN_RUNS") if self.on_drive else self.folder.parent  # Drive knows no locks
        self.lock = FileLock(locks / f".{name}.lock", timeout=0, mode=FOR_ALL)
        try:
            locks.mkdir(parents=True, exist_ok=True)
            self.lock.acquire()
            self.folder.mkdir(parents=True, exist_ok=True)
        except Timeout:
            print("Another kernel is training this just now, so this one keeps no checkpoints.")
            self.folder = None
        except OSError as error:
            self.lock.release()
            print(
                f"{self.folder}: no checkpoints can be kept there ({error.strerror}); to have some, {REMEDY}."
            )
            self.folder = None
        if self.folder and self.on_drive:
            print(f"Checkpoints go to your Google Drive: {self.folder.relative_to(DRIVE)}")
        elif self.folder and "google.colab" in sys.modules:
            print(MOUNT)
        return self

    def run(self, loop: Loop, name: str) -> Trained:
        """Train to the end, from the last checkpoint of the same run if there is one.

        Args:
            loop: before its first step.
            name: of this run within the cell.

        Raises:
            Stopped: the reader pressed Interrupt; what was learnt is kept.
            BadInput: training diverged, or the folder cannot be written.
        """
        if self.folder is not None:
            loop.folder = self.folder / f"{name}-{fingerprint(loop)[:DIGITS]}"
            seconds = SECONDS_ON_DRIVE if self.on_drive else SECONDS
            loop.settings = replace(
                loop.settings, checkpoint_seconds=min(seconds, loop.settings.checkpoint_seconds)
            )
        try:
            done = loop.run(resume=True)
        except BadInput as error:
            if loop.folder is not None and Path(error.where).is_relative_to(loop.folder):
                raise BadInput(error.where, error.what, REMEDY) from error
            raise
        if done.step < loop.settings.steps:
            going_on = "goes on from there" if self.folder is not None else "starts afresh"
            raise Stopped(
                f"Stopped after step {done.step} of {loop.settings.steps}. Run this cell again: training {going_on}."
            )
        return done

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.folder is None:
            return
        if kind is None:  # what else lies in the reader's folder stays
            for run in self.folder.glob(f"*-{'[0-9a-f]' * DIGITS}"):
                shutil.rmtree(run, ignore_errors=True)
            with suppress(OSError):  # not empty
                self.folder.rmdir()
        self.lock.release()


def fingerprint(loop: Loop) -> str:
    """Hash of everything that decides what a run will learn, before its first step."""
    gan, batches = loop.gan, loop.batches
    choices = {name: text_of(value) for name, value in vars(gan).items() if name != "networks"}
    words = [
        *(loop.identity(), replace(loop.settings, checkpoint_seconds=0)),
        *(type(gan).__name__, choices),
        *(batches.augmentation, batches.sampler.draw(0).tolist(), torch.__version__),
    ]
    digest = hashlib.sha256(repr(words).encode())
    digest.update(batches.rows.tobytes())
    brightness = batches.planes.flatten(1).sum(dim=1, dtype=torch.int64)  # (N,): exact on every device
    weights = (values for network in gan.networks.values() for values in network.state_dict().values())
    for values in (brightness, *weights):
        digest.update(values.cpu().contiguous().numpy().tobytes())
    root = Path(strokegan_lib.__file__).parent
    for file in sorted(root.rglob("*.py")):  # a run is not resumed with other code than it began with
        if "classroom" not in file.relative_to(root).parts:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def text_of(value: Any) -> str:
    """A choice in words that are the same in another kernel: of a function, its text and not its address."""
    if isinstance(value, nn.Module):
        return type(value).__name__  # its weights are counted with the networks
    if isinstance(value, FunctionType):
        with suppress(OSError):  # no text where it was made by exec
            return f"{value.__qualname__}: {inspect.getsource(value)}"
    return repr(value)

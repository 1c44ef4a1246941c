"""Training in a notebook that outlives its kernel: an interrupted run goes on where it stopped.

The same networks on the same slices with the same settings and code are the same run, whichever kernel
makes it. Whatever differs starts afresh.
"""

import hashlib
import inspect
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import nn

import strokegan_lib
from strokegan_lib.classroom.datasets import folder_of
from strokegan_lib.files import FOR_ALL
from strokegan_lib.training.loop import Loop, Trained

DRIVE = Path("/content/drive/MyDrive")  # where Colab mounts Google Drive
SECONDS = 5.0  # between checkpoints: milliseconds each for networks of this size
SECONDS_ON_DRIVE = 30.0  # each old one goes to Drive's bin and counts there: 20 MB in the class profile
MOUNT = """Checkpoints are lost with this Colab session. To keep them, mount your Google Drive: \
the folder symbol on the left, then the one with Drive's triangle."""


def run_folder(name: str) -> Path:
    """For unfinished runs: in ``STROKEGAN_RUNS`` where it is set, else on a mounted Google Drive, else at home."""
    mounted = DRIVE.is_dir() and "STROKEGAN_RUNS" not in os.environ
    return (DRIVE / "strokegan" if mounted else folder_of("STROKEGAN_RUNS")) / f"unfinished-{name}"


class Stopped(KeyboardInterrupt):
    """Training was interrupted between two steps and can go on; IPython shows one line, no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class KeptRuns:
    """The training runs of one cell of a notebook such as '05', kept on disk until the last has ended.

    If the kernel dies within the cell, or the reader presses Interrupt, then the same cell in the same or
    another kernel takes up the finished runs as they are and the unfinished one after its last
    checkpoint. When the cell has come to its end, all is deleted: run again, it trains afresh.
    """

    def __init__(self, name: str) -> None:
        self.folder: Path | None = run_folder(name)
        self.on_drive = DRIVE in self.folder.parents
        digest = hashlib.sha256(str(self.folder.absolute()).encode()).hexdigest()
        # on this machine's own disk: Drive and some network disks know no locks
        lock = Path(tempfile.gettempdir(), f"strokegan-{digest[:12]}.lock")
        self.lock = FileLock(lock, timeout=0, mode=FOR_ALL)

    def __enter__(self) -> "KeptRuns":
        try:
            self.lock.acquire()
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = "another kernel is training this" if isinstance(error, Timeout) else error.strerror
            print(f"{self.folder}: no checkpoints can be kept there ({why}). Training goes on without them.")
            self.lock.release()
            self.folder = None
        if self.folder and self.on_drive:
            print(f"Checkpoints go to your Google Drive: {self.folder.relative_to(DRIVE)}")
        elif self.folder and "google.colab" in sys.modules:
            print(MOUNT)
        return self

    def run(self, loop: Loop, name: str) -> Trained:
        """Train a loop to the end, from the last checkpoint of the same run if there is one.

        Raises:
            Stopped: the reader pressed Interrupt; what was learnt is kept.
            BadInput: training diverged, or the folder cannot be written.
        """
        if self.folder:
            loop.folder = self.folder / f"{name}-{fingerprint(loop)[:12]}"
            seconds = SECONDS_ON_DRIVE if self.on_drive else SECONDS
            loop.settings = replace(loop.settings, checkpoint_seconds=seconds)
        done, steps = loop.run(resume=True), loop.settings.steps
        if done.step < steps:
            then = "goes on from there" if self.folder else "starts afresh"
            raise Stopped(f"Stopped after step {done.step} of {steps}. Run this cell again: training {then}.")
        return done

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.folder and kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.release()


def fingerprint(loop: Loop) -> str:
    """Hash of everything that decides what a run will learn, before its first step."""
    gan, batches = loop.gan, loop.batches
    choices = {name: text_of(value) for name, value in vars(gan).items() if name != "networks"}
    words = [loop.identity(), replace(loop.settings, checkpoint_seconds=0), type(gan).__name__, choices]
    words += [batches.augmentation, batches.sampler.draw(0).tolist(), torch.__version__]
    digest = hashlib.sha256(repr(words).encode())
    for file in sorted(Path(strokegan_lib.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    brightness = batches.planes.flatten(1).sum(dim=1, dtype=torch.int64)  # (N,): exact on every device
    weights = (values for network in gan.networks.values() for values in network.state_dict().values())
    for values in (torch.as_tensor(batches.rows), brightness, *weights):
        digest.update(values.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def text_of(value: Any, within: tuple[Any, ...] = ()) -> str:
    """A choice in words that are the same in another kernel.

    Of a function, its text and not its address, and the same of whatever names it uses from elsewhere.
    """
    if isinstance(value, nn.Module):
        return type(value).__name__  # its weights are counted with the networks
    if isinstance(value, dict | list | tuple):
        parts = value.items() if isinstance(value, dict) else value
        return f"[{', '.join(text_of(part, within) for part in parts)}]"
    if isinstance(value, partial):
        return text_of((value.func, value.args, value.keywords), within)
    if not inspect.isfunction(value) or value in within:
        return getattr(value, "__qualname__", type(value).__name__) if callable(value) else repr(value)
    names = inspect.getclosurevars(value)
    return inspect.getsource(value) + text_of(names.nonlocals | names.globals, (*within, value))

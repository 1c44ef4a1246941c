"""Train several networks side by side, one a core, so that the machine stays usable.

Every run is a process of its own at low priority that keeps checkpoints; whatever ends the queue
(Ctrl-C, a lost machine) ends them, and the next call goes on from there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from strokegan_lib.errors import BadInput
from strokegan_lib.training.log import read_rows

NICE = 10  # priority of a run: whoever works on the machine goes first
LOOK = 5.0  # seconds between looks at the runs
TELL = 60.0  # seconds between lines that say how far they are
PACE = 200  # latest steps from which the time left is told


@dataclass(frozen=True)
class Run:
    """One network to be trained.

    Attributes:
        name: of the network.
        command: the training command, which goes on from its last checkpoint.
        folder: where it keeps them.
        steps: that it will make.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    steps: int

    @property
    def done(self) -> bool:
        return (self.folder / "weights.safetensors").is_file()

    def left(self) -> str:
        """How far it is and how long it will take, a phrase."""
        step, pace = progress(self.folder / "metrics.csv")
        said = f"{self.name} {step} of {self.steps} steps"
        return said if pace is None else f"{said}, {(self.steps - step) * pace / 60:.0f} min left"


def progress(record: Path) -> tuple[int, float | None]:
    """Steps made according to a metrics.csv, and seconds a step; None if it has too few rows to tell."""
    rows = _rows(record)
    if not rows:
        return 0, None
    spans = _spans(rows[-PACE:])
    return rows[-1][0] + 1, sum(spans) / len(spans) if spans else None


def hours(record: Path) -> float:
    """Hours of training according to a metrics.csv, pauses left out."""
    return sum(_spans(_rows(record))) / 3600


def _rows(record: Path) -> list[tuple[int, float]]:
    """Step and seconds of each row."""
    return [(int(row["step"]), row["seconds"]) for row in read_rows(record) if "seconds" in row]


def _spans(rows: list[tuple[int, float]]) -> list[float]:
    """Seconds between rows; they begin at 0 again where a run was resumed."""
    return [b[1] - a[1] for a, b in pairwise(rows) if b[1] >= a[1]]


def trained(runs: list[Run], cores: int | None = None) -> Iterator[Run]:
    """Train what is not trained yet, and hand each run out as it ends, those that had ended first.

    Args:
        runs: in the order in which they are to begin.
        cores: runs at a time; as many as this process may use by default.

    Raises:
        BadInput: a run ended without weights; the others are stopped, and go on when asked again.
    """
    cores = cores or len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0))
    yield from (run for run in runs if run.done)
    waiting = [run for run in runs if not run.done]
    going: dict[Run, subprocess.Popen] = {}
    told = 0.0
    try:
        while waiting or going:
            while waiting and len(going) < cores:
                run = waiting.pop(0)
                print(f"{run.name}: {' '.join(run.command[1:])}", flush=True)
                going[run] = _start(run)
            time.sleep(LOOK)
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                line = "; ".join(run.left() for run in going)
                print(f"{line}; {len(waiting)} more wait" if waiting else line, flush=True)
            for run in [run for run, process in going.items() if process.poll() is not None]:
                code = going.pop(run).returncode
                if not run.done:
                    raise BadInput(
                        run.folder / "log.txt", f"says why {run.name} ended (exit code {code})",
                        "mend it and give the same command again: finished runs are kept",
                    )  # fmt: skip
                yield run
    finally:
        for process in going.values():
            process.terminate()
        for process in going.values():
            process.wait()


def _start(run: Run) -> subprocess.Popen:
    run.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *run.command[1:]]
    if hasattr(os, "nice"):
        command = ["nice", "-n", str(NICE), *command]
    with open(run.folder / "log.txt", "ab") as log:
        # a session of its own: Ctrl-C is for the queue, which asks every run once to stop after its step
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

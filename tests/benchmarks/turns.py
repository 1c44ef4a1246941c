"""Several ways to do one thing, measured in turns (A B A B), each in a process of its own.

In turns, because a machine is not as fast now as a minute ago; in processes of their own, because memory that one
side has asked for, or threads that it has started, would help or hurt the other.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any

import torch

Steps = Callable[[int], None]  # do so many steps and wait for the device
Make = Callable[..., tuple[Steps, str]]  # prepare; the steps, and what to say of them


class Side:
    """One way to do it; to be used in a ``with``, as the process must be told when to end.

    Args:
        make: called in the new process with *args*; a function that the process can import.

    Attributes:
        about: what *make* has to say.
    """

    def __init__(self, make: Make, *args: Any) -> None:
        context = multiprocessing.get_context("spawn")  # a forked process would inherit our threads' locks
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, args))
        self.process.start()
        theirs.close()  # else a process that died would leave us waiting
        self.about = self.pipe.recv()

    def seconds_a_step(self, steps: int) -> float:
        """One turn: a step to get warm again, then *steps* on the clock."""
        self.pipe.send(steps)
        return self.pipe.recv()

    def peak_megabytes(self) -> float:
        """Memory at its highest so far, less what was held before the first step."""
        self.pipe.send(0)
        return self.pipe.recv()

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.close()  # the process ends at this
        self.process.join()


def in_turns(sides: Iterable[Side], steps: int, rounds: int) -> list[list[float]]:
    """Seconds a step, a row a round: what was measured in one round met the same machine."""
    sides = list(sides)
    return [[side.seconds_a_step(steps) for side in sides] for _ in range(rounds)]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def synchronise() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def machine() -> str:
    """Processor or GPU, threads, PyTorch."""
    name = (
        torch.cuda.get_device_name() if torch.cuda.is_available() else torch.backends.cpu.get_cpu_capability()
    )
    return f"{name}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"


def _serve(pipe: Connection, make: Make, args: tuple) -> None:
    """The other process: prepare, then answer until the pipe is closed."""
    steps, about = make(*args)
    before = _peak()
    pipe.send(about)
    while True:
        try:
            count = pipe.recv()
        except EOFError:
            return
        if not count:
            pipe.send(_peak() - before)
            continue
        steps(1)
        start = time.perf_counter()
        steps(count)
        pipe.send((time.perf_counter() - start) / count)


def _peak() -> float:
    """Megabytes held at most since the process began: on the GPU if there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

"""Several ways to do one thing, measured in turns (A B A B), each in a process of its own.

In turns, because a machine is not as fast now as a minute ago; in processes of their own, because memory that one
side has asked for, or threads that it has started, would help or hurt the other.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

Steps = Callable[[int], None]  # do so many steps and wait for the device
Make = Callable[..., tuple[Steps, str]]  # prepare; the steps, and what to say of them
HELD: dict[str, Any] = {}  # in the process of a side: its steps, and the memory before the first


class Side(ProcessPoolExecutor):
    """One way to do it, in a process of its own; to be used in a ``with``.

    Args:
        make: called in the new process with *args*; a function that the process can import.

    Attributes:
        about: what *make* has to say.
    """

    def __init__(self, make: Make, *args: Any) -> None:
        # a forked process would inherit our threads' locks
        super().__init__(1, multiprocessing.get_context("spawn"))
        self.about = self.submit(_prepare, make, args).result()

    def seconds_a_step(self, steps: int) -> float:
        """One turn: a step to get warm again, then *steps* on the clock."""
        return self.submit(_time, steps).result()

    def peak_megabytes(self) -> float:
        """Memory at its highest so far, less what was held before the first step."""
        return self.submit(_grown).result()


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


def _prepare(make: Make, args: tuple) -> str:
    HELD["steps"], about = make(*args)
    HELD["before"] = _peak()
    return about


def _time(steps: int) -> float:
    HELD["steps"](1)
    start = time.perf_counter()
    HELD["steps"](steps)
    return (time.perf_counter() - start) / steps


def _grown() -> float:
    return _peak() - HELD["before"]


def _peak() -> float:
    """Megabytes held at most since the process began: on the GPU if there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

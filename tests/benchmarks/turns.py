"""Two ways to do one thing, measured in turns (A B A B), each in a process of its own.

In turns, because a machine is not as fast now as a minute ago; in processes of their own, because memory that one
side has asked for, or threads that it has started, would help or hurt the other.
"""

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

Steps = Callable[[int], None]  # do so many steps; their device may still be at it
ROUNDS = 5
HELD: dict[str, Any] = {}  # in the process of a side: its steps, and the memory before the first


class Side(ProcessPoolExecutor):
    """One way to do it, in a process of its own; to be used in a ``with``.

    Args:
        make: called in the new process with *args*; a function that the process can import.
    """

    def __init__(self, make: Callable[..., Steps], *args: Any) -> None:
        # a forked process would inherit our threads' locks
        super().__init__(1, multiprocessing.get_context("spawn"))
        self.submit(_prepare, make, args).result()

    def milliseconds(self, steps: int) -> float:
        """Of a step, in one turn: a step to get warm again, then *steps* on the clock."""
        return self.submit(_time, steps).result()

    def peak_megabytes(self) -> float:
        """Memory at its highest so far, less what was held before the first step."""
        return self.submit(_grown).result()


def in_turns(kit: Side, plain: Side, steps: int) -> tuple[float, float, float]:
    """Milliseconds a step of both, and how many times as fast the kit is; medians of the rounds.

    The ratio is taken within a round, which meets the same machine.
    """
    rounds = [(kit.milliseconds(steps), plain.milliseconds(steps)) for _ in range(ROUNDS)]
    ours, theirs = map(statistics.median, zip(*rounds, strict=True))
    return ours, theirs, statistics.median(b / a for a, b in rounds)


def repeated(step: Callable[[], Any]) -> Steps:
    def steps(count: int) -> None:
        for _ in range(count):
            step()

    return steps


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def machine() -> str:
    """Processor or GPU, threads, PyTorch."""
    name = (
        torch.cuda.get_device_name() if torch.cuda.is_available() else torch.backends.cpu.get_cpu_capability()
    )
    return f"{name}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"


def _prepare(make: Callable[..., Steps], args: tuple) -> None:
    HELD["steps"] = make(*args)
    HELD["before"] = _peak()


def _time(steps: int) -> float:
    clock = []
    for count in (1, steps):
        HELD["steps"](count)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        clock.append(time.perf_counter())
    return 1000 * (clock[1] - clock[0]) / steps


def _grown() -> float:
    return _peak() - HELD["before"]


def _peak() -> float:
    """Megabytes held at most since the process began: on the GPU if there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

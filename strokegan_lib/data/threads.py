"""One thread for torch while many patients are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let torch use one thread for each of ours: faster together, and always the same sums.

    Hold it around a pool of threads too: the setting is the process's, not the thread's.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

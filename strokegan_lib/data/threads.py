"""Many cases on several threads: results in order, and one thread each for the libraries below."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item, Result = TypeVar("Item"), TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Do *work* on each item, on *workers* threads, and yield the results in the items' order.

    Reading and array arithmetic leave Python free, so threads are enough. No more than twice *workers*
    results wait. BLAS uses one thread meanwhile: the arrays are too small to share among several.
    """
    from threadpoolctl import threadpool_limits

    waiting, pool = deque(), ThreadPoolExecutor(workers)
    with threadpool_limits(1):
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let torch use one thread for each of ours, in the whole process: faster together, and always the same sums."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

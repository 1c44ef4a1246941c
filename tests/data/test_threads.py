"""Work on several threads: results in order, few at a time, none left when one fails."""

import time

import pytest

from strokegan_lib.data.threads import in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order_and_few_wait(workers):
    started = []

    def work(i):
        started.append(i)
        time.sleep(0.002 * (i % 3))
        return i

    results = in_order(work, range(30), workers)
    assert next(results) == 0 and len(started) <= 2 * workers
    assert list(results) == list(range(1, 30))


def test_an_error_reaches_the_caller_and_ends_the_work():
    started = []

    def work(i):
        started.append(i)
        return 1 // (3 - i)

    with pytest.raises(ZeroDivisionError):
        list(in_order(work, range(1000), 2))
    assert len(started) < 20

"""Work on several threads: results in order, few at a time, none left when one fails."""

import time

import pytest

from strokegan_lib.data.threads import in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order_few_wait_and_an_error_ends_the_work(workers):
    started = []

    def work(i):
        started.append(i)
        time.sleep(0.002 * (i % 3))
        return i // (i != 30)

    results = in_order(work, range(1000), workers)
    assert next(results) == 0 and len(started) <= 2 * workers
    assert [next(results) for _ in range(29)] == list(range(1, 30))
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(started) < 50

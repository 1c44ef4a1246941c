"""Stop between two steps, never within one: a step that is half made cannot be resumed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def between_steps() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event, for the loop to stop after its step; a second one interrupts at once.

    Outside the main thread signals cannot be handled, and the event is never set.
    """
    stop = threading.Event()

    def ask(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM) if main}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

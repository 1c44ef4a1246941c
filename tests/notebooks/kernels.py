"""A Jupyter kernel to run a notebook's cells in, one by one, and to kill."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]
SECONDS = 300.0  # no cell of the quick profile takes longer, even on a busy machine


@dataclass
class Said:
    """What a cell answered: its printed text, its error ('' for none) and the error's lines."""

    text: str = ""
    error: str = ""
    traceback: list[str] = field(default_factory=list)


@dataclass
class Kernel:
    manager: KernelManager
    client: BlockingKernelClient

    def start(self, source: str) -> str:
        """Begin a cell; :meth:`wait` gives its outcome."""
        return self.client.execute(source)

    def wait(self, request: str) -> Said:
        """The outcome of a cell that was started.

        Raises:
            queue.Empty: it took too long, or the kernel is dead.
        """
        said = Said()
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "stream":
                said.text += content["text"]
            elif kind == "error":
                said.error, said.traceback = content["ename"], content["traceback"]
            elif kind == "status" and content["execution_state"] == "idle":
                return said

    def run(self, source: str) -> Said:
        return self.wait(self.start(source))

    def works(self, *cells: str) -> str:
        """Run cells, none of which may fail, and return what they printed."""
        text = ""
        for cell in cells:
            said = self.run(cell)
            assert not said.error, "\n".join([cell, *said.traceback])
            text += said.text
        return text

    def kill(self) -> None:
        """As a machine does that is taken away: no warning, no time to tidy up."""
        os.kill(self.manager.provisioner.pid, signal.SIGKILL)
        while self.manager.is_alive():
            time.sleep(0.02)


@contextmanager
def kernel(
    environment: dict[str, str] | None = None,
    command: Sequence[str] | None = None,
    folder: Path = ROOT / "notebooks",
) -> Iterator[Kernel]:
    """A kernel in *folder*, gone at the end.

    Args:
        environment: its whole environment; None for ours.
        command: how to start it, with {connection_file}; None for the Python that runs the tests.
        folder: where it works.
    """
    manager = KernelManager(kernel_name="python3")
    if command:
        manager.kernel_spec.argv = list(command)
    manager.start_kernel(cwd=str(folder), env={**(environment or os.environ), "JUPYTER_PREFER_ENV_PATH": "1"})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

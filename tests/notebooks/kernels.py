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
class Output:
    """What a cell printed, its error ('' for none) and the error's lines."""

    text: str = ""
    error: str = ""
    traceback: list[str] = field(default_factory=list)


@dataclass
class Kernel:
    manager: KernelManager
    client: BlockingKernelClient

    def start(self, source: str) -> str:
        """Begin a cell; :meth:`wait` gives its output."""
        return self.client.execute(source)

    def wait(self, request: str) -> Output:
        """The output of a cell that was started.

        Raises:
            queue.Empty: it took too long, or the kernel is dead.
        """
        output = Output()
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "stream":
                output.text += content["text"]
            elif kind == "error":
                output.error, output.traceback = content["ename"], content["traceback"]
            elif kind == "status" and content["execution_state"] == "idle":
                return output

    def try_cell(self, source: str) -> Output:
        return self.wait(self.start(source))

    def run(self, *cells: str) -> str:
        """Run cells, none of which may fail, and return what they printed."""
        outputs = []
        for cell in cells:
            outputs.append(self.try_cell(cell))
            assert not outputs[-1].error, "\n".join([cell, *outputs[-1].traceback])
        return "".join(output.text for output in outputs)

    def kill(self) -> None:
        """As a machine does that is taken away: no warning, no time to tidy up."""
        os.kill(self.manager.provisioner.pid, signal.SIGKILL)
        while self.manager.is_alive():
            time.sleep(0.02)


@contextmanager
def kernel(
    environment: dict[str, str], command: Sequence[str] = (), folder: Path = ROOT / "notebooks"
) -> Iterator[Kernel]:
    """A kernel that works in *folder*, gone at the end.

    Args:
        environment: variables that it gets besides ours; where a command is given, all of them.
        command: how to start it, with {connection_file}; empty for the Python that runs the tests.
        folder: where it works.
    """
    manager = KernelManager(kernel_name="python3")
    if command:
        manager.kernel_spec.argv = list(command)
    ours = {} if command else {**os.environ, "OMP_NUM_THREADS": "1"}
    manager.start_kernel(cwd=str(folder), env={**ours, **environment, "JUPYTER_PREFER_ENV_PATH": "1"})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

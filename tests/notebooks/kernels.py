"""A Jupyter kernel to run a notebook's cells in, one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]
SECONDS = 300.0  # no cell of the quick profile takes longer, even on a busy machine
# trainings of four steps: other tests look at what is learnt
SHORT = """
import dataclasses
from strokegan_lib import profiles
profiles.PROFILES["quick"] = dataclasses.replace(profiles.PROFILES["quick"], name="short", steps=4)
"""
TOO_SHORT = "nothing was learnt"  # what a cell's last line may say after four steps


class Kernel:
    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def try_cell(self, source: str) -> tuple[str, str]:
        """What a cell printed, and the last line of its error, '' for none."""
        printed = []

        def hook(message: dict) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(source, output_hook=hook, timeout=SECONDS)["content"]
        return "".join(printed), reply["traceback"][-1] if reply["status"] == "error" else ""

    def run(self, *cells: str) -> str:
        """Run cells, none of which may fail, and return what they printed."""
        text = ""
        for cell in cells:
            printed, error = self.try_cell(cell)
            assert not error, f"{cell}\n{error}"
            text += printed
        return text


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

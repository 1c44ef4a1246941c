"""A JupyterLab for the tests: its own folder, settings and kernels' environment, and no network."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat

PATIENCE = 180.0  # seconds until it must answer: the machines of CI can be slow
QUIET = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # what the notebooks of the tests look like afterwards is of no interest
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


class Lab:
    """JupyterLab on copies of notebooks, without their outputs.

    Nothing that it writes goes outside *folder*.

    Args:
        notebooks: a folder of notebooks, some of them in folders of their own.
        folder: empty; the copies lie in its ``notebooks``.

    Example:
        ``with Lab(notebooks, folder) as lab: page.goto(lab.address("student/00_start_here.ipynb"))``
    """

    def __init__(self, notebooks: Path, folder: Path) -> None:
        self.folder, self.token, self.port = folder, secrets.token_hex(16), free_port()
        self.log = folder / "lab.log"
        for file in notebooks.rglob("*.ipynb"):
            copy = folder / "notebooks" / file.relative_to(notebooks)
            copy.parent.mkdir(parents=True, exist_ok=True)
            notebook = nbformat.read(file, as_version=4)
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
            nbformat.write(notebook, copy)
        for name, settings in QUIET.items():
            file = folder / "settings" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings), encoding="utf-8")

    def __enter__(self) -> Lab:
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = {**os.environ, **{name: str(self.folder / place) for name, place in own.items()}}
        environment["OMP_NUM_THREADS"] = "1"  # the server and the browser want a core too
        with open(self.log, "wb") as log:
            self.server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                    *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}"),
                    *("--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}"),
                    f"--ServerApp.root_dir={self.folder / 'notebooks'}",
                    "--LabApp.extension_manager=readonly",
                    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                ],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.server.terminate()  # it ends its kernels first
        try:
            self.server.wait(30)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.server.poll() is not None:
                raise RuntimeError(f"JupyterLab ended with code {self.server.returncode}:\n{self.tail()}")
            try:
                self._ask("status")
            except OSError:  # nobody listens yet
                time.sleep(0.2)
            else:
                return
        raise TimeoutError(f"JupyterLab did not answer within {PATIENCE:.0f} s:\n{self.tail()}")

    def address(self, name: str) -> str:
        """Where a browser finds a notebook, in a workspace that remembers no other."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{name}?reset&token={self.token}"

    def stop_kernels(self) -> None:
        """End all kernels: each holds PyTorch and its data in memory."""
        for session in json.loads(self._ask("sessions")):
            self._ask(f"sessions/{session['id']}", "DELETE")

    def _ask(self, what: str, method: str = "GET") -> bytes:
        address = f"http://127.0.0.1:{self.port}/api/{what}"
        request = urllib.request.Request(
            address, headers={"Authorization": f"token {self.token}"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]

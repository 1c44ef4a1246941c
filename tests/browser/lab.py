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
NOTIFICATIONS = "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
}


class Lab:
    """JupyterLab with one notebook; nothing that it writes goes outside *folder*.

    Example:
        ``with Lab(folder, cells) as lab: page.goto(lab.address)``
    """

    def __init__(self, folder: Path, cells: list[str]) -> None:
        self.folder, self.log, token = folder, folder / "lab.log", secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/lab/tree/widgets.ipynb?reset&token={token}"
        self.ready = f"http://127.0.0.1:{port}/api?token={token}"
        self.command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
            *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
            *(f"--ServerApp.root_dir={folder / 'notebooks'}", "--LabApp.extension_manager=readonly"),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel
        )
        (folder / "notebooks").mkdir()
        nbformat.write(notebook, folder / "notebooks/widgets.ipynb")
        (folder / NOTIFICATIONS).parent.mkdir(parents=True)
        (folder / NOTIFICATIONS).write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))

    def __enter__(self) -> Lab:
        environment = os.environ | {name: str(self.folder / place) for name, place in FOLDERS.items()}
        environment["OMP_NUM_THREADS"] = "1"  # the server and the browser want a core too
        with open(self.log, "wb") as log:
            self.server = subprocess.Popen(
                self.command, cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(self.ready, timeout=30).close()
                return self
            except OSError:  # nobody listens yet
                if self.server.poll() is not None or time.monotonic() > end:
                    self.__exit__()
                    raise RuntimeError(f"JupyterLab does not answer:\n{self.log.read_text()}") from None
                time.sleep(0.2)

    def __exit__(self, *_error: object) -> None:
        self.server.terminate()  # it ends its kernels first
        try:
            self.server.wait(30)
        except subprocess.TimeoutExpired:
            self.server.kill()

"""Run the whole series: ``python -m strokegan_lib.classroom.tutorial``, behind ``make tutorial``.

Every notebook runs in a process of its own by papermill. The output folder gets the
executed notebooks, ``report.html`` with all of them, and ``results.json``.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
import torch

import strokegan_lib
from strokegan_lib import command_line as door
from strokegan_lib.classroom.datasets import prepared
from strokegan_lib.classroom.records import pictures, recorded
from strokegan_lib.classroom.report import page
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import hold
from strokegan_lib.profiles import PROFILES, Profile, profile

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
TABLE = "table_1"  # what a notebook records under this name, lines of text, is printed at the end
LAST_LINES = 6  # of an error's traceback: enough to see where and what


def masters(folder: Path) -> list[Path]:
    """The numbered notebooks, in their order.

    Raises:
        BadInput: there are none.
    """
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise BadInput(
            folder, "holds no numbered notebook", "run this where the kit lies, or give --notebooks"
        )
    return found


def execute(notebook: Path, out: Path, chosen: Profile, data: str) -> dict:
    """Run one notebook.

    Args:
        notebook: the master.
        out: where the executed copy goes.
        chosen: the profile, handed over as the parameter PROFILE.
        data: absolute path of a SliceSet, or '', handed over as DATA.

    Returns:
        Its entry in ``results.json``: status ('ok' or 'failed'), seconds, what it
        recorded, and the last lines of the error where there is one.
    """
    environment = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1"}
    if chosen.threads is not None:
        environment |= dict.fromkeys(THREADS, str(chosen.threads))
    start = time.perf_counter()
    command = [sys.executable, "-m", "papermill", str(notebook), str(out), "--cwd", str(notebook.parent)]
    command += ["--no-progress-bar", "-r", "PROFILE", chosen.name, "-r", "DATA", data]
    run = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
    )
    entry = {"status": "failed" if run.returncode else "ok", "seconds": round(time.perf_counter() - start, 1)}
    if not out.exists():  # papermill itself stumbled
        nbformat.write(nbformat.read(notebook, as_version=4), out)
    entry["results"] = recorded(nbformat.read(out, as_version=4))
    if run.returncode:
        entry["error"] = run.stderr.strip().splitlines()[-LAST_LINES:]
    return entry


def run_series(notebooks: list[Path], out: Path, chosen: Profile, data: str, workers: int) -> dict[str, dict]:
    """Run notebooks side by side, each in its own process, and say so as they end."""
    entries: dict[str, dict] = {}
    with ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(execute, n, out / n.name, chosen, data): n.stem for n in notebooks}
        try:
            for done in as_completed(running):
                name, entry = running[done], done.result()
                entries[name] = entry
                print(
                    f"[{len(entries)}/{len(notebooks)}] {name}: {entry['status']}, {entry['seconds']:.1f} s",
                    flush=True,
                )
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return {n.stem: entries[n.stem] for n in notebooks}


def table(entries: dict[str, dict]) -> str:
    """The entries as lines of text."""
    width = max(len("notebook"), *map(len, entries))
    lines = [f"{'notebook':{width}}  seconds  status"]
    lines += [
        f"{name:{width}}  {entry['seconds']:7.1f}  {entry['status']}" for name, entry in entries.items()
    ]
    return "\n".join(lines)


def tutorial(notebooks: Path, out: Path, chosen: Profile, data: str, workers: int) -> dict[str, dict]:
    """Run the series and replace *out* by what it gives.

    Raises:
        BadInput: no notebooks, no sound data set, or *out* cannot be used; nothing has run then.
    """
    chain = masters(notebooks)
    out = out.absolute()
    if out.exists() and not (out.is_dir() and ((out / "results.json").is_file() or not any(out.iterdir()))):
        raise BadInput(out, "holds something else than an earlier report", "choose another --out")
    if not data:
        print("Using the default phantom; the first time it is made, which takes a moment.", flush=True)
    slices = prepared(data, chosen, workers=workers)
    partial, old = out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.old")
    lock = hold(out.with_name(f".{out.name}.lock"), out)
    try:
        with writing(out):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
        start = time.perf_counter()
        entries = run_series(chain, partial, chosen, str(slices.folder.absolute()) if data else "", workers)
        seconds = time.perf_counter() - start
        with writing(out):
            _write_report(partial, entries, chosen, slices, seconds)
            shutil.rmtree(old, ignore_errors=True)
            if out.exists():
                out.rename(old)
            partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        lock.release()
    return entries


def _write_report(
    folder: Path, entries: dict[str, dict], chosen: Profile, slices: SliceSet, seconds: float
) -> None:
    about = {
        "kit": strokegan_lib.__version__,
        "profile": chosen.name,
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "seconds": round(seconds, 1),
    }
    text = json.dumps({**about, "notebooks": entries}, indent=1, ensure_ascii=False)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    head = (
        "Profile {profile}, data set {data}, strokegan_lib {kit}, Python {python}, PyTorch {torch}.".format(
            **about
        )
    )
    executed = {name: nbformat.read(folder / f"{name}.ipynb", as_version=4) for name in entries}
    html = page("GANs on brain-stroke images: the series, executed", head, executed, entries)
    (folder / "report.html").write_text(html, encoding="utf-8")
    for notebook in executed.values():
        for name, png in pictures(notebook).items():
            (folder / f"{name}.png").write_bytes(png)


def parser() -> door.Parser:
    options = door.Parser(prog="tutorial", description=__doc__.splitlines()[0])
    options.add_argument("--data", default="", help="a prepared data set; the default phantom otherwise")
    options.add_argument("--profile", default="quick", help=f"{', '.join(PROFILES)} (quick)")
    options.add_argument("--out", type=door.path, default=Path("build/tutorial"), help="folder of the report")
    options.add_argument(
        "--workers", type=door.integer(1, 256), default=2, help="notebooks that run at once (2)"
    )
    options.add_argument(
        "--notebooks", type=door.path, default=Path("notebooks"), help="folder of the series"
    )
    return options


def main() -> None:
    options = parser().parse_args()
    entries = tutorial(
        options.notebooks, options.out, profile(options.profile), options.data, options.workers
    )
    for entry in entries.values():
        if TABLE in entry["results"]:
            print("", *entry["results"][TABLE], sep="\n")
    print(f"\n{table(entries)}\n\nReport: {options.out / 'report.html'}")
    for picture in sorted(options.out.glob("*.png")):
        print(f"Picture: {picture}")
    failed = {name: entry for name, entry in entries.items() if entry["status"] != "ok"}
    for name, entry in failed.items():
        print(f"\n{name} failed:", *entry["error"], sep="\n  ", file=sys.stderr)
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(door.run(main, "tutorial"))

"""Run the series: ``python notebooks/run.py [--profile P] [--data DIR] [NOTEBOOK ...]``.

Each notebook runs in a kernel of its own. build/tutorial/ gets the executed notebooks, a
page of each (index.html leads to them) and results.json with what they record. With
``--in-place`` the outputs stay in notebooks/, and the student notebooks are derived again.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from student import HERE, derive, lessons

from strokegan_lib import command_line
from strokegan_lib.classroom import prepared
from strokegan_lib.classroom.records import MIME
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import write_whole
from strokegan_lib.profiles import PROFILES, profile

PROG = "python notebooks/run.py"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
TIMES = HERE.parent / "docs" / "notebook_times.md"
TIMES_HEAD = """# Words and times of the notebooks

Written by `make notebooks`. Minutes are estimates; seconds were measured in the quick
profile, two notebooks at once on {cores} cores ({machine}).

| notebook | words | to teach, minutes | exercises, minutes | to run, seconds |
|---|---|---|---|---|
"""
ESTIMATES = re.compile(r"about (\d+) minutes to teach and (\d+) for the exercises")


def execute(file: Path, out: Path, parameters: dict[str, str]) -> dict:
    """Run a notebook and write it to *out*, also where a cell fails; its entry in results.json."""
    start, entry = time.perf_counter(), {"status": "ok"}
    how = {"kernel_name": "python3", "cwd": file.parent, "progress_bar": False}
    try:
        papermill.execute_notebook(file, out, parameters, **how)
    except (PapermillExecutionError, DeadKernelError) as failure:
        why = f"{failure.ename}: {failure.evalue}" if hasattr(failure, "ename") else str(failure)
        entry = {"status": "failed", "error": why}
    notebook = clean(nbformat.read(out, as_version=4))
    nbformat.write(notebook, out)
    if "error" in entry:
        ran = [cell.id for cell in notebook.cells if cell.get("execution_count")]
        entry["error"] = f"cell {ran[-1] if ran else 1}: {entry['error']}"
    entry["seconds"] = round(time.perf_counter() - start, 1)
    entry["results"] = {}
    for output in outputs(notebook):
        entry["results"] |= output.get("data", {}).get(MIME, {})
    print(f"{file.stem}: {entry['status']}, {entry['seconds']:.1f} s", flush=True)
    return entry


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def clean(notebook: NotebookNode) -> NotebookNode:
    """Take out what changes by itself, and live widgets, which show an error without a kernel."""
    notebook.metadata = NotebookNode(METADATA)
    for cell in notebook.cells:
        kept = {k: cell.metadata[k] for k in ("tags", "jupyter", "cellView") if cell.metadata.get(k)}
        cell.metadata = NotebookNode(kept)
    for output in outputs(notebook):
        output.get("data", {}).pop(WIDGET, None)
    return notebook


def run_all(files: list[Path], out: Path, parameters: dict[str, str]) -> dict[str, dict]:
    """Run notebooks, two at once where there are two cores; their entries by name."""
    stderr = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # kernels warn there that they talk over TCP
    try:
        with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
            entries = pool.map(lambda file: execute(file, out / file.name, parameters), files)
            return {file.stem: entry for file, entry in zip(files, entries, strict=True)}
    finally:
        os.dup2(stderr, 2)


def write_pages(folder: Path, about: dict, entries: dict[str, dict]) -> None:
    """Write results.json, a page a notebook, index.html, and the pictures that are to be kept."""
    write_whole(folder / "results.json", json.dumps({**about, "notebooks": entries}, indent=1))
    rows = ""
    for name, entry in entries.items():
        notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        page, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": name}})
        write_whole(folder / f"{name}.html", page)
        rows += f'<li><a href="{name}.html">{name}</a>: {entry["status"]}</li>\n'
        for output in outputs(notebook):
            if keep := output.get("metadata", {}).get("image/png", {}).get("keep"):
                (folder / f"{keep}.png").write_bytes(b64decode(output.data["image/png"]))
    head = '<!DOCTYPE html>\n<html lang="en-GB"><meta charset="utf-8"><title>The series</title>'
    write_whole(folder / "index.html", f"{head}\n<ul>\n{rows}</ul>\n</html>\n")


def times(entries: dict[str, dict]) -> str:
    """The table of words, of the lessons' own estimates, and of measured seconds."""
    table = TIMES_HEAD.format(cores=os.cpu_count(), machine=platform.machine())
    for file in lessons():
        cells = nbformat.read(file, as_version=4).cells
        words = " ".join(c.source for c in cells if c.cell_type == "markdown").split()
        teach, exercises = ESTIMATES.search(" ".join(words)).groups()
        seconds = round(entries[file.stem]["seconds"])
        link = f"[{file.stem[:2]}](../notebooks/{file.name})"
        table += f"| {link} | {len(words)} | {teach} | {exercises} | {seconds} |\n"
    return table


def main() -> None:
    parser = command_line.Parser(prog=PROG, description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="", help="a prepared data set (default: the phantom)")
    parser.add_argument("--profile", default="quick", help=f"{', '.join(PROFILES)} (quick)")
    parser.add_argument("--out", type=command_line.path, default=Path("build/tutorial"))
    parser.add_argument("--in-place", action="store_true", help="keep the outputs in notebooks/")
    parser.add_argument("notebooks", nargs="*", type=Path, help="files; default: the series")
    options = parser.parse_args()
    files, out = options.notebooks or lessons(), options.out.absolute()
    chosen = profile("quick" if options.in_place else options.profile)
    for file in files:
        if not file.is_file():
            raise BadInput(file, "is no notebook", "give files, or nothing for the series")
    if any(out.glob("*")) and not (out / "results.json").is_file():
        raise BadInput(out, "holds something else than an earlier run", "choose another --out")
    data = "" if options.in_place else options.data
    slices = prepared(data, chosen, workers=os.cpu_count() or 1)
    parameters = {
        "PROFILE": chosen.name,
        "DATA": str(slices.folder.absolute()) if data else "",
    }
    os.environ |= dict.fromkeys(THREADS, str(chosen.threads)) if chosen.threads else {}
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=out.parent))
    try:
        entries = run_all(files, new, {} if options.in_place else parameters)
        if options.in_place:
            for file in files:
                if entries[file.stem]["status"] == "ok":
                    write_whole(file, (new / file.name).read_text(encoding="utf-8"))
            derive()
            if files == lessons():
                write_whole(TIMES, times(entries))
        else:
            about = {
                "profile": chosen.name,
                "data": slices.card["name"],
                "data_sha256": slices.card["sha256"],
            }
            about |= {"python": platform.python_version(), "torch": version("torch")}
            with writing(out):
                write_pages(new, about, entries)
                shutil.rmtree(out, ignore_errors=True)
                new.rename(out)
            print(f"Results: {out / 'index.html'}")
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for entry in entries.values():
        print(*entry["results"].get("table_1", ()), sep="\n")
    failed = [
        f"{file}, {e['error']}" for file, e in zip(files, entries.values(), strict=True) if "error" in e
    ]
    if failed:
        print(*failed, sep="\n", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    sys.exit(command_line.run(main, PROG))

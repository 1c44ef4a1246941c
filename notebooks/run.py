"""Run the series: ``python notebooks/run.py [--profile P] [--data DIR] [NOTEBOOK ...]`` (``make tutorial``).

Each notebook runs in a kernel of its own by papermill. build/tutorial/ gets the executed notebooks, a page of
each (index.html leads to them), and results.json with what the notebooks record. With ``--in-place``
(``make notebooks``) the outputs stay in notebooks/ and the student notebooks are derived again.
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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from student import HERE, derive, lessons

import strokegan_lib
from strokegan_lib import command_line
from strokegan_lib.classroom.prepared import prepared
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import hold, write_whole
from strokegan_lib.profiles import PROFILES, profile

PROG = "python notebooks/run.py"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
RECORD = "application/vnd.strokegan.record+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("tags", "jupyter", "cellView")  # of a cell's metadata
TIMES = HERE.parent / "docs" / "notebook_times.md"
ESTIMATES = re.compile(r"about (\d+) minutes to teach and (\d+) for the exercises")


def execute(file: Path, out: Path, parameters: dict[str, str]) -> dict:
    """Run a notebook and write it to *out*, also where a cell fails.

    Returns:
        Its entry in results.json: status ('ok' or 'failed'), seconds, what it recorded, and the error if any.
    """
    start, error = time.perf_counter(), ""
    try:
        papermill.execute_notebook(
            file, out, parameters, kernel_name="python3", cwd=file.parent, progress_bar=False
        )
    except PapermillExecutionError as failure:
        error = f"{failure.ename}: {failure.evalue}"
    except DeadKernelError as failure:
        error = str(failure)
    notebook = clean(nbformat.read(out, as_version=4))
    nbformat.write(notebook, out)
    entry = {"status": "failed" if error else "ok", "seconds": round(time.perf_counter() - start, 1)}
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    recorded = [output.get("data", {}).get(RECORD, {}) for output in outputs]
    entry["results"] = {name: value for values in recorded for name, value in values.items()}
    if error:
        last = [c.id for c in notebook.cells if c.get("execution_count") or c.get("outputs")][-1:]
        entry["error"] = f"cell {last[0] if last else '?'}: {error}"
    print(f"{file.stem}: {entry['status']}, {entry['seconds']:.1f} s", flush=True)
    return entry


def clean(notebook: NotebookNode) -> NotebookNode:
    """Take out, in place, what changes by itself, and live widgets: without a kernel they show an error."""
    notebook.metadata, notebook.nbformat_minor = NotebookNode(METADATA), 5
    for cell in notebook.cells:
        cell.metadata = NotebookNode({name: cell.metadata[name] for name in KEPT if cell.metadata.get(name)})
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


@contextmanager
def quiet() -> Iterator[None]:
    """Send stderr nowhere meanwhile: every kernel warns there that it talks over TCP."""
    ours, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)
        os.close(nowhere)


def run_all(files: list[Path], out: Path, parameters: dict[str, str]) -> dict[str, dict]:
    """Run notebooks, two at once where there are two cores; their entries by name."""
    with quiet(), ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        entries = pool.map(lambda file: execute(file, out / file.name, parameters), files)
        return {file.stem: entry for file, entry in zip(files, entries, strict=True)}


def tutorial(files: list[Path], out: Path, name: str, data: str) -> dict[str, dict]:
    """Run notebooks and replace *out* by what they give; their entries by name.

    Raises:
        BadInput: no sound data set, or *out* cannot be used; nothing has run then.
    """
    chosen = profile(name)
    if out.exists() and not (out.is_dir() and ((out / "results.json").is_file() or not any(out.iterdir()))):
        raise BadInput(out, "holds something else than an earlier run", "choose another --out")
    slices = prepared(data, chosen, workers=os.cpu_count() or 1)
    if chosen.threads is not None:
        os.environ |= dict.fromkeys(THREADS, str(chosen.threads))
    new, lock = out.with_name(f".{out.name}.partial"), hold(out.with_name(f".{out.name}.lock"), out)
    try:
        with writing(out):
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
        start = time.perf_counter()
        entries = run_all(
            files, new, {"PROFILE": name, "DATA": str(slices.folder.absolute()) if data else ""}
        )
        about = {
            "kit": strokegan_lib.__version__,
            "profile": name,
            "data": slices.card["name"],
            "data_sha256": slices.card["sha256"],
            "python": platform.python_version(),
            "torch": version("torch"),
            "seconds": round(time.perf_counter() - start, 1),
        }
        with writing(out):
            write_pages(new, about, entries)
            shutil.rmtree(out, ignore_errors=True)
            new.rename(out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        lock.release()
    return entries


def write_pages(folder: Path, about: dict, entries: dict[str, dict]) -> None:
    """Write results.json, a page a notebook, the page that leads to them, and the pictures to be kept."""
    text = json.dumps({**about, "notebooks": entries}, indent=1, ensure_ascii=False)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    rows = ""
    for name, entry in entries.items():
        notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        page, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": name}})
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        rows += f'<li><a href="{name}.html">{name}</a>: {entry["status"]}, {entry["seconds"]:.1f} s</li>\n'
        for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
            if keep := output.get("metadata", {}).get("image/png", {}).get("keep"):
                (folder / f"{keep}.png").write_bytes(b64decode(output.data["image/png"]))
    head = (
        "Profile {profile}, data set {data}, strokegan_lib {kit}, Python {python}, PyTorch {torch}.".format(
            **about
        )
    )
    (folder / "index.html").write_text(
        '<!DOCTYPE html>\n<html lang="en-GB"><meta charset="utf-8"><title>The series, executed</title>\n'
        f"<h1>The series, executed</h1>\n<p>{head}</p>\n<ul>\n{rows}</ul>\n</html>\n",
        encoding="utf-8",
    )


def in_place(files: list[Path]) -> dict[str, dict]:
    """Run notebooks as they are committed, in the quick profile on the phantom, and keep their outputs."""
    for name in ("STROKEGAN_PROFILE", "STROKEGAN_DATA"):
        os.environ.pop(name, None)
    os.environ |= dict.fromkeys(THREADS, "1")
    with tempfile.TemporaryDirectory() as folder:
        entries = run_all(files, Path(folder), {})
        for file in files:
            if entries[file.stem]["status"] == "ok":
                write_whole(file, (Path(folder) / file.name).read_text(encoding="utf-8"))
    derive()
    if files == lessons():
        write_whole(TIMES, times(files, entries))
    return entries


def times(files: list[Path], entries: dict[str, dict]) -> str:
    """The table of words, of the notebooks' own estimates, and of measured seconds, in Markdown."""
    rows, sums = [], [0, 0, 0, 0]
    for file in files:
        markdown = [c.source for c in nbformat.read(file, as_version=4).cells if c.cell_type == "markdown"]
        teach, exercises = map(int, ESTIMATES.search(" ".join(markdown[0].split())).groups())
        row = [len(" ".join(markdown).split()), teach, exercises, round(entries[file.stem]["seconds"])]
        rows.append(f"| [{file.stem[:2]}](../notebooks/{file.name}) | {' | '.join(map(str, row))} |\n")
        sums = [a + b for a, b in zip(sums, row, strict=True)]
    return (
        "# Words and times of the notebooks\n\nWritten by `make notebooks`. Minutes are estimates, seconds were measured"
        f" in the quick profile, two notebooks at once on {os.cpu_count()} cores ({platform.machine()}).\n\n"
        "| notebook | words | to teach, minutes | exercises, minutes | to run, seconds |\n|---|---|---|---|---|\n"
        f"{''.join(rows)}| **sum** | {' | '.join(map(str, sums))} |\n"
    )


def chosen_lessons(words: list[str]) -> list[Path]:
    """The notebooks that words name, as a file or by the beginning of a lesson's name; all for none."""
    files = []
    for word in words:
        found = (
            [Path(word).absolute()]
            if Path(word).is_file()
            else [f for f in lessons() if f.name.startswith(word)]
        )
        if not found:
            raise BadInput(word, "is no notebook", "give a file, or the number of a lesson")
        files += found
    return files or lessons()


def main() -> None:
    options = command_line.Parser(prog=PROG, description=__doc__.splitlines()[0])
    options.add_argument("--data", default="", help="a prepared data set; the default phantom otherwise")
    options.add_argument("--profile", default="quick", help=f"{', '.join(PROFILES)} (quick)")
    options.add_argument(
        "--out", type=command_line.filepath, default=Path("build/tutorial"), help="folder of the results"
    )
    options.add_argument("--in-place", action="store_true", help="keep the outputs in notebooks/")
    options.add_argument("notebooks", nargs="*", help="some notebooks only, such as 03")
    given = options.parse_args()
    files = chosen_lessons(given.notebooks)
    if given.in_place:
        entries = in_place(files)
    else:
        entries = tutorial(files, given.out.absolute(), given.profile, given.data)
        for entry in entries.values():
            if "table_1" in entry["results"]:
                print("", *entry["results"]["table_1"], "", sep="\n")
        print(f"Results: {given.out / 'index.html'}")
    failed = [f"{PROG}: notebooks/{name}.ipynb, {e['error']}" for name, e in entries.items() if "error" in e]
    if failed:
        print(*failed, sep="\n", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    sys.exit(command_line.run(main, PROG))

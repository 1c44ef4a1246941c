"""Run the series: ``python notebooks/run.py [--profile P] [--data DIR] [NOTEBOOK ...]`` (``make tutorial``).

Each notebook runs in a kernel of its own. build/tutorial/ gets the executed notebooks, a page of each (index.html leads
to them) and results.json with what they record. ``--in-place`` (``make notebooks``) also keeps the outputs of the quick
profile on the phantom in notebooks/, and derives the student notebooks again.
"""

import json
import os
import shutil
import sys
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError
from student import HERE, derive, lessons

from strokegan_lib import command_line
from strokegan_lib.classroom import prepared
from strokegan_lib.classroom.outputs import MIME
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import write_whole
from strokegan_lib.profiles import PROFILES, profile

PROG = "python notebooks/run.py"
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
PAGE = """{% extends "lab/index.html.j2" %} {% block data_png %} <div class="jp-RenderedImage jp-OutputArea-output">
<img src="data:image/png;base64,{{ output.data['image/png'] }}"
alt="{{ output | get_metadata("alt", "image/png") | escape_html }}"></div> {% endblock %}"""
HEAD = '<!DOCTYPE html><html lang="en-GB"><title>The series</title>\n'
TIMES = HERE.parent / "docs" / "notebook_times.md"


def execute(file: Path, out: Path, parameters: dict[str, str]) -> dict:
    """Run a notebook and write it and its page to the folder *out*; its entry in results.json."""
    start, entry = time.perf_counter(), {"status": "ok", "seconds": 0.0, "results": {}}
    executed = out / file.name
    try:
        papermill.execute_notebook(file, executed, parameters, kernel_name="python3", cwd=file.parent,
                                   progress_bar=False, extra_arguments=["--log-level=50"])  # fmt: skip
    except (PapermillExecutionError, DeadKernelError) as failure:
        error = f"{getattr(failure, 'ename', 'dead kernel')}: {getattr(failure, 'evalue', failure)}"
        entry |= {"status": "failed", "error": error}
    entry["seconds"] = round(time.perf_counter() - start, 1)
    notebook = nbformat.read(executed, as_version=4)
    notebook.metadata = nbformat.NotebookNode(METADATA)  # what changes by itself goes
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode({k: v for k, v in cell.metadata.items() if k == "tags" and v})
        if "error" in entry and cell.get("execution_count"):
            entry["cell"] = cell.id  # the last that ran
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            data.pop(WIDGET, None)  # without a kernel it shows an error; its picture stays
            entry["results"] |= data.get(MIME, {})
            if keep := output.get("metadata", {}).get("image/png", {}).get("keep"):
                (out / f"{keep}.png").write_bytes(b64decode(data["image/png"]))
    write_whole(executed, nbformat.writes(notebook) + "\n")
    page, _ = HTMLExporter(raw_template=PAGE).from_notebook_node(notebook, {"metadata": {"name": file.stem}})
    write_whole(executed.with_suffix(".html"), page)
    print(f"{file.stem}: {entry['status']}, {entry['seconds']:.1f} s", flush=True)
    return entry


def times(entries: dict[str, dict]) -> str:
    """The table of words, and of seconds on this machine in the quick profile, in Markdown."""
    text = "# Words and times of the notebooks\n\n| notebook | words | seconds |\n|---|---|---|\n"
    for file in lessons():
        cells = nbformat.read(file, as_version=4).cells
        words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
        text += f"| [{file.stem[:2]}](../notebooks/{file.name}) | {words} | {entries[file.stem]['seconds']:.0f} |\n"
    return text


def main() -> None:
    parser = command_line.Parser(prog=PROG, description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="", help="a prepared data set (default: the phantom)")
    parser.add_argument("--profile", default="quick", help=f"{', '.join(PROFILES)} (default: quick)")
    parser.add_argument("--out", type=command_line.path, default="build/tutorial", help="for the results")
    parser.add_argument("--in-place", action="store_true", help="keep the outputs in notebooks/")
    parser.add_argument("notebooks", nargs="*", type=Path, help="files (default: the series)")
    given = parser.parse_args()
    # papermill changes the working directory, under the feet of the other thread
    files, out = [file.absolute() for file in given.notebooks] or lessons(), given.out.absolute()
    index = out / "index.html"
    chosen, data = (profile("quick"), "") if given.in_place else (profile(given.profile), given.data)
    if bad := [file for file in files if not file.is_file() or file.absolute().parent == out]:
        raise BadInput(bad[0], "is no notebook to run", "give others, or nothing for the series")
    if any(out.glob("*")) and not (index.is_file() and index.read_text("utf-8").startswith(HEAD)):
        raise BadInput(out, "holds something else than an earlier run", "choose another --out")
    slices = prepared(data, chosen)
    os.environ |= {"OMP_NUM_THREADS": str(chosen.threads)} if chosen.threads else {}
    parameters = {"PROFILE": chosen.name, "DATA": str(slices.folder.absolute()) if data else ""}
    with writing(out):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        write_whole(index, HEAD)  # marks the folder as ours
        with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
            made = pool.map(lambda file: execute(file, out, {} if given.in_place else parameters), files)
            entries = dict(zip((file.stem for file in files), made, strict=True))
        links = (f'<p><a href="{name}.html">{name}</a>: {e["status"]}</p>\n' for name, e in entries.items())
        write_whole(index, "".join([HEAD, *links, "</html>\n"]))
        about = {"profile": chosen.name, "data": slices.card["name"], "data_sha256": slices.card["sha256"]}
        results = {**about, "torch": version("torch"), "notebooks": entries}
        write_whole(out / "results.json", json.dumps(results, indent=1) + "\n")
    if given.in_place:
        for file in (file for file in files if "error" not in entries[file.stem]):
            write_whole(file, (out / file.name).read_text(encoding="utf-8"))
        derive()
        if files == lessons():
            write_whole(TIMES, times(entries))
    print(*(line for e in entries.values() for line in e["results"].get("table_1", ())), sep="\n")
    print(f"Results: {index}")
    for name, entry in entries.items():
        if "error" in entry:
            print(f"{PROG}: {name}.ipynb, cell {entry.get('cell')}: {entry['error']}", file=sys.stderr)
    sys.exit(2 if any("error" in entry for entry in entries.values()) else 0)


if __name__ == "__main__":
    sys.exit(command_line.run(main, PROG))

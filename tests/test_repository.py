"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from repository import ROOT, files

from strokegan_lib.classroom.badges import BADGE, INSTALL, Home
from strokegan_lib.classroom.exercises import exercises

FILES = list(files())
LIBRARY = sorted((ROOT / "strokegan_lib").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

# the flow, left to right; what is in no room is a door (train.py, ...) and may see everything
ROOMS = {
    "errors": 0,
    "door": 0,
    "profiles": 0,
    "data": 1,
    "models": 2,
    "losses": 2,
    "training": 3,
    "evaluation": 4,
    "classroom": 5,
}


DOORS = (
    "train",
    "evaluate",
    "compare",
    "synthesise",
    "balancing",
    "realism",
    "blinded",
    "transfer",
    "ship",
    "remake",
    "generators",
    "family",
    "paired",
    "masks",
    "train_settings",
)

GRADES = {"easy": 1, "middling": 2, "hard": 3}


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the kit: its name and contents."""
    for file in FILES:
        try:
            yield short(file), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or weights


def imports(tree: ast.AST, *, at_import_time: bool = False) -> Iterator[str]:
    """Dotted names that a module imports, anywhere or only when it is imported itself."""
    for node in ast.iter_child_nodes(tree):
        if at_import_time and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if at_import_time and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from imports(node, at_import_time=at_import_time)


def room(module: str) -> int | None:
    """Place in the flow of a dotted name inside the library; None for a door."""
    parts = module.split(".")
    return ROOMS.get(parts[1]) if parts[0] == "strokegan_lib" and len(parts) > 1 else None


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def outside_at_import(file: Path, seen: set[Path]) -> set[str]:
    """Top-level packages, not ours, that importing this file brings in."""
    found: set[str] = set()
    seen.add(file)
    for name in imports(ast.parse(file.read_text(encoding="utf-8")), at_import_time=True):
        if not name.startswith("strokegan_lib"):
            found.add(name.split(".")[0])
            continue
        path = ROOT / Path(*name.split("."))
        for inner in (path.with_suffix(".py"), path.parent.with_suffix(".py"), path / "__init__.py"):
            if inner.is_file() and inner not in seen:
                found |= outside_at_import(inner, seen)
    return found


@pytest.mark.parametrize("file", LIBRARY, ids=short)
def test_no_import_points_right(file: Path):
    here = room(module_of(file))
    if here is None:
        return
    wrong = [
        name for name in imports(ast.parse(file.read_text(encoding="utf-8"))) if (room(name) or 0) > here
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("ipywidgets", {"classroom"}),
        ("IPython", {"classroom"}),
        ("matplotlib", {"classroom"}),
        ("torch", {"data", "models", "losses", "training", "evaluation", "classroom", "profiles", *DOORS}),
    ],
)
def test_a_package_is_imported_only_where_it_is_known(package: str, rooms: set[str]):
    for file in LIBRARY:
        names = {
            name.split(".")[0]
            for name in imports(ast.parse(file.read_text(encoding="utf-8")), at_import_time=True)
        }
        assert package not in names or module_of(file).split(".")[1] in rooms, short(file)


def test_networks_and_training_import_lightly():
    """The rooms from models to training, and what they rest on, need five packages."""
    light = {"torch", "numpy", "tqdm", "safetensors", "accelerate", "filelock"}
    base = [file for file in LIBRARY if room(module_of(file)) in (0, 2, 3)]
    base += [
        ROOT / "strokegan_lib/data" / name for name in ("slices.py", "split.py", "resample.py", "batches.py")
    ]
    standard = __import__("sys").stdlib_module_names
    for file in base:
        assert outside_at_import(file, set()) - standard <= light, short(file)


@pytest.mark.parametrize("file", LIBRARY, ids=short)
def test_scanners_formats_are_read_only_where_needed(file: Path):
    """SimpleITK is an extra: nothing may need it before an .mha file is read."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert "SimpleITK" not in {name.split(".")[0] for name in imports(tree, at_import_time=True)}


def test_there_are_notebooks():
    assert [file.name[:2] for file in NOTEBOOKS] == [f"{i:02}" for i in range(len(NOTEBOOKS))]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=short)
class TestNotebook:
    @pytest.fixture
    def notebook(self, file: Path) -> nbformat.NotebookNode:
        return nbformat.read(file, as_version=4)

    def test_is_valid_and_small(self, file: Path, notebook: nbformat.NotebookNode):
        nbformat.validate(notebook)
        assert file.stat().st_size < 1_000_000
        assert notebook.metadata.kernelspec.name == "python3"  # without it JupyterLab asks

    def test_is_committed_clean_and_complete(self, file: Path, notebook: nbformat.NotebookNode):
        assert not notebook.metadata.get("widgets") and "papermill" not in notebook.metadata
        assert "widget-state" not in file.read_text(encoding="utf-8")
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "make notebooks"
        for cell in notebook.cells:
            assert "papermill" not in cell.metadata and "execution" not in cell.metadata
            assert "injected-parameters" not in cell.metadata.get("tags", [])
            for output in cell.get("outputs", ()):
                assert output.output_type != "error" and output.get("name") != "stderr"
                assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {}), (
                    "make notebooks"
                )

    def test_takes_its_parameters(self, file: Path, notebook: nbformat.NotebookNode):
        (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        body = ast.parse(cell.source).body
        assert [type(statement) for statement in body] == [ast.Assign] * 2
        assert [statement.targets[0].id for statement in body] == ["PROFILE", "DATA"]
        assert '"quick"' in cell.source

    def test_every_picture_is_told_in_words(self, file: Path, notebook: nbformat.NotebookNode):
        for cell in notebook.cells:
            assert not re.search(r"!\[\]\(|<img(?![^>]*alt=)", cell.source)
            for output in cell.get("outputs", ()):
                if "image/png" in output.get("data", {}):
                    assert len(output.metadata["image/png"]["alt"]) > 20

    def test_badges_and_installation_name_this_repository(self, file: Path, notebook: nbformat.NotebookNode):
        home = Home.read(ROOT)
        assert home.badges(file.name) in notebook.cells[0].source
        assert notebook.cells[0].source.startswith(f"# {file.name[:2]} · ")
        everything = "\n".join(cell.source for cell in notebook.cells)
        assert len(BADGE.findall(everything)) == 2
        assert INSTALL.findall(everything) == [home.install]
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        assert home.install in first.source and "--no-deps" in first.source

    def test_exercises_are_whole_and_graded(self, file: Path, notebook: nbformat.NotebookNode):
        """Each with stub, hint, solution and check; from easy to hard, in stars and in words."""
        found = exercises(notebook, file)
        assert len(found) >= 3
        for exercise in found:
            (check,) = exercise.check
            assert "".join(output.get("text", "") for output in check.outputs) == "Right.\n"
        grades = []
        for before, cell in pairwise(notebook.cells):
            if any(cell is exercise.stub for exercise in found):
                number, stars, word = re.search(
                    r"^### (\d+)\. .+ \((★+) (easy|middling|hard)\)$", before.source, re.M
                ).groups()
                assert GRADES[word] == len(stars) and int(number) == len(grades) + 1
                grades.append(len(stars))
        assert len(grades) == len(found) and grades == sorted(grades) and grades[0] == 1 < grades[-1]

    def test_maps_suit_colour_blind_eyes(self, file: Path, notebook: nbformat.NotebookNode):
        everything = "\n".join(cell.source for cell in notebook.cells)
        assert not re.search(r"""["'](jet|rainbow|hsv|gist_rainbow|nipy_spectral)["']""", everything)


def test_no_registry_and_no_machine_is_named():
    """The kit installs from wherever the reader's pip is set up to look."""
    hosts = [
        "pypi" + ".org",
        "python" + "hosted",
        "download." + "pytorch.org",
        "registry." + "npmjs",
        "deb." + "debian",
    ]
    places = ["/wo" + "rk/", "/ro" + "ot/", "/op" + "t/kit", "/ho" + "me/"]
    for name, text in texts():
        for word in hosts + places:
            assert word not in text, f"{name} names {word}"


AMERICAN = (
    "color(?!bar|map|s? ?=|\\()|gray(?!\"|'|scale)|behavior|center(?!ed_)|neighbor|optimize|normalize(?!d?\\()|"
    "initialize|visualize|ischemic|edema|hemorrhage|tumor|license|artifact|analyze|labeled|modeling|catalog\\b"
)


def test_prose_is_spelt_the_british_way():
    """Prose only: Markdown, and the Markdown cells of the notebooks; titles of works keep their spelling."""
    prose = {name: text for name, text in texts() if name.endswith(".md")}
    for file in NOTEBOOKS:
        cells = nbformat.read(file, as_version=4).cells
        prose[short(file)] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for name, text in prose.items():
        text = text.split("## References")[0]
        text = re.sub(r"`[^`]*`|\]\([^)]*\)|https?://\S+|(?m:^    .*$)", " ", text)
        found = re.findall(rf"\b(?:{AMERICAN})\w*", text, re.IGNORECASE)
        assert not found, f"{name}: {found}"


def test_licences_are_there():
    assert "MIT License" in (ROOT / "LICENSE").read_text()
    assert "Creative Commons Attribution 4.0" in (ROOT / "LICENSE-text").read_text()
    assert "cff-version" in (ROOT / "CITATION.cff").read_text()


def test_readme_and_makefile_agree():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)\b", README)) >= targets - {"help"}
    told = set(re.findall(r"`make ([a-z-]+)", README)) | set(re.findall(r"^    make ([a-z-]+)", README, re.M))
    assert told <= targets
    ci = (ROOT / ".ci/run").read_text()
    assert re.findall(r"^make ([a-z-]+)$", ci, re.M) == ["tutorial", "test", "test-browser"]
    installs = re.findall(r"^    (apt-get install .*)", README, re.M)
    assert installs and all(f" {line}\n" in ci for line in installs)
    for script in re.findall(r"data_scripts/\w+\.py", README):
        assert (ROOT / script).is_file(), script
    for module in re.findall(r"python -m (strokegan_lib[\w.]+)", README + MAKEFILE):
        assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file(), module
    assert "clinical" in README


def test_every_notebook_is_in_the_readme_and_every_link_leads_somewhere():
    home = Home.read(ROOT)
    for file in NOTEBOOKS:
        assert f"(notebooks/{file.name})" in README, file.name
        assert home.badges(f"student/{file.name}") in README, file.name  # a title leads to the solutions
    for target in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_versions_are_stated_once():
    constraints = (ROOT / "constraints.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==([^;\s]+)", constraints, re.M))
    for tool, version in re.findall(r"\[(\w+)==([\w.]+)\]", (ROOT / ".pre-commit-config.yaml").read_text()):
        assert pinned[tool] == version
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"', project, re.M).group(1)
    assert f'__version__ = "{version}"' in (ROOT / "strokegan_lib/__init__.py").read_text()
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    needed = re.findall(r'^    "([\w-]+)>=', project, re.M) + re.findall(r'\["([\w-]+)>=', project)
    assert {name.lower() for name in needed} <= {name.lower() for name in pinned}
    assert not re.search(r'"[\w-]+(==|<|~=)', project), "pyproject.toml gives lower bounds only"


def test_no_committed_file_is_large():
    for file in FILES:
        assert file.stat().st_size < 4_000_000, short(file)


def test_json_files_are_readable():
    for name, text in texts():
        if name.endswith(".json"):
            json.loads(text)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tests" / "benchmarks").glob("bench_*.py")), ids=lambda f: f.name
)
def test_every_benchmark_starts_as_make_bench_starts_it(file: Path):
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "bench_*.py" in line)
    assert "$(PY) $$file" in line
    run = subprocess.run([sys.executable, file, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.startswith("usage:"), run.stderr


@pytest.mark.parametrize(
    "command", [["make", "test-browser"], [sys.executable, "-m", "pytest", "--in-browser", "tests/browser"]]
)
def test_browser_tests_without_chromium_say_what_to_install(command: list[str]):
    nowhere = {**os.environ, "CHROMIUM": "/no/such/chromium"}
    run = subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert run.returncode == 2
    (line,) = [line for line in run.stderr.splitlines() if "/no/such/chromium" in line]
    assert "apt-get install chromium" in line and "CHROMIUM=" in line

"""The rules of the house that a machine can check."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from repository import ROOT, files

LIBRARY = sorted((ROOT / "strokegan_lib").rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = README + "".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.md"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

# packages in their order (a file at the top counts as one): an import points to an earlier line only
ORDER = [
    {"errors"},
    {"files", "profiles"},
    {"command_line"},
    {"data"},
    {"losses", "scans"},
    {"phantom", "balance", "models"},
    {"models/family"},
    {"training", "evaluation"},
    {"train", "evaluate", "synthesise", "classroom/widgets"},
    {"classroom"},
]
LONGEST_CHAIN = 7
ONLY_IN_CLASSROOM = {"ipywidgets", "IPython", "matplotlib"}
NOT_TO_TRAIN = [*ONLY_IN_CLASSROOM, "pandas", "pooch", "nilearn", "nibabel", "scipy"]


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def package(parts: Sequence[str]) -> str:
    """The innermost package of a name inside the library, or its top file."""
    folder = ROOT.joinpath("strokegan_lib", *parts)
    while not folder.is_dir():
        folder = folder.parent
    return folder.relative_to(ROOT / "strokegan_lib").as_posix().replace(".", parts[0])


def imports(node: ast.AST, *, at_import: bool = False) -> Iterator[str]:
    """Dotted names that code imports, anywhere or only when it is imported itself."""
    for child in ast.iter_child_nodes(node):
        if at_import and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from imports(child, at_import=at_import)


def test_imports_point_backwards_in_the_order_of_packages():
    graph: dict[str, set[str]] = {}  # package -> the packages of the library that it imports
    for file in LIBRARY:
        here = package(file.relative_to(ROOT / "strokegan_lib").with_suffix("").parts)
        names = [name.split(".") for name in imports(tree(file))]
        assert not {name[0] for name in names} & {"experiments", "tests", "notebooks", "data_scripts"}, file
        theirs = {package(name[1:]) for name in names if name[0] == "strokegan_lib" and len(name) > 1}
        graph[here] = graph.get(here, set()) | theirs - {here, "__version__"}
    place = {name: i for i, names in enumerate(ORDER) for name in names}
    assert set(graph) - {"__init__"} == set(place)
    assert [(a, b) for a, theirs in graph.items() for b in theirs if place[b] >= place[a]] == []

    @cache
    def chain(name: str) -> int:
        return 1 + max(map(chain, graph[name]), default=0)

    assert max(map(chain, graph)) <= LONGEST_CHAIN


def test_heavy_packages_are_imported_only_where_they_are_needed():
    for file in LIBRARY:
        tops = {name.split(".")[0] for name in imports(tree(file), at_import=True)}
        assert "classroom" in file.parts or not tops & ONLY_IN_CLASSROOM, file
        assert "SimpleITK" not in tops, file
    modules = "strokegan_lib.models, strokegan_lib.losses, strokegan_lib.training.loop"
    code = f"import sys; sys.modules |= dict.fromkeys({NOT_TO_TRAIN}); import {modules}"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_no_registry_no_machine_is_named_and_no_file_is_large():
    """The kit installs from wherever the reader's pip is set up to look."""
    words = ["pypi" + ".org", "python" + "hosted", "download." + "pytorch.org", "registry." + "npmjs"]
    words += ["deb." + "debian", "/wo" + "rk/", "/ro" + "ot/", "/op" + "t/kit", "/ho" + "me/"]
    for file in files():
        content = file.read_bytes()
        assert [word for word in words if word.encode() in content] == [], file
        assert len(content) < 4_000_000, file
    assert "\n* text=auto eol=lf\n" in (ROOT / ".gitattributes").read_text()  # the same bytes in every clone


def test_readme_and_makefile_agree():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    told = set(re.findall(r"`make ([a-z-]+)", README)) | set(re.findall(r"^    make ([a-z-]+)", README, re.M))
    assert told <= targets and set(re.findall(r"\bmake ([a-z-]+)\b", README)) >= targets - {"help"}
    ci = (ROOT / ".ci/run").read_text()
    assert re.findall(r"^make ([a-z-]+)$", ci, re.M) == ["tutorial", "test", "test-browser"]
    installs = re.findall(r"^    (apt-get install .*)", GUIDE, re.M)
    assert installs and all(f" {line}\n" in ci for line in installs)
    for script in re.findall(r"(?:data_scripts|notebooks)/\w+\.py", README + MAKEFILE):
        assert (ROOT / script).is_file(), script
    for module in re.findall(r"python -m ((?:strokegan_lib|experiments)[\w.]+)", README + MAKEFILE):
        assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file(), module
    for file in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
        # its title leads to the solutions, its badges do not
        assert f"(notebooks/{file.name})" in README and f"/notebooks/student/{file.name})" in README


def test_versions_are_stated_once():
    constraints = (ROOT / "constraints.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==([^;\s]+)", constraints.lower(), re.M))
    for tool, version in re.findall(r"\[(\w+)==([\w.]+)\]", (ROOT / ".pre-commit-config.yaml").read_text()):
        assert pinned[tool] == version
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"', project, re.M)[1]
    assert f'__version__ = "{version}"' in (ROOT / "strokegan_lib/__init__.py").read_text()
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    needed = re.findall(r'^    "([\w-]+)>=', project, re.M) + re.findall(r'\["([\w-]+)>=', project)
    assert {name.lower() for name in needed} <= set(pinned)
    assert not re.search(r'"[\w-]+(==|<|~=)', project), "pyproject.toml gives lower bounds only"


def test_browser_tests_without_chromium_say_what_to_install():
    nowhere = {**os.environ, "CHROMIUM": "/no/such/chromium"}
    run = subprocess.run(["make", "test-browser"], cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert run.returncode == 2
    (line,) = [line for line in run.stderr.splitlines() if "/no/such/chromium" in line]
    assert "apt-get install chromium" in line and "CHROMIUM=" in line

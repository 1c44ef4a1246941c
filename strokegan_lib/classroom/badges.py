"""Point everything that names the kit's repository at one place: ``python -m strokegan_lib.classroom.badges``.

``[tool.strokegan]`` in pyproject.toml names owner, repository and ref. In a fork,
``--repo me/fork`` writes them there; without it, what stands there holds. Then every badge,
every installation line and every link to a file of the kit is rewritten to match:
in the notebooks and their editions, README, the documents and the citation file.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from strokegan_lib import command_line as door
from strokegan_lib.errors import BadInput
from strokegan_lib.files import write_whole

BADGE = re.compile(r"\[!\[(?:Open in Colab|Launch Binder)\]\([^)]*\)\]\([^)]*\)")
BADGES = re.compile(rf"{BADGE.pattern}(?: *{BADGE.pattern})*")  # as they stand in a row
INSTALL = re.compile(r"git\+https://github\.com/[^\s\"'\\`<]+")  # a backslash ends a line in .ipynb
NAMED = re.compile(r"colab\.research\.google\.com/github/([\w.-]+)/([\w.-]+)/blob/([\w.-]+)/notebooks/")
README_ROW = re.compile(r"\(notebooks/([0-9]{2}_\w+\.ipynb)\)")

TEXT = {".cff", ".html", ".ipynb", ".json", ".md", ".py", ".rst", ".toml", ".txt", ".yaml", ".yml"}
LEFT_ALONE = {"build", "node_modules", "tests"}  # and what begins with a dot, but for .github


@dataclass(frozen=True)
class Home:
    """Where the kit lives: https://github.com/owner/repo, at a branch, tag or commit."""

    owner: str
    repo: str
    ref: str

    @classmethod
    def read(cls, root: Path) -> Home:
        """Read ``[tool.strokegan]`` of *root*/pyproject.toml.

        Raises:
            BadInput: no such file or table.
        """
        file = root / "pyproject.toml"
        try:  # three plain lines: Python 3.10 has no TOML reader
            table = file.read_text(encoding="utf-8").split("[tool.strokegan]\n", 1)[1]
            lines = dict(re.findall(r'^(owner|repo|ref) = "([^"]+)"', table.split("\n[", 1)[0], re.M))
            return cls(**lines)
        except (OSError, IndexError, TypeError) as error:
            raise BadInput(
                file, "names no owner, repo and ref under [tool.strokegan]", "run this where the kit lies"
            ) from error

    def write(self, root: Path) -> list[Path]:
        """Write ``[tool.strokegan]`` of *root*/pyproject.toml, which :meth:`read` can read.

        Returns:
            The file, if it changed.
        """
        file = root / "pyproject.toml"
        before, table = file.read_text(encoding="utf-8").split("[tool.strokegan]\n", 1)
        for name in ("owner", "repo", "ref"):
            line = f'{name} = "{getattr(self, name)}"'
            table = re.sub(rf'^{name} = "[^"]+"', lambda _, line=line: line, table, count=1, flags=re.M)
        return _write(file, f"{before}[tool.strokegan]\n{table}")

    @property
    def url(self) -> str:
        return f"https://github.com/{self.owner}/{self.repo}"

    @property
    def install(self) -> str:
        """What pip installs on Colab."""
        return f"git+{self.url}@{self.ref}"

    def colab(self, notebook: str) -> str:
        """Where Colab opens a notebook.

        Args:
            notebook: its path below notebooks/, with forward slashes: '05_x.ipynb' or 'student/05_x.ipynb'.
        """
        name = f"{self.owner}/{self.repo}/blob/{self.ref}/notebooks/{notebook}"
        return f"https://colab.research.google.com/github/{name}"

    def binder(self, notebook: str) -> str:
        """Where Binder opens a notebook, named as for :meth:`colab`."""
        name = f"notebooks%2F{notebook.replace('/', '%2F')}"
        return f"https://mybinder.org/v2/gh/{self.owner}/{self.repo}/{self.ref}?labpath={name}"

    def badges(self, notebook: str) -> str:
        """Markdown of the two badges of a notebook, named as for :meth:`colab`."""
        return (
            f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({self.colab(notebook)})"
            f" [![Launch Binder](https://mybinder.org/badge_logo.svg)]({self.binder(notebook)})"
        )

    def mark(self, text: str, notebook: str) -> str:
        """Replace the badges in *text* by those of a notebook, named as for :meth:`colab`."""
        return BADGES.sub(lambda _: self.badges(notebook), text)

    def point(self, text: str, others: set[Home]) -> str:
        """Turn every link to one of *others*, and every installation from there, into one to this home."""
        for other in others:
            name, ref = re.escape(f"{other.owner}/{other.repo}"), re.escape(other.ref)
            at = rf"(/blob/|/tree/|/raw/|/edit/|@|/(?={ref}\?)){ref}(?![\w-])"
            text = re.sub(
                rf"(github\.com/|google\.com/github/|/gh/){name}(?:{at})?(?![\w-])",
                lambda m: f"{m[1]}{self.owner}/{self.repo}" + (f"{m[2]}{self.ref}" if m[2] else ""),
                text,
            )
        return text


def rewrite(root: Path) -> list[Path]:
    """Point every text of the kit at the home that pyproject.toml names.

    A link is known as ours by the homes that the notebooks' badges name so far.

    Returns:
        The files that changed.

    Raises:
        BadInput: pyproject.toml names no home, or a file cannot be written.
    """
    home, changed = Home.read(root), []
    notebooks = sorted((root / "notebooks").rglob("*.ipynb"))
    others = {Home(*named) for file in notebooks for named in NAMED.findall(_read(file))} - {home}
    # notebooks last: if this stops halfway, they still name the old home, and it can be run again
    for file in sorted(texts(root), key=lambda file: (file in notebooks, file)):
        text = _read(file)
        if file in notebooks:
            text = home.mark(text, file.relative_to(root / "notebooks").as_posix())
            text = INSTALL.sub(lambda _: home.install, text)
        elif file == root / "README.md":
            text = "".join(_row(home, line) for line in text.splitlines(keepends=True))
        changed += _write(file, home.point(text, others))
    return changed


def texts(root: Path) -> Iterator[Path]:
    """Text files of the kit, without tests and what was built or installed there."""
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name == ".github"
            or not (name.startswith(".") or name in LEFT_ALONE or name.endswith(".egg-info"))
        ]
        yield from (Path(folder, name) for name in files if Path(name).suffix in TEXT)


def _row(home: Home, line: str) -> str:
    """A row of README's table: its title leads to the master, its badges open the student edition."""
    named = README_ROW.search(line)
    return home.mark(line, f"student/{named[1]}") if named else line


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8")  # line ends stay as they are


def _write(file: Path, text: str) -> list[Path]:
    if _read(file) == text:
        return []
    write_whole(file, text)
    return [file]


def parser() -> door.Parser:
    options = door.Parser(prog="badges", description=__doc__.splitlines()[0])
    options.add_argument(
        "--repo", metavar="OWNER/NAME", help="your fork on GitHub (what pyproject.toml names)"
    )
    options.add_argument("--ref", help="branch, tag or commit (main, if --repo is given)")
    return options


def main() -> None:
    options = parser().parse_args()
    root = Path.cwd()
    home = Home.read(root)
    if options.repo is not None:
        if not re.fullmatch(r"[A-Za-z0-9-]+/[\w.-]*\w[\w.-]*", options.repo, re.ASCII):
            raise BadInput(f"--repo {options.repo}", "is no repository's name", "give it as owner/name")
        owner, repo = options.repo.split("/")
        home = Home(owner, repo, "main")
    if options.ref is not None:
        if not re.fullmatch(r"\w[\w.-]*", options.ref, re.ASCII):
            raise BadInput(f"--ref {options.ref}", "cannot stand in a badge", "name a branch, tag or commit without slashes")  # fmt: skip
        home = replace(home, ref=options.ref)
    changed = home.write(root) + rewrite(root)
    print("\n".join(f"rewrote {file.relative_to(root)}" for file in changed) or "every badge is right")


if __name__ == "__main__":
    sys.exit(door.run(main, "badges"))

"""Badges and the Colab installation line of every notebook, from one place.

``[tool.strokegan]`` in pyproject.toml names owner, repository and ref. After a change
there, ``make badges`` (``python -m strokegan_lib.classroom.colab``) rewrites them all.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from strokegan_lib import door
from strokegan_lib.errors import BadInput, writing

BADGE = re.compile(r"\[!\[(?:Open in Colab|Launch Binder)\]\([^)]*\)\]\([^)]*\)")
INSTALL = re.compile(r"git\+https://github\.com/[^\s\"']+")


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

    @property
    def url(self) -> str:
        return f"https://github.com/{self.owner}/{self.repo}"

    def badges(self, notebook: str) -> str:
        """Markdown of the two badges of a notebook, named by its file name."""
        colab = f"https://colab.research.google.com/github/{self.owner}/{self.repo}/blob/{self.ref}"
        binder = f"https://mybinder.org/v2/gh/{self.owner}/{self.repo}/{self.ref}"
        return (
            f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}/notebooks/{notebook})"
            f" [![Launch Binder](https://mybinder.org/badge_logo.svg)]({binder}?labpath=notebooks%2F{notebook})"
        )

    @property
    def install(self) -> str:
        """What pip installs on Colab."""
        return f"git+{self.url}@{self.ref}"

    def apply(self, text: str, notebook: str) -> str:
        """Point the badges and the installation line in *text* at this home.

        Args:
            text: Markdown or code of one notebook, or of one row of README's table.
            notebook: file name of that notebook.
        """
        marked = BADGE.sub("\0", text)
        marked = re.sub(r"\0(\s*\0)*", lambda _: self.badges(notebook), marked)
        return INSTALL.sub(self.install, marked)


def rewrite(root: Path) -> list[Path]:
    """Point every notebook and README.md at the home that pyproject.toml names.

    Returns:
        The files that changed.
    """
    home, changed = Home.read(root), []
    for file in sorted((root / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(file, as_version=4)
        for cell in notebook.cells:
            cell.source = home.apply(cell.source, file.name)
        changed += _write(file, nbformat.writes(notebook) + "\n")
    readme = root / "README.md"
    lines = readme.read_text(encoding="utf-8").splitlines(keepends=True)
    for i, line in enumerate(lines):
        if named := re.search(r"[0-9]{2}_\w+\.ipynb", line):
            lines[i] = home.apply(line, named.group())
    return changed + _write(readme, "".join(lines))


def _write(file: Path, text: str) -> list[Path]:
    if file.read_text(encoding="utf-8") == text:
        return []
    with writing(file, "free some space, and check who may write there"):
        file.write_text(text, encoding="utf-8")
    return [file]


def main() -> None:
    door.Parser(prog="badges", description=__doc__).parse_args()
    changed = rewrite(Path.cwd())
    print("\n".join(f"rewrote {file.relative_to(Path.cwd())}" for file in changed) or "every badge is right")


if __name__ == "__main__":
    sys.exit(door.run(main, "badges"))

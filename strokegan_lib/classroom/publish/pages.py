"""Which file of the kit becomes which page of the site, and links that follow.

A link in a document or notebook may be relative to its file, or absolute so that it works on
Colab too (``https://github.com/OWNER/REPO/blob/REF/docs/glossary.md#dice``). On the site both lead
to the site's own page where there is one, and to the repository where there is none.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from strokegan_lib.classroom.badges import Home
from strokegan_lib.classroom.publish.reference import modules, page_of

# [text](target) and the src or href of a tag
LINK = re.compile(r'(\]\(|\b(?:src|href)=")([^)"\s]+)')
# a picture from elsewhere as a link: its words do
LINKED_PICTURE = re.compile(r"\[!\[([^\]]+)\]\(https?:[^)]+\)\]")
CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.S)
PICTURES = {".png", ".svg"}
CARDS = "strokegan_lib/weights"


@dataclass(frozen=True)
class Pages:
    """The pages of the site.

    Args:
        root: folder of the kit.
        home: where its repository is.
        of: path of a file below *root* -> path of its page's source below the site's source folder.
    """

    root: Path
    home: Home
    of: dict[str, str]

    @classmethod
    def find(cls, root: Path) -> Pages:
        """Every page that the files below *root* give."""
        of = {
            "README.md": "kit.md",
            "CONTRIBUTING.md": "contributing.md",
            f"{CARDS}/README.md": "cards/index.md",
        }
        for file in sorted((root / "docs").rglob("*.md")):
            of[_below(root, file)] = _below(root / "docs", file)
        for file in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb")):
            of[f"notebooks/{file.name}"] = f"notebooks/{file.name}"
            of[f"notebooks/student/{file.name}"] = f"notebooks/{file.name}"
            of[f"notebooks/instructor/{file.name}"] = f"solutions/{file.name}"
        for file in sorted((root / CARDS).glob("*.md")):
            of.setdefault(_below(root, file), f"cards/{file.name}")
        for file, module in modules(root).items():
            of[_below(root, file)] = page_of(module)
        return cls(root, Home.read(root), of)

    def follow(self, text: str, file: str, page: str) -> str:
        """Markdown with every link to a file of the kit turned into one that works on the site.

        Args:
            text: Markdown.
            file: path below the root of the file it comes from; relative links start there.
            page: path of the page's source, where the new ones start.
        """
        parts = CODE.split(LINKED_PICTURE.sub(r"[\1]", text))
        parts[::2] = [LINK.sub(lambda link: self._link(link, file, page), part) for part in parts[::2]]
        return "".join(parts)

    def _link(self, link: re.Match, file: str, page: str) -> str:
        start, target = link.groups()
        address, mark, anchor = target.partition("#")
        blob = f"{self.home.url}/blob/{self.home.ref}/"
        if address.startswith(blob):
            path = address.removeprefix(blob)
        elif not address or re.match(r"[\w+.-]+:", address):
            return link[0]
        else:
            path = os.path.normpath(PurePosixPath(file).parent / address)
        if path in self.of:
            there = self.of[path]
        elif (self.root / path).is_dir() and f"{path}/README.md" in self.of:
            there = self.of[f"{path}/README.md"]
        elif (self.root / path).suffix in PICTURES and (self.root / path).is_file():
            there = path  # copied as it is
        elif (self.root / path).exists():
            kind = "tree" if (self.root / path).is_dir() else "blob"
            return f"{start}{self.home.url}/{kind}/{self.home.ref}/{path}{mark}{anchor}"
        else:
            return link[0]  # Sphinx complains
        return f"{start}{os.path.relpath(there, PurePosixPath(page).parent)}{mark}{anchor}"


def _below(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()

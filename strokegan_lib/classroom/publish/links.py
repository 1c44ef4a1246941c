"""The check of the site's links: whatever a page points at is there, and nothing comes from elsewhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src"}
STYLE_URL = re.compile(r"(?:url\(|@import\s+)\s*[\"']?([^\"')\s;]+)")


@dataclass
class _Page(HTMLParser):
    """Links, loaded files and anchors of one page."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        self._in_style = tag == "style"
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and found.get("rel") not in ("canonical", "index", "search", "next", "prev"):
            self.loaded.append(found.get("href", ""))
        if found.get(LOADED.get(tag, "")):
            self.loaded.append(found[LOADED[tag]])

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loaded += STYLE_URL.findall(data)


def check(site: Path) -> tuple[list[str], list[str]]:
    """Follow every link of every page below a folder.

    Args:
        site: folder of built pages.

    Returns:
        What is wrong, a line each; and the addresses outside the site, which are only looked at for
        their form: https and a host.
    """
    pages: dict[Path, _Page] = {}
    for file in sorted(site.rglob("*.html")):
        pages[file] = _Page()
        pages[file].feed(file.read_text(encoding="utf-8"))
    wrong, outside = [], set()
    for file, page in pages.items():
        name = file.relative_to(site)
        for address in page.links:
            if urlsplit(address).scheme or address.startswith("//"):
                outside.add(address)
                if not _sound(address):
                    wrong.append(f"{name}: {address} is no https address")
            elif fault := _inside(address, file, pages):
                wrong.append(f"{name}: {address} {fault}")
        wrong += [f"{name}: {fault}" for fault in map(lambda a: _local(a, file), page.loaded) if fault]
    for file in sorted(site.rglob("*.css")):
        for address in STYLE_URL.findall(file.read_text(encoding="utf-8")):
            if fault := _local(address, file):
                wrong.append(f"{file.relative_to(site)}: {fault}")
    return wrong, sorted(outside)


def _sound(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "mailto":
        return "@" in parts.path
    return parts.scheme == "https" and "." in parts.netloc and not re.search(r"\s", address)


def _inside(address: str, file: Path, pages: dict[Path, _Page]) -> str:
    """What is wrong with a link to a page of the site; '' if nothing."""
    parts = urlsplit(address)
    target = Path(os.path.normpath(file.parent / unquote(parts.path))) if parts.path else file
    if target.is_dir():
        return "is a folder: away from a web server it shows no page"
    if not target.exists():
        return "leads to no file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "has no such anchor"
    return ""


def _local(address: str, file: Path) -> str:
    """What is wrong with a file that a page loads; '' if nothing."""
    if address.startswith(("data:", "#")):
        return ""
    if urlsplit(address).scheme or address.startswith("//"):
        return f"loads {address} from elsewhere"
    path = urlsplit(address).path
    return "" if (file.parent / unquote(path)).exists() else f"loads {address}, which is missing"

"""The files of the kit, as they lie in a clone and in an unpacked archive alike."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHES = [".*_cache", "__pycache__", ".hypothesis", ".ipynb_checkpoints"]
LEFT_OUT = [".git", ".venv", ".coverage", "*.egg-info", *CACHES]
AT_THE_TOP = [ROOT / "build", ROOT / "data"]


def files(root: Path = ROOT) -> Iterator[Path]:
    """Every file but those that .gitignore names, whether committed or new; git itself is not asked."""
    for path in sorted(root.iterdir()):
        if path in AT_THE_TOP or any(path.match(pattern) for pattern in LEFT_OUT):
            continue
        yield from files(path) if path.is_dir() else [path]

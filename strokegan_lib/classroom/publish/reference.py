"""The library reference: a page for every room, which Sphinx fills from the docstrings of its modules."""

from __future__ import annotations

from pathlib import Path

ROOMS = {
    "commands": (
        "Commands, losses, profiles",
        "What starts with ``python -m strokegan_lib...``, and the modules that belong to no room.",
    ),
    "data": ("Data", "From volumes to batches."),
    "models": ("Models", "The networks."),
    "training": ("Training", "The loop, and what it needs."),
    "evaluation": ("Evaluation", "Overlap, realism, statistics."),
    "classroom": (
        "Classroom",
        "Figures, widgets and checks; and what makes the report, the editions, the slides and this site.",
    ),
}


def modules(root: Path) -> dict[Path, str]:
    """Every public module of the library, and its dotted name."""
    files = sorted((root / "strokegan_lib").rglob("*.py"))
    named = {file: ".".join(file.relative_to(root).with_suffix("").parts) for file in files}
    return {
        file: name.removesuffix(".__init__")
        for file, name in named.items()
        if "._" not in name.replace("__init__", "")
    }


def page_of(module: str) -> str:
    """Path of the page of a module, below the site's sources."""
    room = module.split(".")[1:2]
    return f"reference/{room[0] if room and room[0] in ROOMS else 'commands'}.rst"


def reference(root: Path) -> dict[str, str]:
    """Path below the site's sources -> text, for the index and every room."""
    pages = {
        f"reference/{room}.rst": f"{title}\n{'=' * len(title)}\n\n{told}\n"
        for room, (title, told) in ROOMS.items()
    }
    for module in modules(root).values():
        pages[page_of(module)] += (
            f"\n{module}\n{'-' * len(module)}\n\n"
            f".. automodule:: {module}\n   :members:\n   :show-inheritance:\n"
        )
    rooms = "\n".join(ROOMS)
    index = (
        "# Library reference\n\nFrom the docstrings of `strokegan_lib`. The rooms stand in the order in which data flow "
        f"through them.\n\n```{{toctree}}\n:maxdepth: 1\n\n{rooms}\n```\n"
    )
    return pages | {"reference/index.md": index}

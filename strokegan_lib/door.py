"""How every command of the kit takes its options and ends."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from strokegan_lib.errors import BadInput


class Parser(argparse.ArgumentParser):
    """An argument parser that complains in one line on stderr and exits with 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help lists the options\n")

    def add_seed_and_workers(self) -> None:
        """Add ``--seed`` and ``--workers``, for a command whose result depends on the first alone."""
        self.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")
        self.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, metavar="N",
            help="threads; the result is the same for any number (default: one a core)",
        )  # fmt: skip


def told(program: str, argv: list[str]) -> str:
    """The command for a card: folders by their name alone, for the rest of a path is nobody's business."""
    words = [Path(word).name if os.sep in word and not word.startswith("http") else word for word in argv]
    return f"{program} {shlex.join(words)}".rstrip()


def run(main: Callable[[], None], name: str) -> int:
    """Run a command and return its exit code: 0, or 2 with one line on stderr.

    Ctrl-C gives 130, as a shell expects. Any other exception is a fault of the kit
    and keeps its traceback.

    Args:
        main: the command.
        name: its name, which starts the line on stderr.
    """
    try:
        main()
    except BadInput as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: stopped; nothing half-written is left", file=sys.stderr)
        return 130
    return 0

"""How every command of the kit takes its options and ends."""

from __future__ import annotations

import argparse
import errno
import math
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from strokegan_lib.errors import BadInput

LARGEST_SEED = 2**32 - 1  # a run multiplies it by a million, and 64 bits must hold that


def filepath(word: str) -> Path:
    """The type of an option that names a file or folder: ``~`` is the reader's home in ``--out=~/run`` too."""
    return Path(os.path.expanduser(word))


def whole(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that is a whole number from *least* to *most*."""

    def read(word: str) -> int:
        try:
            number = int(word)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{word}: give a whole number from {least} to {most}")
        return number

    return read


def real(least: float, most: float, *, within: bool = False) -> Callable[[str], float]:
    """The type of an option that is a number from *least* to *most*, or strictly *within* them."""

    def read(word: str) -> float:
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not least <= number <= most or (within and number in (least, most)):
            ends = f"between {least:g} and {most:g}" if within else f"from {least:g} to {most:g}"
            raise argparse.ArgumentTypeError(f"{word}: give a number {ends}")
        return number

    return read


class Parser(argparse.ArgumentParser):
    """An argument parser that complains in one line on stderr and exits with 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help lists the options\n")

    def add_seed(self, help: str = "default: %(default)s", largest: int = LARGEST_SEED) -> None:
        """Add ``--seed``, 0 where none is given."""
        self.add_argument("--seed", type=whole(0, largest), default=0, metavar="N", help=help)

    def add_seed_and_workers(self) -> None:
        """Add ``--seed`` and ``--workers``, for a command whose result depends on the first alone."""
        self.add_seed()
        self.add_argument(
            "--workers", type=whole(1, 256), default=os.cpu_count() or 1, metavar="N",
            help="threads; the result is the same for any number (default: one a core)",
        )  # fmt: skip


def told(program: str, argv: list[str]) -> str:
    """The command for a card: folders by their name alone, for the rest of a path is nobody's business."""
    words = [Path(word).name if os.sep in word and not word.startswith("http") else word for word in argv]
    return f"{program} {shlex.join(words)}".rstrip()


def _silence_stdout() -> None:
    """Send what is left in its buffer nowhere, or the interpreter's own flush would complain at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(main: Callable[[], None], name: str) -> int:
    """Run a command and return its exit code: 0, or 2 with one line on stderr.

    Ctrl-C gives 130, as a shell expects, and a reader of stdout that goes away, such as ``head``, 141
    in silence. Any other exception is a fault of the kit and keeps its traceback.

    Args:
        main: the command.
        name: its name, which starts the line on stderr.
    """
    # names that the terminal cannot show are escaped: no finished work may end in a traceback for them
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
        if sys.stdout:  # None where the shell has closed it
            sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return 141
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename:
            raise
        _silence_stdout()
        print(
            f"{name}: standard output: the disk is full; free some space or send it elsewhere",
            file=sys.stderr,
        )
        return 2
    except (MemoryError, RuntimeError) as error:  # PyTorch's own is a RuntimeError
        if not isinstance(error, MemoryError) and not re.search("(allocate|out of) memory", str(error)):
            raise
        print(f"{name}: the memory of this machine: is not enough; give smaller numbers", file=sys.stderr)
        return 2
    except BadInput as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: stopped; nothing half-written is left", file=sys.stderr)
        return 130
    return 0

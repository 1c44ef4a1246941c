"""How every command of the kit takes its options and ends."""

import argparse
import dataclasses
import errno
import os
import re
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from strokegan_lib.errors import BadInput

LARGEST_SEED = 2**32 - 1  # a run multiplies it by a million, and 64 bits must hold that


def path(word: str) -> Path:
    """The type of an option that names a file or folder: ``~`` is the home folder in ``--out=~/run`` too."""
    return Path(os.path.expanduser(word))


def value(convert: Callable[[str], Any], fits: Callable[[Any], bool], asked: str) -> Callable[[str], Any]:
    """The type of an option: a word that *convert* takes and whose value *fits*; *asked* tells the reader which."""

    def read(word: str) -> Any:
        with suppress(ValueError):
            if fits(found := convert(word)):
                return found
        raise argparse.ArgumentTypeError(f"{word}: give {asked}")

    return read


def integer(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that is a whole number from *least* to *most*."""
    return value(int, lambda n: least <= n <= most, f"a whole number from {least} to {most}")


def number(least: float, most: float, *, within: bool = False) -> Callable[[str], float]:
    """The type of an option that is a number from *least* to *most*, or strictly *within* them."""
    if within:
        return value(float, lambda x: least < x < most, f"a number between {least:g} and {most:g}")
    return value(float, lambda x: least <= x <= most, f"a number from {least:g} to {most:g}")


class Parser(argparse.ArgumentParser):
    """An argument parser that complains in one line on stderr and exits with 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help lists the options\n")

    def add_seed(self, help: str = "default: %(default)s") -> None:
        """Add ``--seed``, 0 where none is given."""
        self.add_argument("--seed", type=integer(0, LARGEST_SEED), default=0, metavar="N", help=help)

    def add_seed_and_workers(self) -> None:
        """Add ``--seed`` and ``--workers``, for a command whose result depends on the first alone."""
        self.add_seed()
        self.add_argument(
            "--workers", type=integer(1, 256), default=os.cpu_count() or 1, metavar="N",
            help="threads; the result is the same for any number (default: one a core)",
        )  # fmt: skip


def option(default: Any, help: str, type: Callable[[str], Any] | None = None, **more: Any) -> Any:
    """A field of a dataclass that is an option of the command line too; a bool gives --x and --no-x.

    Args:
        default: value where the option is not given; it is added to *help*.
        type: reads a word and knows its range, see :func:`integer` and :func:`number`.
        more: what else ``add_argument`` takes, such as ``choices``.
    """
    return dataclasses.field(default=default, metadata={"help": help, "type": type, **more})


def add_options(parser: argparse.ArgumentParser, settings: Any) -> None:
    """Add an option for each field made by :func:`option` of a dataclass, or of an instance with other defaults.

    What is not given is absent from the parsed options: ``replace(settings, **given)``.
    """
    for field in (field for field in dataclasses.fields(settings) if field.metadata):
        default = getattr(settings, field.name)
        more = {name: given for name, given in field.metadata.items() if given is not None}
        if isinstance(default, bool):
            more["action"] = argparse.BooleanOptionalAction
        if "default" not in more["help"]:
            more["help"] += f" (default: {default})"
        words = field.name.replace("_", "-")
        parser.add_argument(f"--{words}", dest=field.name, default=argparse.SUPPRESS, **more)


def command_for_card(prog: str, argv: list[str]) -> str:
    """The command as a card tells it: of files and folders their names alone, not where they lie."""

    def named(word: str) -> str:
        option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        is_path = os.sep in value and not value.startswith("http")
        return f"{option}{equals}{Path(value).name if is_path else value}"

    return f"{prog} {shlex.join(map(named, argv))}".rstrip()


def run(main: Callable[[], None], prog: str) -> int:
    """Run a command and return its exit code: 0, or 2 with one line on stderr.

    Ctrl-C gives 130, as a shell expects, and a reader of stdout that goes away, such as ``head``, 141
    in silence. Any other exception is a fault of the kit and keeps its traceback.
    """
    # names that the terminal cannot show are escaped: no finished work may end in a traceback for them
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code = 2
    try:
        main()
        if sys.stdout:  # None where the shell has closed it
            sys.stdout.flush()
        return 0
    except BrokenPipeError:
        _silence_stdout()
        return 141
    except KeyboardInterrupt:
        code, line = 130, "stopped; nothing half-written is left"
    except BadInput as error:
        line = str(error)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename:
            raise
        _silence_stdout()
        line = "standard output: the disk is full; free some space or send it elsewhere"
    except (MemoryError, RuntimeError) as error:  # PyTorch's own is a RuntimeError
        if not isinstance(error, MemoryError) and not re.search("(allocate|out of) memory", str(error)):
            raise
        line = "the memory of this machine: is not enough; give smaller numbers"
    print(f"{prog}: {line}", file=sys.stderr)
    return code


def _silence_stdout() -> None:
    """Send what is left in its buffer nowhere, or the interpreter's own flush would complain at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""The one error for bad use and bad input."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


class BadInput(Exception):
    """Input that the kit cannot use: a file, a folder or an option.

    Args:
        where, what: the file or folder (or option) that is wrong, and why.
        remedy: what the reader can do about it, as an imperative.

    ``str(error)`` is always a single line, ``where: what; remedy``.
    """

    def __init__(self, where: str | os.PathLike, what: str, remedy: str) -> None:
        self.where, self.what, self.remedy = str(where), what, remedy
        super().__init__(" ".join(f"{where}: {what}; {remedy}".split()))


class Diverged(BadInput):
    """Numbers that are not finite, in training or in what it left; *where* is a step, network or file."""

    def __init__(self, where: str | os.PathLike, what: str) -> None:
        what += ": a weight has grown without bound, and no later step can mend it"
        super().__init__(where, what, "train with --precision fp32, or with a smaller --rate")


@contextmanager
def writing(
    path: str | os.PathLike, remedy: str = "free some space or choose another --out"
) -> Iterator[None]:
    """Turn an operating-system error while writing *path* into :class:`BadInput`."""
    try:
        yield
    except BrokenPipeError:  # of stdout, not of *path*: see command_line.run
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BadInput(path, f"cannot be written ({reason})", remedy) from error

"""The one error for bad use and bad input."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class BadInput(Exception):
    """Input that the kit cannot use: a file, a folder or an option.

    Args:
        where: the file or folder (or option) that is wrong.
        what: what is wrong with it.
        remedy: what the reader can do about it, as an imperative.

    ``str(error)`` is always a single line, ``where: what; remedy``.
    """

    def __init__(self, where: str | os.PathLike, what: str, remedy: str) -> None:
        self.where, self.what, self.remedy = str(where), what, remedy
        super().__init__(" ".join(f"{where}: {what}; {remedy}".split()))


@contextmanager
def writing(
    path: str | os.PathLike, remedy: str = "free some space or choose another --out"
) -> Iterator[None]:
    """Turn an operating-system error while writing *path* into :class:`BadInput`."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BadInput(path, f"cannot be written ({reason})", remedy) from error

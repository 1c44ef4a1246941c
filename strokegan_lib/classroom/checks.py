"""Checks of exercises: they say what is wrong, and never raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def check(attempt: Callable[[], Any], *criteria: tuple[str, Callable[[Any], bool]]) -> None:
    """Judge the answer to an exercise and print the verdict in one line.

    Args:
        attempt: calls the reader's code and returns its result; None means not done yet.
        criteria: pairs of what the answer should be or do, as the end of the sentence
            "it should ...", and a test of it. The first that fails is named.

    Example:
        >>> check(lambda: 1.5, ("be a number", lambda x: x == x), ("lie in [0, 1]", lambda x: 0 <= x <= 1))
        Not yet: it should lie in [0, 1], and it does not. You have 1.5.
        >>> check(lambda: None)
        To do: your code returns None so far.
    """
    try:
        answer = attempt()
    except Exception as error:  # the reader's code may do anything
        print(f"Not yet: your code stops with {type(error).__name__}: {error}")
        return
    if answer is None:
        print("To do: your code returns None so far.")
        return
    for should, holds in criteria:
        try:
            good, why = bool(holds(answer)), ""
        except Exception as error:  # and so may a test that meets an answer of the wrong kind
            good, why = False, f" ({type(error).__name__}: {error})"
        if not good:
            print(f"Not yet: it should {should}, and it does not{why}. You have {_short(answer)}.")
            return
    print("Right.")


def _short(answer: Any) -> str:
    text = " ".join(repr(answer).split())
    return text if len(text) <= 80 else text[:77] + "..."

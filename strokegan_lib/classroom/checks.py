"""Checks of exercises: they say what is wrong, and never raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Criterion = tuple[str, Callable[[Any], bool]]


@dataclass(frozen=True)
class Mistake:
    """A mistake that is often made and can be told from its answer.

    Args:
        told: the mistake, as the end of the sentence "it looks as if ...".
        made: whether an answer shows it. Where it cannot judge an answer, it may raise.

    Example:
        >>> check(lambda: 4, Mistake("the square was forgotten", lambda x: x == 4), ("be 16", lambda x: x == 16))
        Not yet: it looks as if the square was forgotten. You have 4.
    """

    told: str
    made: Callable[[Any], bool]


def check(attempt: Callable[[], Any], *criteria: Criterion | Mistake) -> None:
    """Judge the answer to an exercise and print the verdict in one line.

    Args:
        attempt: calls the reader's code and returns its result; None means not done yet.
        criteria: pairs of what the answer should be or do, as the end of the sentence
            "it should ...", and a test of it; and known mistakes. The first that a wrong
            answer meets is named, so a mistake stands before the criterion that it fails.

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
    wrong = next(filter(None, (_wrong(answer, criterion) for criterion in criteria)), "")
    shown = " ".join(repr(answer).split())
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    print(f"Not yet: {wrong}. You have {shown}." if wrong else "Right.")


def _wrong(answer: Any, criterion: Criterion | Mistake) -> str:
    """What is wrong with the answer, '' for nothing."""
    if isinstance(criterion, Mistake):
        try:
            return f"it looks as if {criterion.told}" if criterion.made(answer) else ""
        except Exception:  # an answer of another kind shows another mistake, if any
            return ""
    should, holds = criterion
    try:
        return "" if holds(answer) else f"it should {should}, and it does not"
    except Exception as error:  # a test may meet an answer of the wrong kind
        return f"it should {should}, and it does not ({type(error).__name__}: {error})"

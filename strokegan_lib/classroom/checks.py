"""Checks of exercises: they say what is wrong, and never raise."""

from collections.abc import Callable
from typing import Any, NamedTuple

Criterion = tuple[str, Callable[[Any], bool]]


class Mistake(NamedTuple):
    """A mistake that is often made and can be told from its answer."""

    told: str  # the mistake, as the end of the sentence "it looks as if ..."
    made: Callable[[Any], bool]  # whether an answer shows it; where it cannot judge an answer, it may raise


def check(attempt: Callable[[], Any], *criteria: Criterion | Mistake) -> None:
    """Judge the answer to an exercise and print the verdict in one line.

    Args:
        attempt: calls the reader's code and returns its result; None means not done yet.
        criteria: pairs of what the answer should be or do, as the end of the sentence
            "it should ...", and a test of it; and known mistakes. The first that a wrong
            answer meets is named, so a mistake stands before the criterion that it fails.

    Example:
        >>> check(lambda: 4, Mistake("the square was forgotten", lambda x: x == 4), ("be 16", lambda x: x == 16))
        Not yet: it looks as if the square was forgotten. You have 4.
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
    words, test = criterion
    try:
        holds, why = bool(test(answer)), ""
    except Exception as error:  # an answer of the wrong kind
        holds, why = False, f" ({type(error).__name__}: {error})"
    if isinstance(criterion, Mistake):
        return f"it looks as if {words}" if holds else ""
    return "" if holds else f"it should {words}, and it does not{why}"

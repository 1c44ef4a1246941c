"""Checks of exercises: the verdict on right, wrong, unfinished and broken answers."""

import pytest

from strokegan_lib.classroom.checks import Mistake, check

TWICE = Mistake("you counted the shared pixels twice", lambda answer: answer[0] == 1)
HALF = ("be (.5,)", lambda answer: answer == (0.5,))
SMALL = ("be below 1", lambda answer: answer[0] < 1)


@pytest.mark.parametrize(
    ("attempt", "criteria", "verdict"),
    [
        (lambda: (0.5,), [TWICE, HALF], "Right."),
        (lambda: None, [HALF], "To do: your code returns None so far."),
        (lambda: 1 / 0, [HALF], "Not yet: your code stops with ZeroDivisionError: division by zero"),
        (lambda: (0.7,), [TWICE, HALF], "Not yet: it should be (.5,), and it does not. You have (0.7,)."),
        (lambda: (1.0,), [TWICE, HALF], "Not yet: it looks as if you counted the shared pixels twice. You have (1.0,)."),
        (lambda: (1.0,), [HALF, TWICE], "Not yet: it should be (.5,), and it does not. You have (1.0,)."),  # the first
        (lambda: 0.7, [TWICE, HALF], "Not yet: it should be (.5,), and it does not. You have 0.7."),  # no index: not this
        (lambda: 0.7, [SMALL], "Not yet: it should be below 1, and it does not (TypeError: "),
        (lambda: (2, "x" * 200), [SMALL], "Not yet: it should be below 1, and it does not. You have (2, 'xxx"),
    ],
)  # fmt: skip
def test_the_verdict_is_one_short_line_that_says_what_is_wrong(attempt, criteria, verdict, capsys):
    check(attempt, *criteria)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and printed.count("\n") == 1 and len(printed) < 200

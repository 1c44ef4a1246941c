"""Checks of exercises: the verdict on right, wrong, unfinished and broken answers."""

from __future__ import annotations

import pytest

from strokegan_lib.classroom.checks import check

IN_RANGE = ("lie between 0 and 1", lambda answer: 0 <= answer <= 1)
HALF = ("be a half", lambda answer: answer == 0.5)


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (lambda: 0.5, "Right."),
        (lambda: None, "To do: your code returns None so far."),
        (lambda: 2, "Not yet: it should lie between 0 and 1, and it does not. You have 2."),
        (lambda: 0.25, "Not yet: it should be a half, and it does not. You have 0.25."),
        (lambda: 1 / 0, "Not yet: your code stops with ZeroDivisionError: division by zero"),
        (lambda: "x" * 200, "Not yet: it should lie between 0 and 1, and it does not (TypeError: "),
    ],
)
def test_verdict_is_one_line_and_says_what_is_wrong(attempt, verdict, capsys):
    check(attempt, IN_RANGE, HALF)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and printed.count("\n") == 1


def test_a_long_answer_is_cut(capsys):
    check(lambda: list(range(1000)), ("be short", lambda answer: len(answer) < 10))
    assert len(capsys.readouterr().out) < 200

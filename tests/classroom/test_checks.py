"""Checks of exercises: the verdict on right, wrong, unfinished and broken answers."""

from __future__ import annotations

import pytest

from strokegan_lib.classroom.checks import Mistake, check

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


TWICE = Mistake("you counted the shared pixels twice", lambda answer: answer[0] == 1)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ((1.0,), "Not yet: it looks as if you counted the shared pixels twice. You have (1.0,)."),
        ((0.7,), "Not yet: it should be (.5,), and it does not. You have (0.7,)."),
        (
            0.7,
            "Not yet: it should be (.5,), and it does not. You have 0.7.",
        ),  # nothing to index: not this one
        ((0.5,), "Right."),
    ],
)
def test_a_known_mistake_is_named_where_it_is_made_and_only_there(answer, verdict, capsys):
    check(lambda: answer, TWICE, ("be (.5,)", lambda answer: answer == (0.5,)))
    assert capsys.readouterr().out == verdict + "\n"


def test_the_first_that_a_wrong_answer_meets_is_named(capsys):
    check(lambda: (1.0,), ("be (.5,)", lambda answer: answer == (0.5,)), TWICE)
    assert "it should be (.5,)" in capsys.readouterr().out

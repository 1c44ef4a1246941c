"""The questions of a quiz: read from a file, and judged.

A file ``quizzes/NN.json`` belongs to notebook NN. Answers stand there and not in the
notebook. A question offers options or asks for a number::

    {"ask": "...", "options": [{"text": "...", "right": true, "why": "..."}, {"text": "...", "why": "..."}, ...]}
    {"ask": "...", "number": 14, "within": 0, "why": "...", "slips": [{"number": 16, "why": "..."}], "otherwise": "..."}

``why`` of a wrong option or of a slip says which misconception leads there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from strokegan_lib.errors import BadInput

if TYPE_CHECKING:
    from strokegan_lib.classroom.widgets.quiz import Quiz

QUIZZES = Path(__file__).with_name("quizzes")
LETTERS = "ABCD"
SEED = 707  # of the order of options: one that puts the right ones about equally often at every place


@dataclass(frozen=True)
class Option:
    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Choice:
    """A question with options, by letter, of which one is right."""

    ask: str
    options: dict[str, Option]

    def judge(self, answer: str) -> tuple[bool, str]:
        """Whether a letter is right, and why.

        Raises:
            ValueError: no such letter.
        """
        if answer not in self.options:
            raise ValueError(f"{answer!r} is not an answer: choose one of {', '.join(self.options)}")
        return self.options[answer].right, self.options[answer].why


@dataclass(frozen=True)
class Slip:
    """A wrong number and the misconception that leads to it."""

    number: float
    why: str


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number, *within* a tolerance."""

    ask: str
    number: float
    within: float
    why: str
    slips: tuple[Slip, ...]
    otherwise: str
    options: ClassVar[dict[str, Option]] = {}

    def judge(self, answer: float | str) -> tuple[bool, str]:
        """Whether a number is right, and why.

        Raises:
            ValueError: not a number.
        """
        try:
            value = float(answer)
        except (TypeError, ValueError):
            value = float("nan")
        if not isfinite(value):
            raise ValueError(f"{answer!r} is not a number: write it with digits, such as 0.5")
        if self.hits(value, self.number):
            return True, self.why
        return False, next((slip.why for slip in self.slips if self.hits(value, slip.number)), self.otherwise)

    def hits(self, value: float, number: float) -> bool:
        return abs(value - number) <= self.within + 1e-9 * abs(number)


Question = Choice | Number


def questions(name: str, folder: Path = QUIZZES) -> list[Question]:
    """The questions of a quiz, in the file's order.

    Raises:
        BadInput: no such file, or a question that is not whole; both are named.
    """
    file, number = folder / f"{name}.json", 0
    try:
        found = []
        for number, entry in enumerate(json.loads(file.read_text(encoding="utf-8"))["questions"], 1):
            found.append(_question(entry, f"{SEED} {name} {number}"))
        return found
    except FileNotFoundError:
        names = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise BadInput(f"quiz {name}", "does not come with the kit", f"choose one of: {names}") from None
    except (ValueError, TypeError, KeyError) as error:
        where = f"question {number}" if number else "the file"
        remedy = "mend it: the docstring of questions.py shows the form"
        raise BadInput(file, f"{where} is not of the form ({error})", remedy) from None


def _question(entry: dict[str, Any], salt: str) -> Question:
    if "options" in entry:
        options = [Option(**option) for option in entry["options"]]
        if not 3 <= len(options) <= len(LETTERS) or sum(option.right for option in options) != 1:
            raise ValueError("3 or 4 options, one of them right")
        # places are drawn by a hash: the same on every machine and in every version of Python
        order = sorted(range(len(options)), key=lambda i: sha256(f"{salt} {i}".encode()).digest())
        letters = dict(zip(LETTERS, (options[i] for i in order), strict=False))
        return Choice(**{**entry, "options": letters})
    made = Number(**{**entry, "slips": tuple(Slip(**slip) for slip in entry["slips"])})
    if made.within < 0 or any(made.hits(slip.number, made.number) for slip in made.slips):
        raise ValueError("a tolerance below 0, or a slip that counts as right")
    return made


def quiz(name: str, folder: Path = QUIZZES) -> Quiz:
    """The quiz of a notebook, to be shown.

    Args:
        name: the notebook's number, such as '05'.
        folder: of the files with questions.

    Raises:
        BadInput: no such quiz, or a file that cannot be used.
    """
    from strokegan_lib.classroom.widgets.quiz import Quiz

    return Quiz(name, questions(name, folder))

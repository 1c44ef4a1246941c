"""The questions of a quiz: read from a file, checked, and judged.

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
from typing import Any

from strokegan_lib.errors import BadInput

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
    """A question with options, of which one is right."""

    ask: str
    options: tuple[Option, ...]

    def judge(self, answer: str) -> tuple[bool, str]:
        """Whether a letter is right, and why.

        Raises:
            ValueError: no such letter.
        """
        letters = LETTERS[: len(self.options)]
        if not (isinstance(answer, str) and len(answer) == 1 and answer in letters):
            raise ValueError(f"{answer!r} is not an answer: choose one of {', '.join(letters)}")
        option = self.options[letters.index(answer)]
        return option.right, option.why


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


def questions(name: str, folder: Path = QUIZZES, seed: int = SEED) -> list[Question]:
    """The questions of a quiz, in the file's order, their options in an order that *seed* decides.

    Raises:
        BadInput: no such file, or a question that is not whole; both are named.
    """
    file = folder / f"{name}.json"
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["questions"]
    except FileNotFoundError:
        names = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise BadInput(f"quiz {name}", "does not come with the kit", f"choose one of: {names}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(file, f"is no quiz ({error})", 'write JSON with a list named "questions"') from None
    if not (isinstance(entries, list) and entries):
        raise BadInput(file, "holds no questions", 'fill the list named "questions"')
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_question(entry, f"{seed} {name} {number}"))
        except (ValueError, TypeError) as error:
            remedy = "mend it: the docstring of questions.py shows the form"
            raise BadInput(file, f"question {number} {error}", remedy) from None
    return found


def _question(entry: Any, salt: str) -> Question:
    if isinstance(entry, dict) and "options" in entry:
        _keys(entry, {"ask", "options"})
        options = [_option(option) for option in entry["options"]]
        if not 3 <= len(options) <= len(LETTERS):
            raise ValueError(f"offers {len(options)} options instead of 3 or 4")
        if len({option.text for option in options}) < len(options):
            raise ValueError("offers an option twice")
        if (right := sum(option.right for option in options)) != 1:
            raise ValueError(f"has {right} right options instead of one")
        # places are drawn by a hash: the same on every machine and in every version of Python
        order = sorted(range(len(options)), key=lambda i: sha256(f"{salt} {i}".encode()).digest())
        return Choice(_words(entry, "ask"), tuple(options[i] for i in order))
    _keys(entry, {"ask", "number", "within", "why", "slips", "otherwise"})
    slips = []
    for slip in entry["slips"]:
        _keys(slip, {"number", "why"})
        slips.append(Slip(_real(slip, "number"), _words(slip, "why")))
    words = {key: _words(entry, key) for key in ("ask", "why", "otherwise")}
    made = Number(number=_real(entry, "number"), within=_real(entry, "within"), slips=tuple(slips), **words)
    if made.within < 0 or any(made.hits(slip.number, made.number) for slip in slips):
        raise ValueError("has a tolerance below 0, or a slip that counts as right")
    return made


def _option(entry: Any) -> Option:
    _keys(entry, {"text", "why"}, may={"right"})
    if not isinstance(entry.get("right", False), bool):
        raise ValueError('has an option whose "right" is neither true nor false')
    return Option(_words(entry, "text"), _words(entry, "why"), entry.get("right", False))


def _keys(entry: Any, must: set[str], may: frozenset[str] | set[str] = frozenset()) -> None:
    if not isinstance(entry, dict):
        raise ValueError(f"holds {entry!r} where an object should stand")
    if missing := must - entry.keys():
        raise ValueError(f"lacks {', '.join(sorted(missing))}")
    if unknown := entry.keys() - must - may:
        raise ValueError(f"has an unknown entry {', '.join(sorted(unknown))}")


def _words(entry: dict, key: str) -> str:
    if not (isinstance(entry[key], str) and entry[key].strip()):
        raise ValueError(f'has an empty "{key}"')
    return " ".join(entry[key].split())


def _real(entry: dict, key: str) -> float:
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError(f'has a "{key}" that is not a number: {value!r}')
    return value

"""A short quiz at the end of a notebook: choose, check, and read why.

A file ``quizzes/NN.json`` belongs to notebook NN. Answers stand there and not in the notebook.
A question offers options or asks for a number::

    {"ask": "...", "options": [{"text": "...", "right": true, "why": "..."}, {"text": "...", "why": "..."}, ...]}
    {"ask": "...", "number": 14, "within": 0, "why": "...", "slips": [{"number": 16, "why": "..."}], "otherwise": "..."}

``why`` of a wrong option or of a slip says which misconception leads there.
"""

import json
from hashlib import sha256
from html import escape
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import ipywidgets as widgets

from strokegan_lib.classroom.widgets.interactive import framed, live, status
from strokegan_lib.errors import BadInput

QUIZZES = Path(__file__).parents[1] / "quizzes"
SEED = 707  # of the order of options: one that puts the right ones about equally often at every place


class Answer(NamedTuple):
    """An answer that is foreseen, whether it is right, and why."""

    text: str
    why: str
    right: bool = False


class Question(NamedTuple):
    """A question and the answers that are foreseen, by letter or, where a number is asked for, by number."""

    ask: str
    answers: dict[str | float, Answer]
    within: float | None = None  # tolerance of a number; None for a choice of letters
    otherwise: str = ""  # why any other number is wrong

    def judge(self, given: str | None) -> Answer | None:
        """The answer that was given, right or wrong; None for nothing, or a word in place of a number."""
        if self.within is None:
            return self.answers.get(given)
        try:
            value = float(given)
        except ValueError:
            return None
        near = (n for n in self.answers if abs(value - n) <= self.within + 1e-9 * abs(n))
        return self.answers.get(next(near, None), Answer(given, self.otherwise))


def _question(entry: dict[str, Any], salt: str) -> Question:
    """A question as it stands in the file; *salt* decides at which places its options stand."""
    if "number" in entry:
        rows = (entry, *entry["slips"])
        answers = {row["number"]: Answer(f"{row['number']:g}", row["why"], row is entry) for row in rows}
        return Question(entry["ask"], answers, entry["within"], entry["otherwise"])
    # a hash gives the same places on every machine and in every version of Python
    places = {sha256(f"{salt} {i}".encode()).digest(): option for i, option in enumerate(entry["options"])}
    options = zip("ABCD", (option for _, option in sorted(places.items())), strict=False)
    answers = {at: Answer(f"{at}. {o['text']}", o["why"], o.get("right", False)) for at, o in options}
    return Question(entry["ask"], answers)


def quiz(name: str, folder: Path = QUIZZES) -> "Quiz":
    """The quiz of a notebook, such as '05', or BadInput; *folder* holds the files with questions."""
    file = folder / f"{name}.json"
    if not file.is_file():
        names = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise BadInput(f"quiz {name}", "does not come with the kit", f"choose one of: {names}")
    entries = enumerate(json.loads(file.read_text(encoding="utf-8"))["questions"], 1)
    return Quiz(name, {number: _question(entry, f"{SEED} {name} {number}") for number, entry in entries})


class Quiz:
    """Questions, by number from 1, each with a button that checks the answer and writes a verdict under it.

    The first answer that is checked counts; after that one may go on trying. Tab goes from one option or
    button to the next, Space chooses or presses. Without a live kernel the questions stand there alone.

    Example:
        ``quiz("05").set(question=1, answer="B").score()``
    """

    def __init__(self, name: str, asked: dict[int, Question]) -> None:
        self.name, self.asked = name, asked
        self.first: dict[int, bool] = {}  # question -> whether its first answer was right
        self.answers: dict[int, widgets.ValueWidget] = {}
        self.verdicts = {number: widgets.HTML() for number in asked}
        self.words = widgets.HTML(status(self.score()))
        rows = []
        for number, question in asked.items():
            if question.within is None:
                options = [(answer.text, letter) for letter, answer in question.answers.items()]
                self.answers[number] = widgets.RadioButtons(options=options, value=None)
            else:
                self.answers[number] = widgets.Text(placeholder="a number", description="answer")
            button = widgets.Button(description=f"Check answer {number}")
            button.on_click(lambda _button, number=number: self.check(number))
            head = widgets.HTML(f'<p class="strokegan-ask"><b>{number}.</b> {escape(question.ask)}</p>')
            rows += [head, self.answers[number], button, self.verdicts[number]]
        self.box = framed(*rows, self.words)
        self.box.add_class("strokegan-quiz")

    def set(self, question: int, answer: str | float) -> "Quiz":
        """Give an answer, a letter or a number, and check it, as the mouse would; returns the quiz itself.

        KeyError where there is no such question, TraitError where there is no such letter.
        """
        self.answers[question].value = str(answer)
        self.check(question)
        return self

    def check(self, number: int) -> None:
        """Judge what is chosen in a question and write the verdict under it."""
        answer = self.asked[number].judge(self.answers[number].value)
        words, kind = "Choose an answer, or write a number with digits, such as 0.5.", ""
        if answer:
            self.first.setdefault(number, answer.right)
            # told apart by words, signs and the kind of line, not by colour
            sign, kind = (
                ("✓ Right.", " strokegan-right") if answer.right else ("✗ Not right.", " strokegan-wrong")
            )
            words = f"{sign} {answer.why}"
        self.verdicts[number].value = status(words, f"strokegan-verdict{kind}")
        self.words.value = status(self.score())

    def score(self) -> str:
        """How many questions are answered, and how many were right at the first try."""
        if not self.first:
            return f"{len(self.asked)} questions, none answered yet."
        right, count = sum(self.first.values()), len(self.first)
        return f"Answered {count} of {len(self.asked)}; right at the first try: {right}."

    def key(self) -> str:
        """Questions with the right answers and what lies behind the wrong ones, for the instructor."""
        lines = []
        for number, question in self.asked.items():
            lines.append(fill(f"{number}. {question.ask}", 100, subsequent_indent="   "))
            for answer in question.answers.values():
                line = f"   ({'right' if answer.right else 'wrong'}) {answer.text} | {answer.why}"
                lines.append(fill(line, 100, subsequent_indent="      "))
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_options: Any) -> dict:
        words = f"Quiz {self.name}: {self.score()}"
        still = f"<p>{escape(words)}</p>"
        for number, question in self.asked.items():
            options = question.answers.values() if question.within is None else ()
            lines = [f"{number}. {question.ask}", *(answer.text for answer in options)]
            still += f"<p>{'<br>'.join(map(escape, lines))}</p>"
        return {**live(self.box)[0], "text/html": still, "text/plain": words}

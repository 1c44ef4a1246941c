"""A short quiz at the end of a notebook: choose, check, and read why.

Works with the mouse and the keyboard: Tab goes from one option or button to the next, Space
chooses or presses. Where no live kernel stands behind a notebook (on GitHub, in a page) the
questions stand there without their answers.
"""

from __future__ import annotations

from html import escape
from textwrap import fill
from typing import TYPE_CHECKING

import ipywidgets as widgets

from strokegan_lib.classroom.widgets.interactive import framed, live, status

if TYPE_CHECKING:
    from strokegan_lib.classroom.questions import Question


class Quiz:
    """Questions one under the other, each with a button that checks the answer.

    The first answer that is checked counts; after that one may go on trying.

    Attributes:
        asked: the questions.
        answers: for each question its RadioButtons, or a Text where a number is asked for.
        buttons: that check it.
        verdicts: HTML under it.

    Example:
        ``quiz("05").set(question=1, answer="B").score()``; questions count from 1.
    """

    def __init__(self, name: str, asked: list[Question]) -> None:
        self.name, self.asked = name, asked
        self.first: dict[int, bool] = {}  # question -> whether its first answer was right
        self.answers = [self._control(question) for question in asked]
        self.verdicts, self.buttons, blocks = [widgets.HTML() for _ in asked], [], []
        for number, question in enumerate(asked, 1):
            words = f"Check answer {number}"
            button = widgets.Button(description=words, tooltip=f"{words} to question {number}")
            button.on_click(lambda _button, number=number: self.check(number))
            self.buttons.append(button)
            head = widgets.HTML(f"<b>{number}.</b> {escape(question.ask)}")
            rows = [head, self.answers[number - 1], button, self.verdicts[number - 1]]
            blocks.append(widgets.VBox(rows, layout=widgets.Layout(margin="0 0 1rem")))
        self.words = widgets.HTML(status(self.score()))
        self.box = framed(*blocks, self.words)
        self.box.add_class("strokegan-quiz")

    @staticmethod
    def _control(question: Question) -> widgets.RadioButtons | widgets.Text:
        if not question.options:
            return widgets.Text(placeholder="a number", description="answer")
        options = [(f"{letter}. {option.text}", letter) for letter, option in question.options.items()]
        return widgets.RadioButtons(options=options, value=None, layout=widgets.Layout(width="auto"))

    def set(self, question: int, answer: str | float) -> Quiz:
        """Give an answer and check it, as the mouse would, and return the quiz itself.

        Args:
            question: its number.
            answer: the letter of an option, or a number where one is asked for.

        Raises:
            ValueError: no such question, or an answer that it does not offer.
        """
        if question not in range(1, len(self.asked) + 1):
            raise ValueError(f"there is no question {question}: there are 1 to {len(self.asked)}")
        asked, control = self.asked[question - 1], self.answers[question - 1]
        asked.judge(answer)  # an answer that is none raises before anything moves
        control.value = answer if asked.options else str(answer)
        self.check(question)
        return self

    def check(self, number: int) -> None:
        """Judge what is chosen in a question and write the verdict under it."""
        given, verdict = self.answers[number - 1].value, self.verdicts[number - 1]
        if not given:
            verdict.value = status("Choose or write an answer first.", "strokegan-verdict")
            return
        try:
            right, why = self.asked[number - 1].judge(given)
        except ValueError as error:  # a word where a number is asked for
            verdict.value = status(f"{error}.", "strokegan-verdict")
            return
        self.first.setdefault(number, right)
        # told apart by words, signs and the kind of line, not by colour
        words, kind = ("✓ Right.", "strokegan-right") if right else ("✗ Not right.", "strokegan-wrong")
        verdict.value = status(f"{words} {why}", f"strokegan-verdict {kind}")
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
        for number, question in enumerate(self.asked, 1):
            lines.append(_wrap(f"{number}. {question.ask}", 3))
            rows = [(o.right, f"{letter}. {o.text}", o.why) for letter, o in question.options.items()] or [
                (True, f"{question.number:g}", question.why),
                *((False, f"{slip.number:g}", slip.why) for slip in question.slips),
            ]
            lines += [
                _wrap(f"   ({'right' if right else 'wrong'}) {text} | {why}", 6) for right, text, why in rows
            ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Quiz {self.name}: {self.score()}"

    def _repr_html_(self) -> str:
        items = []
        for question in self.asked:
            options = "".join(f"<li>{escape(option.text)}</li>" for option in question.options.values())
            items.append(f"<li>{escape(question.ask)}{options and f'<ol type=A>{options}</ol>'}</li>")
        return f"<p>{escape(repr(self))}</p><ol>{''.join(items)}</ol>"

    def _repr_mimebundle_(self, **_options) -> dict:
        return {**live(self.box)[0], "text/html": self._repr_html_(), "text/plain": repr(self)}


def _wrap(line: str, indent: int) -> str:
    return fill(line, 100, subsequent_indent=" " * indent)

"""A short quiz at the end of a notebook: choose, check, and read why.

Works with the mouse and the keyboard: Tab goes from one option or button to the next, Space
chooses or presses. Where no live kernel stands behind a notebook (on GitHub,
in the report) the questions stand there without their answers.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from textwrap import fill

import ipywidgets as widgets

from strokegan_lib.classroom.questions import LETTERS, QUIZZES, SEED, Choice, Question, questions
from strokegan_lib.classroom.widgets.interactive import live

# ipywidgets' radio buttons stand behind their words, in a fixed height that long words leave
STYLE = """<style>
.strokegan-quiz { width: 100%; max-width: 48rem; }
.strokegan-quiz .widget-radio { width: 100%; height: auto; }
.strokegan-quiz .widget-radio-box { width: 100%; max-width: none; height: auto; margin: 0; }
.strokegan-quiz .widget-radio-box label { height: auto; white-space: normal; line-height: 1.4; margin: 0 0 .3rem;
  display: flex; flex-direction: row-reverse; justify-content: flex-end; align-items: flex-start; font-size: inherit; }
.strokegan-quiz .widget-radio-box input { flex: none; margin: .25rem .5rem 0 0; }
.strokegan-quiz .widget-html-content { line-height: 1.4; white-space: normal; height: auto; }
.strokegan-quiz :focus-visible { outline: 2px solid currentColor; outline-offset: 1px; }
</style>"""


class Quiz:
    """Questions one under the other, each with a button that checks the answer.

    The first answer that is checked counts; after that one may go on trying.

    Args:
        name: of the quiz, the number of its notebook.
        asked: its questions.

    Attributes:
        answers: for each question its RadioButtons, or a Text where a number is asked for.
        buttons: that check it.
        verdicts: HTML under it.
        words: HTML, the score.

    Example:
        ``quiz("05").set(question=1, answer="B").score()``; questions count from 1.
    """

    def __init__(self, name: str, asked: list[Question]) -> None:
        self.name, self.asked = name, asked
        self.first: dict[int, bool] = {}  # question -> whether its first answer was right
        self.answers = [self._answer(question) for question in asked]
        self.verdicts = [widgets.HTML() for _ in asked]
        self.words = widgets.HTML()
        self.buttons = []
        blocks = []
        for number, question in enumerate(asked, 1):
            button = widgets.Button(
                description=f"Check answer {number}", tooltip=f"Check the answer to question {number}"
            )
            button.on_click(lambda _button, number=number: self.check(number))
            self.buttons.append(button)
            head = widgets.HTML(f"<b>{number}.</b> {escape(question.ask)}")
            rows = [head, self.answers[number - 1], button, self.verdicts[number - 1]]
            blocks.append(widgets.VBox(rows, layout=widgets.Layout(margin="0 0 1rem")))
        self.box = widgets.VBox([widgets.HTML(STYLE), *blocks, self.words])
        self.box.add_class("strokegan-quiz")
        self._tell()

    @staticmethod
    def _answer(question: Question) -> widgets.RadioButtons | widgets.Text:
        if isinstance(question, Choice):
            lines = [
                f"{letter}. {option.text}" for letter, option in zip(LETTERS, question.options, strict=False)
            ]
            return widgets.RadioButtons(options=lines, index=None, layout=widgets.Layout(width="auto"))
        return widgets.Text(placeholder="a number", description="answer")

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
        self.asked[question - 1].judge(answer)  # an answer that is none raises before anything moves
        control = self.answers[question - 1]
        if isinstance(control, widgets.RadioButtons):
            control.index = LETTERS.index(answer)
        else:
            control.value = str(answer)
        self.check(question)
        return self

    def check(self, number: int) -> None:
        """Judge what is chosen in a question and write the verdict under it."""
        control, verdict = self.answers[number - 1], self.verdicts[number - 1]
        if isinstance(control, widgets.RadioButtons):
            given = None if control.index is None else LETTERS[control.index]
        else:
            given = control.value.strip() or None
        if given is None:
            verdict.value = _status("Choose or write an answer first.", "dotted")
            return
        try:
            right, why = self.asked[number - 1].judge(given)
        except ValueError as error:  # a word where a number is asked for
            verdict.value = _status(f"{error}.", "dotted")
            return
        self.first.setdefault(number, right)
        verdict.value = (
            _status(f"✓ Right. {why}", "solid") if right else _status(f"✗ Not right. {why}", "dashed")
        )
        self._tell()

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
            if isinstance(question, Choice):
                for letter, option in zip(LETTERS, question.options, strict=False):
                    mark = "right" if option.right else "wrong"
                    lines.append(_wrap(f"   {letter}. ({mark}) {option.text} | {option.why}", 6))
            else:
                lines.append(_wrap(f"   (right) {question.number:g} | {question.why}", 6))
                lines += [_wrap(f"   (wrong) {slip.number:g} | {slip.why}", 6) for slip in question.slips]
        return "\n".join(lines)

    def _tell(self) -> None:
        self.words.value = _status(self.score(), "none")

    def __repr__(self) -> str:
        lines = [f"Quiz {self.name}: {self.score()}"]
        for number, question in enumerate(self.asked, 1):
            lines += ["", _wrap(f"{number}. {question.ask}", 3)]
            if isinstance(question, Choice):
                options = zip(LETTERS, question.options, strict=False)
                lines += [_wrap(f"   {letter}. {option.text}", 6) for letter, option in options]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = []
        for question in self.asked:
            options = getattr(question, "options", ())
            inner = "".join(f"<li>{escape(option.text)}</li>" for option in options)
            items.append(f"<li>{escape(question.ask)}{f'<ol type=A>{inner}</ol>' if inner else ''}</li>")
        return f"<p>Quiz {escape(self.name)}: {escape(self.score())}</p><ol>{''.join(items)}</ol>"

    def _repr_mimebundle_(self, **_options) -> dict:
        data, _ = live(self.box)
        return {**data, "text/html": self._repr_html_(), "text/plain": repr(self)}


def quiz(name: str, seed: int = SEED, folder: Path = QUIZZES) -> Quiz:
    """The quiz of a notebook.

    Args:
        name: the notebook's number, such as '05'.
        seed: of the order of the options.
        folder: of the files with questions.

    Raises:
        BadInput: no such quiz, or a file that cannot be used.
    """
    return Quiz(name, questions(name, folder, seed))


def _status(words: str, line: str) -> str:
    """A verdict that a screen reader reads out; told apart by words and the kind of line, not by colour."""
    return f'<div role="status" style="border-left: 4px {line}; padding-left: .6rem">{escape(words)}</div>'


def _wrap(line: str, indent: int) -> str:
    return fill(line, 100, subsequent_indent=" " * indent)

"""The quizzes that come with the kit: whole, fair, and true to what the notebooks print."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from strokegan_lib.classroom.questions import LETTERS, QUIZZES, Choice, questions
from strokegan_lib.classroom.questions import quiz

SHIPPED = sorted(QUIZZES.glob("*.json"))
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def test_every_notebook_has_a_quiz():
    assert [file.stem for file in SHIPPED] == [file.name[:2] for file in NOTEBOOKS]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
class TestShipped:
    def test_has_four_to_six_questions_that_explain_themselves(self, file: Path):
        asked = questions(file.stem)
        assert 4 <= len(asked) <= 6 and len({question.ask for question in asked}) == len(asked)
        for question in asked:
            parts = question.options if isinstance(question, Choice) else (question, *question.slips)
            assert all(len(part.why) > 30 for part in parts)
            assert len({part.why for part in parts}) == len(parts), "each mistake has its own explanation"
            if not isinstance(question, Choice):
                assert question.slips and len({slip.number for slip in question.slips}) == len(question.slips)

    def test_no_option_speaks_of_the_others(self, file: Path):
        for question in questions(file.stem):
            for option in getattr(question, "options", ()):
                betrays = r"\b(all|none|both) of (the above|these)\b|\banswers? [A-D]\b|\b[A-D] and [A-D]\b"
                assert not re.search(betrays, option.text, re.IGNORECASE)

    def test_what_is_set_is_what_is_judged(self, file: Path):
        played = quiz(file.stem)
        for number, question in enumerate(played.asked, 1):
            if isinstance(question, Choice):
                played.set(number, LETTERS[[option.right for option in question.options].index(True)])
            else:
                played.set(number, question.number)
        count = len(played.asked)
        assert played.score() == f"Answered {count} of {count}; right at the first try: {count}."


def test_neither_place_nor_length_betrays_the_answer():
    places, longest, shortest, all_choices = Counter(), 0, 0, 0
    for file in SHIPPED:
        here = Counter()
        for question in questions(file.stem):
            if isinstance(question, Choice):
                right = [option.right for option in question.options].index(True)
                lengths = [len(option.text) for option in question.options]
                here[LETTERS[right]] += 1
                longest += lengths[right] == max(lengths)
                shortest += lengths[right] == min(lengths)
                all_choices += 1
        assert max(here.values()) <= 3, file.stem
        places += here
    assert max(places.values()) <= 0.35 * all_choices and min(places.values()) >= 0.15 * all_choices
    assert 0 < longest <= 0.4 * all_choices and 0 < shortest <= 0.5 * all_choices


MEASURED = [  # quiz, what it says was measured, what its notebook prints
    (
        "00",
        "about 0.6 for lesions below 30 pixels",
        r"1-29 pixels +\d+ slices: median Dice 0\.(5[5-9]|6[0-4])",
    ),
    ("00", "about 0.9 from 300 pixels on", r"300 pixels or more +\d+ slices: median Dice 0\.(8[5-9]|9[0-4])"),
    ("01", "a Dice of 0.45 when split by slice", r"split by slice +0\.45"),
    ("01", "0.02 when split by patient", r"split by patient +0\.02"),
    (
        "01",
        "the same patient in about 70 % of the slices",
        r"split by slice .* same patient in (6[5-9]|7[0-4]) %",
    ),
    ("01", "right on 98.8 % of the phantom's tissue pixels", r"98\.8\d % of pixels"),
    ("01", "66 of 440 patients, and 21 went", r"shuffle_and_cut +66 of 440 change sides, 21 of them"),
    ("02", "it grew to over 100", r"without a bound +slope from [\d.]+ to \d{3}\."),
    ("03", "in nine of ten slices or more", r"discriminator prefers .*?( +(9\d|100)){3}\n"),
    ("03", "nine of ten wrong pixels and more", r"multi-scale L1( +(9\d|100)){3}\n"),
    (
        "03",
        "about a tenth of an empty mask there, and two fifths in the picture",
        r"blurred by 2 +4\d .* (9|1\d) +\d+\n",
    ),
    ("03", "several thousand times", r"no bound +0\.01\d+ +\d{2}\.\d"),
    ("03", "2 % of the weight", r"width 64, elements.*: +2\.0 %"),
    ("04", "each of 24 such brains did worse", r"better than 24 of 24 real brains"),
    ("06", "0.16 instead of 0.23", r"patients .* width 0\.23\d\ndrawing slices .* width 0\.1(5[5-9]|6[0-4])"),
    ("06", ".004 above SegAN's, with an interval from −.003 to +.010", r"\+0\.004 \(-0\.003 to \+0\.010\)"),
    ("09", "109 instead of 181", r"without bleeding +82 +181\nwith bleeding +82 +109"),
    ("09", "six test patients are in training", r"split by case: 6 of \d+ test patients"),
]


@pytest.mark.parametrize(("name", "said", "printed"), MEASURED)
def test_what_a_quiz_says_was_measured_is_what_its_notebook_prints(name: str, said: str, printed: str):
    assert said in (QUIZZES / f"{name}.json").read_text(encoding="utf-8")
    (file,) = (file for file in NOTEBOOKS if file.name.startswith(name))
    notebook = nbformat.read(file, as_version=4)
    outputs = (output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert re.search(printed, "".join(outputs))

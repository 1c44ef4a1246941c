"""The quiz: judging, the first answer, the still form that gives nothing away; and the quizzes of the kit."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from strokegan_lib.classroom.questions import QUIZZES, Choice, questions, quiz
from strokegan_lib.classroom.widgets.quiz import Quiz
from strokegan_lib.errors import BadInput

THREE, FOUR, FIVE = (
    {"text": "three", "why": "3 is 2 + 1."},
    {"text": "four", "right": True, "why": "4 is 2 + 2."},
    {"text": "five", "why": "5 is 4 + 1."},
)
CHOICE = {"ask": "Which one is < even?", "options": [THREE, FOUR, FIVE]}
SLIP = {"number": 5, "why": "That is the sum."}
NUMBER = {"ask": "What is 2 x 3?", "number": 6, "within": 0.1, "why": "Three twos.", "slips": [SLIP],
          "otherwise": "Add three twos."}  # fmt: skip
SHIPPED = sorted(file.stem for file in QUIZZES.glob("*.json"))


def written(folder: Path, *entries: object) -> Path:
    (folder / "00.json").write_text(json.dumps({"questions": list(entries)}), encoding="utf-8")
    return folder


@pytest.fixture
def two(tmp_path: Path) -> Quiz:
    return quiz("00", written(tmp_path, CHOICE, NUMBER))


def letter(two: Quiz, text: str) -> str:
    (found,) = (letter for letter, option in two.asked[0].options.items() if option.text == text)
    return found


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (6, "✓ Right. Three twos."),
        (" 6.1 ", "✓ Right. Three twos."),
        (6.2, "✗ Not right. Add three twos."),
        (5.05, "✗ Not right. That is the sum."),
    ],
)
def test_numbers_are_judged_within_the_tolerance(two: Quiz, answer: float | str, verdict: str):
    assert verdict in two.set(question=2, answer=answer).verdicts[1].value


def test_a_click_judges_what_was_chosen_and_the_first_answer_counts(two: Quiz):
    assert two.answers[0].value is None and two.score() == "2 questions, none answered yet."
    for button, verdict in zip(two.buttons, two.verdicts, strict=True):
        button.click()
        assert "Choose or write an answer first." in verdict.value
    two.answers[0].value = letter(two, "three")
    two.buttons[0].click()
    assert "✗ Not right. 3 is 2 + 1." in two.verdicts[0].value and 'role="status"' in two.verdicts[0].value
    two.set(question=1, answer=letter(two, "four"))
    assert "✓ Right. 4 is 2 + 2." in two.verdicts[0].value
    two.answers[1].value = "seven"
    two.buttons[1].click()
    assert "&#x27;seven&#x27; is not a number" in two.verdicts[1].value
    two.set(question=2, answer=6)
    assert two.score() == "Answered 2 of 2; right at the first try: 1." and two.score() in two.words.value


@pytest.mark.parametrize(
    ("question", "answer", "message"),
    [(0, "A", "there are 1 to 2"), (1, "D", "choose one of A, B, C"), (1, 2, "choose one of A, B, C"),
     (2, "B", "is not a number"), (2, float("nan"), "is not a number"), (2, None, "is not a number")],
)  # fmt: skip
def test_set_refuses_what_is_not_offered(two: Quiz, question: int, answer: object, message: str):
    with pytest.raises(ValueError, match=message):
        two.set(question=question, answer=answer)
    assert not two.first and two.answers[0].value is None


def test_the_still_form_gives_nothing_away_and_the_key_tells_all(two: Quiz):
    bundle = two._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    still = bundle["text/html"]
    assert all(text in still for text in ("three", "four", "five", "&lt; even", bundle["text/plain"]))
    assert not any(word in still for word in ("right", "2 + 1", "2 + 2", "Three twos", "sum"))
    key = " ".join(two.key().split())
    assert (
        "(right) " + letter(two, "four") + ". four | 4 is 2 + 2." in key
        and "(wrong) 5 | That is the sum." in key
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"ask": "What?"},
        3,
        CHOICE | {"hint": "think"},
        CHOICE | {"options": [THREE, FOUR]},
        CHOICE | {"options": [THREE, FOUR, FOUR]},
        CHOICE | {"options": [THREE, {"text": "four"}, FIVE]},
        NUMBER | {"within": -1},
        NUMBER | {"number": "six"},
        NUMBER | {"slips": [{"number": 6.05, "why": "counts as right"}]},
    ],
    ids=str,
)
def test_a_faulty_question_is_named(tmp_path: Path, entry: object):
    with pytest.raises(BadInput, match=rf"{re.escape(str(tmp_path / '00.json'))}: question 2 "):
        questions("00", written(tmp_path, CHOICE, entry))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"questions": 3}'])
def test_a_file_that_is_no_quiz_is_named(tmp_path: Path, text: str):
    (tmp_path / "00.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=re.escape(str(tmp_path / "00.json"))):
        quiz("00", tmp_path)
    with pytest.raises(BadInput, match="choose one of: 00"):
        quiz("99", tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_quiz_of_the_kit_explains_every_answer(name: str):
    played = quiz(name)
    assert 4 <= len(played.asked) <= 6
    for number, question in enumerate(played.asked, 1):
        parts = list(question.options.values()) or [question, *question.slips]
        assert all(len(part.why) > 30 for part in parts) and len({part.why for part in parts}) == len(parts)
        rights = [letter for letter, option in question.options.items() if option.right]
        played.set(number, rights[0] if rights else question.number)
    assert f"right at the first try: {len(played.asked)}." in played.score()


def test_neither_place_nor_length_betrays_the_answer():
    choices = [q for name in SHIPPED for q in questions(name) if isinstance(q, Choice)]
    places, longest = Counter(), 0
    for choice in choices:
        ((place, right),) = ((letter, option) for letter, option in choice.options.items() if option.right)
        places[place] += 1
        longest += len(right.text) == max(len(option.text) for option in choice.options.values())
    assert max(places.values()) <= 0.35 * len(choices) and min(places.values()) >= 0.15 * len(choices)
    assert 0 < longest <= 0.4 * len(choices)

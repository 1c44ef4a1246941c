"""The quiz: judging, the first answer, the still form that gives nothing away, and files that are faulty."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from strokegan_lib.classroom.questions import LETTERS, QUIZZES, Choice, questions
from strokegan_lib.classroom.questions import Quiz, quiz
from strokegan_lib.errors import BadInput

CHOICE = {
    "ask": "Which one is < even?",
    "options": [
        {"text": "three", "why": "3 is 2 + 1."},
        {"text": "four", "right": True, "why": "4 is 2 + 2."},
        {"text": "five", "why": "5 is 4 + 1."},
    ],
}
NUMBER = {
    "ask": "What is 2 x 3?",
    "number": 6,
    "within": 0.1,
    "why": "Three twos.",
    "slips": [{"number": 5, "why": "That is the sum."}],
    "otherwise": "Add three twos.",
}


def written(folder: Path, *entries: dict) -> Path:
    (folder / "00.json").write_text(json.dumps({"questions": list(entries)}), encoding="utf-8")
    return folder


@pytest.fixture
def two(tmp_path: Path) -> Quiz:
    return quiz("00", folder=written(tmp_path, CHOICE, NUMBER))


def letter(choice: Choice, text: str) -> str:
    return LETTERS[[option.text for option in choice.options].index(text)]


def test_a_right_and_a_wrong_option_are_explained(two: Quiz):
    two.set(question=1, answer=letter(two.asked[0], "three"))
    assert "✗ Not right. 3 is 2 + 1." in two.verdicts[0].value
    two.set(question=1, answer=letter(two.asked[0], "four"))
    assert "✓ Right. 4 is 2 + 2." in two.verdicts[0].value
    assert two.verdicts[1].value == ""


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (6, "✓ Right. Three twos."),
        ("6.1", "✓ Right. Three twos."),
        (6.2, "✗ Not right. Add three twos."),
        (5.05, "✗ Not right. That is the sum."),
        (" 6 ", "✓ Right. Three twos."),
    ],
)
def test_numbers_are_judged_within_the_tolerance(two: Quiz, answer: float | str, verdict: str):
    assert verdict in two.set(question=2, answer=answer).verdicts[1].value


def test_the_first_answer_counts(two: Quiz):
    assert two.score() == "2 questions, none answered yet."
    two.set(question=2, answer=5).set(question=2, answer=6)
    assert two.score() == "Answered 1 of 2; right at the first try: 0."
    two.set(question=1, answer=letter(two.asked[0], "four")).set(question=1, answer="A")
    assert two.score() == "Answered 2 of 2; right at the first try: 1." and two.score() in two.words.value


def test_a_click_does_what_set_does(two: Quiz):
    two.answers[0].index = LETTERS.index(letter(two.asked[0], "four"))
    assert two.verdicts[0].value == "", "choosing alone tells nothing"
    two.buttons[0].click()
    assert "✓ Right." in two.verdicts[0].value
    two.answers[1].value = "seven"
    two.buttons[1].click()
    assert "&#x27;seven&#x27; is not a number" in two.verdicts[1].value and two.first == {1: True}


def test_a_click_without_an_answer_asks_for_one(two: Quiz):
    for button, verdict in zip(two.buttons, two.verdicts, strict=True):
        button.click()
        assert "Choose or write an answer first." in verdict.value
    assert not two.first


@pytest.mark.parametrize(
    ("question", "answer", "message"),
    [
        (0, "A", "there are 1 to 2"),
        (3, "A", "there are 1 to 2"),
        (1, "D", "choose one of A, B, C"),
        (1, "a", "choose one of A, B, C"),
        (1, 2, "choose one of A, B, C"),
        (1, "AB", "choose one of A, B, C"),
        (2, "B", "is not a number"),
        (2, float("nan"), "is not a number"),
        (2, None, "is not a number"),
    ],
)
def test_set_refuses_what_is_not_offered(two: Quiz, question: int, answer: object, message: str):
    with pytest.raises(ValueError, match=message):
        two.set(question=question, answer=answer)
    assert not two.first and two.answers[0].index is None


def test_no_option_is_chosen_beforehand(two: Quiz):
    assert two.answers[0].index is None and two.answers[1].value == ""


def test_words_and_not_colours_tell_right_from_wrong(two: Quiz):
    two.set(question=1, answer=letter(two.asked[0], "four")).set(question=2, answer=1)
    right, wrong = (verdict.value for verdict in two.verdicts)
    assert "Right" in right and "Not right" in wrong and 'role="status"' in right
    assert not re.search(r"colou?r:|background|#[0-9a-f]{3,6}\b(?!;)", right + wrong)


def test_the_still_form_is_stable_and_gives_nothing_away(two: Quiz):
    bundle = two._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    for still in (bundle["text/plain"], bundle["text/html"]):
        assert all(option.text in still for option in two.asked[0].options)
        assert not any(word in still for word in ("right", "2 + 1", "2 + 2", "Three twos", "sum"))
    assert "&lt; even" in bundle["text/html"] and "< even" in bundle["text/plain"]
    again = quiz("00", folder=QUIZZES), quiz("00", folder=QUIZZES)
    assert repr(again[0]) == repr(again[1]) and max(map(len, repr(again[0]).splitlines())) <= 100


def test_the_key_tells_all(two: Quiz):
    key = " ".join(two.key().split())
    assert "(right) four | 4 is 2 + 2." in key and "(wrong) three | 3 is 2 + 1." in key
    assert "(right) 6 | Three twos." in key and "(wrong) 5 | That is the sum." in key


def test_the_seed_decides_the_order(tmp_path: Path):
    folder = written(tmp_path, *[CHOICE] * 8)
    orders = [[question.options for question in questions("00", folder, seed)] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert len(set(orders[0])) > 1, "not the same order for every question"


def without(entry: dict, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


def with_options(*options: dict) -> dict:
    return CHOICE | {"options": list(options)}


THREE, FOUR, FIVE = CHOICE["options"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (without(CHOICE, "ask"), "lacks ask"),
        (CHOICE | {"ask": " "}, 'empty "ask"'),
        (CHOICE | {"hint": "?"}, "unknown entry hint"),
        (with_options(THREE, FOUR), "offers 2 options"),
        (with_options(THREE, FOUR, FIVE, FIVE | {"text": "a"}, FIVE | {"text": "b"}), "offers 5 options"),
        (with_options(THREE, FOUR, THREE), "an option twice"),
        (with_options(THREE, without(FOUR, "right"), FIVE), "0 right options"),
        (with_options(THREE, FOUR, FIVE | {"right": True}), "2 right options"),
        (with_options(THREE, FOUR, FIVE | {"right": "yes"}), "neither true nor false"),
        (with_options(THREE, FOUR, without(FIVE, "why")), "lacks why"),
        (with_options(THREE, FOUR, FIVE | {"text": 5}), 'empty "text"'),
        (with_options(THREE, FOUR, "five"), "an object should stand"),
        (CHOICE | {"options": 3}, ""),
        ("a question", "an object should stand"),
        (without(NUMBER, "otherwise"), "lacks otherwise"),
        (NUMBER | {"number": "six"}, '"number" that is not a number'),
        (NUMBER | {"within": True}, '"within" that is not a number'),
        (NUMBER | {"within": -1}, "tolerance below 0"),
        (NUMBER | {"slips": [{"number": 6.05, "why": "near"}]}, "a slip that counts as right"),
        (NUMBER | {"slips": [{"number": 5}]}, "lacks why"),
    ],
)
def test_a_faulty_question_is_named(tmp_path: Path, entry: object, message: str):
    with pytest.raises(BadInput) as caught:
        questions("00", written(tmp_path, CHOICE, entry))
    line = str(caught.value)
    assert str(tmp_path / "00.json") in line and "question 2" in line and message in line


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"questions": []}', '{"questions": 3}'])
def test_a_file_without_questions_is_named(tmp_path: Path, text: str):
    (tmp_path / "00.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=re.escape(str(tmp_path / "00.json"))):
        quiz("00", folder=tmp_path)


def test_a_quiz_that_is_not_there():
    with pytest.raises(BadInput, match="choose one of: 00, 01"):
        quiz("99")

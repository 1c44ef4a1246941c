"""The quiz: judging, the first answer, the still form that gives nothing away; and the quizzes of the kit."""

import json
from collections import Counter
from pathlib import Path

import pytest

from strokegan_lib.classroom import quiz
from strokegan_lib.classroom.widgets.quiz import QUIZZES, Quiz
from strokegan_lib.errors import BadInput

OPTIONS = [
    {"text": "three", "why": "3 is 2 + 1."},
    {"text": "four", "right": True, "why": "4 is 2 + 2."},
    {"text": "five", "why": "5 is 4 + 1."},
]
CHOICE = {"ask": "Which one is < even?", "options": OPTIONS}
SLIP = {"number": 5, "why": "That is the sum."}
NUMBER = {"ask": "What is 2 x 3?", "number": 6, "within": 0.1, "why": "Three twos.", "slips": [SLIP],
          "otherwise": "Add three twos."}  # fmt: skip


@pytest.fixture
def two(tmp_path: Path) -> Quiz:
    (tmp_path / "00.json").write_text(json.dumps({"questions": [CHOICE, NUMBER]}), encoding="utf-8")
    with pytest.raises(BadInput, match="choose one of: 00"):
        quiz("99", tmp_path)
    return quiz("00", tmp_path)


def test_numbers_are_judged_within_the_tolerance(two: Quiz):
    verdicts = {
        **{6: "✓ Right. Three twos.", " 6.1 ": "✓ Right. Three twos.", 6.2: "✗ Not right. Add three twos."},
        **{5.05: "✗ Not right. That is the sum.", "seven": "write a number"},
    }
    for answer, verdict in verdicts.items():
        assert verdict in two.set(question=2, answer=answer).verdicts[2].value


def test_a_click_judges_what_was_chosen_and_the_first_answer_counts(two: Quiz):
    letters = {answer.text[3:]: letter for letter, answer in two.asked[1].answers.items()}
    assert two.score() == "2 questions, none answered yet."
    buttons = [child for child in two.box.children if "Check" in getattr(child, "description", "")]
    for button, verdict in zip(buttons, two.verdicts.values(), strict=True):
        button.click()
        assert "Choose an answer" in verdict.value
    two.answers[1].value = letters["three"]
    buttons[0].click()
    assert "✗ Not right. 3 is 2 + 1." in two.verdicts[1].value and 'role="status"' in two.verdicts[1].value
    assert "✓ Right. 4 is 2 + 2." in two.set(question=1, answer=letters["four"]).verdicts[1].value
    two.set(question=2, answer=6)
    assert two.score() == "Answered 2 of 2; right at the first try: 1." and two.score() in two.words.value


def test_the_still_form_gives_nothing_away_and_the_key_tells_all(two: Quiz):
    bundle = two._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    still = bundle["text/html"]
    assert all(text in still for text in ("three", "four", "five", "&lt; even", bundle["text/plain"]))
    assert not any(word in still for word in ("right", "2 + 1", "2 + 2", "Three twos", "sum"))
    key = " ".join(two.key().split())
    assert ". four | 4 is 2 + 2." in key.split("(right) ")[1]
    assert "(right) 6 | Three twos." in key and "(wrong) 5 | That is the sum." in key


def test_the_quizzes_of_the_kit_explain_every_answer_and_neither_place_nor_length_betrays_it():
    places, longest = Counter(), 0
    for name in sorted(file.stem for file in QUIZZES.glob("*.json")):
        played = quiz(name)
        assert 4 <= len(played.asked) <= 6
        for question in played.asked.values():
            answers = question.answers
            (place,) = (key for key, answer in answers.items() if answer.right)
            assert all(len(answer.why) > 30 for answer in answers.values())
            assert len({answer.why for answer in answers.values()}) == len(answers)
            for key, answer in answers.items():
                assert question.judge(key) is answer, "a slip does not count as right"
            if question.within is None:
                assert len(answers) in (3, 4)
                places[place] += 1
                longest += len(answers[place].text) == max(len(answer.text) for answer in answers.values())
    choices = places.total()
    assert max(places.values()) <= 0.35 * choices and min(places.values()) >= 0.15 * choices
    assert 0 < longest <= 0.4 * choices

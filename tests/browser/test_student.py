"""A student's notebook as it is opened for the first time: its widgets and its quiz."""

from __future__ import annotations

import io
import re

import numpy as np
from conftest import PICTURES
from notebook import OpenNotebook, Shown
from PIL import Image
from playwright.sync_api import expect

from strokegan_lib.classroom.questions import LETTERS, questions
from strokegan_lib.classroom.widgets.browsers import PatientBrowser
from strokegan_lib.data.slices import SliceSet


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


class Asked(Shown):
    """A quiz: it has no one sentence, but questions and verdicts."""

    def sentence(self) -> str:
        return self.output.inner_text()


class TestStartHere:
    NOTEBOOK = "student/00_start_here.ipynb"
    RUN_TO = 'quiz("00")'

    def test_patient_browser_shows_the_slice_that_the_sliders_ask_for(
        self, notebook: OpenNotebook, phantom: SliceSet
    ):
        browser = notebook.output("browser = PatientBrowser(")
        before = browser.picture()
        plane = int(browser.drag("plane", 0.25))
        patient = int(browser.press("patient", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"))
        browser.says(f"{phantom.patients[patient]}, plane {plane} (0 to ")
        expected = PatientBrowser(phantom).set(patient=patient, plane=plane)
        assert (browser.picture() != before).any()
        assert (browser.picture() == decoded(expected.image.value)).all()
        assert browser.sentence() == expected.words.value
        browser.output.screenshot(path=PICTURES / "patient_browser.png")

    def test_mask_comparison_grows_the_second_mask(self, notebook: OpenNotebook):
        comparison = notebook.output("comparison = MaskComparison(")
        scores = []
        for keys in (["Home"], *[["ArrowRight"]] * 3):
            pixels = int(comparison.press("edge moved by", *keys))
            sentence = comparison.says(f"edge moved by {pixels:+d}:")
            scores.append(float(re.search(r"Dice ([\d.]+)", sentence)[1]))
        assert scores == sorted(scores) and scores[0] < scores[-1] == 1.0
        comparison.drag("edge moved by", 1.0)
        comparison.says("edge moved by +3:")
        comparison.output.screenshot(path=PICTURES / "mask_comparison.png")

    def test_quiz_judges_what_mouse_and_keys_choose(self, notebook: OpenNotebook):
        quiz = Asked(notebook.output(self.RUN_TO).output)
        quiz.shows("none answered yet")
        first, second, *_ = questions("00")
        rights = [option.right for option in first.options]
        wrong, right = rights.index(False), rights.index(True)

        # 1. the mouse: a wrong answer, then the right one; only the first counts
        for place, verdict in ((wrong, "✗ Not right."), (right, "✓ Right.")):
            option = first.options[place]
            quiz.output.get_by_role("radio", name=f"{LETTERS[place]}. {option.text}").check()
            quiz.output.get_by_role("button", name="Check answer 1").click()
            quiz.shows(f"{verdict} {option.why}")
        quiz.shows("Answered 1 of")
        quiz.shows("right at the first try: 0.")

        # 2. the keyboard: a number, then Tab to the button
        answer = quiz.output.get_by_role("textbox", name="answer").first
        answer.focus()
        answer.press_sequentially(f"{second.number:g}")
        answer.press("Tab")
        button = quiz.output.get_by_role("button", name="Check answer 2")
        expect(button).to_be_focused()
        button.press("Space")
        quiz.shows(f"✓ Right. {second.why}")
        quiz.shows("right at the first try: 1.")
        quiz.output.screenshot(path=PICTURES / "quiz.png")

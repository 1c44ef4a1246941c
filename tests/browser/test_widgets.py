"""One widget of each kind, used with mouse and keyboard: sliders, a clickable picture, the quiz."""

from collections.abc import Callable

from conftest import Shown
from playwright.sync_api import expect

from strokegan_lib.classroom import quiz as quiz_of
from strokegan_lib.data.slices import SliceSet

Find = Callable[[str], Shown]


def test_sliders_choose_a_slice(shown: Find, phantom: SliceSet):
    browser = shown("browser")
    before = browser.picture()
    browser.control("patient").locator(".noUi-handle").press("ArrowRight")
    said = browser.says(f"{phantom.patients[1]}, plane ")
    assert (browser.picture() != before).any()
    assert browser.img.get_attribute("title") in said  # words for those who cannot see it


def test_a_picture_is_clicked_on_and_takes_the_arrow_keys(shown: Find):
    explorer = shown("attention")
    pixel = explorer.img.bounding_box()["width"] / 256  # of a slice: two of 128 x 128 stand side by side
    explorer.img.click(position={"x": 81.5 * pixel, "y": 41.5 * pixel})
    explorer.says("position (10, 20) of 32 x 32")
    readouts = [explorer.control(name).locator(".widget-readout").inner_text() for name in ("row", "column")]
    assert readouts == ["41", "81"]
    before = explorer.picture()
    explorer.img.press("ArrowDown")
    explorer.img.press("Shift+ArrowLeft")
    said = explorer.says("position (11, 12) of 32 x 32")
    expect(explorer.img).to_be_focused()
    assert explorer.img.get_attribute("alt") in said and (explorer.picture() != before).any()


def test_the_quiz_judges_what_mouse_and_keys_choose(shown: Find):
    quiz, asked = shown("quiz"), quiz_of("05").asked
    for option in sorted(asked[2].answers.values(), key=lambda option: option.right)[-2:]:  # wrong, right
        quiz.output.get_by_role("radio", name=option.text).check()
        quiz.output.get_by_role("button", name="Check answer 2").click()
        quiz.says(f"{'✓ Right.' if option.right else '✗ Not right.'} {option.why}")
    quiz.says("Answered 1 of 6; right at the first try: 0.")
    answer = quiz.output.get_by_role("textbox", name="answer").first
    answer.press_sequentially(f"{next(iter(asked[1].answers)):g}")
    answer.press("Tab")
    button = quiz.output.get_by_role("button", name="Check answer 1")
    expect(button).to_be_focused()
    button.press("Space")
    quiz.says("right at the first try: 1.")

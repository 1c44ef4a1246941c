"""Every student edition runs untouched, and its checks name the mistakes that readers make.

A class a notebook: xdist gives a class to one worker, which executes the notebook once.
"""

from __future__ import annotations

import nbformat
import pytest
from student_run import ROOT, Verdicts, master, mistakes, run

from strokegan_lib.classroom.exercises import exercises
from strokegan_lib.classroom.tutorial import masters


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for every exercise, or for every wrong answer to it, of the class's notebook."""
    number = getattr(metafunc.cls, "number", None)
    if number is None:
        return
    given = mistakes(number)
    if "answer" in metafunc.fixturenames:
        cases = [(name, i) for name, answers in given.items() for i in range(len(answers))]
        metafunc.parametrize(("function", "answer"), cases)
    elif "function" in metafunc.fixturenames:
        metafunc.parametrize("function", list(given))


@pytest.fixture(scope="class")
def verdicts(request: pytest.FixtureRequest) -> dict[str, Verdicts]:
    return run(request.cls.number)


class Series:
    number: str

    def test_every_exercise_has_two_wrong_answers(self):
        file = master(self.number)
        functions = [exercise.function for exercise in exercises(nbformat.read(file, as_version=4), file)]
        assert sorted(mistakes(self.number)) == sorted(functions)
        assert all(len(answers) >= 2 for answers in mistakes(self.number).values())

    def test_untouched_it_says_what_is_to_do(self, verdicts: dict[str, Verdicts], function: str):
        assert verdicts[function].untouched == "To do: your code returns None so far.\n"

    def test_the_solution_is_right(self, verdicts: dict[str, Verdicts], function: str):
        assert verdicts[function].right == "Right.\n"

    def test_a_mistake_is_named(self, verdicts: dict[str, Verdicts], function: str, answer: int):
        verdict = verdicts[function].wrong[answer]
        assert verdict.startswith("Not yet: it ") and verdict.count("\n") == 1
        assert mistakes(self.number)[function][answer]["says"] in verdict.split(" You have ")[0]


class Test00(Series):
    number = "00"


class Test01(Series):
    number = "01"


class Test02(Series):
    number = "02"


class Test03(Series):
    number = "03"


class Test04(Series):
    number = "04"


class Test05(Series):
    number = "05"


class Test06(Series):
    number = "06"


class Test07(Series):
    number = "07"


class Test08(Series):
    number = "08"


class Test09(Series):
    number = "09"


class Test10(Series):
    number = "10"


class Test11(Series):
    number = "11"


def test_no_notebook_is_left_out():
    classes = {kind.number for kind in Series.__subclasses__()}
    assert classes == {file.name[:2] for file in masters(ROOT / "notebooks")}

"""What every master owes its readers: objectives, times, a quiz, an open question, colours that all can tell apart."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
import pytest
from colour_vision import CLEAR, DEFICIENCIES, LOST, confusions, palette, simulated
from matplotlib import pyplot as plt
from nbformat import NotebookNode
from PIL import Image

from strokegan_lib.classroom.exercises import tags
from strokegan_lib.classroom.saved import table_of
from strokegan_lib.classroom.times import STATED, TABLE, rounded
from strokegan_lib.classroom.tutorial import masters

ROOT = Path(__file__).parents[2]
MASTERS = masters(ROOT / "notebooks")


def figure(*colours: str) -> bytes:
    """A bar of each colour, with the frayed edges and the greys of a real figure."""
    drawn, axes = plt.subplots(figsize=(4, 3))
    axes.bar(range(len(colours)), range(1, 1 + len(colours)), color=colours)
    axes.plot([0, 1], [1, 0], color="0.5")
    file = io.BytesIO()
    drawn.savefig(file, format="png", dpi=80)
    plt.close(drawn)
    return file.getvalue()


class TestTheChecker:
    def test_red_and_green_of_like_lightness_are_found(self):
        (found,) = confusions(figure("tab:red", "tab:green"))
        assert found.deficiency == "deuteranopia" and found.before > 60 and found.after < LOST
        assert {found.first, found.second} == {(214, 39, 40), (44, 160, 44)}

    @pytest.mark.parametrize(
        "colours",
        [
            ("#e69f00", "#56b4e9"),
            ("#e69f00", "#0072b2", "#777777"),
            ("tab:orange", "tab:blue"),
            ("0.2", "0.5", "0.8"),
            ("tab:red",),
            ("#ff0000", "#ffb0b0"),
        ],
        ids=str,
    )
    def test_colours_that_stay_apart_pass(self, colours: tuple[str, ...]):
        assert confusions(figure(*colours)) == []

    def test_a_bad_pair_is_found_among_good_ones(self):
        found = confusions(figure("#0072b2", "#c85050", "#f0e442", "#6e8c3c"))
        assert {c.first for c in found} | {c.second for c in found} == {(200, 80, 80), (110, 140, 60)}

    @pytest.mark.parametrize("name", ["cividis", "viridis"])
    def test_the_maps_of_the_kit_pass_and_a_rainbow_fails(self, name: str):
        def ramp(name: str) -> bytes:
            file = io.BytesIO()
            colours = plt.get_cmap(name)(np.linspace(0, 1, 256))[None, :, :3].repeat(64, axis=0)
            Image.fromarray((255 * colours).astype(np.uint8)).save(file, "png")
            return file.getvalue()

        assert len(palette(ramp(name))) > 3 and confusions(ramp(name)) == []
        assert confusions(ramp("jet"))

    def test_greys_look_the_same_to_all(self):
        greys = np.linspace(0, 1, 11)[:, None].repeat(3, axis=1)
        for deficiency in DEFICIENCIES:
            assert np.allclose(simulated(greys, deficiency), greys, atol=1e-5)

    def test_red_is_darker_without_red_cones(self):
        """As it is known of protanopes, and not of deuteranopes to that degree."""
        red = np.array([1.0, 0.0, 0.0])
        assert simulated(red, "protanopia").max() < 0.5 < simulated(red, "deuteranopia").max()


@pytest.mark.parametrize("file", MASTERS, ids=lambda file: file.stem[:2])
class TestMaster:
    @pytest.fixture
    def notebook(self, file: Path) -> NotebookNode:
        return nbformat.read(file, as_version=4)

    def test_says_what_one_will_be_able_to_do(self, notebook: NotebookNode):
        promised = notebook.cells[0].source.split("**After it you will be able to**\n", 1)[1]
        objectives = re.findall(r"^(\d)\. (.+)", promised.split("**Time:**")[0], re.M)
        assert 3 <= len(objectives) <= 5
        assert [int(number) for number, _ in objectives] == list(range(1, len(objectives) + 1))

    def test_states_times_and_needs(self, notebook: NotebookNode):
        head = " ".join(notebook.cells[0].source.split())
        taught = re.search(
            r"\*\*Time:\*\* about (\d+) minutes to teach and (\d+) for the exercises \((.+?)\)", head
        )
        assert taught and "estimate" in taught[3] and all(int(taught[i]) % 5 == 0 for i in (1, 2))
        assert re.search(STATED.pattern + r" on one CPU core \(quick profile, measured\)", head)
        assert re.search(r"\*\*Needs:\*\* \w", head)

    def test_the_stated_run_time_was_measured(self, file: Path, notebook: NotebookNode):
        lines, card = table_of(TABLE)
        (seconds,) = [
            line["seconds"] for line in lines if (line["notebook"], line["profile"]) == (file.stem, "quick")
        ]
        assert int(STATED.search(notebook.cells[0].source)[2]) == rounded(seconds)
        assert card["measured"]["quick"]["processor"]

    def test_has_its_quiz_before_the_exercises(self, file: Path, notebook: NotebookNode):
        cells = notebook.cells
        (place,) = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and "quiz" in tags(cell)]
        assert cells[place].source.endswith(f'quiz("{file.name[:2]}")')
        assert cells[place - 1].cell_type == "markdown" and "quiz" in tags(cells[place - 1])
        assert place < next(i for i, cell in enumerate(cells) if "exercise" in tags(cell))

    def test_ends_its_exercises_with_an_open_question(self, notebook: NotebookNode):
        cells = notebook.cells
        (place,) = [i for i, cell in enumerate(cells) if cell.source.startswith("### For discussion")]
        assert "exercise" in tags(cells[place]) and "?" in cells[place].source
        assert {"solution", "instructor"} <= tags(cells[place + 1])
        assert cells[place + 1].source.startswith("*Points to raise.*")

    def test_tells_the_instructor_where_to_pause(self, notebook: NotebookNode):
        notes = [cell.source for cell in notebook.cells if tags(cell) == {"instructor"}]
        pauses = [note for note in notes if note.startswith(("**Pause here", "**Before exercise"))]
        assert len(pauses) >= 2
        for note in pauses:
            assert "*Misconception:*" in note and len(note.split()) <= 100, "to be read at a glance"

    def test_no_figure_relies_on_red_and_green(self, notebook: NotebookNode):
        for cell in notebook.cells:
            for output in cell.get("outputs", ()):
                if picture := output.get("data", {}).get("image/png"):
                    found = confusions(b64decode(picture))
                    assert not found, (
                        f"cell {cell.id}: {found[0]}; colours at least {CLEAR} apart come below {LOST}"
                    )


def test_the_series_is_small():
    assert sum(file.stat().st_size for file in MASTERS) < 8_000_000

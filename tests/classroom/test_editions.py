"""The editions of a small master: what each holds, and what is said where they do not fit."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from strokegan_lib import command_line as door
from strokegan_lib.classroom.badges import Home
from strokegan_lib.classroom.editions import BOX, derive, derived, differences, main
from strokegan_lib.classroom.exercises import exercises, lines_after
from strokegan_lib.classroom.masters import METADATA, read
from strokegan_lib.classroom.records import MIME
from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.errors import BadInput

REAL = masters(Path(__file__).parents[2] / "notebooks")[0]
HOME = Home("ada", "kit", "main")
PIXEL = base64.b64encode(b"a picture").decode()
SOLUTION = "def double(x):\n    return 2 * x\n\n\nprint(double(4))"


def tagged(cell: NotebookNode, *tags: str) -> NotebookNode:
    cell.metadata = NotebookNode({"tags": list(tags)} if tags else {})
    return cell


def printed(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def master() -> NotebookNode:
    """One exercise, with everything that a master may have around it."""
    picture = new_output(
        "display_data",
        {"image/png": PIXEL, "text/plain": "x"},
        metadata={"image/png": {"alt": "a line [1]\nthat rises"}},
    )
    cells = [
        new_markdown_cell(f"# 00 · Doubling\n\n{HOME.badges('00_double.ipynb')}\n\nWords.", id="title"),
        tagged(new_code_cell("PROFILE = DATA = ''", id="parameters", execution_count=1), "parameters"),
        new_markdown_cell(
            "[guide](../docs/guide.md#a), [next](01_next.ipynb), [web](https://x.org), [up](#a), $f[i](x)$",
            id="links",
        ),
        tagged(new_markdown_cell("### 1. Twice", id="task"), "exercise"),
        tagged(new_code_cell("def double(x):\n    return None", id="stub", execution_count=2), "exercise"),
        tagged(
            new_markdown_cell("<details><summary>Hint</summary>\n\nAdd.\n\n</details>", id="hint"), "hint"
        ),
        tagged(
            new_code_cell(SOLUTION, id="solution", execution_count=3, outputs=[printed("8"), printed("\n")]),
            "solution",
        ),
        tagged(
            new_code_cell("check(double)", id="check", execution_count=4, outputs=[printed("Right.\n")]),
            "check",
        ),
        tagged(new_markdown_cell("It is even.", id="comment"), "solution"),
        tagged(
            new_code_cell(
                "plot(double)",
                id="plot",
                execution_count=5,
                outputs=[picture, new_output("display_data", {MIME: {"a": 1}, "text/plain": "recorded: a"})],
            ),
            "solution",
            "nbval-ignore-output",
        ),
        tagged(new_markdown_cell("### For discussion", id="open"), "exercise"),
        tagged(new_markdown_cell("*Points to raise.*", id="points"), "solution", "instructor"),
    ]
    return new_notebook(cells=cells, metadata=METADATA)


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """A folder notebooks/ with the master, where a kit lies."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.strokegan]\nowner = "ada"\nrepo = "kit"\nref = "main"\n', encoding="utf-8"
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "guide.md").touch()
    folder = tmp_path / "notebooks"
    folder.mkdir()
    save(folder, master())
    return folder


def save(folder: Path, notebook: NotebookNode) -> None:
    nbformat.write(notebook, folder / "00_double.ipynb")


def edition(folder: Path, name: str) -> dict[str, NotebookNode]:
    """The cells of a derived edition by their id, in order."""
    notebook = nbformat.reads(derived(folder)[folder / name / "00_double.ipynb"], as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == master().metadata
    return {cell.id: cell for cell in notebook.cells}


def test_students_get_the_exercise_and_not_its_answer(notebooks: Path):
    cells = edition(notebooks, "student")
    assert list(cells) == [
        "title",
        "parameters",
        "links",
        "task",
        "stub",
        "hint",
        "check",
        "stub-expected",
        "open",
    ]
    assert cells["stub"].source == "def double(x):\n    return None"
    assert cells["parameters"].metadata.tags == ["parameters"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells.values())


def test_students_see_what_to_expect(notebooks: Path):
    cell = edition(notebooks, "student")["stub-expected"]
    assert cell.source.startswith("<details><summary>What you should see</summary>\n\n")
    assert "```python\nprint(double(4))\n```\n\nshow\n\n```text\n8\n```" in cell.source
    assert "```python\nplot(double)\n```\n\nshow\n\n![a line \\[1\\] that rises](attachment:" in cell.source
    assert cell.attachments == {"double-1.png": {"image/png": PIXEL}}
    assert "may differ" in cell.source  # the plot is tagged nbval-ignore-output
    assert "2 * x" not in cell.source and "Right." not in cell.source and "recorded" not in cell.source


def test_nothing_to_see_gives_no_cell(notebooks: Path):
    notebook = master()
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []) and cell.cell_type == "code":
            cell.outputs = []
    save(notebooks, notebook)
    assert "stub-expected" not in edition(notebooks, "student")


def test_instructors_get_everything_with_solutions_folded(notebooks: Path):
    cells = edition(notebooks, "instructor")
    originals = {cell.id: cell for cell in master().cells}
    assert list(cells) == list(originals)
    folded = [name for name, cell in cells.items() if cell.metadata.get("jupyter")]
    assert folded == ["solution", "plot"] and cells["plot"].metadata.jupyter == {"source_hidden": True}
    assert all(
        cells[name].source == cell.source for name, cell in originals.items() if cell.cell_type == "code"
    )
    assert cells["points"].source == f"{BOX}\n\n**For the instructor**\n\n*Points to raise.*\n\n</div>"
    assert cells["comment"].source == "It is even."
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells.values())


@pytest.mark.parametrize("name", ["student", "instructor"])
def test_title_badges_and_links_are_those_of_the_edition(notebooks: Path, name: str):
    cells = edition(notebooks, name)
    title = cells["title"].source
    assert title.startswith(
        f"# 00 · Doubling\n\n{HOME.badges(f'{name}/00_double.ipynb')}\n\n*{name.title()} edition"
    )
    assert HOME.badges("00_double.ipynb") not in title and "change that file, not this one" in title
    assert cells["links"].source == (
        "[guide](../../docs/guide.md#a), [next](01_next.ipynb), [web](https://x.org), [up](#a), $f[i](x)$"
    )


def test_a_second_time_there_is_nothing_to_do(notebooks: Path):
    files = derive(notebooks)
    assert {file.relative_to(notebooks).as_posix() for file in files} == {
        "student/00_double.ipynb",
        "instructor/00_double.ipynb",
    }
    assert derive(notebooks) == [] and differences(notebooks) == {}


def test_what_differs_is_named_and_mended(notebooks: Path):
    derive(notebooks)
    student, instructor = (notebooks / name / "00_double.ipynb" for name in ("student", "instructor"))
    student.write_text(student.read_text(encoding="utf-8").replace("Words", "Other words"), encoding="utf-8")
    instructor.unlink()
    orphan = notebooks / "student" / "07_gone.ipynb"
    orphan.touch()
    own = notebooks / "student" / "my notes.ipynb"
    own.touch()
    assert differences(notebooks) == {
        student: "is not what its master gives",
        instructor: "is missing",
        orphan: "has no master",
    }
    derive(notebooks)
    assert differences(notebooks) == {} and own.exists() and not orphan.exists()


def save_as_colab(folder: Path, notebook: NotebookNode, ids: bool) -> None:
    """As Google Colab may save it: another format, its badge, an empty cell first, ids in the metadata or nowhere."""
    saved = json.loads(nbformat.writes(notebook))
    saved |= {"nbformat_minor": 0, "metadata": {"colab": {"provenance": []}, "accelerator": "GPU"}}
    for cell in saved["cells"]:
        name = cell.pop("id")
        cell["metadata"] = {"tags": cell["metadata"].get("tags")} | ({"id": name} if ids else {})
    badge = {"cell_type": "markdown", "metadata": {"id": "view-in-github"}, "source": ["[![Open]()]()"]}
    empty = {"cell_type": "code", "metadata": {}, "source": [], "outputs": [], "execution_count": None}
    saved["cells"] = [empty, badge, *saved["cells"]]
    (folder / "00_double.ipynb").write_text(json.dumps(saved), encoding="utf-8")


@pytest.mark.parametrize("real", [False, True])
def test_a_master_saved_by_colab_gives_the_same_editions(notebooks: Path, real: bool):
    notebook = nbformat.read(REAL, as_version=4) if real else master()
    save(notebooks, notebook)
    expected = derived(notebooks)
    save_as_colab(notebooks, notebook, ids=True)
    assert derived(notebooks) == expected
    save_as_colab(notebooks, notebook, ids=False)
    without_ids = derived(notebooks)
    assert without_ids == derived(notebooks)  # the same ids each time
    for file, text in without_ids.items():
        given, wanted = (nbformat.reads(t, as_version=4).cells for t in (text, expected[file]))
        assert len({cell.id for cell in given}) == len(given)
        assert [{**cell, "id": ""} for cell in given] == [{**cell, "id": ""} for cell in wanted]


def test_code_before_the_title_comes_after_it_and_stays_as_it_is(notebooks: Path):
    notebook = master()
    notebook.cells.insert(0, new_code_cell("%pip list", id="added"))
    save(notebooks, notebook)
    cells = edition(notebooks, "student")
    assert list(cells)[:2] == ["title", "added"] and cells["added"].source == "%pip list"
    assert "Student edition" in cells["title"].source and "change that file" in cells["title"].source


def test_a_cell_without_an_id_takes_none_that_another_has(notebooks: Path):
    notebook = master()
    notebook.cells[1].id = "place-2"
    del notebook.cells[2]["id"]
    file = notebooks / "00_double.ipynb"
    file.write_text(json.dumps(notebook))
    assert len({cell.id for cell in read(file).cells}) == len(notebook.cells)


def test_a_master_without_a_title_is_named(notebooks: Path):
    save(notebooks, other("title", "Words."))
    with pytest.raises(BadInput, match=r"00_double\.ipynb: has no title"):
        derived(notebooks)


def without(tag: str) -> NotebookNode:
    notebook = master()
    notebook.cells = [cell for cell in notebook.cells if tag not in cell.metadata.get("tags", [])]
    return notebook


def twice(name: str) -> NotebookNode:
    notebook = master()
    (cell,) = (cell for cell in notebook.cells if cell.id == name)
    notebook.cells.insert(notebook.cells.index(cell), nbformat.from_dict({**cell, "id": "again"}))
    return notebook


def other(name: str, source: str) -> NotebookNode:
    notebook = master()
    next(cell for cell in notebook.cells if cell.id == name).source = source
    return notebook


@pytest.mark.parametrize(
    ("notebook", "cell", "words"),
    [
        (without("hint"), "stub", "no cells tagged hint"),
        (without("solution"), "stub", "no cells tagged solution"),
        (without("check"), "stub", "no cells tagged check"),
        (twice("check"), "stub", "2 cells tagged check"),
        (without("exercise"), "hint", "no stub stands before it"),
        (other("hint", "Add."), "hint", "is not folded"),
        (other("stub", "def double(x):\n    return 2 * x"), "stub", "no function that returns None"),
        (other("stub", "def double(x) return"), "stub", "no function that returns None"),
    ],
)
def test_an_exercise_that_is_not_whole_is_named(
    tmp_path: Path, notebook: NotebookNode, cell: str, words: str
):
    with pytest.raises(BadInput) as error:
        exercises(notebook, tmp_path / "00_double.ipynb")
    assert (
        words in str(error.value) and f"cell {cell}" in str(error.value) and "00_double" in str(error.value)
    )


def test_lines_after_the_function():
    assert lines_after("double", SOLUTION) == "print(double(4))"
    assert lines_after("double", "def double(x):\n    return 2 * x") == ""
    assert lines_after("double", "def draw():\n    plot(double)") == "def draw():\n    plot(double)"


def test_the_command_checks_derives_and_complains_in_one_line(
    notebooks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(notebooks.parent)

    def editions(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["editions", *options])
        return door.run(main, "editions"), *capsys.readouterr()

    code, _, complaint = editions("--check")
    assert code == 2 and complaint.count("\n") == 1
    assert "00_double.ipynb: is missing (as 1 more); run make editions" in complaint
    code, told, _ = editions()
    assert code == 0 and told.count("derived ") == 2
    assert editions("--check") == (0, "every edition is up to date\n", "")
    (notebooks / "00_double.ipynb").write_text("half a noteb", encoding="utf-8")
    code, _, complaint = editions()
    assert code == 2 and "is no notebook" in complaint and complaint.count("\n") == 1

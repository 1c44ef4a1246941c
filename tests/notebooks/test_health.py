"""What every notebook owes its readers, and that all can tell its colours apart.

Figures are simulated without red and without green cones (G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, IEEE TVCG
15:1291-1298, 2009: a matrix for linear RGB, here at severity 1); differences of colours are CIEDE2000.
"""

import io
import re
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image
from run import METADATA, TIMES, WIDGET
from skimage.color import deltaE_ciede2000, rgb2lab
from student import lessons, tags

WITHOUT_RED = "0.152286 1.052583 -0.204868 0.114503 0.786281 0.099216 -0.003882 -0.048116 1.051998"
WITHOUT_GREEN = "0.367322 0.860646 -0.227968 0.280085 0.672501 0.047413 -0.011820 0.042940 0.968881"
CHROMA = 20  # of a colour that means something: greys are told apart by lightness, which everybody sees
SHARE = 3e-4  # of a figure's pixels: fewer are the frayed edge of a line
CLEAR, LOST = 20, 10  # a pair that far apart must not come nearer than this
GRADES = ("easy", "middling", "hard")


def confused(picture: Image.Image) -> bool:
    """Whether a figure has colours that are plainly different, and nearly alike without red or green cones."""

    def distances(rgb: np.ndarray) -> np.ndarray:
        """CIEDE2000 between colours (n, 3), (n, n)."""
        return deltaE_ciede2000(rgb2lab(rgb[:, None]), rgb2lab(rgb[None]))

    size = picture.width * picture.height
    frequent = [colour for count, colour in picture.getcolors(size) if count >= max(20, SHARE * size)]
    colours = np.array(frequent).reshape(-1, 3) / 255  # (n, 3)
    colours = colours[np.linalg.norm(rgb2lab(colours)[:, 1:], axis=1) > CHROMA]
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    clear = distances(colours) >= CLEAR
    for matrix in (WITHOUT_RED, WITHOUT_GREEN):
        seen = np.clip(linear @ np.array(matrix.split(), dtype=float).reshape(3, 3).T, 0, 1)
        seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
        if (clear & (distances(seen) < LOST)).any():
            return True
    return False


def test_red_and_green_of_like_lightness_are_found():
    for one, other, bad in (("#d62728", "#2ca02c", True), ("#e69f00", "#0072b2", False)):
        picture = Image.new("RGB", (40, 40), one)
        picture.paste(other, (0, 0, 20, 40))
        assert confused(picture) == bad


@pytest.mark.parametrize("file", lessons(), ids=lambda file: file.name[:2])
def test_committed_as_it_ran_told_in_words_and_in_the_order_of_a_lesson(file: Path):
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    cells, head = notebook.cells, notebook.cells[0].source
    assert file.stat().st_size < 1_000_000 and notebook.metadata == METADATA
    counts = [cell.execution_count for cell in cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "make notebooks"
    for cell in cells:
        assert set(cell.metadata) <= {"tags"}, "make notebooks"
        assert not re.search(r"""!\[\]\(|<img(?![^>]*alt=)|["'](jet|rainbow|hsv)["']""", cell.source)
        for output in cell.get("outputs", ()):
            assert output.output_type != "error" and output.get("name") != "stderr"
            assert WIDGET not in output.get("data", {}), "make notebooks"
            if picture := output.get("data", {}).get("image/png"):
                assert len(output.metadata["image/png"]["alt"]) > 20
                assert not confused(Image.open(io.BytesIO(b64decode(picture))).convert("RGB")), cell.id

    # badges of Colab and Binder
    assert head.count(f"notebooks/{file.name})") == head.count(f"notebooks%2F{file.name})") == 1
    least, most = map(int, re.search(r"run in (\d+) to (\d+) seconds", head).groups())
    measured = re.search(rf"{file.name}\) \|.* (\d+) \|$", TIMES.read_text(encoding="utf-8"), re.M)
    assert abs(least - int(measured[1])) <= max(5, 0.3 * least) and least < most, "docs/notebook_times.md"
    (parameters,) = [cell for cell in cells if "parameters" in tags(cell)]
    assert re.findall(r"^(\w+) =", parameters.source, re.M) == ["PROFILE", "DATA"]
    (quiz,) = [i for i, cell in enumerate(cells) if f'quiz("{file.name[:2]}")' in cell.source]
    exercises = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and "exercise" in tags(cell)]
    title = re.compile(r"^### (\d)\. .+ \((★+) (\w+)\)$", re.M)
    numbers, stars, grades = zip(
        *(title.search(cells[i - 1].source).groups() for i in exercises), strict=True
    )
    assert list(map(int, numbers)) == list(range(1, len(numbers) + 1))
    assert [GRADES[len(mark) - 1] for mark in stars] == list(grades)
    assert quiz < exercises[0] and len(stars) >= 3 and list(stars) == sorted(stars)
    assert all("hint" in tags(cells[i + 1]) for i in exercises)


@pytest.mark.parametrize("file", lessons(), ids=lambda file: file.name[:2])
def test_a_lesson_is_an_hour(file: Path):
    """Without references, checks, solutions, instructors' notes and what stands under "For the curious"."""
    words = lines = 0
    for cell in nbformat.read(file, as_version=4).cells:
        if "## For the curious" in cell.source:
            break
        if cell.cell_type == "markdown" and not tags(cell) & {"solution", "instructor"}:
            text = re.sub(r"\]\([^)]*\)", "]", cell.source.split("## References")[0])
            words += len(re.findall(r"[A-Za-z][\w'’-]*", text))
        elif cell.cell_type == "code" and not tags(cell) & {"solution", "check"}:
            here = len([line for line in cell.source.splitlines() if line.strip()])
            lines, longest = lines + here, 30 if "exercise" in tags(cell) else 24
            assert here <= longest, cell.source.splitlines()[0]
    assert words <= 1900 and lines <= 300

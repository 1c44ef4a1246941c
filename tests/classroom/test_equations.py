"""Equations as MathML: every one of the series, and the parts that browsers would draw badly."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from strokegan_lib.classroom.equations import NAMESPACE, markdown, mathml

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def elements(latex: str, name: str, **options) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(mathml(latex, **options)).iter(f"{{{NAMESPACE}}}{name}"))


def test_bars_stay_as_high_as_a_letter_unless_they_are_told_to_grow():
    assert [mo.get("stretchy") for mo in elements(r"\lVert a \rVert^2", "mo")] == ["false"] * 2
    assert [mo.get("stretchy") for mo in elements(r"\left| \frac12 \right|", "mo")] == ["true"] * 2


def test_what_a_maximum_runs_over_stands_below_it_in_a_displayed_equation():
    assert elements(r"\max_{x \ne 0} f(x)", "munder", display=True)
    assert not elements(r"\max_{x \ne 0} f(x)", "munder")
    assert not elements(r"a_{x \ne 0}", "munder", display=True)


def test_the_label_of_an_arrow_keeps_its_width():
    assert elements(r"1 \xrightarrow{\text{stride 2}} 4", "mpadded")[0].attrib == {}


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_every_equation_of_the_series_is_understood(file: Path):
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "markdown":
            html = markdown(cell.source)
            for equation in re.findall(r"<math.*?</math>", html, re.S):
                assert "\\" not in equation, f"{cell.id}: latex2mathml does not know a command in {equation}"
            assert "$$" not in re.sub(r"<code>.*?</code>", "", html, flags=re.S), cell.id

"""Equations as MathML, which browsers draw by themselves: no script, no network.

The report, the slides and the site all draw equations this way. latex2mathml translates;
what browsers draw badly of its answer is mended here.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
BARS = {"|", "\N{DOUBLE VERTICAL LINE}"}
LIMITS = {"max", "min"}  # what they run over stands below them in a displayed equation

# Brackets grow with their contents only in a font made for mathematics; each system has one of these.
STYLE = """
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math; }
math[display=block] { margin: 1rem 0; max-width: 100%; overflow-x: auto; overflow-y: hidden; padding: .2rem 0; }
"""

ElementTree.register_namespace("", NAMESPACE)


def mathml(latex: str, *, display: bool = False) -> str:
    r"""An equation in LaTeX as a MathML element.

    Args:
        latex: without its dollar signs.
        display: True for an equation on a line of its own, ``$$...$$``.

    Example:
        >>> mathml(r"|x|").count('stretchy="false"')
        2
    """
    latex = re.sub(r"\\(l|r)vert(?![a-zA-Z])", "|", latex.strip())  # latex2mathml misses \big\lvert
    root = ElementTree.fromstring(convert(latex, display="block" if display else "inline"))
    for element in list(root.iter()):
        _mend(element, display)
    return ElementTree.tostring(root, encoding="unicode")


def _mend(element: ElementTree.Element, display: bool) -> None:
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    if name == "mo" and element.text in BARS and element.get("stretchy") != "true":
        # a bar would grow with all that follows it, and keep its distance like a sign between two numbers
        element.attrib |= {"stretchy": "false", "lspace": "0", "rspace": "0"}
    elif name == "mpadded":  # the label of an arrow: browsers do not know relative lengths
        element.attrib.clear()
    elif name == "msub" and display and element[0].text in LIMITS:
        element.tag = f"{{{NAMESPACE}}}munder"


class _Renderer(IPythonRenderer):
    """nbconvert's Markdown, with equations as MathML instead of a script's business."""

    def block_math(self, body: str) -> str:
        return mathml(body, display=True)

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", display=True)


def markdown(source: str) -> str:
    """Markdown of a notebook, with its equations, as HTML."""
    return MarkdownWithMath(renderer=_Renderer(escape=False)).render(source)

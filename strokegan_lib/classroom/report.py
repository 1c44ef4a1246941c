"""Executed notebooks as one page that needs no network: no script, no font, no style from elsewhere.

nbconvert turns cells into HTML, equations become MathML, and a page of CSS does the rest.
"""

from __future__ import annotations

import re
from html import escape

from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

from strokegan_lib.classroom import equations
from strokegan_lib.classroom.badges import BADGE

WIDGET = "application/vnd.jupyter.widget-view+json"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 56rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .2rem .8rem; text-align: left; }
tbody tr:nth-child(odd) { background: #f4f4f4; } td.number { text-align: right; }
pre, code { font-size: .85rem; } .highlight, .input_area pre { background: #f7f7f7; padding: .1rem .6rem; overflow-x: auto; }
.output_area pre { padding: 0 .6rem; border-left: 3px solid #ccc; overflow-x: auto; }
.output_error pre, .failed { color: #a00; } img { max-width: 100%; } .prompt, .anchor-link { display: none; }
section { border-top: 2px solid #888; margin-top: 3rem; }
details { margin: .5rem 0; }
"""


def title_of(notebook: NotebookNode, otherwise: str) -> str:
    """The first heading of a notebook."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (heading := re.search(r"^# (.+)$", cell.source, re.M)):
            return heading.group(1).strip()
    return otherwise


def _body(notebook: NotebookNode) -> str:
    """One executed notebook as a fragment of HTML."""
    notebook = NotebookNode({**notebook, "metadata": {"language_info": {"name": "python"}}})
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = BADGE.sub("", cell.source)  # they are pictures from elsewhere
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)  # its picture or its text stands beside it
    exporter = HTMLExporter(template_name="basic")
    exporter.register_filter("markdown2html", equations.markdown)
    return exporter.from_notebook_node(notebook)[0]


def page(title: str, head: str, notebooks: dict[str, NotebookNode], rows: dict[str, dict]) -> str:
    """The whole report.

    Args:
        title: of the page.
        head: a sentence under it, plain text.
        notebooks: name -> executed notebook, in the order of the series.
        rows: name -> its entry in ``results.json``: status and seconds.

    Returns:
        A complete HTML document.
    """
    contents, sections = [], []
    for name, notebook in notebooks.items():
        row = rows[name]
        contents.append(
            f'<tr><td><a href="#{name}">{escape(title_of(notebook, name))}</a></td>'
            f'<td class="{row["status"]}">{row["status"]}</td><td class="number">{row["seconds"]:.1f}</td></tr>'
        )
        sections.append(f'<section id="{name}">{_body(notebook)}</section>')
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{equations.STYLE}'
        f"{HtmlFormatter(style='default').get_style_defs('.highlight')}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p>{escape(head)}</p><nav><table><thead><tr><th>Notebook</th>"
        f"<th>Status</th><th>Seconds</th></tr></thead><tbody>{''.join(contents)}</tbody></table></nav></header>"
        f"<main>{''.join(sections)}</main></body></html>\n"
    )

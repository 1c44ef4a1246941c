"""Settings of Sphinx for `make site`; strokegan_lib/classroom/site.py writes the sources that it reads.

Nothing here may need a network when a page is read: no font, no script, no style from elsewhere.
"""

from docutils import nodes
from sphinx.application import Sphinx

import strokegan_lib
from strokegan_lib.classroom.equations import mathml

project = "GANs on brain-stroke images"
author = "the authors of the kit"
version = release = strokegan_lib.__version__
language = "en-GB"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]

nb_execution_mode = "off"  # the committed outputs are shown
nb_ipywidgets_js = {}
nb_render_markdown_format = "myst"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "attrs_block", "colon_fence", "deflist", "dollarmath", "html_image"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # an exercise may begin at the third level

# every page carries the whole contents: with each function in it, building takes minutes
toc_object_entries = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
add_module_names = False

html_theme = "furo"
html_title = "GANs on brain-stroke images"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"announcement": "For teaching only, not for clinical use."}
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_use_index = False  # the search does better, and on a phone it fits
html_domain_indices = False
html_show_search_summary = False  # a browser reads no other page from a disk
html_math_renderer = "mathml"


def _inline(translator, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext(), display=True)}</div>')
    raise nodes.SkipNode


def _plain_tables(app, what, name, obj, options, lines: list[str]) -> None:
    """A table in Markdown stands in a docstring as it is: Sphinx would read its bars as something else."""
    for i in reversed([i for i, line in enumerate(lines) if line.startswith("|")]):
        lines[i] = f"    {lines[i]}"
        if not (i and lines[i - 1].startswith("|")):
            lines[i:i] = ["::", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _plain_tables)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

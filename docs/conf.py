"""Sphinx settings for ``make site``: the documents and the notebooks with their committed outputs, not executed."""

import re

from sphinx.application import Sphinx

project = html_title = "GANs on brain-stroke images"
author = "the authors of the kit"
language = "en-GB"
extensions = ["myst_nb"]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "notebooks/[0-9]*.ipynb",
    "strokegan_lib/weights/*.md",
    "README.md",
    "CONTRIBUTING.md",
]

nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath", "html_image"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]  # exercises begin at the third level; records

html_theme = "furo"
html_theme_options = {"announcement": "For teaching only, not for clinical use."}
html_show_copyright = False
html_copy_source = False

BLOB = re.compile(r"https://github\.com/[^/\s]+/[^/\s]+/blob/[^/\s]+/docs/")


def links_to_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """Notebooks link to documents by their address on GitHub, for Colab; here they lead to the site's own page."""
    if page.startswith("notebooks/"):
        source[0] = BLOB.sub("../docs/", source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", links_to_pages)

"""Sphinx settings for ``make site``: documents, and notebooks with their committed outputs, not executed."""

import re

from sphinx.application import Sphinx

project = html_title = "GANs on brain-stroke images"
extensions = ["myst_nb"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "notebooks/[0-9]*.ipynb", "strokegan_lib/weights/*.md"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "dollarmath", "html_image"]
myst_heading_anchors = 4
# exercises begin at the third level, results are recorded beside outputs, and README lists the cards of weights
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type", "toc.not_included"]
html_theme = "furo"
html_theme_options = {"announcement": "For teaching only, not for clinical use."}


def links_to_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """Notebooks link to documents by their address on GitHub, for Colab; here they lead to the site's own page."""
    if page.startswith("notebooks/"):
        source[0] = re.sub(r"https://github\.com/[^/\s]+/[^/\s]+/blob/[^/\s]+/docs/", "../docs/", source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", links_to_pages)

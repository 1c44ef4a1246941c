"""A widget is shown in Jupyter, and on Colab also where anywidget is in it."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import ipywidgets as widgets
import pytest

from strokegan_lib.classroom.widgets.interactive import VIEW, live


@pytest.fixture
def box() -> widgets.VBox:
    return widgets.VBox([widgets.IntSlider()])


def test_what_jupyter_is_told_is_what_ipywidgets_says(box: widgets.VBox):
    data, metadata = live(box)
    assert data[VIEW] == box._repr_mimebundle_()[VIEW]
    assert metadata == {}


@pytest.mark.parametrize("url", [None, "https://example.org/manager.js"])
def test_colab_is_told_which_manager_was_switched_on(
    box: widgets.VBox, monkeypatch: pytest.MonkeyPatch, url: str | None
):
    output = ModuleType("google.colab.output")  # as in its source: the address is kept in _widgets
    output._widgets = SimpleNamespace(_installed_url=url)
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    metadata = live(box)[1]
    assert metadata == ({VIEW: {"colab": {"custom_widget_manager": {"url": url}}}} if url else {})

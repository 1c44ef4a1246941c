"""A lesson imports from the classroom itself, and the classroom loads nothing that is not asked for."""

import subprocess
import sys

import pytest

from strokegan_lib import classroom

HEAVY = (
    "import strokegan_lib.classroom, sys; print({'torch', 'ipywidgets', 'matplotlib'} & sys.modules.keys())"
)


def test_every_name_is_there_and_loaded_when_it_is_asked_for():
    for name in classroom.__all__:
        assert getattr(classroom, name).__name__ == name
    with pytest.raises(AttributeError, match="chalk"):
        _ = classroom.chalk
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

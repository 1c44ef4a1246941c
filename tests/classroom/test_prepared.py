"""The set a notebook works on: the reader's own, or a phantom made once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from strokegan_lib.classroom.datasets import cache_folder, one_channel, prepared
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.errors import BadInput
from strokegan_lib.profiles import Profile

TINY = Profile("tiny", "tests", patients=2, slices_per_patient=4, batch_size=1, width=4, steps=1, threads=1)
MAKE_TINY = """
import sys
from strokegan_lib.classroom.datasets import prepared
from strokegan_lib.profiles import Profile
print(prepared(None, Profile("tiny", "tests", 2, 4, 1, 4, 1, 1)).folder)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STROKEGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_readers_own_set_is_opened_as_it_is(cache: Path, phantom: SliceSet):
    assert prepared(str(phantom.folder), TINY).card == phantom.card
    assert not cache.exists()  # no phantom is made then


def test_a_phantom_is_made_once_for_each_size(cache: Path):
    first = prepared("", TINY)
    made = (first.folder / "dataset.json").stat().st_mtime_ns
    assert len(first) == 8 and first.folder.parent == cache == cache_folder()
    again = prepared(None, TINY)
    assert again.folder == first.folder and (again.folder / "dataset.json").stat().st_mtime_ns == made


def test_a_phantom_that_has_changed_on_disk_is_made_again(cache: Path):
    first = prepared(None, TINY)
    expected = first.card["sha256"]
    with open(first.folder / "images.npy", "r+b") as file:
        file.seek(5000)
        file.write(b"\x01\x02\x03")
    assert prepared(None, TINY).card["sha256"] == expected


def test_a_finished_phantom_is_read_by_who_may_write_nothing_there(cache: Path, monkeypatch):
    """Another account's cache: its lock can be neither made nor taken."""
    first = prepared(None, TINY)
    for lock in cache.glob(".*.lock"):
        assert lock.stat().st_mode & 0o666 == 0o666, "the next account must be able to take it"
    monkeypatch.setattr("strokegan_lib.classroom.datasets.FileLock", None)
    assert prepared(None, TINY).card == first.card


def test_an_account_without_a_home_is_told_which_variable_helps(monkeypatch):
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("STROKEGAN_CACHE")
    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(BadInput, match="home folder: is not known here; set STROKEGAN_CACHE"):
        prepared(None, TINY)
    monkeypatch.setenv("STROKEGAN_CACHE", "~/somewhere")
    monkeypatch.setenv("HOME", "/elsewhere")
    assert cache_folder() == Path("/elsewhere/somewhere")


def test_processes_that_ask_at_once_get_the_same_phantom(cache: Path):
    command = [sys.executable, "-c", MAKE_TINY]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert answers[0][0].splitlines()[-1] == answers[1][0].splitlines()[-1]
    assert sum(folder.is_dir() for folder in cache.iterdir()) == 1


def test_a_cache_that_cannot_be_written_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STROKEGAN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(BadInput, match="set STROKEGAN_CACHE"):
        prepared(None, TINY)


def test_the_cache_lies_at_home_unless_it_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("STROKEGAN_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "strokegan"
    assert "STROKEGAN_CACHE" not in os.environ


def test_a_set_of_one_channel_is_kept(phantom: SliceSet, capsys: pytest.CaptureFixture):
    assert one_channel(phantom.folder) == phantom.folder
    assert one_channel("") == one_channel(None) == ""
    assert capsys.readouterr().out == ""
    with pytest.raises(BadInput, match="is not a SliceSet"):
        one_channel("no/such/folder")


def test_a_set_of_several_channels_is_left_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture):
    about = About("two", "made up", "none", "nobody", ("dwi", "adc"), "pytest")
    with SliceSetWriter(tmp_path / "two", about) as writer:
        none = np.zeros((1, 128, 128), bool)
        writer.add(
            np.zeros((1, 2, 128, 128), np.uint8), none, none, patient="p", case="p", plane=np.zeros(1),
            z=np.zeros(1), spacing=(1, 1, 1), source="made up",
        )  # fmt: skip
    assert one_channel(tmp_path / "two", "the saved table") == ""
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'two'} has 2 channels (dwi, adc)") and said.count("\n") == 1
    assert "the saved table is used instead" in said

"""A file that is written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.files import write_whole


def test_a_text_is_written_as_it_is(tmp_path: Path):
    file = tmp_path / "a.txt"
    write_whole(file, "Gänge\r\n1\n")
    assert file.read_bytes() == "Gänge\r\n1\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_name_that_is_no_utf8_is_escaped_and_comes_back(tmp_path: Path):
    name = os.fsdecode(b"M\xfcnchen")
    write_whole(tmp_path / "a.json", json.dumps({"source": name}, ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"source": name}


def test_a_file_keeps_its_mode(tmp_path: Path):
    file = tmp_path / "run.sh"
    file.write_text("old")
    file.chmod(0o750)
    before = file.stat().st_mode
    write_whole(file, "new")
    assert (file.read_text(), file.stat().st_mode) == ("new", before)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "a.txt"
    file.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        BadInput, match=r"a\.txt: cannot be written \(no space left on device\); free some space"
    ):
        write_whole(file, "new")
    assert file.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match="no such file"):
        write_whole(tmp_path / "gone" / "a.txt", "new")

"""A file that is written whole or not at all; errors of the system as one line."""

import hashlib
import json
import os

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256, write_whole


def test_a_text_is_written_as_it_is(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    write_whole(file, "Gänge\r\n1\n")
    assert file.read_bytes() == "Gänge\r\n1\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert sha256(file) == hashlib.sha256(file.read_bytes()).hexdigest()
    name = os.fsdecode(b"M\xfcnchen")  # no UTF-8: it is escaped, and comes back
    write_whole(file, json.dumps({"source": name}, ensure_ascii=False))
    assert json.loads(file.read_text(encoding="utf-8")) == {"source": name}


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "a.txt"
    file.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    complaint = r"a\.txt: cannot be written \(no space left on device\); free some space"
    with pytest.raises(BadInput, match=complaint):
        write_whole(file, "new")
    assert file.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(BadInput, match=r"a\.txt: cannot be written \(no such file"):
        write_whole(tmp_path / "gone" / "a.txt", "new")

"""How every command ends: 0, or 2 with one line on stderr."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT, files

from strokegan_lib.command_line import command_for_card, run
from strokegan_lib.errors import BadInput, writing

COMMANDS = [
    file
    for file in files()
    if file.relative_to(ROOT).parts[0] in ("strokegan_lib", "data_scripts")
    and file.suffix == ".py"
    and '__name__ == "__main__"' in file.read_text(encoding="utf-8")
]
IN_SHELL = f"{shlex.quote(sys.executable)} -c 'import sys; from strokegan_lib.command_line import run; sys.exit(run({{}}, \"c\"))'"


@pytest.mark.parametrize("file", COMMANDS, ids=lambda file: file.stem)
def test_every_command_shows_its_options(file, monkeypatch, capsys):
    def shown(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", [str(file), *words, "--help"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(file), run_name="__main__")
        out, err = capsys.readouterr()
        assert not ended.value.code and out.startswith("usage: ") and not err
        return out

    tasks = re.search(r"(\w+(?:\|\w+)+)\s+\.\.\.", shown())  # train segmentation, ...
    for task in tasks[1].split("|") if tasks else ():
        assert "--out" in shown(task)


def raising(error: BaseException):
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadInput("a\nfile", "is\n  bad", "mend it"), 2, "c: a file: is bad; mend it\n"),
        (KeyboardInterrupt(), 130, "c: stopped; nothing half-written is left\n"),
        (MemoryError(), 2, "c: the memory of this machine: is not enough; give smaller numbers\n"),
        (RuntimeError("x: can't allocate memory: you tried to"), 2, "c: the memory of this machine: is not enough; give smaller numbers\n"),
    ],
)  # fmt: skip
def test_what_ends_a_command_is_one_line(error, code, line, capsys):
    assert run(raising(error), "c") == code and capsys.readouterr().err == line


def test_success_is_0_and_a_fault_of_the_kit_keeps_its_traceback():
    assert run(lambda: None, "c") == 0
    for error in (ZeroDivisionError(), RuntimeError("a size does not fit")):
        with pytest.raises(type(error)):
            run(raising(error), "c")


def shell(main: str, rest: str = "", **env: str) -> subprocess.CompletedProcess:
    command = IN_SHELL.format(main) + rest
    return subprocess.run(["bash", "-c", command], capture_output=True, env={**os.environ, **env})


def test_a_reader_that_goes_away_ends_the_command_quietly():
    """``command | head``: no word on stderr."""
    done = shell("lambda: [print(k, flush=True) for k in range(99999)]", " | head -n 1")
    assert done.stdout == b"0\n" and not done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_stdout_on_a_full_disk_is_one_line_and_a_closed_one_nothing():
    full = shell('lambda: print("done")', " > /dev/full")
    assert full.returncode == 2 and b"standard output: the disk is full" in full.stderr
    assert full.stderr.count(b"\n") == 1
    closed = shell('lambda: print("done")', " >&-")
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_a_terminal_that_knows_few_letters_ends_no_finished_command():
    done = shell("lambda: print(chr(0x141), chr(0xdcfc))", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0 and done.stdout.split() == [rb"\u0141", rb"\udcfc"]


def test_a_card_names_files_without_where_they_lie():
    words = ["--data", "/Users/someone/set", "--url", "http://a/b", "--n=3"]
    assert command_for_card("c", words) == "c --data set --url http://a/b --n=3"


def test_trouble_with_the_disk_names_file_and_reason(tmp_path):
    with (
        pytest.raises(BadInput, match=r"b: cannot be written \(not a directory\); free some space"),
        writing(tmp_path / "b"),
    ):
        (tmp_path / "a").write_text("")
        (tmp_path / "a" / "b").write_text("")

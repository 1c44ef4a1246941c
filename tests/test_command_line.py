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

from strokegan_lib.command_line import Parser, run
from strokegan_lib.errors import BadInput, writing

COMMANDS = [
    file
    for file in files()
    if file.relative_to(ROOT).parts[0] in ("strokegan_lib", "data_scripts")
    and file.suffix == ".py"
    and '__name__ == "__main__"' in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("file", COMMANDS, ids=lambda file: file.stem)
def test_every_command_tells_its_options(file, monkeypatch, capsys):
    def told(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", [str(file), *words, "--help"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(file), run_name="__main__")
        out, err = capsys.readouterr()
        assert not ended.value.code and out.startswith("usage: ") and not err
        return out

    tasks = re.search(r"(\w+(?:\|\w+)+)\s+\.\.\.", told())  # train segmentation, ...
    for task in tasks[1].split("|") if tasks else ():
        assert "--out" in told(task)


def test_bad_input_is_one_line_whatever_it_says(capsys):
    def main():
        raise BadInput("a\nfile", "is\n  bad", "mend it")

    assert run(main, "command") == 2
    assert capsys.readouterr().err == "command: a file: is bad; mend it\n"


def test_success_and_an_interrupt(capsys):
    def interrupted():
        raise KeyboardInterrupt

    assert run(lambda: None, "command") == 0
    assert run(interrupted, "command") == 130
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_fault_of_the_kit_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0, "command")


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path):
    """``command | head``: 141, as a shell has it, and no word on stderr."""
    lines = "from strokegan_lib.command_line import run; run(lambda: [print(k, flush=True) for k in range(99999)], 'c')"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(lines)}"
    done = subprocess.run(["bash", "-c", f"{command} | head -n 1"], capture_output=True, text=True)
    assert done.stdout == "0\n" and not done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_stdout_on_a_full_disk_is_one_line_and_a_closed_one_nothing():
    lines = (
        "import sys; from strokegan_lib.command_line import run; sys.exit(run(lambda: print('done'), 'c'))"
    )
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(lines)}"
    full = subprocess.run(["bash", "-c", f"{command} > /dev/full"], capture_output=True, text=True)
    assert full.returncode == 2 and "standard output: the disk is full" in full.stderr
    assert full.stderr.count("\n") == 1
    closed = subprocess.run(["bash", "-c", f"{command} >&-"], capture_output=True, text=True)
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("x: can't allocate memory: you tried to")])
def test_too_little_memory_is_one_line(error, capsys):
    def main():
        raise error

    assert run(main, "c") == 2
    assert capsys.readouterr().err == "c: the memory of this machine: is not enough; give smaller numbers\n"


def test_a_terminal_that_knows_few_letters_ends_no_finished_command():
    lines = "import sys; from strokegan_lib.command_line import run; sys.exit(run(lambda: print('Łódź', chr(0xdcfc)), 'c'))"
    done = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, env={**os.environ, "PYTHONIOENCODING": "cp1252"}
    )
    assert done.returncode == 0 and done.stdout.split() == [
        rb"\u0141\xf3d\u017a".replace(rb"\xf3", b"\xf3"),
        rb"\udcfc",
    ]


def test_bad_use(capsys):
    parser = Parser(prog="command")
    parser.add_argument("--n", type=int)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--n", "x"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and "command --help" in error


def test_trouble_with_the_disk_names_file_and_reason(tmp_path):
    with (
        pytest.raises(BadInput, match=r"b: cannot be written \(not a directory\); free some space or"),
        writing(tmp_path / "b"),
    ):
        (tmp_path / "a").write_text("")
        (tmp_path / "a" / "b").write_text("")

"""Every command: its options, whose numbers have a range, and how it ends: 0, or 2 with one line on stderr."""

import argparse
import os
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from repository import ROOT, files

from data_scripts import make_phantom
from strokegan_lib import evaluate, synthesise, train
from strokegan_lib.command_line import (
    Parser,
    add_options,
    command_for_card,
    integer,
    number,
    option,
    path,
    run,
)
from strokegan_lib.errors import BadInput
from strokegan_lib.scans import command as prepare
from strokegan_lib.scans.soop import SOURCE

COMMANDS = [
    file
    for file in files()
    if file.relative_to(ROOT).parts[0] in ("strokegan_lib", "data_scripts")
    and file.suffix == ".py"
    and '__name__ == "__main__"' in file.read_text(encoding="utf-8")
]
PARSERS = [*(module.parser() for module in (evaluate, synthesise, make_phantom)), prepare.parser(SOURCE)]
PARSERS += train.parser()._subparsers._group_actions[0].choices.values()
NUMBERS = {
    f"{parser.prog} {action.option_strings[-1]}": (parser, action)
    for parser in PARSERS
    for action in parser._actions
    if action.type not in (None, path)
}
NEVER = ("nan", "inf", "-inf", "1e300", "-1e300", "-9223372036854775809", "1" + "0" * 40, "many", "")
IN_SHELL = f"{shlex.quote(sys.executable)} -c 'import sys; from strokegan_lib.command_line import run; sys.exit(run({{}}, \"c\"))'"


@pytest.mark.parametrize("file", COMMANDS, ids=lambda file: file.stem)
def test_every_command_shows_its_options(file, monkeypatch, capsys):
    assert file.stem.startswith("prepare_") or any(file.stem in parser.prog for parser in PARSERS)

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


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_range_is_one_line(name, capsys):
    parser, action = NUMBERS[name]
    flag = action.option_strings[-1]
    for word in NEVER:
        words = [f"{flag}={word}"] if action.nargs is None else [flag, *[word] * 2]
        if action.nargs is not None and (word == "" or word.startswith("-")):
            continue  # argparse takes it for an option
        with pytest.raises(SystemExit) as end:
            parser.parse_args(words)
        error = capsys.readouterr().err
        assert end.value.code == 2 and error.count("\n") == 1, (word, error)
        assert flag in error and "give a" in error


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (integer(1, 9), ("1", "9"), ("0", "10", "1.5")),
        (number(0, 1), ("0", "1"), ("-0.1", "1.1")),
        (number(0, 1, within=True), ("0.5",), ("0", "1")),
    ],
)
def test_ranges_hold_their_ends(kind, good, bad):
    assert [kind(word) for word in good] == [float(word) for word in good]
    for word in bad:
        with pytest.raises(argparse.ArgumentTypeError, match="give a"):
            kind(word)


def test_a_tilde_is_the_home_folder_in_every_way_of_giving_a_path(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    parser = Parser()
    parser.add_argument("--out", type=path)
    assert parser.parse_args(["--out=~/run"]).out == Path("/somewhere/run") and path("a~b") == Path("a~b")


@dataclass(frozen=True)
class Choices:
    count: int = option(3, "how many", integer(1, 9))
    kind: str = option("a", "which (default: the first)", choices=("a", "b"))
    deep_inside: bool = option(True, "whether")
    unseen: float = 0.5


def test_a_dataclass_makes_the_options(capsys):
    parser = Parser(prog="command")
    add_options(parser, replace(Choices(), count=4))
    given = vars(parser.parse_args(["--kind", "b", "--no-deep-inside"]))
    assert given == {"kind": "b", "deep_inside": False}  # what is not given is not there
    shown = " ".join(parser.format_help().split())
    assert "how many (default: 4)" in shown and "which (default: the first)" in shown
    for words in (["--count", "0"], ["--kind", "c"], ["--unseen", "1"]):
        with pytest.raises(SystemExit):
            parser.parse_args(words)
    assert len(capsys.readouterr().err.splitlines()) == 3


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
    words = ["--data", "/Users/someone/set", "--url", "http://a/b", "--n=3", "--out=runs/one", "--no-mirror"]
    assert command_for_card("c", words) == "c --data set --url http://a/b --n=3 --out=one --no-mirror"

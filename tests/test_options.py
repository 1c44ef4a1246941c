"""Every numeric option of every command: a number out of range is one line, whatever the number."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import pytest

import strokegan_lib
from strokegan_lib.command_line import Parser, integer, number, path
from strokegan_lib.scans.command import parser as prepare_parser
from strokegan_lib.scans.soop import SOURCE

ROOT = Path(strokegan_lib.__file__).parent
NEVER = ("nan", "inf", "-inf", "1e300", "-1e300", "1e400", "-9223372036854775809", "1" + "0" * 40, "many", "")


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Every parser that a function ``parser`` of the library makes, and those of its tasks."""
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        if "\ndef parser(" in file.read_text(encoding="utf-8"):
            name = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
            make = importlib.import_module(name).parser
            made = make(SOURCE) if make is prepare_parser else make()
            found[made.prog] = made
            for action in made._actions:
                if isinstance(action, argparse._SubParsersAction):
                    found |= {part.prog: part for part in action.choices.values()}
    return found


OPTIONS = [
    (prog, action.option_strings[-1], parser, action)
    for prog, parser in parsers().items()
    for action in parser._actions
    if action.type is not None
]
NUMBERS = [one for one in OPTIONS if one[3].type is not path]
NUMBERS_OF = [(prog, option) for prog, option, *_ in NUMBERS]


def test_no_command_is_forgotten():
    for file in ROOT.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert '__name__ == "__main__"' not in text or "parser().parse_args()" in text, file
    assert {prog for prog, _ in NUMBERS_OF} >= {
        "python -m strokegan_lib.train segmentation",
        "python -m strokegan_lib.evaluate",
        "make_phantom.py",
    }
    assert len(NUMBERS) > 60


@pytest.mark.parametrize(
    ("prog", "option", "parser", "action"), NUMBERS, ids=[" ".join(n) for n in NUMBERS_OF]
)
def test_a_number_out_of_range_is_one_line(prog, option, parser, action, capsys):
    for word in NEVER:
        words = [f"{option}={word}"] if action.nargs is None else [option, *[word] * 2]
        if action.nargs is not None and (word == "" or word.startswith("-")):
            continue  # argparse takes it for an option
        with pytest.raises(SystemExit) as end:
            parser.parse_args(words)
        error = capsys.readouterr().err
        assert end.value.code == 2 and error.count("\n") == 1, (word, error)
        assert option in error and "give a" in error


def test_ranges_hold_their_ends():
    assert integer(1, 9)("9") == 9 and number(0, 1)("0") == 0 and number(0, 1, within=True)("0.5") == 0.5
    for kind, word in (
        (integer(1, 9), "10"),
        (integer(1, 9), "1.5"),
        (number(0, 1), "1.1"),
        (number(0, 1, within=True), "1"),
    ):
        with pytest.raises(argparse.ArgumentTypeError, match="give a"):
            kind(word)


def test_a_tilde_is_the_home_folder_in_every_way_of_giving_a_path(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    parser = Parser()
    parser.add_argument("--out", type=path)
    assert parser.parse_args(["--out=~/run"]).out == Path("/somewhere/run")
    assert path("a~b") == Path("a~b")
    assert not [option for _, option, _, action in OPTIONS if action.type is Path]

"""Options of every command: a number out of range is one line, whatever the number."""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import strokegan_lib
from strokegan_lib.command_line import Parser, add_options, integer, number, option, path
from strokegan_lib.scans import command as prepare_command
from strokegan_lib.scans.soop import SOURCE

ROOT = Path(strokegan_lib.__file__).parent
NEVER = ("nan", "inf", "-inf", "1e300", "-1e300", "-9223372036854775809", "1" + "0" * 40, "many", "")


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Every parser that a function ``parser`` of the library or a data script makes, and those of its tasks."""
    found = {}
    for file in sorted([*ROOT.rglob("*.py"), *ROOT.parent.glob("data_scripts/*.py")]):
        if "\ndef parser(" in file.read_text(encoding="utf-8"):
            name = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
            make = importlib.import_module(name).parser
            made = make(SOURCE) if make is prepare_command.parser else make()
            found[made.prog] = made
            for action in made._actions:
                if isinstance(action, argparse._SubParsersAction):
                    found |= {part.prog: part for part in action.choices.values()}
    return found


NUMBERS = {
    f"{prog} {action.option_strings[-1]}": (parser, action)
    for prog, parser in parsers().items()
    for action in parser._actions
    if action.type not in (None, path)
}


def test_no_command_is_forgotten():
    for file in ROOT.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert '__name__ == "__main__"' not in text or "parser().parse_args()" in text, file
    assert {"python -m strokegan_lib.train segmentation --steps", "make_phantom.py --seed"} <= NUMBERS.keys()
    assert not [name for name, (_, action) in NUMBERS.items() if action.type is Path]


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

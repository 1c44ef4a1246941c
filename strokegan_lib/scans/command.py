"""The command line of the data scripts: one for all data sets."""

import sys
from argparse import RawDescriptionHelpFormatter
from functools import partial
from textwrap import fill

from strokegan_lib.command_line import Parser, command_for_card, integer, path, run
from strokegan_lib.scans.cases import Source
from strokegan_lib.scans.prepare import prepare


def parser(source: Source) -> Parser:
    """The options of a data set's script, named as prepare() has them; --help says how to get the data."""
    said = (
        f"How to get the data: {source.how_to_get}",
        f"Licence: {source.licence}",
        f"Please cite: {source.citation}",
    )
    options = Parser(
        prog=f"prepare_{source.name}.py",
        description=f"Make a SliceSet from {source.title}.",
        epilog="\n\n".join(fill(text, 100) for text in said),
        formatter_class=RawDescriptionHelpFormatter,
    )
    add = options.add_argument
    add("--source", type=path, required=True, dest="folder", metavar="DIR", help="where the data set lies")
    add("--out", type=path, required=True, metavar="DIR", help="the SliceSet to make")
    channels = f"channels, in this order: {', '.join(source.channels)} (default: all)"
    add("--modality", nargs="+", choices=source.channels, dest="modalities", metavar="NAME", help=channels)
    add("--skip-bad", action="store_true", help="report bad cases and go on without them")
    add("--workers", type=integer(1, 256), default=1, metavar="N", help="threads (default: 1)")
    add("--limit", type=integer(1, 10**9), metavar="N", help="only the first N cases")
    if source.download:
        add("--download", action="store_true", help="fetch the data set into --source first")
        add("--mirror", metavar="URL", help="fetch it from this host instead of the public one")
    if source.option:
        name, values, what = source.option
        add(f"--{name}", choices=values, default=values[0], help=f"{what} (default: {values[0]})")
    return options


def main(source: Source, argv: list[str] | None = None) -> int:
    """Run a data script with the arguments, those of the process if None, and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    options = parser(source)
    given = options.parse_args(argv)
    if given.modalities and len(set(given.modalities)) < len(given.modalities):
        options.error("--modality names a channel twice")
    made_by = command_for_card(options.prog, argv)
    return run(partial(prepare, source, made_by=made_by, **vars(given)), options.prog)

"""The command line of the data scripts: one for all data sets."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from dataclasses import replace
from functools import partial
from textwrap import fill

from strokegan_lib.command_line import Parser, command_for_card, integer, path, run
from strokegan_lib.scans.cases import Source
from strokegan_lib.scans.prepare import prepare


def parser(source: Source) -> Parser:
    """The options of a data set's script; --help also says how to get the data."""
    said = {
        "How to get the data": source.how_to_get, "Licence": source.licence, "Please cite": source.citation
    }  # fmt: skip
    options = Parser(
        prog=f"prepare_{source.name}.py",
        description=f"Make a SliceSet from {source.title}.",
        epilog="\n\n".join(fill(f"{head}: {text}", 100) for head, text in said.items()),
        formatter_class=RawDescriptionHelpFormatter,
    )
    add = options.add_argument
    add("--source", type=path, required=True, metavar="DIR", help="where the data set lies")
    add("--out", type=path, required=True, metavar="DIR", help="the SliceSet to make")
    channels = f"channels, in this order: {', '.join(source.channels)} (default: all)"
    add("--modality", nargs="+", choices=source.channels, metavar="NAME", help=channels)
    add("--skip-bad", action="store_true", help="report bad cases and go on without them")
    add("--workers", type=integer(1, 256), default=1, metavar="N", help="threads (default: 1)")
    add("--limit", type=integer(1, 10**9), metavar="N", help="only the first N cases")
    if source.download:
        add("--download", action="store_true", help="fetch the data set into --source first")
        add("--mirror", metavar="URL", help="fetch it from this host instead of the public one")
    if source.option:
        _, name, values, what = source.option
        add(f"--{name}", choices=values, default=values[0], help=f"{what} (default: {values[0]})")
    return options


def main(source: Source, argv: list[str] | None = None) -> int:
    """Run a data script with the arguments, those of the process if None, and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    options = parser(source)
    given = options.parse_args(argv)
    if given.modality and len(set(given.modality)) < len(given.modality):
        options.error("--modality names a channel twice")
    if source.option:
        step, name, *_ = source.option
        given_option = {name: getattr(given, name)}
        source = replace(source, **{step: partial(getattr(source, step), **given_option)})
    fetch = None
    if source.download and given.download:
        fetch = partial(source.download, given.source, given.mirror)
    work = partial(
        prepare,
        source,
        given.source,
        given.out,
        modalities=tuple(given.modality or source.channels),
        skip_bad=given.skip_bad,
        workers=given.workers,
        limit=given.limit,
        fetch=fetch,
        made_by=command_for_card(options.prog, argv),
    )
    return run(work, options.prog)

"""The command line of the data scripts: one for all data sets."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from textwrap import fill

from strokegan_lib.command_line import Parser, command_for_card, integer, path, run
from strokegan_lib.scans.cases import Source
from strokegan_lib.scans.prepare import prepare


def parser(source: Source) -> Parser:
    """The options of a data set's script; --help also says how to get the data."""
    said = (
        ("How to get the data", source.how_to_get),
        ("Licence", source.licence),
        ("Please cite", source.citation),
    )
    options = Parser(
        prog=f"prepare_{source.name}.py",
        description=f"Make a SliceSet from {source.title}.",
        epilog="\n\n".join(fill(f"{head}: {text}", 100) for head, text in said),
        formatter_class=RawDescriptionHelpFormatter,
    )
    options.add_argument("--source", type=path, required=True, metavar="DIR", help="where the data set lies")
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="the SliceSet to make")
    options.add_argument(
        "--modality", nargs="+", choices=source.channels, metavar="NAME",
        help=f"channels, in this order: {', '.join(source.channels)} (default: all)",
    )  # fmt: skip
    options.add_argument("--skip-bad", action="store_true", help="report bad cases and go on without them")
    options.add_argument(
        "--workers", type=integer(1, 256), default=1, metavar="N", help="threads (default: 1)"
    )
    options.add_argument("--limit", type=integer(1, 10**9), metavar="N", help="only the first N cases")
    if source.download:
        options.add_argument("--download", action="store_true", help="fetch the data set into --source first")
        options.add_argument(
            "--mirror", metavar="URL", help="fetch it from this host instead of the public one"
        )
    return options


def door(
    source: Source,
    argv: list[str] | None = None,
    load_option: tuple[str, tuple[str, ...], str] | None = None,
    find_option: tuple[str, tuple[str, ...], str] | None = None,
) -> int:
    """Run a data script and return its exit code.

    Args:
        argv: the arguments; those of the process if None.
        load_option, find_option: name, choices (the first is the default) and help of an
            option that is handed on to the source's ``load`` or ``find``.
    """
    options = parser(source)
    for name, choices, text in filter(None, (load_option, find_option)):
        options.add_argument(
            f"--{name}", choices=choices, default=choices[0], help=f"{text} (default: {choices[0]})"
        )
    argv = sys.argv[1:] if argv is None else argv
    given = options.parse_args(argv)
    if given.modality and len(set(given.modality)) < len(given.modality):
        options.error("--modality names a channel twice")
    if load_option:
        source = replace(
            source, load=partial(source.load, **{load_option[0]: getattr(given, load_option[0])})
        )
    if find_option:
        source = replace(
            source, find=partial(source.find, **{find_option[0]: getattr(given, find_option[0])})
        )
    main: Callable[[], None] = partial(_main, source, given, command_for_card(options.prog, argv))
    return run(main, options.prog)


def _main(source: Source, given, command: str) -> None:
    fetch = None
    if source.download and given.download:
        fetch = partial(source.download, given.source, given.mirror)
    prepare(
        source,
        given.source,
        given.out,
        modalities=tuple(given.modality) if given.modality else None,
        skip_bad=given.skip_bad,
        workers=given.workers,
        limit=given.limit,
        fetch=fetch,
        made_by=command,
    )

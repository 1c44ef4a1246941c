"""Keep how long the notebooks ran: ``python -m strokegan_lib.classroom.times``, after ``make tutorial``.

results/notebook_times.csv gets a line for every notebook and profile, and the card beside it names the
machine. The masters then state the quick profile's times, rounded to STEP seconds. So run it where the
series ran, with nothing else running, and then ``make editions``.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from strokegan_lib import command_line as door
from strokegan_lib.classroom.saved import RESULTS, table_of
from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.files import write_whole
from strokegan_lib.profiles import PROFILES, profile
from strokegan_lib.training.precision import arithmetic

PROG = "python -m strokegan_lib.classroom.times"
TABLE = "notebook_times"
STEP = 5  # seconds: about what a second run on the same machine may differ by
STATED = re.compile(r"(The cells run in about )(\d+)( seconds)")
UNMEASURED = {
    "class": "not measured: no GPU was at hand. By design no cell takes more than 3 minutes on a Colab T4 (an estimate)",
    "full": "not measured: the networks that it would train are shipped",
}


def rounded(seconds: float) -> int:
    """Seconds as the notebooks state them: to the nearest STEP, and never 0."""
    return max(STEP, STEP * round(seconds / STEP))


def measured(folder: Path) -> tuple[str, dict[str, float], dict[str, Any]]:
    """What a run of the series took.

    Args:
        folder: the report, as ``make tutorial`` leaves it.

    Returns:
        the profile, seconds by notebook, and what else the report says of the run.

    Raises:
        BadInput: no report, or one in which a notebook failed.
    """
    file = folder / "results.json"
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
        entries = report.pop("notebooks")
        seconds = {name: float(entry["seconds"]) for name, entry in entries.items()}
        failed = [name for name, entry in entries.items() if entry["status"] != "ok"]
        name = profile(report.pop("profile")).name
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadInput) as error:
        raise BadInput(file, f"is no report of the series ({error})", "run make tutorial first") from error
    if failed:
        raise BadInput(
            file, f"tells that {', '.join(failed)} failed", "mend that and run make tutorial again"
        )
    return name, seconds, report


def processor() -> str:
    """The CPU's name, as far as the system tells it."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        told = ""
    name = re.search(r"^model name\s*:\s*(.+)$", told, re.M)
    return name.group(1).strip() if name else platform.processor() or platform.machine()


def keep(options: Namespace) -> None:
    """Write the table, its card, and the times in the masters.

    Raises:
        BadInput: no report of the whole series, or files that cannot be written.
    """
    chain = masters(options.notebooks)
    name, seconds, report = measured(options.tutorial)
    if absent := [file.stem for file in chain if file.stem not in seconds]:
        raise BadInput(options.tutorial, f"knows no {', '.join(absent)}", "run make tutorial again")
    texts = {file: stating(file, rounded(seconds[file.stem])) for file in chain if name == "quick"}
    if (options.results / f"{TABLE}.csv").is_file():
        lines, card = table_of(TABLE, options.results)
    else:
        lines, card = [], {"measured": {}}
    lines = [line for line in lines if line["profile"] != name]
    lines += [{"notebook": file.stem, "profile": name, "seconds": seconds[file.stem]} for file in chain]
    run = provenance(PROFILES[name].threads or os.cpu_count() or 1, arithmetic())
    about = {"processor": processor(), "cores": os.cpu_count(), **run, **report}
    card = {
        "what": "Seconds that each notebook of the series took, from the start of its process to its end, several at once",
        "command": f"python -m strokegan_lib.classroom.tutorial --profile {name} && {PROG}",
        "rounding": f"the notebooks state the quick profile's seconds to the nearest {STEP}",
        **run,
        "measured": {**card["measured"], name: about},
    }
    card["estimated"] = {k: v for k, v in UNMEASURED.items() if k not in card["measured"]}
    write_csv(
        options.results / f"{TABLE}.csv",
        sorted(lines, key=lambda line: list(PROFILES).index(line["profile"])),
    )
    write_json(options.results / f"{TABLE}.json", card)
    for file, text in texts.items():
        write_whole(file, text)
    for file in chain:
        print(f"{file.stem:32} {seconds[file.stem]:6.1f} s, stated as {rounded(seconds[file.stem])}")


def stating(file: Path, seconds: int) -> str:
    """The text of a master that states this run time, and is otherwise as it was.

    Raises:
        BadInput: the master states no time, or several.
    """
    text, count = STATED.subn(rf"\g<1>{seconds}\g<3>", file.read_text(encoding="utf-8"))
    if count != 1:
        raise BadInput(
            file, f"states its run time {count} times", 'say once "The cells run in about N seconds"'
        )
    return text


def parser() -> door.Parser:
    options = door.Parser(prog=PROG, description=__doc__.splitlines()[0])
    options.add_argument(
        "--tutorial", type=door.path, default=Path("build/tutorial"), metavar="DIR", help="the report"
    )
    options.add_argument(
        "--notebooks", type=door.path, default=Path("notebooks"), metavar="DIR", help="the masters"
    )
    options.add_argument(
        "--results", type=door.path, default=RESULTS, metavar="DIR", help="default: the kit's own folder"
    )
    return options


if __name__ == "__main__":
    sys.exit(door.run(lambda: keep(parser().parse_args()), "times"))

"""The instructors' table of times: ``python -m strokegan_lib.classroom.timetable``.

To teach and to practise: the notebooks' own estimates. To run: what classroom.times has measured and
kept in results/. Run it after that; a test fails where docs/instructors/schedules.md says otherwise.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from strokegan_lib import command_line as door
from strokegan_lib.classroom.masters import read
from strokegan_lib.classroom.saved import RESULTS, table_of
from strokegan_lib.classroom.times import TABLE
from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.errors import BadInput
from strokegan_lib.files import write_whole

PROG = "python -m strokegan_lib.classroom.timetable"
GUIDE = Path("docs/instructors/schedules.md")
BLOCK = re.compile(r"(?<=<!-- times: begin -->\n).*?(?=<!-- times: end -->)", re.S)
ESTIMATES = re.compile(r"about (\d+) minutes to teach and (\d+) for the exercises")
HEAD = ("notebook", "to teach, minutes (estimate)", "exercises, minutes (estimate)", "quick profile, seconds")


def estimates(master: Path) -> tuple[int, int]:
    """Minutes to teach and for the exercises, as a notebook's first cell states them.

    Raises:
        BadInput: it states none.
    """
    cell = " ".join(read(master).cells[0].source.split())
    if not (found := ESTIMATES.search(cell)):
        raise BadInput(
            master, "states no minutes to teach", 'say "about N minutes to teach and N for the exercises"'
        )
    return int(found.group(1)), int(found.group(2))


def timetable(notebooks: Path, results: Path = RESULTS) -> str:
    """The Markdown of the table and of where it was measured.

    Raises:
        BadInput: a notebook without estimates, or a measurement that lacks a notebook.
    """
    seconds, where = {}, "The seconds were not measured yet."
    if (results / f"{TABLE}.csv").is_file():
        lines, card = table_of(TABLE, results)
        seconds = {line["notebook"]: line["seconds"] for line in lines if line["profile"] == "quick"}
        run = card["measured"]["quick"]
        where = f"Measured on {run['processor']}, {run['cores']} cores, {run['date']}."
    rows, total = [], 0
    chain = masters(notebooks)
    for file in chain:
        if seconds and file.stem not in seconds:
            raise BadInput(
                results / f"{TABLE}.csv", f"knows no {file.stem}", "measure the whole series again"
            )
        took = round(seconds[file.stem]) if seconds else None
        total += took or 0
        rows.append([f"[{file.stem[:2]}](../../notebooks/{file.name})", *estimates(file), took])
    sums = (sum(row[i] for row in rows) for i in (1, 2))
    rows.append(["**sum**", *sums, total if seconds else None])
    lines = [
        HEAD,
        ("---",) * len(HEAD),
        *(["not measured yet" if c is None else c for c in row] for row in rows),
    ]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines) + f"\n{where}\n"


def parser() -> door.Parser:
    return door.Parser(prog=PROG, description=__doc__.splitlines()[0])


def main() -> None:
    parser().parse_args()
    if not GUIDE.is_file():
        raise BadInput(GUIDE, "is not there", "run this where the kit lies")
    text = GUIDE.read_text(encoding="utf-8")
    table = timetable(Path("notebooks"))
    write_whole(GUIDE, BLOCK.sub(lambda _: table, text))
    print(table)


if __name__ == "__main__":
    sys.exit(door.run(main, "timetable"))

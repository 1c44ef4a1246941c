"""A family tree that grows with the years; each member shows a picture that it made."""

from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE_HEX, ORANGE_HEX, chart, rendered

HALF = 0.37  # of a picture's side; two years are 1 apart
CORNERS = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)])


class Relative(NamedTuple):  # a member of the family
    year: int
    row: int  # of the tree, from 0, below
    picture: np.ndarray  # (H, W) uint8
    parents: tuple[str, ...]
    says: str  # stands below its name


class FamilyTree(Interactive):
    """All members up to a year, those of that year framed in orange. Used in notebook 11."""

    def __init__(self, members: dict[str, Relative]) -> None:
        self.members = members
        self.years = sorted({member.year for member in members.values()})
        super().__init__(year=widgets.SelectionSlider(options=self.years, description="year"))

    def draw(self, year: int) -> tuple[np.ndarray, str]:
        rows = 1 + max(member.row for member in self.members.values())
        figure, ax = chart((2.2 * len(self.years), 2.65 * rows + 0.26), left=0, right=1, bottom=0, top=1)
        place = {name: (self.years.index(m.year), 1.2 * m.row) for name, m in self.members.items()}
        there = {name: member for name, member in self.members.items() if member.year <= year}
        for name, member in there.items():
            x, y = place[name]
            for parent in member.parents:
                ax.plot(*zip((x, y), place[parent], strict=True), color=BLUE_HEX, linewidth=2, zorder=0)
            sides = (x - HALF, x + HALF, y - HALF, y + HALF)
            ax.imshow(member.picture, cmap="gray", vmin=0, vmax=255, extent=sides, zorder=2)
            colour, width = (ORANGE_HEX, 5) if member.year == year else (BLUE_HEX, 1)
            ax.plot(*zip(*CORNERS * HALF + (x, y), strict=True), color=colour, linewidth=width, zorder=3)
            style = {"ha": "center", "va": "top", "fontsize": 13, "backgroundcolor": "white", "zorder": 1}
            ax.text(x, y - HALF - 0.06, f"{name}\n{member.says}", **style)
        top = 1.2 * rows - 0.78
        for x, title in enumerate(self.years):
            weight = "bold" if title == year else "normal"
            ax.text(x, top, title, ha="center", va="bottom", fontsize=13, weight=weight)
        ax.set(xlim=(-0.5, len(self.years) - 0.5), ylim=(-0.78, top + 0.12), aspect="equal")
        ax.set(xticks=[], yticks=[], frame_on=False)
        new = ", ".join(f"{name} ({member.says})" for name, member in there.items() if member.year == year)
        return rendered(figure), f"{year}, {len(there)} of {len(self.members)}: {new}"

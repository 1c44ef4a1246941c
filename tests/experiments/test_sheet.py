"""The sheet: every slice in its place, every name beside its row."""

from __future__ import annotations

import numpy as np

from experiments.sheet import MARGIN, sheet


def test_the_sheet_holds_what_was_given():
    planes = np.zeros((2, 128, 128), np.uint8)
    planes[1] = 200
    drawn = np.array(sheet({"two": planes, "one": planes[1:]}).convert("L"))
    assert drawn.shape == (2 * 132 - 4, MARGIN + 2 * 132)
    tops = drawn[64, MARGIN + 64], drawn[64, MARGIN + 132 + 64], drawn[132 + 64, MARGIN + 64]
    assert tops == (0, 200, 200) and drawn[132 + 64, MARGIN + 132 + 64] == 255
    assert (drawn[:128, :MARGIN] < 255).any() and drawn[2, 2] == 255, "the name stands to the left"

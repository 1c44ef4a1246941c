"""Make a SliceSet from BRATS 2015; --help says how to get the data."""

from __future__ import annotations

import sys

from strokegan_lib.scans.brats2015 import REGIONS, SOURCE
from strokegan_lib.scans.command import door

if __name__ == "__main__":
    sys.exit(door(SOURCE, load_option=("region", tuple(REGIONS), "part of the tumour to mark")))

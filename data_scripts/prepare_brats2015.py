"""Make a SliceSet from BRATS 2015; --help says how to get the data."""

from __future__ import annotations

import sys

from strokegan_lib.data.prepare_door import door
from strokegan_lib.data.sources.brats2015 import REGIONS, SOURCE

if __name__ == "__main__":
    sys.exit(door(SOURCE, load_option=("region", tuple(REGIONS), "part of the tumour to mark")))

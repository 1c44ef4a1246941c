"""Make a SliceSet from ISLES 2022; --help says how to get the data."""

from __future__ import annotations

import sys

from strokegan_lib.scans.command import door
from strokegan_lib.scans.isles2022 import SOURCE

if __name__ == "__main__":
    sys.exit(door(SOURCE))

"""Make a SliceSet from SOOP; --help says how to get the data."""

from __future__ import annotations

import sys

from strokegan_lib.scans.command import door
from strokegan_lib.scans.soop import ROUTES, SOURCE

if __name__ == "__main__":
    sys.exit(door(SOURCE, find_option=("route", ROUTES, "take pictures or whole volumes")))

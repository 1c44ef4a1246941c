"""Make a SliceSet from ISLES 2018; --help says how to get the data."""

from __future__ import annotations

import sys

from strokegan_lib.data.prepare_door import door
from strokegan_lib.data.sources.isles2018 import SOURCE

if __name__ == "__main__":
    sys.exit(door(SOURCE))
